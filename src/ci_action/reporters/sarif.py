"""SARIF 2.1.0, for code scanning: one run for each tool, muted findings as suppressions with their reason.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from ci_action.model import Broken, Finding, Fix, RunResult, Severity, ToolResult
from ci_action.ranking import ranked
from ci_action.reporters.publication import SARIF, Publication
from ci_action.text import as_bytes, plain

# What GitHub takes: https://docs.github.com/en/code-security/code-scanning/reference/code-scanning/sarif-support
MOST_RESULTS: Final = 25_000
MOST_RUNS: Final = 20
_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTICE: "note"}
_TOOL_URLS: Final = {
    "black": "https://black.readthedocs.io",
    "ruff": "https://docs.astral.sh/ruff/",
}


def render(result: RunResult) -> dict[str, Any]:
    """Return the run as a SARIF log."""
    runs = [_run(stage.stage, tool) for stage in result.stages for tool in stage.tools]
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": runs[:MOST_RUNS]}


def _run(stage: str, tool: ToolResult) -> dict[str, Any]:
    findings = ranked(tool.findings)[:MOST_RESULTS]
    rules: dict[str, Finding] = {}
    for finding in findings:
        rules.setdefault(finding.rule, finding)
    index = {rule: number for number, rule in enumerate(rules)}
    driver: dict[str, Any] = {
        "name": tool.tool,
        "rules": [_rule(finding) for finding in rules.values()],
    }
    if tool.version:
        driver["version"] = tool.version
    if tool.tool in _TOOL_URLS:
        driver["informationUri"] = _TOOL_URLS[tool.tool]
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"ci-action/{stage}/{tool.tool}/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The root of the repository."}}},
        "invocations": [_invocation(tool, len(findings))],
        "results": [_result(finding, index) for finding in findings],
    }


def _invocation(tool: ToolResult, shown: int) -> dict[str, Any]:
    notices = [{"level": "warning", "message": {"text": text}} for text in tool.warnings]
    if isinstance(tool.outcome, Broken):
        notices.append({"level": "error", "message": {"text": tool.outcome.reason}})
    if shown < len(tool.findings):
        text = f"{shown:,} of {len(tool.findings):,} findings, the rest is in report.json"
        notices.append({"level": "warning", "message": {"text": text}})
    return {
        "executionSuccessful": not isinstance(tool.outcome, Broken),
        "toolExecutionNotifications": notices,
    }


def _rule(finding: Finding) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": finding.rule,
        "shortDescription": {"text": f"{finding.tool} {finding.rule}"},
    }
    if finding.url:
        rule["helpUri"] = finding.url
    return rule


def _result(finding: Finding, index: Mapping[str, int]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": _LEVELS[finding.severity],
        "message": {"text": plain(finding.message) or finding.rule},
        "partialFingerprints": {"ciAction/v1": finding.fingerprint},
    }
    if finding.location is not None:
        place: dict[str, Any] = {"artifactLocation": _artifact(finding)}
        if region := _region(finding):
            place["region"] = region
        entry["locations"] = [{"physicalLocation": place}]
    if finding.muted:
        entry["suppressions"] = [{"kind": "external", "justification": finding.muted}]
    if finding.fix is Fix.SAFE and (finding.before or finding.after) and finding.location:
        entry["fixes"] = [_fix(finding)]
    return entry


def _artifact(finding: Finding) -> dict[str, str]:
    path = finding.location.path if finding.location else ""
    uri = quote(as_bytes(path), safe="/")
    if path.startswith("/"):  # outside the workspace there is no base for it
        return {"uri": f"file://{uri}"}
    return {"uri": uri, "uriBaseId": "SRCROOT"}


def _region(finding: Finding) -> dict[str, int]:
    place = finding.location
    if place is None or place.line is None:
        return {}
    region = {"startLine": place.line}
    if place.end_line is not None:
        region["endLine"] = place.end_line
    if place.column is not None:
        region["startColumn"] = place.column
        if place.end_column is not None:
            region["endColumn"] = place.end_column
    return region


def _fix(finding: Finding) -> dict[str, Any]:
    line = finding.location.line or 1 if finding.location else 1
    lines = finding.before.count("\n")
    deleted = {"startLine": line, "startColumn": 1, "endLine": line + lines, "endColumn": 1}
    change: dict[str, Any] = {"deletedRegion": deleted}
    if finding.after:
        change["insertedContent"] = {"text": finding.after}
    return {
        "description": {"text": finding.fix_message or "Fix"},
        "artifactChanges": [{"artifactLocation": _artifact(finding), "replacements": [change]}],
    }


def report(result: RunResult, publication: Publication) -> None:
    """Write the SARIF file."""
    text = json.dumps(render(result), separators=(",", ":"))
    publication.write(SARIF, publication.redact(text).encode("utf-8", "replace"))
