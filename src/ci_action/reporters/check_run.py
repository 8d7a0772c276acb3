"""Check runs: one for each stage, with all findings on their lines, not only the ten of a kind that a step may show.

The conclusion goes first and alone: whatever happens to the annotations, it stands.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

from ci_action.github.protocol import ApiError, GitHub
from ci_action.github.pull_request import Pull
from ci_action.model.finding import Finding, Level, ranked
from ci_action.model.result import Conclusion, RunResult, StageResult
from ci_action.reporters.context import Publication
from ci_action.reporters.feedback import ELSEWHERE, in_repository, place_of, to_github, top_of
from ci_action.reporters.job_summary import render
from ci_action.reporters.limits import clipped
from ci_action.system.exit_codes import ExitCode
from ci_action.system.redaction import HIDDEN
from ci_action.system.text import visible

# What GitHub takes at once; more are added by further requests.
BATCH: Final = 50
# Twenty requests: beyond that nobody looks at the lines.
MOST: Final = 1_000
_SUMMARY: Final = 65_000
_MESSAGE: Final = 60_000
_TITLE: Final = 255
_CONCLUSIONS: Final = {
    Conclusion.PASSED: "success",
    Conclusion.WARNED: "neutral",
    Conclusion.SKIPPED: "skipped",
    Conclusion.FAILED: "failure",
    Conclusion.EMPTY: "failure",
    Conclusion.BROKEN: "failure",
}
_LEVELS: Final = {Level.ERROR: "failure", Level.WARNING: "warning", Level.NOTICE: "notice"}
_NOT_VALID: Final = 422


def report(result: RunResult, publication: Publication) -> None:
    """Create a check run for each stage that was run, where the user asked for it."""
    if not publication.resolved.settings.check_run:
        return

    def write(github: GitHub) -> None:
        refused = [
            error
            for stage in result.stages
            if not stage.reason
            and (error := _created(github, commit_of(publication), stage, result, publication))
        ]
        if refused:
            raise refused[0]

    to_github(result, publication, "the check run", write)


def commit_of(publication: Publication) -> str:
    """Return the commit that shows the check run: that of the pull request, not the one that joins it with its base."""
    event, pull = publication.event, publication.pull
    joined = event.name.startswith("pull_request") or event.name in ELSEWHERE
    return pull.head_sha if joined and isinstance(pull, Pull) else event.sha


def conclusion_of(stage: StageResult, result: RunResult) -> str:
    """Return GitHub's word for how a stage ended; one that warns is not red, and a run that a bug ended is never green."""
    if result.verdict.exit_code is ExitCode.BUG:
        return "failure"
    verdict = stage.verdict
    if verdict.conclusion is Conclusion.BROKEN and not verdict.exit_code:
        return "neutral"
    return _CONCLUSIONS[verdict.conclusion]


def _created(
    github: GitHub, commit: str, stage: StageResult, result: RunResult, publication: Publication
) -> ApiError | None:
    """Create the check run of a stage; return why some of its annotations are missing."""
    place = place_of(publication.resolved.chosen())
    name = visible(f"ci-action: {stage.stage}" + (f" ({place})" if place else ""))
    alone = replace(result, stages=(stage,), verdict=stage.verdict)
    annotations, left = annotations_of(stage, publication)
    output = {
        "title": clipped(_title(stage, shown=len(annotations), left=left), _TITLE),
        "summary": render(alone, publication, _SUMMARY) or "-",
    }
    body: dict[str, Any] = {
        "name": name,
        "head_sha": commit,
        "status": "completed",
        "conclusion": conclusion_of(stage, result),
        "output": output,
    }
    if publication.event.run_url:
        body["details_url"] = publication.event.run_url
    made = github.create_check_run(body).get("id")
    if not isinstance(made, int):
        raise ApiError("GitHub did not take a check run: its answer has no number")
    return _added(github, made, output, annotations)


def _added(
    github: GitHub, check_run: int, output: dict[str, Any], annotations: Sequence[dict[str, Any]]
) -> ApiError | None:
    """Add the annotations; a batch that GitHub does not like does not take the others along."""
    refused: ApiError | None = None
    for start in range(0, len(annotations), BATCH):
        part = annotations[start : start + BATCH]
        try:
            github.update_check_run(check_run, {"output": {**output, "annotations": part}})
        except ApiError as error:
            if error.status != _NOT_VALID:
                raise
            refused = error
    return refused


def _title(stage: StageResult, *, shown: int, left: int) -> str:
    word = stage.verdict.conclusion.value
    total = shown + left
    if not total:
        return word
    text = f"{word}: {total:,} {'finding' if total == 1 else 'findings'}"
    return f"{text}, {shown:,} of them on their lines" if left else text


def annotations_of(stage: StageResult, publication: Publication) -> tuple[list[dict[str, Any]], int]:
    """Return the findings that count as annotations, what matters first, and how many have no line or no room."""
    findings = ranked(finding for finding in stage.findings if finding.counts)
    top = top_of(publication.layout)
    found = list(_annotations(findings, top))[:MOST]
    return found, len(findings) - len(found)


def _annotations(findings: Sequence[Finding], top: str) -> Iterator[dict[str, Any]]:
    for finding in findings:
        place = finding.location
        path = in_repository(place.path, top) if place else ""
        if place is None or not path or HIDDEN in path:  # which no file has for a name
            continue
        first = max(1, place.line or 1)
        last = max(first, place.end_line or first)
        annotation: dict[str, Any] = {
            "path": path,
            "start_line": first,
            "end_line": last,
            "annotation_level": _LEVELS[finding.level],
            "message": _text(_message(finding), _MESSAGE) or "-",
            "title": _text(f"{finding.tool}: {finding.rule}", _TITLE),
        }
        # GitHub takes columns only where the first and the last line are the same.
        if first == last and place.line is not None and place.column is not None and place.column > 0:
            annotation["start_column"] = place.column
            annotation["end_column"] = max(place.column, place.end_column or place.column)
        yield annotation


def _message(finding: Finding) -> str:
    return "\n".join(filter(None, (finding.message, finding.url)))


def _text(text: str, limit: int) -> str:
    """Return text within a limit of characters and, since GitHub counts so here, of bytes."""
    shown = visible(text)
    raw = shown.encode("utf-8", "replace")
    return clipped(raw[:limit].decode("utf-8", "ignore"), limit) if len(raw) > limit else shown
