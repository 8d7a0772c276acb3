"""The outputs of the action, set also if the run fails. Those of a stage are in its package."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ci_action.model.finding import Level
from ci_action.model.result import RunResult
from ci_action.reporters.context import COBERTURA, JUNIT, PAGE, REPORT, SARIF, SUMMARY, Publication
from ci_action.settings.general import STAGES
from ci_action.stages import outputs_of


@dataclass(frozen=True)
class Output:
    """An output of every run, with its description and a function that returns its value."""

    name: str
    about: str
    value: Callable[[RunResult, Publication], str]


def _count(level: Level) -> Callable[[RunResult, Publication], str]:
    return lambda result, _: str(sum(finding.level is level for finding in result.counting))


def _path(name: str) -> Callable[[RunResult, Publication], str]:
    return lambda _, publication: publication.shown(name)


OF_EVERY_RUN: Final = (
    Output(
        "result",
        "Result of the run: `passed`, `warned`, `skipped`, `failed`, `empty` or `broken`.",
        lambda result, _: result.verdict.conclusion.value,
    ),
    Output(
        "findings",
        "Number of findings that are not muted.",
        lambda result, _: str(sum(1 for _finding in result.counting)),
    ),
    Output("errors", "Number of errors among them.", _count(Level.ERROR)),
    Output("warnings", "Number of warnings among them.", _count(Level.WARNING)),
    Output(
        "new-findings",
        "Number of findings on changed lines that are not muted; empty if the base commit is unknown.",
        lambda result, _: "" if result.new_findings is None else str(result.new_findings),
    ),
    Output(
        "report",
        "Path of `report.json`, relative to the workspace; absolute if it is outside.",
        _path(REPORT),
    ),
    Output("summary-file", "Path of the summary in Markdown.", _path(SUMMARY)),
    Output("sarif-file", "Path of the findings as SARIF 2.1.0.", _path(SARIF)),
    Output("page-file", "Path of the run as one HTML page.", _path(PAGE)),
    Output(
        "coverage-file",
        "Path of the coverage as Cobertura XML; `lcov.info` is in the same folder.",
        _path(COBERTURA),
    ),
    Output("junit-file", "Path of the tests as JUnit XML.", _path(JUNIT)),
)
# The descriptions of all outputs: those of every run, then stage by stage.
ABOUT: Final[Mapping[str, str]] = {output.name: output.about for output in OF_EVERY_RUN} | {
    output.name: output.about for name in STAGES for output in outputs_of(name)
}
# The outputs if the settings are invalid and nothing was run.
NOTHING_RUN: Final = dict.fromkeys(ABOUT, "") | {"result": "broken"}
NO_OUTPUTS: Final = "the outputs could not be set: GITHUB_OUTPUT is not set or its folder does not exist"


def values(result: RunResult, publication: Publication) -> dict[str, str]:
    """Return all outputs by name; those of stages that were not run are empty."""
    found = dict.fromkeys(ABOUT, "")
    found |= {output.name: output.value(result, publication) for output in OF_EVERY_RUN}
    for stage in result.stages:
        if stage.stage in STAGES:
            found |= {output.name: output.value(stage) for output in outputs_of(stage.stage)}
    return found


def report(result: RunResult, publication: Publication) -> None:
    """Set the outputs for later steps, if the run is in Actions."""
    if workflow := publication.workflow:
        found = values(result, publication)
        placed = [workflow.set_output(name, value) for name, value in found.items()]
        if not all(placed):
            publication.note(NO_OUTPUTS)
