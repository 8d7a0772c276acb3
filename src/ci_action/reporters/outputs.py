"""The outputs of the action: small, flat, set also when the run fails."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ci_action.model import RunResult, Severity
from ci_action.reporters.publication import REPORT, SARIF, SUMMARY, Publication


@dataclass(frozen=True)
class Output:
    """One output: its name, what it says, how its value is made."""

    name: str
    description: str
    value: Callable[[RunResult, Publication], str]


def _count(severity: Severity) -> Callable[[RunResult, Publication], str]:
    return lambda result, _: str(sum(finding.severity is severity for finding in result.counting))


OUTPUTS: Final = (
    Output(
        "result",
        "How the run ended: `passed`, `warned`, `skipped`, `failed`, `empty` or `broken`.",
        lambda result, _: result.verdict.conclusion.value,
    ),
    Output(
        "findings",
        "How many findings count.",
        lambda result, _: str(sum(1 for _finding in result.counting)),
    ),
    Output("errors", "How many of them are errors.", _count(Severity.ERROR)),
    Output("warnings", "How many of them are warnings.", _count(Severity.WARNING)),
    Output(
        "new-findings",
        "How many of the findings that count touch a line of the change; empty where its base is not known.",
        lambda result, _: "" if result.new_findings is None else str(result.new_findings),
    ),
    Output(
        "report",
        "The report file, relative to the workspace (absolute where it lies outside).",
        lambda _, publication: publication.shown(REPORT),
    ),
    Output(
        "summary-file",
        "The summary as Markdown.",
        lambda _, publication: publication.shown(SUMMARY),
    ),
    Output(
        "sarif-file",
        "The findings as SARIF 2.1.0.",
        lambda _, publication: publication.shown(SARIF),
    ),
)

# What is set when the settings were wrong and nothing was run.
NOTHING_RUN: Final = {output.name: "" for output in OUTPUTS} | {"result": "broken"}


def values(result: RunResult, publication: Publication) -> dict[str, str]:
    """Return every output by its name."""
    return {output.name: output.value(result, publication) for output in OUTPUTS}


def report(result: RunResult, publication: Publication) -> None:
    """Set the outputs for later steps; outside Actions there is nobody to set them for."""
    if publication.workflow is None:
        return
    placed = [
        publication.workflow.set_output(name, value) for name, value in values(result, publication).items()
    ]
    if not all(placed):
        publication.problems.append(
            "the outputs could not be set: GITHUB_OUTPUT is not set or its folder does not exist"
        )
