"""report.json: everything that every reporter shows, for programs, in a versioned shape."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final, assert_never

from ci_action.model.coverage import Coverage, ranges
from ci_action.model.finding import Finding, Package
from ci_action.model.result import Broken, Hint, Report, RunResult, Skipped, StageResult, ToolResult
from ci_action.model.tests import TestCase
from ci_action.model.totals import coverage_of, metrics_of, shortened, tests_of
from ci_action.reporters.context import REPORT, Publication
from ci_action.reporters.outputs import values
from ci_action.reporters.report_json.schema import (
    SCHEMA,
    CaseEntry,
    FileCoverageEntry,
    FindingEntry,
    HintEntry,
    PackageEntry,
    RunReport,
    StageEntry,
    ToolEntry,
)
from ci_action.system.text import plain

# What each tool leaves empty at first, in this order: it is written piece by piece, so that large runs take little
# memory. No text of others can look like it, since quotes in text are escaped.
_SEAMS: Final = re.compile(r'"(?:coverage": null|findings": \[\]|tests": \[\])')


def document(result: RunResult, publication: Publication) -> RunReport:
    """Return the report as data, without findings, tests and coverage: they are written one by one."""
    return RunReport(
        schema=SCHEMA,
        version=result.version,
        conclusion=result.verdict.conclusion.value,
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
        outputs={},
    )


def _stage(stage: StageResult) -> StageEntry:
    return StageEntry(
        name=stage.stage,
        conclusion=stage.verdict.conclusion.value,
        reasons=[*([stage.account] if stage.because else []), *stage.verdict.reasons],
        seconds=round(stage.seconds, 3),
        tools=[_tool(tool) for tool in stage.tools],
    )


def _tool(tool: ToolResult) -> ToolEntry:
    match tool.outcome:
        case Report():
            outcome, reason = "report", ""
        case Skipped(text):
            outcome, reason = "skipped", text
        case Broken(text):
            outcome, reason = "broken", text
        case unknown:
            assert_never(unknown)
    return ToolEntry(
        name=tool.tool,
        version=tool.version,
        version_source=tool.version_source,
        seconds=round(tool.seconds, 3),
        outcome=outcome,
        reason=reason,
        examined={str(what): number for what, number in tool.examined.items()},
        metrics=metrics_of(tool),
        warnings=list(tool.warnings),
        hints=[_hint(hint) for hint in tool.hints],
        details=[plain(text) for text in tool.outcome.details] if isinstance(tool.outcome, Report) else [],
        coverage=None,
        findings=[],
        tests=[],
    )


def _hint(hint: Hint) -> HintEntry:
    return HintEntry(name=hint.name, cause=hint.cause, fix=hint.fix, url=hint.url)


def entry(finding: Finding) -> FindingEntry:
    """Return a finding as it stands in the report."""
    place = finding.location
    return FindingEntry(
        rule=finding.rule,
        message=plain(finding.message),
        level=finding.level.value,
        severity=finding.severity,
        path=plain(place.path) if place else "",
        line=place.line if place else None,
        column=place.column if place else None,
        end_line=place.end_line if place else None,
        end_column=place.end_column if place else None,
        url=finding.url,
        fingerprint=finding.fingerprint,
        muted=finding.muted,
        fix=finding.fix.value,
        fix_message=finding.fix_message,
        before=finding.before,
        after=finding.after,
        package=_package(finding.package) if finding.package else None,
        also=list(finding.also),
        loosens=finding.loosens,
        new=finding.new,
    )


def _package(package: Package) -> PackageEntry:
    return PackageEntry(
        name=plain(package.name),
        version=plain(package.version),
        advisories=[plain(name) for name in package.advisories],
        fixed_in=[plain(version) for version in package.fixed_in],
        parents=[plain(name) for name in package.parents],
        direct=package.direct,
        upgrade=plain(package.upgrade),
        licenses=plain(package.licenses),
    )


def case_entry(case: TestCase) -> CaseEntry:
    """Return a test as it stands in the report."""
    return CaseEntry(
        nodeid=plain(case.nodeid),
        outcome=case.outcome.value,
        seconds=round(case.seconds, 6),
        path=plain(case.path),
        line=case.line,
        message=plain(case.message),
        detail=plain(shortened(case.detail)),
        runs=case.runs,
        subtest=plain(case.subtest),
    )


def render(result: RunResult, publication: Publication) -> Iterator[str]:
    """Yield the text of the report in pieces: one line for each finding, test and file with its coverage."""
    whole = document(result, publication)
    whole["outputs"] = values(result, publication)
    pieces = iter(_SEAMS.split(plain(json.dumps(whole, indent=1, ensure_ascii=False))))
    yield next(pieces)
    for tool in (tool for stage in result.stages for tool in stage.tools):
        yield '"coverage": '
        yield from _coverage(coverage_of(tool))
        yield f'{next(pieces)}"findings": ['
        yield from _rows(json.dumps(entry(finding)) for finding in tool.findings)
        yield f']{next(pieces)}"tests": ['
        yield from _rows(json.dumps(case_entry(case)) for case in tests_of(tool))
        yield f"]{next(pieces)}"
    yield "\n"


def _coverage(coverage: Coverage | None) -> Iterator[str]:
    if coverage is None:
        yield "null"
        return
    yield '{"files": {'
    yield from _rows(
        f"{json.dumps(plain(path))}: {json.dumps(file)}" for path, file in _file_entries(coverage)
    )
    yield "}}"


def _file_entries(coverage: Coverage) -> Iterator[tuple[str, FileCoverageEntry]]:
    for path, one in sorted(coverage.files.items()):
        yield path, FileCoverageEntry(
            covered_lines=len(one.executed),
            statements=one.statements,
            covered_branches=one.covered_branches,
            branches=one.branches,
            missing=ranges(one.missing),
        )


def _rows(rows: Iterable[str]) -> Iterator[str]:
    separator = "\n"
    for row in rows:
        yield separator + row
        separator = ",\n"


def report(result: RunResult, publication: Publication) -> None:
    """Write the report file. It names itself in its outputs, so it counts as written before it is."""
    publication.written.add(REPORT)
    try:
        text = "".join(render(result, publication))
        publication.write(REPORT, text.encode("utf-8", "replace"))
    except BaseException:
        publication.written.discard(REPORT)
        raise
