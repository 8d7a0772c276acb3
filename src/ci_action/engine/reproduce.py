"""The command that reproduces the verdict in a shell."""

import re
import shlex
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.finding import Fix
from ci_action.model.result import StageResult
from ci_action.settings import SETTINGS, kinds
from ci_action.settings.general import ALL, COMMENT
from ci_action.settings.resolve import Resolved

# No verdict depends on those of reports and feedback, and none in a shell on those of the container.
_OF_THE_RUNNER: Final = frozenset({
    "stage", "report-dir", "cache-dir", "comment", "check-run", "suggestions", "labels", "allow-privileged", "run-as",
})  # fmt: skip
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


def fix_flags(stages: Iterable[StageResult], resolved: Resolved) -> tuple[str, ...]:
    """Return the flags with which `fix` has the same settings: those of the stages with something to fix."""
    fixable = {one.stage for one in stages if any(found.fix is Fix.SAFE for found in one.findings)}
    concerned = {ALL, *fixable}
    others = {name for name, one in SETTINGS.items() if one.stage not in concerned or not one.is_key}
    return tuple(_flags(resolved, others))


def _flags(resolved: Resolved, without: Collection[str] = ()) -> Iterable[str]:
    for name, value in resolved.chosen().items():
        if name in _OF_THE_RUNNER or name in without or name in resolved.of_project:
            continue
        if isinstance(value, bool):
            yield f"--{name}" if value else f"--no-{name}"
        elif SETTINGS[name].kind is kinds.words:
            yield f"--{name}={shlex.join(value)}"
        elif isinstance(value, list):
            yield from (f"--{name}={item}" for item in value)
        else:
            yield f"--{name}={str(value).lower() if isinstance(value, bool) else value}"
