"""The reporters: each shows a finished run on one channel, and decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ci_action.model.result import RunResult
from ci_action.reporters import (
    annotate,
    check_run,
    cobertura,
    comment,
    console,
    coverage_json,
    html,
    job_summary,
    junit,
    labels,
    outputs,
    sarif,
    suggestions,
)
from ci_action.reporters.context import Publication
from ci_action.reporters.report_json import write


@dataclass(frozen=True)
class Reporter:
    """Shows a finished run on one channel."""

    name: str
    summary: str
    report: Callable[[RunResult, Publication], None]


# Files come first, because the outputs name those that were written; the verdict comes last.
REPORTERS: Final = (
    Reporter("summary.md", "The run in Markdown.", job_summary.write),
    Reporter("ci-action.sarif", "SARIF 2.1.0 for code scanning.", sarif.report),
    Reporter("junit.xml", "Tests as JUnit XML, if there are any.", junit.report),
    Reporter(
        "coverage.xml",
        "Coverage as Cobertura XML, and as LCOV in `lcov.info`, if it was measured.",
        cobertura.report,
    ),
    Reporter(
        "coverage.json",
        "Coverage by line, and durations of tests in `durations.json`. `merge` joins them.",
        coverage_json.report,
    ),
    Reporter(
        "report.html",
        "The run as one page that opens from disk: filters, source lines, tests, coverage.",
        html.report,
    ),
    Reporter("report.json", "Everything, for programs.", write.report),
    Reporter("outputs", "The outputs for later jobs.", outputs.report),
    Reporter("job summary", "The page of the run on GitHub.", job_summary.report),
    Reporter("labels", "The labels of the pull request, with `labels: true`.", labels.report),
    Reporter("annotations", "The findings on the lines of the pull request.", annotate.report),
    Reporter("comment", "The comment on the pull request, with `comment`.", comment.report),
    Reporter(
        "check run", "The findings as a check run for each stage, with `check-run: true`.", check_run.report
    ),
    Reporter(
        "suggestions", "Fixes as suggested changes of a review, with `suggestions: true`.", suggestions.report
    ),
    Reporter("problems", "The reports that failed, as one warning.", annotate.report_problems),
    Reporter("console", "The findings and the verdict, for whoever started the run.", console.report),
)


def publish(result: RunResult, publication: Publication) -> None:
    """Call every reporter; the failure of one is a warning and never changes the verdict."""
    for reporter in REPORTERS:
        try:
            reporter.report(result, publication)
        except Exception as error:  # noqa: BLE001 - a report that fails never changes the verdict
            publication.note(f"could not write {reporter.name}: {type(error).__name__}: {error}")
