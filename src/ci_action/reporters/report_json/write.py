"""report.json: everything that every reporter shows, for programs, in a versioned shape."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal

import msgspec

from ci_action.model.coverage import Coverage, ranges, sums
from ci_action.model.finding import Finding, Location
from ci_action.model.result import Broken, Outcome, Report, RunResult, Skipped, StageResult, ToolResult
from ci_action.model.tests import TestCase
from ci_action.model.totals import coverage_of, shortened, tools_of
from ci_action.reporters.context import REPORT, Publication
from ci_action.reporters.encode import json_text
from ci_action.reporters.outputs import values
from ci_action.reporters.report_json.schema import (
    CoverageEntry,
    FileCoverageEntry,
    FindingEntry,
    RunReport,
    StageEntry,
    TestWarningEntry,
    ToolEntry,
)

_OUTCOMES: Final[Mapping[type[Outcome], Literal["report", "skipped", "broken"]]] = {
    Report: "report",
    Skipped: "skipped",
    Broken: "broken",
}
_NO_PLACE: Final = msgspec.to_builtins(Location(path=""))


def document(result: RunResult, publication: Publication) -> RunReport:
    """Return the report without findings and tests, which `render` adds as text: a large run has many."""
    return RunReport(
        schema=1,
        version=result.version,
        conclusion=result.verdict.conclusion,
        exit_code=int(result.verdict.exit_code),
        reasons=list(result.verdict.reasons),
        seconds=round(result.seconds, 3),
        started=result.started.isoformat(timespec="seconds"),
        commit=result.commit,
        base=result.base,
        scope=result.scope,
        warnings=list(result.warnings),
        reproduce=result.reproduce,
        settings=publication.resolved.chosen(),
        stages=[_stage(stage) for stage in result.stages],
        outputs=values(result, publication),
    )


def _stage(stage: StageResult) -> StageEntry:
    return StageEntry(
        name=stage.stage,
        conclusion=stage.verdict.conclusion,
        reasons=[*([stage.account] if stage.because else []), *stage.verdict.reasons],
        seconds=round(stage.seconds, 3),
        tools=[_tool(tool) for tool in stage.tools],
        because=stage.because,
        not_run=stage.reason,
    )


def _tool(tool: ToolResult) -> ToolEntry:
    outcome = tool.outcome
    return ToolEntry(
        name=tool.tool,
        version=tool.version,
        version_source=tool.version_source,
        seconds=round(tool.seconds, 3),
        outcome=_OUTCOMES[type(outcome)],
        reason="" if isinstance(outcome, Report) else outcome.reason,
        examined={str(what): number for what, number in tool.examined.items()},
        metrics=dict(outcome.metrics),
        warnings=list(tool.warnings),
        hints=list(tool.hints),
        details=list(outcome.details) if isinstance(outcome, Report) else [],
        coverage=_coverage(coverage_of(tool)),
        findings=[],
        tests=[],
        test_warnings=[TestWarningEntry(**msgspec.to_builtins(one)) for one in outcome.test_warnings],
        because=tool.because,
        migrations=outcome.migrations,
        image=outcome.image,
    )


def _coverage(coverage: Coverage | None) -> CoverageEntry | None:
    if coverage is None:
        return None
    files = {
        path: FileCoverageEntry(*sums([one]), ranges(one.missing))
        for path, one in sorted(coverage.files.items())
    }
    return CoverageEntry(files)


def finding_entry(finding: Finding) -> dict[str, Any]:
    """Return the fields of a `FindingEntry`."""
    fields = msgspec.to_builtins(finding)
    fields |= fields["location"] or _NO_PLACE
    return {name: fields[name] for name in FindingEntry.__struct_fields__}


def _case_entry(case: TestCase) -> dict[str, Any]:
    """Return the fields of a `CaseEntry`: those of the test itself."""
    cut = {"seconds": round(case.seconds, 6), "detail": shortened(case.detail)}
    return {**msgspec.to_builtins(case), **cut}


def _rows(entries: Iterable[dict[str, Any]]) -> msgspec.Raw:
    """Return a list with a line for each entry."""
    return msgspec.Raw(b"[" + b",".join(b"\n" + json_text(entry) for entry in entries) + b"]")


def render(result: RunResult, publication: Publication) -> bytes:
    """Return the text of the report."""
    whole = json.loads(json_text(document(result, publication)))
    entries = (entry for stage in whole["stages"] for entry in stage["tools"])
    for entry, tool in zip(entries, tools_of(result), strict=True):
        entry["findings"] = _rows(map(finding_entry, tool.findings))
        entry["tests"] = _rows(map(_case_entry, tool.outcome.tests))
    return msgspec.json.encode(whole)


def report(result: RunResult, publication: Publication) -> None:
    """Write the report file. Its outputs name the file itself, so it counts as written before it is."""
    publication.written.add(REPORT)
    try:
        publication.write(REPORT, render(result, publication))
    except BaseException:
        publication.written.discard(REPORT)
        raise
