"""The reporters: each shows a finished run on one channel, and decides nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Final

from ci_action.github.pull_request import Pull
from ci_action.model.result import RunResult
from ci_action.model.totals import totals
from ci_action.reporters.context import Publication
from ci_action.settings.types import CommentWhen

_When = Callable[[RunResult, Publication], bool]


@dataclass(frozen=True)
class Reporter:
    """Shows a finished run on one channel; its module is imported when it has something to report."""

    name: str
    summary: str
    module: str
    """In this package."""
    when: _When = field(default=lambda *_: True)
    """Whether it has something to report."""
    function: str = "report"

    def report(self, result: RunResult, publication: Publication) -> None:
        """Report the run."""
        if self.when(result, publication):
            getattr(import_module(f"{__name__}.{self.module}"), self.function)(result, publication)


def _tests(result: RunResult, _: Publication) -> bool:
    return bool(totals(result).tests)


def _coverage(result: RunResult, _: Publication) -> bool:
    return totals(result).coverage is not None


def _under_actions(_: RunResult, publication: Publication) -> bool:
    return publication.workflow is not None


# Files come first, because the outputs name those that were written; the verdict comes last.
REPORTERS: Final = (
    Reporter("summary.md", "The run in Markdown.", "job_summary", function="write"),
    Reporter("ci-action.sarif", "SARIF 2.1.0 for code scanning.", "sarif"),
    Reporter("junit.xml", "Tests as JUnit XML, if there are any.", "junit", _tests),
    Reporter(
        "coverage.xml",
        "Coverage as Cobertura XML, and as LCOV in `lcov.info`, if it was measured.",
        "cobertura",
        _coverage,
    ),
    Reporter(
        "coverage.json",
        "Coverage by line, and durations of tests in `durations.json`. `merge` joins them.",
        "coverage_json",
        lambda *run: _tests(*run) or _coverage(*run),
    ),
    Reporter(
        "report.html",
        "The run as one page that opens from disk: filters, source lines, tests, coverage.",
        "html",
    ),
    Reporter("report.json", "Everything, for programs.", "report_json.write"),
    Reporter("outputs", "The outputs for later jobs.", "outputs", _under_actions),
    Reporter("job summary", "The page of the run on GitHub.", "job_summary", _under_actions),
    Reporter(
        "labels",
        "The labels of the pull request, with `labels: true`.",
        "labels",
        lambda _, to: to.resolved.settings.labels and isinstance(to.pull, Pull),
    ),
    Reporter("annotations", "The findings on the lines of the pull request.", "annotate", _under_actions),
    Reporter(
        "comment",
        "The comment on the pull request, with `comment`.",
        "comment",
        lambda _, to: to.resolved.settings.comment is not CommentWhen.NEVER,
    ),
    Reporter(
        "check run",
        "The findings as a check run for each stage, with `check-run: true`.",
        "check_run",
        lambda _, to: to.resolved.settings.check_run,
    ),
    Reporter(
        "suggestions",
        "Fixes as suggested changes of a review, with `suggestions: true`.",
        "suggestions",
        lambda _, to: to.resolved.settings.suggestions,
    ),
    Reporter(
        "problems",
        "The reports that failed, as one warning.",
        "annotate",
        lambda *run: _under_actions(*run) and bool(run[1].problems),
        "report_problems",
    ),
    Reporter("console", "The findings and the verdict, for whoever started the run.", "console"),
)


def publish(result: RunResult, publication: Publication) -> None:
    """Remove the reports of an earlier run and call every reporter; a failure is a warning and never changes the verdict."""
    publication.clear()
    for reporter in REPORTERS:
        try:
            reporter.report(result, publication)
        except Exception as error:  # noqa: BLE001 - a report that fails never changes the verdict
            publication.note(f"could not write {reporter.name}: {type(error).__name__}: {error}")
