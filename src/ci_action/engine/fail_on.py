"""Which findings of the security stage block, and which only warn: the setting `fail-on`."""

from dataclasses import replace

from ci_action.model.changes import Changes
from ci_action.model.ranking import at_least
from ci_action.model.result import Finding, Severity, ToolResult
from ci_action.settings.types import FailOn


def weighed(result: ToolResult, fail_on: FailOn, changes: Changes | None) -> ToolResult:
    """Make every finding that has a level an error where it blocks, and a warning where it does not.

    Findings without a level stay what their tool made of them.
    """
    return result.with_findings(
        tuple(
            _weighed(finding, fail_on, changes) if finding.level else finding for finding in result.findings
        )
    )


def _weighed(finding: Finding, fail_on: FailOn, changes: Changes | None) -> Finding:
    severity = Severity.ERROR if _blocks(finding, fail_on, changes) else Severity.WARNING
    return finding if finding.severity is severity else replace(finding, severity=severity)


def _blocks(finding: Finding, fail_on: FailOn, changes: Changes | None) -> bool:
    if fail_on is FailOn.NEVER:
        return False
    if fail_on is FailOn.NEW:  # what the change brought is not known without a base, so everything may be new
        return changes is None or not changes.known or changes.touches(finding)
    return at_least(finding.level, fail_on.value)
