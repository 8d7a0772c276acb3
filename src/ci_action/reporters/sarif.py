"""SARIF 2.1.0, for code scanning: one run for each tool, muted findings as suppressions with their reason.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from ci_action.model.finding import SEVERITIES, Finding, Fix, Level, ranked
from ci_action.model.result import Broken, RunResult, ToolResult
from ci_action.reporters.context import SARIF, Publication
from ci_action.system.text import as_bytes, plain

# What GitHub takes: https://docs.github.com/en/code-security/code-scanning/reference/code-scanning/sarif-support
MOST_RESULTS: Final = 25_000
MOST_RUNS: Final = 20
_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: Final = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTICE: "note"}
# A number in each of GitHub's ranges (critical from 9.0, high from 7.0, medium from 4.0, low above 0.0).
_SECURITY: Final = {"critical": "9.5", "high": "8.0", "unknown": "7.0", "medium": "5.5", "low": "2.0"}


def render(result: RunResult, project: str = "pyproject.toml") -> dict[str, Any]:
    """Return the run as a SARIF log; `project` is the file at which findings without a place are shown."""
    runs = [_run(stage.stage, tool, project) for stage in result.stages for tool in stage.tools]
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": runs[:MOST_RUNS]}


def _run(stage: str, tool: ToolResult, project: str) -> dict[str, Any]:
    findings = ranked(tool.findings)[:MOST_RESULTS]
    rules: dict[str, Finding] = {}
    severities: dict[str, str] = {}
    for finding in findings:
        rules.setdefault(finding.rule, finding)
        if finding.severity:
            known = severities.get(finding.rule, finding.severity)
            severities[finding.rule] = min(known, finding.severity, key=SEVERITIES.index)
    index = {rule: number for number, rule in enumerate(rules)}
    driver: dict[str, Any] = {
        "name": tool.tool,
        "rules": [_rule(finding, severities.get(rule, "")) for rule, finding in rules.items()],
    }
    if tool.version:
        driver["version"] = tool.version
    if tool.url:
        driver["informationUri"] = tool.url
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"ci-action/{stage}/{tool.tool}/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The root of the repository."}}},
        "invocations": [_invocation(tool, len(findings))],
        "results": [_result(finding, index, project) for finding in findings],
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


def _rule(finding: Finding, severity: str) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": finding.rule,
        "shortDescription": {"text": f"{finding.tool} {finding.rule}"},
    }
    if finding.url:
        rule["helpUri"] = finding.url
    if severity:  # GitHub reads it of rules alone: the worst of its findings decides
        rule["properties"] = {"security-severity": _SECURITY[severity], "tags": ["security"]}
    return rule


def _result(finding: Finding, index: Mapping[str, int], project: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": _LEVELS[finding.level],
        "message": {"text": plain(finding.message) or finding.rule},
        "partialFingerprints": {"ciAction/v1": finding.fingerprint},
    }
    # GitHub refuses a whole file because of one result without a place (github/codeql-action#1738).
    place: dict[str, Any] = {
        "artifactLocation": _artifact(finding.location.path if finding.location else project)
    }
    if region := _region(finding):
        place["region"] = region
    entry["locations"] = [{"physicalLocation": place}]
    if finding.muted:
        entry["suppressions"] = [{"kind": "external", "justification": finding.muted}]
    if finding.fix is Fix.SAFE and (finding.before or finding.after) and finding.location:
        entry["fixes"] = [_fix(finding, finding.location.path)]
    if properties := _properties(finding):
        entry["properties"] = properties
    return entry


def _properties(finding: Finding) -> dict[str, Any]:
    package = finding.package
    found: dict[str, Any] = {"severity": finding.severity, "also": list(finding.also), "new": finding.new}
    if package is not None:
        found |= {
            "package": plain(package.name),
            "version": plain(package.version),
            "advisories": [plain(name) for name in package.advisories],
            "fixedIn": [plain(version) for version in package.fixed_in],
            "parents": [plain(name) for name in package.parents],
            "upgrade": plain(package.upgrade),
            "licenses": plain(package.licenses),
        }
    if finding.severity:
        found["security-severity"] = _SECURITY[finding.severity]
    return {name: value for name, value in found.items() if value not in ("", [], None)}


def _artifact(path: str) -> dict[str, str]:
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


def _fix(finding: Finding, path: str) -> dict[str, Any]:
    line = finding.location.line or 1 if finding.location else 1
    lines = finding.before.count("\n")
    deleted = {"startLine": line, "startColumn": 1, "endLine": line + lines, "endColumn": 1}
    change: dict[str, Any] = {"deletedRegion": deleted}
    if finding.after:
        change["insertedContent"] = {"text": finding.after}
    return {
        "description": {"text": finding.fix_message or "Fix"},
        "artifactChanges": [{"artifactLocation": _artifact(path), "replacements": [change]}],
    }


def report(result: RunResult, publication: Publication) -> None:
    """Write the SARIF file."""
    project = publication.layout.relative("pyproject.toml")
    text = json.dumps(render(result, project), separators=(",", ":"))
    publication.write(SARIF, text.encode("utf-8", "replace"))
