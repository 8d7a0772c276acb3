"""The verdict: the only code that decides whether a run fails."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import assert_never

from ci_action.model.changes import OLDER, aside
from ci_action.model.finding import Finding, Level
from ci_action.model.result import (
    Broken,
    Conclusion,
    Report,
    RunResult,
    Skipped,
    StageResult,
    ToolResult,
    Verdict,
)
from ci_action.system.exit_codes import ExitCode


def judge_stage(stage: StageResult) -> Verdict:
    """Return the verdict on one stage."""
    if stage.reason:
        return Verdict(conclusion=Conclusion.SKIPPED, reasons=(stage.account,))
    judged = [(tool, *judge_tool(tool)) for tool in stage.tools]
    conclusion, code = _concluded(stage, [(tool.apart, one) for tool, one, _ in judged])
    # A skipped tool is only a reason if no other tool ran.
    idle = conclusion in {Conclusion.SKIPPED, Conclusion.EMPTY}
    reasons = [
        (one, tool.tool, reason)
        for tool, one, reason in judged
        if one is not Conclusion.PASSED and (one is not Conclusion.SKIPPED or (idle and not tool.apart))
    ]
    return Verdict(conclusion=conclusion, reasons=_joined(reasons), exit_code=code)


def _concluded(stage: StageResult, tools: Sequence[tuple[bool, Conclusion]]) -> tuple[Conclusion, ExitCode]:
    """Combine the tools that check the project, then those that judge the change to the checks (`apart`)."""
    project, change = (
        max(
            (one for apart, one in tools if apart is wanted),
            key=lambda one: one.rank,
            default=Conclusion.SKIPPED,
        )
        for wanted in (False, True)
    )
    if project is Conclusion.SKIPPED and stage.by_name and not _rightly(stage):
        project = Conclusion.EMPTY
    if stage.warns_only and project is Conclusion.FAILED:
        project = Conclusion.WARNED
    code = ExitCode.OK if stage.warns_only and project is Conclusion.BROKEN else project.exit_code
    if change is Conclusion.PASSED:  # not a verdict on the project
        return project, code
    # As among stages, what blocks comes first.
    return max((project, code), (change, change.exit_code), key=lambda one: (one[1] != 0, one[0].rank))


def _joined(reasons: Iterable[tuple[Conclusion, str, str]]) -> tuple[str, ...]:
    """Return the reasons with their tools: one for all tools that failed alike, and one for the findings of each."""
    tools: dict[tuple[str, str], list[str]] = {}
    for conclusion, tool, reason in reasons:
        found = conclusion in {Conclusion.FAILED, Conclusion.WARNED}
        tools.setdefault((reason, tool if found else ""), []).append(tool)
    return tuple(f"{', '.join(names)}: {reason}" for (reason, _), names in tools.items())


def _rightly(stage: StageResult) -> bool:
    return any(
        isinstance(tool.outcome, Skipped) and tool.outcome.rightly and not tool.apart for tool in stage.tools
    )


def judge_tool(result: ToolResult) -> tuple[Conclusion, str]:
    """Return the conclusion of one tool, and the reason for it."""
    match result.outcome:
        case Report(findings=findings):
            conclusion, reason = _judge_findings(findings)
            if not result.instead:
                return conclusion, reason
            reasons = "; ".join(filter(None, [reason, result.instead]))
            return max(conclusion, Conclusion.WARNED, key=lambda one: one.rank), reasons
        case Skipped(reason, empty):
            return Conclusion.EMPTY if empty else Conclusion.SKIPPED, reason
        case Broken(reason):
            return Conclusion.BROKEN, reason
        case unknown:
            assert_never(unknown)


def _judge_findings(findings: Sequence[Finding]) -> tuple[Conclusion, str]:
    """Return the conclusion for the findings that count: errors fail, warnings warn, notices do neither."""
    errors = sum(finding.counts and finding.level is Level.ERROR for finding in findings)
    warnings = sum(finding.counts and finding.level is Level.WARNING for finding in findings)
    if not errors and not warnings:
        return Conclusion.PASSED, ""
    older = aside(finding for finding in findings if finding.muted == OLDER)
    counts = [(errors, "finding"), (warnings, "warning")]
    text = " and ".join(f"{number:,} {what}{'' if number == 1 else 's'}" for number, what in counts if number)
    return Conclusion.FAILED if errors else Conclusion.WARNED, f"{text}{older}"


def judge(stages: Sequence[StageResult]) -> tuple[tuple[StageResult, ...], Verdict]:
    """Judge every stage, then the run by the worst of them, blocking stages first."""
    judged = tuple(replace(stage, verdict=judge_stage(stage)) for stage in stages)
    if all(stage.verdict.conclusion is Conclusion.SKIPPED for stage in judged):
        reasons = tuple(reason for stage in judged for reason in stage.verdict.reasons)
        if any(_rightly(stage) for stage in judged):
            return judged, Verdict(conclusion=Conclusion.SKIPPED, reasons=reasons)
        return judged, Verdict(
            conclusion=Conclusion.EMPTY,
            reasons=reasons or ("no stage applies",),
            exit_code=Conclusion.EMPTY.exit_code,
        )
    worst = max(judged, key=lambda stage: (stage.verdict.exit_code != 0, stage.verdict.conclusion.rank))
    reasons = tuple(
        reason
        for stage in judged
        if stage.verdict.conclusion is not Conclusion.SKIPPED
        for reason in stage.verdict.reasons
    )
    return judged, Verdict(
        conclusion=worst.verdict.conclusion, reasons=reasons, exit_code=worst.verdict.exit_code
    )


def interrupted(result: RunResult, signal_name: str) -> RunResult:
    """Return the run as interrupted by a signal: broken, exit 130, with the findings until then."""
    reasons = (
        f"interrupted by {signal_name}: the results are incomplete",
        *result.verdict.reasons,
    )
    verdict = Verdict(conclusion=Conclusion.BROKEN, reasons=reasons, exit_code=ExitCode.INTERRUPTED)
    return replace(result, verdict=verdict)


def crashed(result: RunResult) -> RunResult:
    """Return the run as failed by a bug of ours: broken, exit 4."""
    return replace(
        result,
        verdict=replace(result.verdict, conclusion=Conclusion.BROKEN, exit_code=ExitCode.BUG),
    )
