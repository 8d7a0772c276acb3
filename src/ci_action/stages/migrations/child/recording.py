"""Records the statements that revisions really execute, each with its line in the file of the revision."""

import os
import re
import sys

from sqlalchemy import event
from sqlalchemy.engine import Engine

from . import rewriting
from .channel import cut

_FIRST_WORD = re.compile(r"(?:\s|\(|--[^\n]*\n|/\*.*?\*/)*([A-Za-z]+)", re.DOTALL)
# They read.
_QUERIES = frozenset({"SELECT", "SHOW", "PRAGMA", "EXPLAIN", "VALUES", "TABLE"})
# They rewrite no table; there may be thousands of them.
_DATA = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE"})
# Those with many rows are long.
_LONGEST_SQL = 200000
# They change nothing that a downgrade could undo.
_SESSION = frozenset({
    "SET", "RESET", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "LOCK", "DISCARD", "ANALYZE", "VACUUM", "REINDEX",
    "CHECKPOINT", "REFRESH", "NOTIFY",
})  # fmt: skip


class Recorder:
    """Listens to all engines."""

    def __init__(self, send):
        self._send = send
        self._real = {}
        self._asking = False
        self._data = set()
        """The statements for data that were reported, with their places: a loop executes the same one for each row."""
        self.files = {}
        """The revisions by their files."""
        self.revision = ""
        """The revision that runs; empty between two."""
        self.direction = ""
        self.wanted = frozenset()
        """The revisions whose statements are reported, while they are upgraded for the first time."""
        self.measures = False
        """Whether the trigger for rewritten tables is installed."""
        self.effects = 0
        """The number of statements that the revision has executed to change something."""
        self.running = None
        """The statement that was started and has not ended: its text, file and line."""

    def install(self):
        """Listen to all engines."""
        event.listen(Engine, "before_cursor_execute", self._before)
        event.listen(Engine, "after_cursor_execute", self._after)

    def begin(self, revision, direction):
        """Note that a revision starts."""
        self.revision, self.direction, self.effects, self.running = revision, direction, 0, None

    def end(self):
        """Note that it has ended."""
        self.revision = self.direction = ""

    def quietly(self, work, *arguments):
        """Call a function whose statements are not those of a revision."""
        self._asking = True
        try:
            return work(*arguments)
        finally:
            self._asking = False

    def place(self, frame):
        """Return the file and line of a revision that a frame was called from, or None."""
        while frame is not None:
            name = frame.f_code.co_filename
            if name not in self._real:
                self._real[name] = os.path.realpath(name)
            if self._real[name] in self.files:
                return self._real[name], frame.f_lineno
            frame = frame.f_back
        return None

    def _before(self, _connection, _cursor, statement, _parameters, _context, _many):
        if self._asking:
            return
        found = self.place(sys._getframe())
        self.running = (statement, found)
        word = first_word(statement)
        if found and word not in _QUERIES and word not in _SESSION:
            self.effects += 1

    def _after(self, connection, _cursor, statement, _parameters, context, _many):
        if self._asking:
            return
        running, self.running = self.running, None
        place = running and running[1]
        if not place or not self.revision:
            return
        word = first_word(statement)
        measured = self.measures and word not in _DATA
        # Also of statements that are not reported: what they rewrote is not what the next one does.
        rewrites = self.quietly(rewriting.taken, connection) if measured else []
        if self.direction != "upgrade" or self.revision not in self.wanted:
            return
        if word in _QUERIES and not rewrites:
            return
        if word in _DATA:
            if (place, statement) in self._data:
                return
            self._data.add((place, statement))
        self._send(
            "statement",
            revision=self.revision,
            file=place[0],
            line=place[1],
            sql=cut(as_sent(statement, context), _LONGEST_SQL),
            transaction=not connection._is_autocommit_isolation(),
            rewrites=[[table, reason] for table, reason in rewrites],
        )


def first_word(statement):
    """Return the first word of a statement in capitals."""
    found = _FIRST_WORD.match(statement)
    return found.group(1).upper() if found else ""


def as_sent(statement, context):
    """Return a statement as the database gets it, with `$1` in the place of each parameter."""
    style = getattr(getattr(context, "dialect", None), "paramstyle", "")
    if style not in ("format", "pyformat") or not (
        getattr(context, "compiled", None) or getattr(context, "compiled_parameters", None)
    ):
        return statement
    numbers = iter(range(1, 100000))
    return re.sub(
        r"%(%|s|\(\w+\)s)", lambda found: "%" if found.group(1) == "%" else "$%d" % next(numbers), statement
    )
