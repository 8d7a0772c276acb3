"""From the findings of tools to the verdict, in this order: ignore → fail-on → duplicates → redact → judge.

These are pure functions. The first two steps need only one tool, so that its result can be shown when it has ended
(`of_tool`); the others need the whole run (`of_run`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ci_action.engine.context import Context
from ci_action.engine.duplicates import mute_duplicates
from ci_action.engine.fail_on import set_levels
from ci_action.engine.hints import limited
from ci_action.engine.ignore import mute
from ci_action.engine.redact import redacted
from ci_action.engine.verdict import judge
from ci_action.model.changes import Changes
from ci_action.model.finding import Fix, Level, with_fingerprints
from ci_action.model.result import StageResult, ToolResult, Verdict
from ci_action.settings.types import FailOn
from ci_action.system.redaction import Redactor


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the settings and the changes decide about findings."""

    ignore: tuple[str, ...] = ()
    root: str = "."
    """The project's folder in the workspace: the patterns of `ignore` are relative to it."""
    fail_on: FailOn = FailOn.NEVER
    changes: Changes | None = None
    """The changes since the base commit; None if they were not determined."""
    narrowed: Changes | None = None
    """The changes that the run is limited to; None with `scope: all`."""

    @classmethod
    def of(cls, ctx: Context) -> "Policy":
        """Return the policy of a run."""
        return cls(
            ignore=ctx.settings.ignore,
            root=ctx.layout.relative("."),
            fail_on=ctx.settings.fail_on,
            changes=ctx.changes,
            narrowed=ctx.narrowed,
        )


def of_tool(result: ToolResult, policy: Policy, *, by_lines: bool = False) -> ToolResult:
    """Return the result of a tool with fingerprints, ignored findings muted, levels set by `fail-on`, and the reach.

    `by_lines` is whether `scope: changed` mutes findings on unchanged lines (`Tool.by_lines`).
    """
    result = result.with_findings(with_fingerprints(result.findings))
    result = mute(
        result,
        () if result.apart else policy.ignore,
        policy.root,
        policy.narrowed if by_lines else None,
    )
    result = _warning(set_levels(result, policy.fail_on, policy.changes))
    return _reached(result, policy.changes, by_lines=by_lines)


def _warning(result: ToolResult) -> ToolResult:
    """Return the result of a tool that nothing requires: its findings warn, say why, and are not fixed."""
    if result.offer is None or result.by_name:
        return result
    return result.with_findings(
        tuple(
            replace(one, level=Level.WARNING, message=f"{one.message} ({result.offer})", fix=Fix.NONE)
            for one in result.findings
        )
    )


def _reached(result: ToolResult, changes: Changes | None, *, by_lines: bool) -> ToolResult:
    """Return the result of a tool with the reach of its findings; that of a joined run stays."""
    if changes is None or not changes.known:
        return result
    reaches = ((one, changes.reach(one, by_lines=by_lines)) for one in result.findings)
    return result.with_findings(
        tuple(one if one.reach or not reach else replace(one, reach=reach) for one, reach in reaches)
    )


def of_run(
    stages: Sequence[StageResult], policy: Policy, redact: Redactor
) -> tuple[tuple[StageResult, ...], Verdict, int | None]:
    """Return the judged stages without duplicates and secrets, the verdict, and the number of new findings.

    That number is None if the base commit is unknown.
    """
    unique = mute_duplicates(limited(tuple(stages)))
    judged, verdict = judge(redacted(unique, redact))
    return judged, verdict, _new(unique, policy.changes)


def _new(stages: Sequence[StageResult], changes: Changes | None) -> int | None:
    if changes is None or not changes.known:
        return None
    return sum(one.counts and changes.touches(one) for stage in stages for one in stage.findings)
