"""Secrets in what findings quote of a file, where the tool that knows secrets took no part in the run."""

from collections.abc import Iterable

from ci_action.context import Context
from ci_action.model import StageResult
from ci_action.tools import detect_secrets


def learn_secrets(stages: Iterable[StageResult], ctx: Context) -> None:
    """Look for secrets in the files whose lines a finding quotes (what Black would write), so that no report shows one."""
    every = tuple(stages)
    if any(tool.tool == detect_secrets.TOOL.name for stage in every for tool in stage.tools):
        return
    quoted = {
        finding.location.path
        for stage in every
        for finding in stage.findings
        if finding.location and (finding.before or finding.after or finding.edits)
    }
    if quoted:
        detect_secrets.learn(ctx, sorted(quoted))
