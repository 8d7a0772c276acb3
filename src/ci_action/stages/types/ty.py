"""ty: its options, and its output for GitLab as JSON, or one line a finding from versions that lack it."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct, convert

from ci_action.engine.context import Context
from ci_action.engine.tool import Checked
from ci_action.model.finding import Finding, Level, Location
from ci_action.project.programs import Program
from ci_action.stages.types.checker import Checker, checked, tool_of
from ci_action.stages.types.output import Seen, place, place_in
from ci_action.stages.types.surroundings import Surroundings
from ci_action.system.process import Completed

NAME: Final = "ty"
_PAGE: Final = "https://docs.astral.sh/ty/reference/rules/#"
# Diagnostics that no rule switches on or off.
_NO_RULES: Final = frozenset({"io", "invalid-syntax", "revealed-type", "panic"})
_GITLAB: Final = {
    "blocker": Level.ERROR,
    "critical": Level.ERROR,
    "major": Level.ERROR,
    "minor": Level.WARNING,
}
_CONCISE: Final = {"error": Level.ERROR, "fatal": Level.ERROR, "warning": Level.WARNING, "info": Level.NOTICE}
_ROW: Final = re.compile(
    r"(?P<file>.+?):(?P<line>\d+):(?P<column>\d+): (?P<level>error|warning|info|fatal)\[(?P<rule>[\w-]+)\] (?P<message>.*)"
)
_PLACELESS: Final = re.compile(r"(?P<level>error|warning|info|fatal)\[(?P<rule>[\w-]+)\]:? (?P<message>.*)")
_INDEXED: Final = re.compile(r"Indexed (\d+) file")
VALUED: Final = frozenset({
    "--project", "--typeshed", "--extra-search-path", "--python-version", "--python-platform", "--platform", "-c",
    "--config", "--config-file", "--error", "--warn", "--ignore", "--exclude",
})  # fmt: skip
OURS: Final = {
    **dict.fromkeys(("--output-format", "--python", "--venv", "--color", "--baseline"), True),
    **dict.fromkeys((
        "--fix", "--add-ignore", "--update-baseline", "-W", "--watch", "-v", "--verbose", "-vv", "-q", "--quiet", "-qq",
        "--no-progress", "--exit-zero", "--exit-zero-on-warning",
    ), False),
}  # fmt: skip
_FORMAT: Final = "--output-format=gitlab"
# Versions before 0.0.1-alpha.22 have only this one.
_OLD_FORMAT: Final = "--output-format=concise"
_NO_FORMAT: Final = "invalid value 'gitlab'"


class _Point(Struct):
    line: int
    column: int


class _Positions(Struct):
    begin: _Point
    end: _Point


class _Where(Struct):
    path: str
    positions: _Positions | None = None


class _Row(Struct):
    check_name: str
    description: str
    severity: str
    location: _Where


def read(stdout: str, stderr: str, relative: Callable[[str], str]) -> Seen:
    """Return what ty printed; `relative` makes its paths relative to the workspace."""
    indexed = _INDEXED.search(stderr)
    files = int(indexed[1]) if indexed else None
    if not stdout.lstrip().startswith("["):
        return Seen(findings=tuple(_concise(stdout, relative)), files=files)
    try:
        rows = convert(json.loads(stdout), tuple[_Row, ...])
    except (ValueError, RecursionError) as error:
        return Seen(problem=f"could not read the JSON of ty: {error}")
    return Seen(findings=tuple(_gitlab(row, relative) for row in rows), files=files)


def _gitlab(row: _Row, relative: Callable[[str], str]) -> Finding:
    spot = row.location.positions
    where = None
    if row.location.path:
        start = (spot.begin.line, spot.begin.column) if spot else (0, 0)
        where = place(relative(row.location.path), start, (spot.end.line, spot.end.column) if spot else None)
    message = row.description.removeprefix(f"{row.check_name}: ")
    return _finding(row.check_name, message, _GITLAB.get(row.severity, Level.NOTICE), where)


def _concise(stdout: str, relative: Callable[[str], str]) -> Iterator[Finding]:
    for line in stdout.splitlines():
        if row := _ROW.fullmatch(line):
            yield _finding(row["rule"], row["message"], _CONCISE[row["level"]], place_in(row, relative))
        elif row := _PLACELESS.fullmatch(line):
            yield _finding(row["rule"], row["message"], _CONCISE[row["level"]], None)


def _finding(rule: str, message: str, level: Level, where: Location | None) -> Finding:
    url = "" if rule in _NO_RULES else f"{_PAGE}{rule}"
    return Finding(tool=NAME, rule=rule, message=message, level=level, location=where, url=url)


def _words(found: Surroundings, _cache: Path) -> tuple[str, ...]:
    return ("check", "--verbose", f"--python={found.environment.python}", _FORMAT)


def _older(done: Completed, words: tuple[str, ...]) -> tuple[str, ...]:
    return (*words[:-1], _OLD_FORMAT) if _NO_FORMAT in done.stderr else ()


CHECKER: Final = Checker(
    name=NAME,
    summary="Types, by ty.",
    url="https://docs.astral.sh/ty/",
    valued=VALUED,
    ours=OURS,
    words=_words,
    read=read,
    others=_older,
)


def check(ctx: Context, _program: Program) -> Checked:
    """Run ty as the project does."""
    return checked(ctx, CHECKER)


TOOL: Final = tool_of(CHECKER, check)
