"""The events of the child process: what it did with the revisions, and whether it finished. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, TypeAlias

from msgspec import Meta, Struct, convert

from ci_action.model.migrations import Direction
from ci_action.system.json_fields import MOST, json_object

LONGEST_LINE: Final = 2_000_000
"""Bytes: the child cuts every text."""

# What the system can hold as a file name.
_Path: TypeAlias = Annotated[str, Meta(pattern=r"\A[^\x00\ud800-\udc7f\udd00-\udfff]*\Z")]
_Line: TypeAlias = Annotated[int, Meta(ge=0, le=MOST)]
_Count: TypeAlias = Annotated[int, Meta(ge=0, le=MOST)]
_Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=MOST)]


class Error(Struct, frozen=True):
    """An exception of the project, of Alembic or of the database."""

    type: str
    """Its class with the module."""
    text: str
    bases: tuple[str, ...] = ()
    database: str = ""
    """The message of the database; empty if it was not the database."""
    state: str = ""
    """The code of the database: `42P07`."""
    lost: bool = False
    """Whether the connection is lost."""
    statement: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    """The settings that pydantic misses or refuses, each with the kind of its error."""
    module: str = ""
    """The module that could not be imported."""
    key: str = ""
    """The key of a KeyError."""
    syntax: tuple[_Path, _Line, str] | None = None
    frames: tuple[tuple[_Path, _Line], ...] = ()
    """The files and lines of the traceback, the innermost last."""
    traceback: str = ""


class Absent(Struct, frozen=True):
    """Alembic or SQLAlchemy is not installed."""

    module: str
    text: str


class Start(Struct, frozen=True):
    """The versions of the project."""

    python: str
    alembic: str
    sqlalchemy: str


class Plan(Struct, frozen=True):
    """All revisions in the order of their upgrade, with their files."""

    revisions: tuple[tuple[str, _Path], ...]
    checked: tuple[str, ...]


class PhaseStart(Struct, frozen=True):
    """A phase starts: the events after it are about it."""

    phase: str


class Connects(Struct, frozen=True):
    """The project connects to a database of a dialect."""

    dialect: str


class Measures(Struct, frozen=True):
    """Tables that are rewritten are reported from now on."""


class Executed(Struct, frozen=True):
    """A statement of a revision."""

    revision: str
    file: _Path
    line: _Line
    sql: str
    transaction: bool
    rewrites: tuple[tuple[str, int], ...] = ()


class Stepped(Struct, frozen=True):
    """A revision went up or down, or failed to."""

    revision: str
    direction: Direction
    seconds: _Seconds
    failed: bool


class Failure(Struct, frozen=True):
    """An exception: of a revision, or outside of all of them."""

    phase: str
    error: Error
    revision: str = ""
    direction: str = ""
    judged: bool = True
    """Whether the revision is one of those to check."""
    file: _Path = ""
    line: _Line = 0
    running: str = ""
    """The last statement that was started and did not end."""
    caught: bool = False
    """Whether env.py caught it."""


class Idle(Struct, frozen=True):
    """A downgrade that did nothing although the upgrade did."""

    revision: str
    statements: _Count


class Differs(Struct, frozen=True):
    """The schema is not the one that it should be after a step."""

    revision: str
    """Empty if only the end of all steps shows it."""
    direction: Direction
    number: _Count
    by: str
    """What compared."""
    differences: tuple[tuple[str, str, str, str], ...]
    """A sign, the object, and how it was and is defined."""


class Compared(Struct, frozen=True):
    """What compared the schemas, and whether pg_dump did at the end."""

    by: str
    dumped: bool


class Unstable(Struct, frozen=True):
    """The revisions could not be upgraded from nothing again, or led to another schema."""

    error: Error | None
    differences: tuple[tuple[str, str, str, str], ...] = ()


class Uncommitted(Struct, frozen=True):
    """The database is not at the revisions to which it was brought."""

    phase: str
    expected: tuple[str, ...]
    found: tuple[str, ...]


class Unstarted(Struct, frozen=True):
    """env.py ended without running the revisions."""

    phase: str


class Undumped(Struct, frozen=True):
    """pg_dump failed."""

    text: str


class Drifted(Struct, frozen=True):
    """An operation that would bring the database to the models."""

    kind: str
    table: str
    item: str
    detail: str
    model: tuple[_Path, str, str, str] | None
    """The file, the class or variable, its attribute and the column."""


class NoMetadata(Struct, frozen=True):
    """env.py has no models to compare with."""


class Enums(Struct, frozen=True):
    """The database has enum types, whose values nothing compares with the models."""

    names: tuple[str, ...]
    number: _Count


class Expired(Struct, frozen=True):
    """A phase took too long."""

    phase: str
    revision: str = ""
    direction: str = ""
    statement: str = ""
    file: _Path = ""
    line: _Line = 0


class Done(Struct, frozen=True):
    """A phase ended."""

    phase: str
    seconds: _Seconds
    revisions: _Count
    finished: bool


class End(Struct, frozen=True):
    """Everything that could be done is done and reported."""


Event: TypeAlias = (
    Absent
    | Start
    | Plan
    | PhaseStart
    | Connects
    | Measures
    | Executed
    | Stepped
    | Failure
    | Idle
    | Differs
    | Compared
    | Unstable
    | Uncommitted
    | Unstarted
    | Undumped
    | Drifted
    | NoMetadata
    | Enums
    | Expired
    | Done
    | End
)
_EVENTS: Final[Mapping[str, type[Event]]] = {
    "absent": Absent,
    "start": Start,
    "plan": Plan,
    "phase": PhaseStart,
    "connects": Connects,
    "measures": Measures,
    "statement": Executed,
    "step": Stepped,
    "failure": Failure,
    "idle": Idle,
    "differs": Differs,
    "compared": Compared,
    "unstable": Unstable,
    "uncommitted": Uncommitted,
    "unstarted": Unstarted,
    "undumped": Undumped,
    "drift": Drifted,
    "no-metadata": NoMetadata,
    "enums": Enums,
    "timeout": Expired,
    "done": Done,
    "end": End,
}


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The events of one child process, in their order."""

    events: tuple[Event, ...] = ()
    malformed: str = ""
    """The error in the first line that the child cannot have written."""
    ended: bool = False
    """Whether the last event is the end."""
    phases: Mapping[str, tuple[Event, ...]] = field(default_factory=dict)
    """The events of each phase that was started."""


def read(lines: Iterable[bytes]) -> Recorded:
    """Read the events, one a line."""
    events: list[Event] = []
    phases: dict[str, list[Event]] = {}
    current: list[Event] = []
    malformed = ""
    ended = False
    for number, line in enumerate(lines, 1):
        try:
            event = _event(line, ended=ended)
        except ValueError as error:
            # A process that died while it wrote leaves a part of a line, and no end.
            torn = not line.endswith(b"\n") and not ended and len(line) <= LONGEST_LINE
            if not torn and not malformed:
                malformed = f"line {number:,}: {error}"
            continue
        if isinstance(event, PhaseStart):
            current = phases.setdefault(event.phase, [])
        ended = isinstance(event, End)
        events.append(event)
        current.append(event)
    return Recorded(
        events=tuple(events),
        malformed=malformed,
        ended=ended and not malformed,
        phases={name: tuple(found) for name, found in phases.items()},
    )


def _event(line: bytes, *, ended: bool) -> Event:
    if len(line) > LONGEST_LINE:
        raise ValueError("it is too long")
    fields = json_object(line)
    kind = str(fields.pop("event", None))
    if ended:
        raise ValueError("it comes after the end")
    if kind not in _EVENTS:
        raise ValueError("it is an unknown event")
    return convert(fields, _EVENTS[kind])
