"""The executed statements as one SQL file for squawk, and which of them each line belongs to: pure functions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ci_action.stages.migrations.model import Statement

# The last line. squawk reports that it knows no such rule, whatever rules are switched off: so it has read the whole file.
END: Final = "-- squawk-ignore ci-action-end"
UNKNOWN_RULE: Final = "unused-ignore"
_OURS: Final = -1
# Parameters of drivers, which squawk cannot parse, and the percent sign that they escape.
_PARAMETER: Final = re.compile(r"%%|%\([^()\n]*\)s|%s")
# It ends a line, for squawk as for PostgreSQL.
_RETURN: Final = re.compile(r"\r(?!\n)")
# All revisions are in one file: the comment of one must not hide what the others do.
_WHOLE_FILE: Final = "squawk-ignore-file"
_INERT: Final = "squawk ignore-file"


@dataclass(frozen=True, kw_only=True)
class Script:
    """A SQL file; its lines are counted from 0, like squawk counts them."""

    text: str
    owners: tuple[int, ...]
    """For each line the index of its statement; below 0 for our own lines."""

    def owner(self, line: int) -> int | None:
        """Return the index of the statement that a line belongs to; None for our own lines."""
        found = self.owners[line] if 0 <= line < len(self.owners) else _OURS
        return None if found == _OURS else found

    @property
    def end(self) -> int:
        """The last line."""
        return len(self.owners) - 1


def script_of(statements: Sequence[Statement]) -> Script:
    """Return the statements in transactions: all in a row that ran in one are in the same, like Alembic upgrades by default.

    So squawk knows the tables that an earlier revision of the change has created. Each statement ends with a semicolon on a
    line of its own, because it may end with a comment, and so that a comment for squawk at its end is not for the next one.
    """
    lines: list[str] = []
    owners: list[int] = []

    def add(text: str, owner: int) -> None:
        added = text.split("\n")
        lines.extend(added)
        owners.extend([owner] * len(added))

    inside = False
    for index, one in enumerate(statements):
        if one.in_transaction is not inside:
            add("BEGIN;" if one.in_transaction else "COMMIT;", _OURS)
            inside = one.in_transaction
        add(_readable(one.sql), index)
        add(";", index)
    if inside:
        add("COMMIT;", _OURS)
    add(END, _OURS)
    return Script(text="\n".join(lines), owners=tuple(owners))


def _readable(sql: str) -> str:
    """Return a statement as squawk can read it, with the lines that it counts."""
    bare = _PARAMETER.sub(lambda found: "%" if found[0] == "%%" else "NULL", sql)
    return _RETURN.sub("\n", bare).replace(_WHOLE_FILE, _INERT)
