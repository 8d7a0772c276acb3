"""What the events of the child mean for each tool: its findings, or why it could not finish. Pure but for source lines."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Final

from ci_action.model.finding import Finding, Location
from ci_action.model.migrations import Direction, Step
from ci_action.stages.migrations.database import lacking_in
from ci_action.stages.migrations.events import (
    Absent,
    Compared,
    Connects,
    Differs,
    Done,
    Drifted,
    Enums,
    Event,
    Executed,
    Expired,
    Failure,
    Idle,
    Measures,
    NoMetadata,
    Recorded,
    Stepped,
    Uncommitted,
    Undumped,
    Unstable,
    Unstarted,
)
from ci_action.stages.migrations.faults import Facts, Faulty, fault, short
from ci_action.stages.migrations.model import Phase, Rewrite, Statement
from ci_action.system.text import counted, listed, one_line

UPGRADE: Final = "upgrade"
DOWNGRADE: Final = "downgrade"
DRIFT: Final = "drift"
PHASES: Final = (UPGRADE, DOWNGRADE, DRIFT)
URL: Final = "https://alembic.sqlalchemy.org/en/latest/"
_AUTOGENERATE: Final = f"{URL}autogenerate.html"
_MOST: Final = 3
_SHOWN: Final = 120
_TRACES: Final = {"+": "is left behind", "-": "is missing", "~": "differs"}


@dataclass(frozen=True, kw_only=True)
class Source:
    """What is known besides the events."""

    facts: Facts
    env: str
    """The path of env.py, relative to the workspace."""
    timeout: int
    ended: str
    """How the child process ended, for people: `exit code 1`."""
    detail: str
    """The last lines that it printed."""
    text: Callable[[str], str]
    """Returns the text of a file of the project, empty if it cannot be read."""


@dataclass(kw_only=True)
class _Reading:
    """The phase of one tool while its events are read."""

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    broken: str = ""
    detail: str = ""
    skipped: str = ""
    lacks: frozenset[str] = frozenset()
    done: Done | None = None

    def breaks(self, reason: str, detail: str = "") -> None:
        """Keep the first reason why the tool could not finish."""
        if not self.broken:
            self.broken, self.detail = reason, detail


def phases_of(recorded: Recorded, source: Source) -> dict[str, Phase]:
    """Return what each tool got, of those that were reached; the last is broken if the child did not finish."""
    found = {name: _phase(name, events, source) for name, events in recorded.phases.items() if name in PHASES}
    if not recorded.ended:
        last = next(reversed(found), UPGRADE)
        reading = found.get(last) or _Reading()
        reading.breaks(_unfinished(recorded, source), source.detail)
        found[last] = reading
    for event in recorded.events:
        if isinstance(event, Absent):
            reading = found.setdefault(UPGRADE, _Reading())
            reading.breaks(
                f"{event.module} is not installed in the environment of the project: add it to the dependencies, or name"
                " its group in `groups` or `extras`",
                event.text,
            )
    if not found:
        found[UPGRADE] = _Reading(broken=_unfinished(recorded, source), detail=source.detail)
    return {name: _ended(reading) for name, reading in found.items()}


def lacking(recorded: Recorded, source: Source) -> frozenset[str]:
    """Return the extensions that the server lacks."""
    found = (_phase(name, events, source).lacks for name, events in recorded.phases.items())
    return frozenset(chain.from_iterable(found))


def dialect_of(recorded: Recorded) -> str:
    """Return the dialect of the first connection of the project; empty if it made none."""
    return next((one.dialect for one in recorded.events if isinstance(one, Connects)), "")


def steps_of(recorded: Recorded) -> Iterator[Step]:
    """Yield the steps; one that did not do what it should has failed too."""
    wrong = {(one.revision, Direction.DOWNGRADE) for one in recorded.events if isinstance(one, Idle)}
    wrong |= {(one.revision, one.direction) for one in recorded.events if isinstance(one, Differs)}
    for one in recorded.events:
        if isinstance(one, Stepped):
            failed = one.failed or (one.revision, one.direction) in wrong
            yield Step(revision=one.revision, direction=one.direction, seconds=one.seconds, failed=failed)


def statements_of(recorded: Recorded, source: Source) -> Iterator[Statement]:
    """Yield the statements of the revisions in the order of their execution."""
    for one in recorded.events:
        if isinstance(one, Executed):
            yield Statement(
                revision=one.revision,
                place=Location(path=source.facts.relative(one.file), line=one.line or None),
                sql=one.sql,
                in_transaction=one.transaction,
                rewrites=tuple(Rewrite(table=table, reason=reason) for table, reason in one.rewrites),
            )


def measures_rewrites(recorded: Recorded) -> bool:
    """Return whether the event trigger was installed."""
    return any(isinstance(one, Measures) for one in recorded.events)


def _unfinished(recorded: Recorded, source: Source) -> str:
    if recorded.malformed:
        return f"the results of the migrations cannot be read: {recorded.malformed}"
    return f"the process of the migrations ended before it was finished ({source.ended})"


def _ended(reading: _Reading) -> Phase:
    if reading.done is None:
        reading.breaks("the process of the migrations ended before this was finished")
    elif not reading.done.finished and not reading.findings:
        reading.breaks("the revisions could not be run")
    return Phase(
        seconds=reading.done.seconds if reading.done else 0.0,
        findings=tuple(reading.findings),
        examined=reading.done.revisions if reading.done else 0,
        broken=reading.broken,
        detail=reading.detail,
        skipped=reading.skipped,
        notes=tuple(reading.notes),
        warnings=tuple(reading.warnings),
    )


def _phase(name: str, events: Sequence[Event], source: Source) -> _Reading:
    reading = _Reading()
    for event in events:
        _read(event, reading, source)
    return replace(reading, findings=[replace(one, tool=name) for one in reading.findings])


def _read(event: Event, reading: _Reading, source: Source) -> None:
    if isinstance(event, Failure):
        found = fault(event, source.facts)
        if isinstance(found, Faulty):
            reading.breaks(found.reason, found.detail)
            reading.lacks |= found.lacks
        elif event.judged:
            reading.findings.append(found)
    elif finding := _found(event, source):
        reading.findings.append(finding)
    else:
        _note(event, reading, source)


def _found(event: Event, source: Source) -> Finding | None:
    """Return the finding of an event; None if it is none."""
    match event:
        case Idle():
            return _idle(event, source)
        case Differs():
            return _differs(event, source)
        case Drifted():
            return _drift(event, source)
        case Uncommitted():
            return _uncommitted(event, source)
        case Unstarted():
            text = "env.py does not run the revisions: it has to call `context.run_migrations()`"
            return _finding("config", text, Location(path=source.env))
        case _:
            return None


def _note(event: Event, reading: _Reading, source: Source) -> None:
    """Keep what an event means besides findings."""
    match event:
        case Expired():
            reading.breaks(_expired(event, source), source.detail)
        case Unstable(error):
            reading.breaks(_unstable(event), error.traceback if error else "")
            reading.lacks |= lacking_in(error.database) if error else frozenset()
        case NoMetadata():
            reading.skipped = "env.py sets no `target_metadata`: there are no models to compare with"
        case Compared(by, dumped):
            reading.notes.append(f"schemas compared by {by}{', and at the end by pg_dump' if dumped else ''}")
        case Enums(names, number):
            shown = listed([_public(name) for name in names], _MOST)
            reading.notes.append(
                f"values of {counted(number, 'enum type')} are not compared ({shown}): alembic-postgresql-enum does that"
            )
        case Undumped(text):
            reading.warnings.append(f"pg_dump failed, so only the catalogs were compared: {short(text)}")
        case Done():
            reading.done = event
        case _:
            pass


def _finding(rule: str, message: str, place: Location | None, url: str = URL) -> Finding:
    return Finding(tool="", rule=rule, message=message, location=place, url=url)


def _idle(event: Idle, source: Source) -> Finding:
    did = counted(event.statements, "statement") if event.statements else "changes of the schema"
    return _finding(
        "irreversible",
        f"{event.revision} is irreversible: downgrade() does nothing, but upgrade() has {did}",
        _function(event.revision, "downgrade", source),
    )


def _differs(event: Differs, source: Source) -> Finding:
    shown = listed([_difference(*one) for one in event.differences], _MOST)
    more = event.number - len(event.differences)
    text = f"{shown} and {more} more" if more > 0 else shown
    if not event.revision:
        return _finding(
            "schema-differs", f"after downgrade and upgrade of all revisions the schema differs: {text}", None
        )
    if event.direction is Direction.DOWNGRADE:
        message = f"downgrade of {event.revision} does not restore the schema: {text}"
    else:
        message = f"{event.revision} does not restore the schema when it is upgraded again: {text}"
    return _finding("schema-differs", message, _function(event.revision, "downgrade", source))


def _difference(sign: str, name: str, before: str, after: str) -> str:
    text = f"{short(name, _SHOWN)} {_TRACES.get(sign, 'differs')}"
    if sign == "~" and (before or after):
        return f"{text} ({short(before, _SHOWN) or 'nothing'} → {short(after, _SHOWN) or 'nothing'})"
    return text


def _uncommitted(event: Uncommitted, source: Source) -> Finding:
    where = listed(event.found) if event.found else "no revision"
    return _finding(
        "config",
        f"env.py does not commit: the database should be at {listed(event.expected) or 'no revision'}, but is at {where};"
        " wrap `context.run_migrations()` in `with context.begin_transaction():`",
        Location(path=source.env),
    )


def _expired(event: Expired, source: Source) -> str:
    where = f" in the {event.direction} of {event.revision}" if event.revision else ""
    place = f", {source.facts.relative(event.file)}:{event.line}" if event.file else ""
    statement = f"; running{place}: {short(event.statement, _SHOWN)}" if event.statement.strip() else ""
    return f"{event.phase} timed out after {source.timeout} s{where}{statement}; increase `timeout`"


def _unstable(event: Unstable) -> str:
    if event.error:
        return f"the revisions could not be upgraded from nothing a second time: {short(event.error.text)}"
    shown = listed([_difference(*one) for one in event.differences], _MOST)
    return f"upgrading from nothing a second time led to another schema: {shown}"


_DRIFTS: Final = {
    "add_table": "table {table} of the models is not in the migrations",
    "remove_table": "table {table} of the migrations is not in the models",
    "add_column": "column {table}.{item} ({detail}) of the models is not in the migrations",
    "remove_column": "column {table}.{item} ({detail}) of the migrations is not in the models",
    "add_index": "index {item} ({detail}) on {table} of the models is not in the migrations",
    "remove_index": "index {item} ({detail}) on {table} of the migrations is not in the models",
    "add_constraint": "constraint {item} ({detail}) on {table} of the models is not in the migrations",
    "remove_constraint": "constraint {item} ({detail}) on {table} of the migrations is not in the models",
    "add_fk": "foreign key {item} ({detail}) on {table} of the models is not in the migrations",
    "remove_fk": "foreign key {item} ({detail}) on {table} of the migrations is not in the models",
    "modify_type": "type of {table}.{item} differs, migrations -> models: {detail}",
    "modify_nullable": "nullable of {table}.{item} differs, migrations -> models: {detail}",
    "modify_default": "server default of {table}.{item} differs, migrations -> models: {detail}",
    "modify_comment": "comment of {table}.{item} differs, migrations -> models: {detail}",
}
_OTHER_DRIFT: Final = "models and migrations differ: {kind} {table} {item} {detail}"


def _drift(event: Drifted, source: Source) -> Finding:
    values = {
        "kind": event.kind,
        "table": short(event.table, _SHOWN),
        "item": short(event.item, _SHOWN),
        "detail": short(event.detail, _SHOWN),
    }
    text = _DRIFTS.get(event.kind, _OTHER_DRIFT).format_map(values)
    text = " ".join(text.replace(" ()", "").split())
    place = Location(path=source.env)
    if event.model:
        file, name, attribute, column = event.model
        line = line_of(source.text(file), name, attribute, column)
        path = source.facts.relative(file)
        place = Location(path=path, line=line) if line and not path.startswith("/") else place
    return _finding("drift", one_line(text), place, _AUTOGENERATE)


def line_of(text: str, name: str, attribute: str, column: str) -> int | None:
    """Return the line of a column in a class or of a table in a variable, else that of the class or variable."""
    try:
        body: list[ast.stmt] = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found: int | None = None
    for part in name.split("."):
        node = next((one for one in _statements(body) if _defines(one, part)), None)
        if node is None:
            return found
        found = node.lineno
        body = node.body if isinstance(node, ast.ClassDef) else []
        if not isinstance(node, ast.ClassDef):
            return next(
                (
                    one.lineno
                    for one in ast.walk(node)
                    if isinstance(one, ast.Constant) and column and one.value == column
                ),
                found,
            )
    return next((one.lineno for one in _statements(body) if attribute and _defines(one, attribute)), found)


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements, also those inside of conditions."""
    for one in body:
        yield one
        if isinstance(one, ast.If | ast.Try | ast.With):
            yield from _statements(one.body)


def _defines(node: ast.stmt, name: str) -> bool:
    match node:
        case ast.ClassDef(name=defined):
            return defined == name
        case ast.Assign(targets=targets):
            return any(isinstance(one, ast.Name) and one.id == name for one in targets)
        case ast.AnnAssign(target=ast.Name(id=defined)):
            return defined == name
        case _:
            return False


def _function(revision: str, name: str, source: Source) -> Location | None:
    """Return the line of a function of a revision."""
    file = next((path for path, one in source.facts.revisions.items() if one == revision), "")
    if not file:
        return None
    text = source.text(file)
    found = re.search(rf"^(?:async +)?def +{name}\b", text, re.MULTILINE)
    return Location(
        path=source.facts.relative(file), line=text.count("\n", 0, found.start()) + 1 if found else None
    )


def _public(name: str) -> str:
    return name.removeprefix("public.")
