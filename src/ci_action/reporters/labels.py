"""The labels of the pull request that stages ask for, with `labels: true`. No other label is touched."""

from collections.abc import Sequence
from functools import partial

from ci_action.engine.stage import Label
from ci_action.github.client import GitHub
from ci_action.github.pull_request import Pull, pull_from
from ci_action.model.result import RunResult
from ci_action.reporters.context import Publication
from ci_action.reporters.feedback import if_found, to_github
from ci_action.settings.general import STAGES
from ci_action.stages import load


def report(result: RunResult, publication: Publication) -> None:
    """Add the labels that are missing and remove ours that are outdated."""
    settings, pull = publication.resolved.settings, publication.pull
    stages = (stage for stage in result.stages if stage.stage in STAGES)
    wanted = [label for stage in stages for label in load(stage.stage).labels(stage, settings)]
    if wanted and isinstance(pull, Pull):
        to_github(
            result, publication, "set the labels", lambda github: _set(github, pull, wanted), of_code=False
        )


def _set(github: GitHub, pull: Pull, wanted: Sequence[Label]) -> None:
    # The payload of a re-run is as old as the run.
    now = pull if pull.current else pull_from(github.pull(pull.number), current=True) or pull
    right = {label.name.casefold() for label in wanted}
    present = {label.casefold() for label in now.labels}
    if missing := [label.name for label in wanted if label.name.casefold() not in present]:
        github.add_labels(pull.number, missing)
    for label in now.labels:
        if label.casefold() not in right and any(label in one.kind for one in wanted):
            if_found(partial(github.remove_label, pull.number, label))
