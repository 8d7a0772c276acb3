"""What a run says of its pull request, for the reporters."""

from ci_action.model.finding import Finding
from ci_action.model.result import Report, RunResult
from ci_action.model.totals import told_by, tools_of


def told(result: RunResult, name: str) -> str:
    """Return an output that a tool filled in; empty where none did."""
    return told_by(tools_of(result), name)


def details_of(result: RunResult, name: str) -> tuple[str, ...]:
    """Return what a tool says beside its findings."""
    return next(
        (
            tool.outcome.details
            for tool in tools_of(result)
            if tool.tool == name and isinstance(tool.outcome, Report)
        ),
        (),
    )


def findings_of(result: RunResult, name: str) -> list[Finding]:
    """Return the findings of a tool that count."""
    return [
        finding
        for tool in tools_of(result)
        if tool.tool == name
        for finding in tool.findings
        if finding.counts
    ]
