"""Secrets in what findings quote of a file, where the tool that knows secrets took no part in the run."""

from collections.abc import Iterable

from ci_action.context import Context
from ci_action.model import StageResult
from ci_action.tools import detect_secrets


def learn_secrets(stages: Iterable[StageResult], ctx: Context) -> str:
    """Look for secrets in the files whose lines a finding quotes (what Black would write), so that no report shows one.

    Returns the notice where that could not be, else nothing.
    """
    every = tuple(stages)
    if any(tool.tool == detect_secrets.TOOL.name for stage in every for tool in stage.tools):
        return ""
    quoted = {
        finding.location.path
        for stage in every
        for finding in stage.findings
        if finding.location and (finding.before or finding.after or finding.edits)
    }
    problem = detect_secrets.learn(ctx, sorted(quoted)) if quoted else ""
    return f"what the findings quote was not searched for secrets: {problem}" if problem else ""
