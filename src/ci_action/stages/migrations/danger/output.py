"""What squawk printed: pure functions."""

import json
import re
from typing import Final

from msgspec import Struct, convert

from ci_action.stages.migrations.danger.script import UNKNOWN_RULE, Script
from ci_action.system.errors import ToolError
from ci_action.system.process import Completed, last_lines

SYNTAX: Final = "syntax-error"
_WRONG: Final = re.compile(r"^Configuration error: (.+)$", re.MULTILINE)


class Row(Struct, frozen=True):
    """One problem."""

    line: int
    """Counted from 0."""
    message: str
    rule_name: str
    help: str | None = None


def rows_of(done: Completed, script: Script, config: str = "") -> tuple[Row, ...]:
    """Return what squawk reported about a script; raises `ToolError` unless it has read all of it.

    `config` is the project's configuration of squawk, for people; empty without one.

    Its exit code does not show that: 1 means findings, or that it could not start; with 0 it may have read nothing.
    """
    text = done.stdout.decode("utf-8", "replace")
    cause = last_lines(done.stderr, 1) or "it wrote nothing"
    try:
        rows = convert(json.loads(text), tuple[Row, ...])
    except (ValueError, RecursionError) as error:
        if done.killed_by:
            reason = f"squawk was ended by {done.killed_by}"
        elif text.strip():
            reason = f"could not read the JSON of squawk: {error}"
        elif config and (wrong := _WRONG.search(done.stderr)):
            reason = f"the configuration of squawk is wrong ({config}): {wrong[1]}"
        else:
            reason = f"squawk ended with exit code {done.returncode}: {cause}"
        raise ToolError(reason, detail=last_lines(done.stderr)) from error
    refused = tuple(row for row in rows if row.rule_name == SYNTAX)
    if refused:  # then it checks nothing
        return refused
    found = tuple(row for row in rows if not _is_end(row, script))
    if len(found) == len(rows):
        raise ToolError(f"squawk did not read all statements: {cause}", detail=last_lines(done.stderr))
    return found


def _is_end(row: Row, script: Script) -> bool:
    return row.rule_name == UNKNOWN_RULE and row.line == script.end
