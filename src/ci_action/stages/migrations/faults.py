"""Whose fault an exception is: a finding for what is wrong for everybody, else why the tool could not finish. Pure."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ci_action.model.finding import Finding, Location
from ci_action.model.migrations import Direction
from ci_action.stages.migrations.database import lacking_in
from ci_action.stages.migrations.events import Error, Failure
from ci_action.system.text import listed, one_line

_URL: Final = "https://alembic.sqlalchemy.org/en/latest/tutorial.html"
_LONGEST: Final = 300
_LONGEST_STATEMENT: Final = 160
_INSTALLED: Final = re.compile(r"/(?:site|dist)-packages/|/lib/python3\.\d+/|^<")
# Codes of PostgreSQL whose cause is the server, not the statement.
_SERVER: Final[Mapping[str, str]] = {
    "53100": "the disk of the scratch database is full",
    "53200": "the scratch database is out of memory",
    "53300": "the scratch database has too many connections",
    "53400": "the scratch database reached a limit of its configuration",
    "57P01": "the scratch database was shut down",
    "57P02": "the scratch database crashed",
    "57P03": "the scratch database does not accept connections",
    "58000": "the scratch database had an error of the system",
    "58030": "the scratch database could not read or write a file",
}
_CONNECTION: Final = "08"
_LOST: Final = "the scratch database closed the connection"
_FULL: Final = re.compile(r"No space left|disk is full|could not extend", re.IGNORECASE)
_DIALECT: Final = "WrongDialectError"
_IRREVERSIBLE: Final = "NotImplementedError"
_MISSING: Final = "ModuleNotFoundError"
# What does not depend on where the project runs.
_OWN: Final = frozenset({"SyntaxError", "NameError", "ImportError", "AttributeError", "TypeError"})
_CONFIGURATION: Final = re.compile(r"No 'script_location'|No such file|Path doesn't exist|No section")
_COMMAND: Final = "CommandError"
# A message that names a missing variable or setting.
_UNSET: Final = re.compile(
    r"\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)\b[^\n]{0,80}(?:not set|missing|required|must be|not found|undefined|empty)"
    r"|(?:not set|missing|required|set|not found|undefined)[^\n]{0,80}?\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)\b"
)
# A dialect that another package brings along.
_PLUGIN: Final = re.compile(r"^Can't load plugin: (sqlalchemy\.\S+)$")
_NO_URL: Final = re.compile(
    r"Could not parse (?:SQLAlchemy|rfc1738) URL|Expected string or URL object, got None"
)


@dataclass(frozen=True, kw_only=True)
class Faulty:
    """Why a tool could not finish."""

    reason: str
    detail: str = ""
    lacks: frozenset[str] = frozenset()
    """The extensions that the server does not have."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What decides besides the exception."""

    workspace: str
    """The real path of the workspace."""
    relative: Callable[[str], str]
    """Returns a path relative to the workspace."""
    revisions: Mapping[str, str]
    """The revisions by the real paths of their files."""
    folders: tuple[str, ...] = ()
    """The real paths of the folders with revisions."""
    packages: frozenset[str] = frozenset()
    """The import names of the project's own code."""


def fault(failure: Failure, facts: Facts) -> Finding | Faulty:
    """Return the finding for a failure, or why the tool could not finish."""
    error = failure.error
    server = _of_server(failure, facts)
    if server:
        return server
    if error.type.rpartition(".")[2] == _DIALECT:
        return Faulty(
            reason=f"{error.text}; set `database-url` to a server of that kind", detail=error.traceback
        )
    if failure.revision and failure.phase != "drift":
        return _of_revision(failure, facts)
    return _of_environment(failure, facts)


def _of_server(failure: Failure, facts: Facts) -> Faulty | None:
    """Return what happened to the server; None if it works."""
    error = failure.error
    words = error.database or error.text
    if lacks := lacking_in(words):
        return Faulty(
            reason=f"the scratch database lacks {listed(sorted(lacks))}: set `database-url` to a server that has it",
            detail=error.traceback,
            lacks=lacks,
        )
    cause = _SERVER.get(error.state, "")
    if not cause and _FULL.search(words):
        cause = _SERVER["53100"]
    if not cause and (error.lost or error.state.startswith(_CONNECTION)):
        cause = _LOST
    if not cause:
        return None
    where = (
        f" while {failure.direction or failure.phase} of {failure.revision} ran" if failure.revision else ""
    )
    return Faulty(
        reason=f"{cause}{where}: {short(words)}{_statement(error.statement or failure.running)}{_at(failure, facts)}",
        detail=error.traceback,
    )


def _of_revision(failure: Failure, facts: Facts) -> Finding | Faulty:
    """Return the finding for a revision that failed."""
    error = failure.error
    if _MISSING in error.bases and not _is_own(error.module, facts):
        return _absent(error)
    words = short(error.database or f"{error.type.rpartition('.')[2]}: {error.text}")
    text = f"{words}{_statement(error.statement)}"
    rule, message = {
        Direction.UPGRADE: ("upgrade-failed", f"upgrade to {failure.revision} failed: {text}"),
        Direction.DOWNGRADE: ("downgrade-failed", f"downgrade of {failure.revision} failed: {text}"),
        # Alone it can fail although it does not with those before it: Alembic creates an enum type once a run.
        Direction.AGAIN: ("upgrade-failed", f"upgrade to {failure.revision} on its own failed: {text}"),
    }[Direction(failure.direction)]
    if _IRREVERSIBLE in error.bases and failure.direction == Direction.DOWNGRADE:
        rule = "irreversible"
        message = f"{failure.revision} is irreversible: downgrade() raises NotImplementedError"
    if failure.caught:
        message += "; env.py catches the error, so that `alembic upgrade` does not fail"
    file = failure.file or next(
        (path for path, name in facts.revisions.items() if name == failure.revision), ""
    )
    return _finding(failure, rule, message, _location(file, failure.line, facts))


def _of_environment(failure: Failure, facts: Facts) -> Finding | Faulty:
    """Return the finding or cause of an exception outside of all steps: in env.py, or while revisions are imported."""
    error = failure.error
    if error.syntax and _is_inside(error.syntax[0], facts):
        path, line, text = error.syntax
        rule = "syntax" if _is_revision(path, facts) else "config"
        return _finding(failure, rule, f"SyntaxError: {short(text)}", _location(path, line, facts))
    if _PLUGIN.match(error.text) or (_MISSING in error.bases and not _is_own(error.module, facts)):
        return _absent(error)
    if error.type.rpartition(".")[2] == _COMMAND and _CONFIGURATION.search(error.text):
        return _finding(failure, "config", short(error.text), None)
    return _settings(error) or _of_project(failure, facts)


def _of_project(failure: Failure, facts: Facts) -> Finding | Faulty:
    """Return the finding for an exception that code of the project raised, if it does not depend on where it runs."""
    error = failure.error
    kind = error.type.rpartition(".")[2]
    text = f"{kind}: {short(error.text)}"
    place = _innermost(error, facts)
    if place and _is_revision(place[0], facts):
        message = f"the revision cannot be imported: {text}"
        return _finding(failure, "upgrade-failed", message, _location(*place, facts))
    if place and _OWN & set(error.bases):
        return _finding(failure, "config", f"env.py cannot be imported: {text}", _location(*place, facts))
    where = f" ({_location(*place, facts)})" if place else ""
    return Faulty(reason=f"env.py failed{where}: {text}{_statement(error.statement)}", detail=error.traceback)


def _location(path: str, line: int, facts: Facts) -> Location:
    return Location(path=facts.relative(path), line=line or None)


def _settings(error: Error) -> Faulty | None:
    """Return which settings or variables are missing; None if that is not the cause."""
    if error.fields:
        what = "missing" if all(kind == "missing" for _, kind in error.fields) else "missing or invalid"
        reason = f"settings of the project are {what}: {', '.join(name for name, _ in error.fields)}"
    elif error.key and error.frames and error.frames[-1][0].endswith("/os.py"):
        reason = f"an environment variable is missing: {error.key}"
    elif _NO_URL.search(error.text):
        reason = "a setting of the project is missing: the address of the database, such as `DATABASE_URL`"
    elif _UNSET.search(error.text):
        reason = f"a setting of the project is missing: {short(error.text)}"
    else:
        return None
    advice = (
        "set the variables in `env:` of the step, to any valid value: connections go to the scratch database"
    )
    return Faulty(reason=f"{reason}; {advice}", detail=error.traceback)


def _absent(error: Error) -> Faulty:
    return Faulty(
        reason=f"{f'the module {error.module!r}' if error.module else short(error.text)} is not installed in the environment of the project:"
        " add its package to the dependencies, or name its group in `groups` or `extras`",
        detail=error.traceback,
    )


def _finding(failure: Failure, rule: str, message: str, location: Location | None) -> Finding:
    return Finding(tool=failure.phase, rule=rule, message=message, location=location, url=_URL)


def _innermost(error: Error, facts: Facts) -> tuple[str, int] | None:
    """Return the line that raised, if it is one of the project."""
    return error.frames[-1] if error.frames and _is_inside(error.frames[-1][0], facts) else None


def _is_inside(path: str, facts: Facts) -> bool:
    return path.startswith(facts.workspace + os.sep) and not _INSTALLED.search(path)


def _is_revision(path: str, facts: Facts) -> bool:
    return path in facts.revisions or os.path.dirname(path) in facts.folders


def _is_own(module: str, facts: Facts) -> bool:
    return module.partition(".")[0] in facts.packages


def short(text: str, most: int = _LONGEST) -> str:
    """Return foreign text on one line, without what SQLAlchemy adds, and not too long."""
    text = re.sub(r"\n\[SQL: .*", "", text, flags=re.DOTALL)
    text = re.sub(r"\s*\n\s*(?:LINE \d+:[^\n]*\n)?[ ^]*\s*", " ", text)
    line = one_line(re.sub(r"\(Background on this error at: [^)]*\)", "", text)).strip()
    return line if len(line) <= most else f"{line[:most]}…"


def _statement(sql: str) -> str:
    return f" (statement: {short(sql, _LONGEST_STATEMENT)})" if sql.strip() else ""


def _at(failure: Failure, facts: Facts) -> str:
    return f", {facts.relative(failure.file)}:{failure.line}" if failure.file else ""
