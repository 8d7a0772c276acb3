"""The labels of the pull request that stages ask for, where the user asked for them. No other label is touched."""

from collections.abc import Sequence
from typing import Final

from ci_action.engine.stage import Label
from ci_action.github.protocol import ApiError, GitHub
from ci_action.github.pull_request import Pull, pull_from
from ci_action.model.result import RunResult
from ci_action.reporters.context import Publication
from ci_action.settings.general import STAGES
from ci_action.stages import load

_NOT_FOUND: Final = 404


def report(result: RunResult, publication: Publication) -> None:
    """Add the labels that are missing and take away those of ours that are no longer right."""
    settings, pull = publication.resolved.settings, publication.pull
    if not settings.labels or not isinstance(pull, Pull):
        return
    stages = (stage for stage in result.stages if stage.stage in STAGES)
    wanted = [label for stage in stages for label in load(stage.stage).labels(stage, settings)]
    if not wanted:
        return
    if publication.github is None:
        publication.note("the labels could not be set: there is no token, give `github-token`")
        return
    try:
        _set(publication.github, pull, wanted)
    except ApiError as error:
        publication.note(f"the labels could not be set: {error.reason}")


def _set(github: GitHub, pull: Pull, wanted: Sequence[Label]) -> None:
    # The payload of a re-run is as old as the run.
    now = pull if pull.current else pull_from(github.pull(pull.number), current=True) or pull
    right = {label.name.casefold() for label in wanted}
    there = {label.casefold() for label in now.labels}
    if missing := [label.name for label in wanted if label.name.casefold() not in there]:
        github.add_labels(pull.number, missing)
    for label in now.labels:
        if label.casefold() not in right and any(label in one.kind for one in wanted):
            _remove(github, pull.number, label)


def _remove(github: GitHub, number: int, label: str) -> None:
    try:
        github.remove_label(number, label)
    except ApiError as error:
        if error.status != _NOT_FOUND:  # somebody was faster
            raise
