"""SARIF 2.1.0, for code scanning: one run for each tool; muted findings are suppressions with their reason.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from ci_action.model.finding import SEVERITIES, Finding, Fix, Level
from ci_action.model.ranking import ranked
from ci_action.model.result import Broken, RunResult, ToolResult
from ci_action.reporters.context import SARIF, Publication
from ci_action.reporters.encode import json_text
from ci_action.system.text import as_bytes

# GitHub's limits: https://docs.github.com/en/code-security/code-scanning/reference/code-scanning/sarif-support
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
    driver = {
        "name": tool.tool,
        "rules": [_rule(finding, severities.get(rule, "")) for rule, finding in rules.items()],
        **_filled({"version": tool.version, "informationUri": tool.url}),
    }
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"ci-action/{stage}/{tool.tool}/"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The root of the repository."}}},
        "invocations": [_invocation(tool, len(findings))],
        "results": [_result(finding, index, project) for finding in findings],
    }


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that are not empty: SARIF omits the others."""
    return {name: value for name, value in values.items() if value not in ("", [], {}, None)}


def _invocation(tool: ToolResult, shown: int) -> dict[str, Any]:
    notices = [("warning", text) for text in tool.warnings]
    if isinstance(tool.outcome, Broken):
        notices.append(("error", tool.outcome.reason))
    if shown < len(tool.findings):
        rest = f"{shown:,} of {len(tool.findings):,} findings, the rest is in report.json"
        notices.append(("warning", rest))
    return {
        "executionSuccessful": not isinstance(tool.outcome, Broken),
        "toolExecutionNotifications": [
            {"level": level, "message": {"text": text}} for level, text in notices
        ],
    }


def _rule(finding: Finding, severity: str) -> dict[str, Any]:
    # GitHub reads the severity only from rules: that of the worst finding.
    security = {"security-severity": _SECURITY[severity], "tags": ["security"]} if severity else {}
    return {
        "id": finding.rule,
        "shortDescription": {"text": f"{finding.tool} {finding.rule}"},
        **_filled({"helpUri": finding.url, "properties": security}),
    }


def _result(finding: Finding, index: Mapping[str, int], project: str) -> dict[str, Any]:
    # GitHub refuses a whole file because of one result without a place (github/codeql-action#1738).
    artifact = _artifact(finding.location.path if finding.location else project)
    place = {"artifactLocation": artifact, **_filled({"region": _region(finding)})}
    fixable = finding.fix is Fix.SAFE and (finding.before or finding.after)
    optional = {
        "suppressions": [{"kind": "external", "justification": finding.muted}] if finding.muted else [],
        "fixes": [_fix(finding, finding.line, artifact)] if fixable and finding.line else [],
        "properties": _properties(finding),
    }
    return {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": _LEVELS[finding.level],
        "message": {"text": finding.message or finding.rule},
        "partialFingerprints": {"ciAction/v1": finding.fingerprint},
        "locations": [{"physicalLocation": place}],
        **_filled(optional),
    }


def _properties(finding: Finding) -> dict[str, Any]:
    found: dict[str, Any] = {"severity": finding.severity, "also": list(finding.also), "new": finding.new}
    if package := finding.package:
        found |= {
            "package": package.name,
            "version": package.version,
            "advisories": list(package.advisories),
            "fixedIn": list(package.fixed_in),
            "parents": list(package.parents),
            "upgrade": package.upgrade,
            "licenses": package.licenses,
        }
    return _filled({**found, "security-severity": _SECURITY.get(finding.severity)})


def _artifact(path: str) -> dict[str, str]:
    uri = quote(as_bytes(path), safe="/")
    if path.startswith("/"):  # outside the workspace
        return {"uri": f"file://{uri}"}
    return {"uri": uri, "uriBaseId": "SRCROOT"}


def _region(finding: Finding) -> dict[str, int]:
    place = finding.location
    if place is None or place.line is None:
        return {}
    end_column = None if place.column is None else place.end_column
    region = {"startLine": place.line, "endLine": place.end_line}
    return _filled({**region, "startColumn": place.column, "endColumn": end_column})


def _fix(finding: Finding, line: int, artifact: dict[str, str]) -> dict[str, Any]:
    end = line + finding.before.count("\n")
    deleted = {"startLine": line, "startColumn": 1, "endLine": end, "endColumn": 1}
    inserted = {"insertedContent": {"text": finding.after}} if finding.after else {}
    return {
        "description": {"text": finding.fix_message or "Fix"},
        "artifactChanges": [
            {"artifactLocation": artifact, "replacements": [{"deletedRegion": deleted, **inserted}]}
        ],
    }


def report(result: RunResult, publication: Publication) -> None:
    """Write the SARIF file."""
    project = publication.layout.relative("pyproject.toml")
    publication.write(SARIF, json_text(render(result, project)))
