"""mypy: its options, and its output as JSON (1.11 and newer) or text.

JSON has no summary, so the files are counted in the log that `--verbose` writes; text has one.
"""

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from msgspec import Struct, convert

from ci_action.engine.context import Context
from ci_action.engine.tool import Checked
from ci_action.model.finding import Finding, Level, Location
from ci_action.project.programs import Program
from ci_action.stages.types.checker import Checker, Place, checked, tool_of
from ci_action.stages.types.output import Seen, joined, place_in
from ci_action.stages.types.output import place as location
from ci_action.stages.types.surroundings import Surroundings
from ci_action.stages.types.targets import Arguments, configuration_of_mypy, names_modules, packages
from ci_action.system.errors import ToolError

NAME: Final = "mypy"
_PAGE: Final = "https://mypy.readthedocs.io/en/stable/_refs.html#code-"
# Codes of mypy itself: those of plugins are not in its documentation.
_CODES: Final = frozenset({
    "abstract", "annotation-unchecked", "arg-type", "assert-type", "assignment", "attr-defined", "await-not-async",
    "call-arg", "call-overload", "comparison-overlap", "decorated-any", "deprecated", "dict-item", "empty-body",
    "exhaustive-match", "exit-return", "explicit-any", "explicit-override", "func-returns-value", "has-type",
    "ignore-without-code", "import", "import-not-found", "import-untyped", "index", "list-item", "literal-required",
    "metaclass", "method-assign", "misc", "mutable-override", "name-defined", "narrowed-type-not-subtype", "no-any-return",
    "no-any-unimported", "no-overload-impl", "no-redef", "no-untyped-call", "no-untyped-def", "operator",
    "overload-cannot-match", "overload-overlap", "override", "possibly-undefined", "prop-decorator", "redundant-cast",
    "redundant-expr", "redundant-self", "return", "return-value", "safe-super", "str-bytes-safe", "str-format",
    "syntax", "top-level-await", "truthy-bool", "truthy-function", "truthy-iterable", "type-abstract", "type-arg",
    "type-var", "typeddict-item", "typeddict-readonly-mutated", "typeddict-unknown-key", "unimported-reveal", "union-attr",
    "unreachable", "unused-awaitable", "unused-coroutine", "unused-ignore", "used-before-def", "valid-newtype",
    "valid-type", "var-annotated",
})  # fmt: skip
_LEVELS: Final = {"error": Level.ERROR, "warning": Level.WARNING, "note": Level.NOTICE}
_SOURCE: Final = re.compile(r"^LOG:\s+Found source:\s", re.MULTILINE)
_SUMMARY: Final = re.compile(
    r"^(?:Success: no issues found in|Found \d+ errors? in \d+ files? \(checked) (\d+) source files?\)?$",
    re.MULTILINE,
)
_ROW: Final = re.compile(
    r"(?P<file>.+?)(?::(?P<line>\d+))?(?::(?P<column>\d+))?(?::(?P<end_line>\d+):(?P<end_column>\d+))?"
    r": (?P<level>error|warning|note): (?P<message>.*?)(?:  \[(?P<code>[\w-]+)\])?"
)
_JSON_ROW: Final = '{"file": '
_STUBS: Final = re.compile(r'Hint: "python3 -m pip install ([\w.-]+)"')
_JSON_SINCE: Final = (1, 11)
_END_SINCE: Final = (0, 981)
_TEXT: Final = (
    "--no-pretty", "--no-color-output", "--hide-error-context", "--show-error-codes", "--show-column-numbers",
    "--error-summary",
)  # fmt: skip
_END: Final = "--show-error-end"
_JSON: Final = ("--output=json", _END, "--hide-error-context", "--verbose")
VALUED: Final = frozenset({
    "-m", "--module", "-p", "--package", "-c", "--command", "--python-version", "--platform", "--config-file", "--config",
    "--custom-typeshed-dir", "--exclude", "--follow-imports", "--disable-error-code", "--enable-error-code",
    "--always-true", "--always-false", "--untyped-calls-exclude", "--deprecated-calls-exclude", "--enable-incomplete-feature",
    "--shadow-file", "-n", "--num-workers",
})  # fmt: skip
# Options that change the output, write files, or choose what we choose; with whether a value follows.
OURS: Final = {
    **dict.fromkeys((
        "--any-exprs-report", "--cobertura-xml-report", "--html-report", "--linecount-report", "--linecoverage-report",
        "--lineprecision-report", "--txt-report", "--xml-report", "--xslt-html-report", "--xslt-txt-report", "--junit-xml",
        "--junit-format", "--cache-dir", "--python-executable", "--output", "-O", "--soft-error-limit", "--timing-stats",
        "--line-checking-stats", "--cache-map", "--quickstart-file",
    ), True),
    **dict.fromkeys((
        "--install-types", "--non-interactive", "--pretty", "--no-pretty", "--color-output", "--no-color-output",
        "--error-summary", "--no-error-summary", "--show-error-codes", "--hide-error-codes", "--show-error-context",
        "--hide-error-context", "--show-column-numbers", "--hide-column-numbers", "--show-error-end", "--hide-error-end",
        "--show-absolute-path", "--show-error-code-links", "--hide-error-code-links", "-v", "--verbose", "--pdb",
        "--show-traceback", "--tb", "--raise-exceptions", "--dump-type-stats", "--dump-inference-stats", "--dump-graph",
        "--dump-build-stats", "--stats", "--inferstats", "--no-incremental", "-i", "--incremental", "--skip-cache-mtime-checks",
        "--sqlite-cache", "--no-sqlite-cache", "--cache-fine-grained", "--skip-version-check",
    ), False),
}  # fmt: skip


class _Row(Struct):
    """One line of `--output=json`."""

    file: str
    line: int
    column: int
    message: str
    severity: str
    hint: str | None = None
    code: str | None = None
    end_line: int | None = None
    end_column: int | None = None


def format_options(version: str) -> tuple[str, ...]:
    """Return the options for output that `read` understands."""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    release = (int(numbers[1]), int(numbers[2])) if numbers else _JSON_SINCE
    if release >= _JSON_SINCE:
        return _JSON
    return (*_TEXT, _END) if release >= _END_SINCE else _TEXT


def missing_stubs(words: Sequence[str], seen: Seen) -> tuple[str, ...]:
    """Return the packages of stubs that mypy asks for, if `--install-types` lets it install them."""
    if "--install-types" not in words:
        return ()
    return tuple(dict.fromkeys(name for one in seen.findings for name in _STUBS.findall(one.message)))


def completed(given: Arguments, place: Place) -> Arguments:
    """Add what mypy needs: something to check, and no configuration from home. Raises `ToolError`."""
    options = given.options
    if not place.configured and not any(word.startswith("--config") for word in options):
        options = (*options, "--config-file=")
    if given.paths or names_modules(options):
        return Arguments(options, given.paths)
    try:
        named = configuration_of_mypy(place.layout, options, place.folder)
    except ValueError as error:
        raise ToolError(f"could not read the configuration of mypy: {error}") from error
    if named:
        return Arguments(options, ())
    root = place.layout.root
    return Arguments(
        options, tuple(os.path.relpath(root / path, place.folder) for path in packages(place.layout))
    )


def read(stdout: str, stderr: str, relative: Callable[[str], str]) -> Seen:
    """Return what mypy printed; `relative` makes its paths relative to the workspace."""
    found: list[Finding] = []
    json_rows = False
    # Errors in the configuration are on the other stream.
    log = [line for line in stderr.splitlines() if not line.startswith("LOG: ")]
    for line in (*stdout.splitlines(), *(one for one in log if one.startswith(_JSON_ROW))):
        if line.startswith(_JSON_ROW):
            json_rows = True
            try:
                found.append(_of_json(convert(json.loads(line), _Row), relative))
            except (ValueError, RecursionError) as error:
                return Seen(problem=f"could not read the JSON of mypy: {error}")
        elif row := _ROW.fullmatch(line):  # an error that ends a run is text also among JSON
            one = _of_text(row, relative)
            if one.level is Level.NOTICE and found and found[-1].location == one.location:
                found[-1] = replace(found[-1], message=joined(found[-1].message, [one.message]))
            else:
                found.append(one)
    sources, summary = len(_SOURCE.findall(stderr)), _SUMMARY.search(stdout)
    files = int(summary[1]) if summary else (sources or None)
    return Seen(findings=tuple(found), files=files, fails_for_notes=json_rows, errors="\n".join(log))


def _of_json(row: _Row, relative: Callable[[str], str]) -> Finding:
    end = None if row.end_line is None or row.end_column is None else (row.end_line, row.end_column + 1)
    # Columns start at 0, and -1 is none.
    where = location(relative(row.file), (row.line, row.column + 1), end)
    message = joined(row.message, row.hint.splitlines() if row.hint else ())
    return _finding(row.code, message, row.severity, where)


def _finding(code: str | None, message: str, severity: str, where: Location) -> Finding:
    rule = code or ("note" if severity == "note" else "error")
    return Finding(
        tool=NAME,
        rule=rule,
        message=message,
        level=_LEVELS.get(severity, Level.ERROR),
        location=where,
        url=f"{_PAGE}{rule}" if rule in _CODES else "",
    )


def _of_text(row: re.Match[str], relative: Callable[[str], str]) -> Finding:
    return _finding(row["code"], row["message"], row["level"], place_in(row, relative))


def _words(found: Surroundings, cache: Path) -> tuple[str, ...]:
    # Its cache is not kept: code of the project writes to it, and could change the verdict of the next run.
    return (*format_options(found.version), f"--cache-dir={cache}")


CHECKER: Final = Checker(
    name=NAME,
    summary="Types, by mypy.",
    url="https://mypy.readthedocs.io",
    valued=VALUED,
    ours=OURS,
    words=_words,
    read=read,
    completed=completed,
    stubs=missing_stubs,
)


def check(ctx: Context, _program: Program) -> Checked:
    """Run mypy as the project does."""
    return checked(ctx, CHECKER)


TOOL: Final = tool_of(CHECKER, check)
