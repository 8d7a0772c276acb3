"""What hadolint printed about one Dockerfile: pure functions."""

import json
import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, convert

from ci_action.model.finding import Finding, Level, Location
from ci_action.system.errors import ToolError
from ci_action.system.process import Completed, last_lines

NAME: Final = "hadolint"
PARSE: Final = "DL1000"
"""The only finding in a file that hadolint could not parse."""
_LEVELS: Final[Mapping[str, Level]] = {"info": Level.NOTICE, "style": Level.NOTICE}
_PAGES: Final = {
    "DL": "https://github.com/hadolint/hadolint/wiki/",
    "SC": "https://github.com/koalaman/shellcheck/wiki/",
}
_CODE: Final = re.compile(r"(DL|SC)\d+")
# It goes on without the configuration then. The cause is the last paragraph, quoted as in Haskell.
_WRONG: Final = re.compile(r'^"?Error parsing your config file in .*\\n\\n(.*?)(?:\\n)?"?$', re.MULTILINE)
_FOUND: Final = 1


class Row(Struct, frozen=True):
    """One problem."""

    code: str
    level: str
    message: str
    line: int
    column: int


def rows_of(done: Completed, source: str = "") -> tuple[Row, ...]:
    """Return what hadolint reported; raises `ToolError` unless it has read the file, with the configuration.

    `source` is the project's configuration, for people; empty without one.
    """
    cause = last_lines(done.stderr, 1) or "it wrote nothing"
    if wrong := _WRONG.search(done.stderr):
        raise ToolError(f"the configuration of hadolint is wrong ({source}): {_unquoted(wrong[1])}")
    if done.killed_by:
        raise ToolError(f"hadolint was ended by {done.killed_by}", detail=last_lines(done.stderr))
    text = done.stdout.decode("utf-8", "replace")
    try:
        rows = convert(json.loads(text), tuple[Row, ...])
    except (ValueError, RecursionError) as error:
        reason = f"hadolint ended with exit code {done.returncode}: {cause}"
        if text.strip():
            reason = f"could not read the JSON of hadolint: {error}"
        raise ToolError(reason, detail=last_lines(done.stderr)) from error
    # With a threshold in the configuration it also ends with 0 if it found something, but never with 1 if it did not.
    if done.returncode not in ({0, _FOUND} if rows else {0}):
        reason = f"hadolint ended with exit code {done.returncode} and {len(rows)} findings: {cause}"
        raise ToolError(reason, detail=last_lines(done.stderr))
    return rows


def _unquoted(text: str) -> str:
    return " ".join(text.replace('\\"', '"').replace("\\n", " ").split())


def finding_of(row: Row, path: str) -> Finding:
    """Return a problem as a finding."""
    code = _CODE.fullmatch(row.code)
    return Finding(
        tool=NAME,
        rule=row.code,
        message=" ".join(row.message.split()).removesuffix("."),
        level=_LEVELS.get(row.level, Level.WARNING),
        location=Location(path=path, line=max(1, row.line), column=max(1, row.column)),
        url=f"{_PAGES[code[1]]}{row.code}" if code else "",
    )
