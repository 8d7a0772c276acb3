"""Check runs: one for each stage, with all findings on their lines, not only the ten of a level that a step can show.

The conclusion is sent first and alone, so that it does not depend on the annotations.
"""

from dataclasses import replace
from typing import Any, Final

from ci_action.github.client import GitHub
from ci_action.github.errors import ApiError
from ci_action.github.pull_request import Pull
from ci_action.model.finding import Finding, Level, Location
from ci_action.model.ranking import Row, fair, number_of, rows_of
from ci_action.model.result import Conclusion, RunResult, StageResult
from ci_action.reporters.context import Publication
from ci_action.reporters.feedback import ELSEWHERE, in_repository, place_of, to_github, top_of
from ci_action.reporters.job_summary import render
from ci_action.reporters.limits import clipped, clipped_bytes
from ci_action.system.exit_codes import ExitCode
from ci_action.system.redaction import HIDDEN
from ci_action.system.text import counted, visible

# As many as GitHub takes in one request.
BATCH: Final = 50
# Twenty requests.
MOST: Final = 1_000
_SUMMARY: Final = 65_000
_MESSAGE: Final = 60_000
_TITLE: Final = 255
_CONCLUSIONS: Final = {
    Conclusion.PASSED: "success",
    Conclusion.WARNED: "neutral",
    Conclusion.SKIPPED: "skipped",
}
_LEVELS: Final = {Level.ERROR: "failure", Level.WARNING: "warning", Level.NOTICE: "notice"}
_NOT_VALID: Final = 422


def report(result: RunResult, publication: Publication) -> None:
    """Create a check run for each stage that ran."""

    def write(github: GitHub) -> None:
        stages = [stage for stage in result.stages if not stage.reason]
        errors = [_create(github, stage, result, publication) for stage in stages]
        for error in filter(None, errors):
            raise error

    to_github(result, publication, "create the check run", write)


def commit_of(publication: Publication) -> str:
    """Return the commit of the check run: the head of the pull request, not its merge with the base."""
    event, pull = publication.event, publication.pull
    joined = event.name.startswith("pull_request") or event.name in ELSEWHERE
    return pull.head_sha if joined and isinstance(pull, Pull) else event.sha


def conclusion_of(stage: StageResult, result: RunResult) -> str:
    """Return GitHub's conclusion for a stage: a warning is not red, and a run that a bug ended is never green."""
    if result.verdict.exit_code is ExitCode.BUG:
        return "failure"
    verdict = stage.verdict
    if verdict.conclusion is Conclusion.BROKEN and not verdict.exit_code:
        return "neutral"
    return _CONCLUSIONS.get(verdict.conclusion, "failure")


def _create(
    github: GitHub, stage: StageResult, result: RunResult, publication: Publication
) -> ApiError | None:
    """Create the check run of a stage; return why some of its annotations are missing."""
    place = place_of(publication.resolved.chosen())
    rows, left = rows_for(stage, publication)
    annotations = [_annotation(row, top_of(publication.layout)) for row in rows]
    alone = replace(result, stages=(stage,), verdict=stage.verdict)
    output = {
        "title": clipped(_title(stage, shown=number_of(rows), left=left), _TITLE),
        "summary": render(alone, publication, _SUMMARY) or "-",
    }
    body: dict[str, Any] = {
        "name": visible(f"ci-action: {stage.stage}" + (f" ({place})" if place else "")),
        "head_sha": commit_of(publication),
        "status": "completed",
        "conclusion": conclusion_of(stage, result),
        "output": output,
    }
    if publication.event.run_url:
        body["details_url"] = publication.event.run_url
    made = github.create_check_run(body).get("id")
    if not isinstance(made, int):
        raise ApiError("GitHub returned no id for the new check run")
    refused: ApiError | None = None
    for start in range(0, len(annotations), BATCH):
        part = annotations[start : start + BATCH]
        try:
            github.update_check_run(made, {"output": {**output, "annotations": part}})
        except ApiError as error:
            if error.status != _NOT_VALID:
                raise
            refused = error  # the other batches may be valid
    return refused


def _title(stage: StageResult, *, shown: int, left: int) -> str:
    number = f": {counted(shown + left, 'finding')}" if shown + left else ""
    return f"{stage.verdict.conclusion}{number}" + (f", {shown:,} of them annotated" if left else "")


def rows_for(stage: StageResult, publication: Publication) -> tuple[list[Row], int]:
    """Return the rows to annotate, without those in no file of the repository, and the number of findings left out."""
    top = top_of(publication.layout)
    rows = rows_of(finding for finding in stage.findings if finding.counts)
    chosen = fair([row for row in rows if _path(row.first, top)], MOST)
    return chosen, number_of(rows) - number_of(chosen)


def _path(finding: Finding, top: str) -> str:
    """Return the file of a finding in the repository; empty if it has none."""
    path = in_repository(finding.path, top) if finding.path else ""
    return "" if HIDDEN in path else path


def _annotation(row: Row, top: str) -> dict[str, Any]:
    """Return the annotation of a row."""
    finding = row.first
    place = finding.location or Location(path="")
    first = max(1, place.line or 1)
    last = max(first, place.end_line or first)
    text = "\n".join(filter(None, (finding.message, row.more, finding.url)))
    annotation: dict[str, Any] = {
        "path": _path(finding, top),
        "start_line": first,
        "end_line": last,
        "annotation_level": _LEVELS[finding.level],
        # GitHub counts bytes here.
        "message": clipped_bytes(visible(text), _MESSAGE) or "-",
        "title": clipped_bytes(visible(f"{finding.tool}: {finding.rule}"), _TITLE),
    }
    # GitHub takes columns only if the first and the last line are the same.
    if first == last and place.line is not None and place.column is not None and place.column > 0:
        annotation["start_column"] = place.column
        annotation["end_column"] = max(place.column, place.end_column or place.column)
    return annotation
