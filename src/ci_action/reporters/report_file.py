"""report.json: everything that every reporter shows, for programs, in a versioned shape."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final, assert_never

from pydantic import TypeAdapter
from typing_extensions import TypedDict

from ci_action.model import Broken, Finding, Report, RunResult, Skipped, StageResult, ToolResult
from ci_action.reporters.outputs import values
from ci_action.reporters.publication import REPORT, Publication
from ci_action.text import plain

SCHEMA: Final = 1


class FindingEntry(TypedDict):
    """One problem. Lines and columns start at 1; end lines are inclusive, end columns exclusive."""

    rule: str
    message: str
    severity: str
    level: str
    path: str
    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None
    url: str
    fingerprint: str
    muted: str
    fix: str
    fix_message: str
    before: str
    after: str


class ToolEntry(TypedDict):
    """What one tool did."""

    name: str
    version: str
    version_source: str
    seconds: float
    outcome: str
    reason: str
    examined: dict[str, int]
    metrics: dict[str, float]
    warnings: list[str]
    findings: list[FindingEntry]


class StageEntry(TypedDict):
    """What the tools of one stage did, and how it was judged."""

    name: str
    conclusion: str
    reasons: list[str]
    seconds: float
    tools: list[ToolEntry]


class RunReport(TypedDict):
    """A finished run of ci-action."""

    schema: int
    version: str
    conclusion: str
    exit_code: int
    reasons: list[str]
    seconds: float
    started: str
    commit: str
    base: str
    scope: str
    warnings: list[str]
    reproduce: str
    settings: dict[str, Any]
    stages: list[StageEntry]
    outputs: dict[str, str]


_ENUMS: Final = {
    "conclusion": ["passed", "warned", "skipped", "failed", "empty", "broken"],
    "outcome": ["report", "skipped", "broken"],
    "severity": ["notice", "warning", "error"],
    "level": ["", "low", "medium", "high", "critical", "unknown"],
    "fix": ["", "safe", "unsafe"],
}


def schema_address(name: str) -> str:
    """Return where a schema is published: the one of this major version."""
    return f"https://raw.githubusercontent.com/org/ci-action/v1/.github/schema/{name}.schema.json"


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of the report file."""
    schema = TypeAdapter(RunReport).json_schema()
    for entry in (schema, *schema.get("$defs", {}).values()):
        for name, words in _ENUMS.items():
            if name in entry["properties"]:
                entry["properties"][name]["enum"] = words
    schema["properties"]["schema"]["const"] = SCHEMA
    return {
        **schema,
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_address("report"),
        "title": "ci-action report",
    }


def document(result: RunResult, publication: Publication) -> RunReport:
    """Return the report as data, the findings left out: they are written one by one."""
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
        reasons=list(stage.verdict.reasons),
        seconds=round(stage.seconds, 3),
        tools=[_tool(tool) for tool in stage.tools],
    )


def _tool(tool: ToolResult) -> ToolEntry:
    match tool.outcome:
        case Report():
            outcome, reason, metrics = "report", "", dict(tool.outcome.metrics)
        case Skipped(text):
            outcome, reason, metrics = "skipped", text, {}
        case Broken(text):
            outcome, reason, metrics = "broken", text, dict(tool.outcome.metrics)
        case unknown:
            assert_never(unknown)
    return ToolEntry(
        name=tool.tool,
        version=tool.version,
        version_source=tool.version_source,
        seconds=round(tool.seconds, 3),
        outcome=outcome,
        reason=reason,
        examined=dict(tool.examined),
        metrics=metrics,
        warnings=list(tool.warnings),
        findings=[],
    )


def entry(finding: Finding) -> FindingEntry:
    """Return a finding as it stands in the report."""
    place = finding.location
    return FindingEntry(
        rule=finding.rule,
        message=plain(finding.message),
        severity=finding.severity.value,
        level=finding.level,
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
    )


def render(result: RunResult, publication: Publication) -> Iterator[str]:
    """Yield the text of the report in pieces: one line for each finding, so that large runs take little memory."""
    whole = document(result, publication)
    whole["outputs"] = values(result, publication)
    # Each tool's empty list of findings is a seam in the text, in the order of the tools.
    pieces = json.dumps(whole, indent=1, ensure_ascii=True).split('"findings": []')
    tools = [tool for stage in result.stages for tool in stage.tools]
    yield pieces[0]
    for tool, rest in zip(tools, pieces[1:], strict=True):
        yield '"findings": ['
        yield from _rows(tool.findings)
        yield f"]{rest}"
    yield "\n"


def _rows(findings: Iterable[Finding]) -> Iterator[str]:
    separator = "\n"
    for finding in findings:
        yield separator + json.dumps(entry(finding))
        separator = ",\n"


def report(result: RunResult, publication: Publication) -> None:
    """Write the report file. It names itself in its outputs, so it counts as written before it is."""
    publication.written.add(REPORT)
    try:
        text = "".join(render(result, publication))
        publication.write(REPORT, publication.redact(text).encode("utf-8", "replace"))
    except BaseException:
        publication.written.discard(REPORT)
        raise
