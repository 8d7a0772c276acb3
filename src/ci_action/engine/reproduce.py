"""The command that reproduces the verdict in a shell."""

import re
import shlex
from collections.abc import Iterable, Sequence
from typing import Final

from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.result import StageResult
from ci_action.settings.general import ALL, COMMENT
from ci_action.settings.resolve import Resolved

# Settings of reports and feedback: no verdict depends on them.
_OF_THE_RUNNER: Final = frozenset(
    {"stage", "report-dir", "cache-dir", "comment", "check-run", "suggestions", "labels"}
)
_REPOSITORY: Final = re.compile(r"[\w.-]+/[\w.-]+")


def reproduce(stages: Iterable[StageResult], resolved: Resolved, pull: Pull | NoPull, repository: str) -> str:
    """Return the command, without settings of pyproject.toml and of feedback.

    If a stage of a pull request failed or ran alone, its event is fetched first. Empty if a shell cannot reproduce it.
    """
    every = [one for one in stages if one.stage != COMMENT]
    of_pull = {one.stage for one in every if one.of_pull}
    red = {one.stage for one in every if one.verdict.exit_code}
    named = [one.stage for one in every if one.by_name]
    if len(named) < len(every):  # by name, stages that do not apply would be `empty`
        named = [ALL, *named]
    elsewhere = [name for name in named if name not in of_pull]
    if elsewhere and not of_pull & red:
        return command(elsewhere, resolved)
    if not every or not isinstance(pull, Pull) or not _REPOSITORY.fullmatch(repository):
        return ""
    fetch = f"gh api repos/{repository}/pulls/{pull.number} --jq '{{pull_request: .}}' > event.json"
    variables = "GITHUB_EVENT_NAME=pull_request GITHUB_EVENT_PATH=event.json"
    return f"{fetch} && {variables} {command(named, resolved)}"


def command(words: Sequence[str], resolved: Resolved) -> str:
    """Return the command that runs these stages with the same settings."""
    return shlex.join(["ci-action", "run", *words, *_flags(resolved)])


def _flags(resolved: Resolved) -> Iterable[str]:
    for name, value in resolved.chosen().items():
        if name in _OF_THE_RUNNER or name in resolved.of_project:
            continue
        if name.endswith("-args"):
            yield f"--{name}={shlex.join(value)}"
        elif isinstance(value, list):
            yield from (f"--{name}={item}" for item in value)
        else:
            yield f"--{name}={value}"
