"""pyright: its options, and its output as JSON."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct, convert

from ci_action.engine.context import Context
from ci_action.engine.tool import Checked
from ci_action.model.finding import Finding, Level
from ci_action.project.programs import Program
from ci_action.stages.types.checker import Checker, checked, tool_of
from ci_action.stages.types.output import Seen, joined, place
from ci_action.stages.types.surroundings import Surroundings

NAME: Final = "pyright"
_PAGE: Final = "https://github.com/microsoft/pyright/blob/main/docs/configuration.md#"
_DOCUMENTED: Final = re.compile(r"report[A-Z]\w+")
_LEVELS: Final = {"error": Level.ERROR, "warning": Level.WARNING, "information": Level.NOTICE}
VALUED: Final = frozenset({
    "-p", "--project", "--pythonplatform", "--pythonversion", "--level", "-t", "--typeshedpath", "--typeshed-path",
    "--threads",
})  # fmt: skip
OURS: Final = {
    **dict.fromkeys(("--pythonpath", "-v", "--venvpath", "--venv-path", "--createstub"), True),
    **dict.fromkeys(
        ("--outputjson", "--verbose", "--stats", "--dependencies", "-w", "--watch", "--version", "--lib"),
        False,
    ),
}


class _Point(Struct):
    line: int
    character: int


class _Range(Struct):
    start: _Point
    end: _Point


class _Diagnostic(Struct):
    severity: str
    message: str
    file: str = ""
    uri: str | dict[str, object] = ""
    range: _Range | None = None
    rule: str = ""


class _Summary(Struct):
    filesAnalyzed: int  # noqa: N815 - the name in pyright's JSON


class _Document(Struct):
    summary: _Summary
    generalDiagnostics: tuple[_Diagnostic, ...] = ()  # noqa: N815 - as above


def read(stdout: str, _stderr: str, relative: Callable[[str], str]) -> Seen:
    """Return what pyright printed; `relative` makes its paths relative to the workspace."""
    begin = stdout.find("{")  # its wrapper may print before it
    try:
        document = convert(json.loads(stdout[max(begin, 0) :]), _Document)
    except (ValueError, RecursionError) as error:
        return Seen(problem=f"could not read the JSON of pyright: {error}")
    findings = tuple(_finding(one, relative) for one in document.generalDiagnostics)
    return Seen(findings=findings, files=document.summary.filesAnalyzed)


def _finding(one: _Diagnostic, relative: Callable[[str], str]) -> Finding:
    span = one.range
    start = (span.start.line + 1, span.start.character + 1) if span else (0, 0)
    end = (span.end.line + 1, span.end.character + 1) if span else None
    message, *reasons = one.message.splitlines() or [""]
    return Finding(
        tool=NAME,
        rule=one.rule or ("note" if one.severity == "information" else "error"),
        message=joined(message, [line.replace("\u00a0", " ").rstrip() for line in reasons]),
        level=_LEVELS.get(one.severity, Level.ERROR),
        location=place(relative(one.file), start, end) if one.file else None,
        url=f"{_PAGE}{one.rule}" if _DOCUMENTED.fullmatch(one.rule) else "",
    )


def _words(found: Surroundings, _cache: Path) -> tuple[str, ...]:
    return ("--outputjson", f"--pythonpath={found.environment.python}")


CHECKER: Final = Checker(
    name=NAME,
    summary="Types, by pyright.",
    url="https://microsoft.github.io/pyright/",
    valued=VALUED,
    ours=OURS,
    words=_words,
    read=read,
    divider=(),
)


def check(ctx: Context, _program: Program) -> Checked:
    """Run pyright as the project does."""
    return checked(ctx, CHECKER)


TOOL: Final = tool_of(CHECKER, check)
