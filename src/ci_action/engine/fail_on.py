"""The setting `fail-on`: which findings with a severity block and which only warn."""

from dataclasses import replace

from ci_action.model.changes import Changes
from ci_action.model.finding import Finding, Level, at_least
from ci_action.model.result import ToolResult
from ci_action.settings.types import FailOn


def set_levels(result: ToolResult, fail_on: FailOn, changes: Changes | None) -> ToolResult:
    """Return the result with levels by severity: `error` for findings that block, else `warning`.

    Findings without a severity keep the level of their tool.
    """
    return result.with_findings(
        tuple(
            _leveled(finding, fail_on, changes) if finding.severity else finding
            for finding in result.findings
        )
    )


def _leveled(finding: Finding, fail_on: FailOn, changes: Changes | None) -> Finding:
    level = Level.ERROR if _blocks(finding, fail_on, changes) else Level.WARNING
    return finding if finding.level is level else replace(finding, level=level)


def _blocks(finding: Finding, fail_on: FailOn, changes: Changes | None) -> bool:
    if fail_on is FailOn.NEVER:
        return False
    if fail_on is FailOn.NEW:  # without a base commit everything may be new
        return changes is None or not changes.known or changes.touches(finding)
    return at_least(finding.severity, fail_on.value)
