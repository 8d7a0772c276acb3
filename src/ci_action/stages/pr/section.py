"""What a run says of its pull request, for the reporters: the outputs of the stage `pr`, and what stands beside them."""

from collections.abc import Mapping
from typing import Final

from ci_action.model.finding import Finding
from ci_action.model.result import Report, RunResult, Skipped, ToolResult
from ci_action.model.totals import tools_of

# The outputs that the tools of the stage fill in themselves; names and what they say.
OUTPUTS: Final[Mapping[str, str]] = {
    "pr-number": "The number of the pull request; as all that follow empty where there is none, or the stage `pr` was not run.",
    "pr-title-valid": "Whether the title is right: `true` or `false`; empty where it was not checked.",
    "pr-type": "The type that the title names, such as `feat`.",
    "pr-scope": "The scope that the title names.",
    "pr-breaking": "Whether the title says that the change breaks something: `true` or `false`.",
    "pr-author": "Who opened the pull request.",
    "pr-base": "The branch that it is for.",
    "pr-head": "The branch that it comes from: chosen by its author, so never a part of a script.",
    "pr-labels": "Its labels, a JSON list of at most 200.",
    "pr-draft": "Whether it is a draft: `true` or `false`.",
    "pr-size": "Its size by the changed lines that count: `XS` below 10, `S` below 30, `M` below 100, `L` below 500, `XL` below"
    " 1,000, `XXL`.",
    "pr-issues": 'The issues that it closes, by the keywords in its text, a JSON list such as `["#12", "owner/name#3"]`.',
    "is-fork": "Whether it comes from another repository: `true` or `false`.",
    "is-bot": "Whether a bot opened it: `true` or `false`.",
    "changed-files": "How many files it changes, all counted.",
    "changed-lines": "How many lines it adds and takes away, all counted.",
    "changed-areas": "The areas that it touches, a JSON list of at most 200: names of `areas`, else the top folders, `.` for files"
    " at the top.",
    "has-migrations": "Whether it changes migrations of a database (Alembic, Django, Flyway): `true` or `false`.",
    "has-docs": "Whether it changes documentation: `true` or `false`.",
    "has-dependencies": "Whether it changes lock files, requirements or `pyproject.toml`: `true` or `false`.",
}


def told(result: RunResult, name: str) -> str:
    """Return an output that a tool filled in; empty where none did."""
    return next((text for tool in tools_of(result) if (text := _outputs(tool).get(name, ""))), "")


def _outputs(tool: ToolResult) -> Mapping[str, str]:
    return {} if isinstance(tool.outcome, Skipped) else tool.outcome.outputs


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
