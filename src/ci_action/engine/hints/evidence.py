"""What hints are recognised from: the words of a tool that did not end well, and facts about project and machine."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.hints import LONGEST_TEXT, MOST, Facts, merged, recognise
from ci_action.model.result import Broken, Hint, Outcome, Report, Skipped, StageResult, ToolResult

# The failures of tests take at most so much of the text: what the tool said last must have room too.
_LONGEST_FAILURES: Final = LONGEST_TEXT // 2
_MOST_ENTRIES: Final = 1_000
_CREDENTIAL: Final = re.compile(r"KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|AUTH|URL|URI|DSN|HOST|USER|LOGIN")
_NOT_THEIRS: Final = ("INPUT_", "GITHUB_", "RUNNER_", "ACTIONS_")


def evidence(outcome: Outcome, log: str) -> str:
    """Return the text in which known errors are looked for; empty where all went well."""
    match outcome:
        case Broken(reason, detail):
            return "\n".join((log, *_failures(outcome), detail, reason))
        case Skipped(reason, empty):
            return f"{log}\n{reason}" if empty else ""
        case Report():
            failures = list(_failures(outcome))
            return "\n".join((log, *failures)) if failures else ""


def _failures(outcome: Report | Broken) -> Iterator[str]:
    room = _LONGEST_FAILURES
    for case in outcome.tests:
        if case.outcome.is_red and room > 0:
            yield (text := f"{case.message}\n{case.detail}"[:room])
            room -= len(text)


def facts(tool: str, root: Path, environ: Mapping[str, str], *, container: bool) -> Facts:
    """Gather what is known beside the text; `root` is the project's folder."""
    return Facts(
        tool=tool,
        container=container,
        packages=frozenset(_packages(root)),
        empty=frozenset(
            name
            for name, value in environ.items()
            if not value and _CREDENTIAL.search(name) and not name.startswith(_NOT_THEIRS)
        ),
    )


def _packages(root: Path) -> Iterator[str]:
    """Yield the names that modules and packages in the project are imported by."""
    yield root.name
    for folder in (root, root / "src", root / "lib"):
        try:
            with os.scandir(folder) as entries:
                for entry, _ in zip(entries, range(_MOST_ENTRIES), strict=False):
                    name, extension = os.path.splitext(entry.name)
                    if extension == ".py" or (not extension and _holds_python(entry)):
                        yield name
        except OSError:
            continue


def _holds_python(entry: "os.DirEntry[str]") -> bool:
    if not entry.is_dir():
        return False
    with os.scandir(entry.path) as inside:
        return any(one.name.endswith(".py") for one, _ in zip(inside, range(_MOST_ENTRIES), strict=False))


def hints_for(
    tool: str, outcome: Outcome, log: str, root: Path, environ: Mapping[str, str], *, container: bool
) -> tuple[Hint, ...]:
    """Return the known errors in what a tool said; a tool with which all went well has none."""
    text = evidence(outcome, log)
    return recognise(text, facts(tool, root, environ, container=container)) if text else ()


def with_hints(result: ToolResult, ctx: Context) -> ToolResult:
    """Return a result with the known errors in what its tool said, after those that the tool recognised itself."""
    found = hints_for(
        result.tool, result.outcome, result.log, ctx.layout.root, ctx.environ, container=ctx.container
    )
    return replace(result, hints=merged(result.hints, found))


def limited(stages: tuple[StageResult, ...]) -> tuple[StageResult, ...]:
    """Keep at most five hints in a run, each once, at the first tool that had it."""
    known: set[str] = set()
    kept_stages = []
    for stage in stages:
        tools = []
        for tool in stage.tools:
            kept = [hint for hint in tool.hints if hint.name not in known][: MOST - len(known)]
            known |= {hint.name for hint in kept}
            tools.append(replace(tool, hints=tuple(kept)))
        kept_stages.append(replace(stage, tools=tuple(tools)))
    return tuple(kept_stages)
