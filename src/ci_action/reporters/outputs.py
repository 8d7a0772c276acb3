"""The outputs of the action: small, flat, set also when the run fails."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ci_action.model.finding import Level
from ci_action.model.result import RunResult
from ci_action.model.totals import totals
from ci_action.reporters.context import COBERTURA, JUNIT, PAGE, REPORT, SARIF, SUMMARY, Publication
from ci_action.stages.pr import section
from ci_action.stages.security.section import AUDIT, SECRETS, is_secret, is_vulnerability, number_of


@dataclass(frozen=True)
class Output:
    """One output: its name, what it says, how its value is made."""

    name: str
    description: str
    value: Callable[[RunResult, Publication], str]


def _count(level: Level) -> Callable[[RunResult, Publication], str]:
    return lambda result, _: str(sum(finding.level is level for finding in result.counting))


def _tests(*names: str) -> Callable[[RunResult, Publication], str]:
    def value(result: RunResult, _: Publication) -> str:
        number = totals(result).count(*names)
        return "" if number is None else str(number)

    return value


def _told(name: str) -> Callable[[RunResult, Publication], str]:
    return lambda result, _: section.told(result, name)


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
    Output("errors", "How many of them are errors.", _count(Level.ERROR)),
    Output("warnings", "How many of them are warnings.", _count(Level.WARNING)),
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
    Output(
        "page-file",
        "The run as one HTML page that opens from disk.",
        lambda _, publication: publication.shown(PAGE),
    ),
    Output("tests-total", "How many tests there were; empty where none were run.", _tests("tests")),
    Output("tests-failed", "How many of them failed, errors included.", _tests("failed", "errors")),
    Output("tests-skipped", "How many of them were skipped.", _tests("skipped")),
    Output(
        "coverage",
        "The coverage in percent, cut to two decimals; empty where none was measured.",
        lambda result, _: totals(result).percent,
    ),
    Output(
        "patch-coverage",
        "The coverage of the changed lines in percent, cut to two decimals; empty where it is not known.",
        lambda result, _: totals(result).patch_percent,
    ),
    Output(
        "coverage-file",
        "The coverage as Cobertura XML; `lcov.info` is beside it.",
        lambda _, publication: publication.shown(COBERTURA),
    ),
    Output(
        "junit-file",
        "The tests as JUnit XML.",
        lambda _, publication: publication.shown(JUNIT),
    ),
    *(Output(name, text, _told(name)) for name, text in section.OUTPUTS.items()),
    Output(
        "vulnerabilities",
        "How many known vulnerabilities of dependencies count; empty where none were looked for.",
        lambda result, _: number_of(result, AUDIT, filter(is_vulnerability, result.counting)),
    ),
    Output(
        "secrets",
        "How many secrets in files count; empty where none were looked for.",
        lambda result, _: number_of(result, SECRETS, filter(is_secret, result.counting)),
    ),
)

# What is set when the settings were wrong and nothing was run.
NOTHING_RUN: Final = {output.name: "" for output in OUTPUTS} | {"result": "broken"}
NO_OUTPUTS: Final = "the outputs could not be set: GITHUB_OUTPUT is not set or its folder does not exist"


def values(result: RunResult, publication: Publication) -> dict[str, str]:
    """Return every output by its name."""
    return {output.name: output.value(result, publication) for output in OUTPUTS}


def report(result: RunResult, publication: Publication) -> None:
    """Set the outputs for later steps; outside Actions there is nobody to set them for."""
    if publication.workflow is None:
        return
    placed = [
        publication.workflow.set_output(name, publication.redact(value))
        for name, value in values(result, publication).items()
    ]
    if not all(placed):
        publication.problems.append(NO_OUTPUTS)
