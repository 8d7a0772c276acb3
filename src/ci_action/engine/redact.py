"""Takes the secrets that were found in the project's files out of all that the tools have said."""

from collections.abc import Mapping
from dataclasses import replace

from ci_action.model.finding import Finding
from ci_action.model.result import Broken, Hint, Report, Skipped, StageResult, ToolResult
from ci_action.model.tests import TestCase
from ci_action.system.redaction import Concealer


def concealed(stages: tuple[StageResult, ...], conceal: Concealer) -> tuple[StageResult, ...]:
    """Return the results with `***` for every secret that was found; paths and names of rules stay as they are."""
    if not conceal:
        return stages
    return tuple(
        replace(stage, tools=tuple(concealed_tool(tool, conceal) for tool in stage.tools)) for stage in stages
    )


def concealed_tool(tool: ToolResult, conceal: Concealer) -> ToolResult:
    """Return the result of one tool with `***` for every secret that was found."""
    outcome = tool.outcome
    match outcome:
        case Report():
            outcome = replace(
                outcome,
                findings=_findings(outcome.findings, conceal),
                tests=_tests(outcome.tests, conceal),
                outputs=_outputs(outcome.outputs, conceal),
                details=tuple(map(conceal, outcome.details)),
            )
        case Broken():
            outcome = replace(
                outcome,
                reason=conceal(outcome.reason),
                detail=conceal(outcome.detail),
                findings=_findings(outcome.findings, conceal),
                tests=_tests(outcome.tests, conceal),
                outputs=_outputs(outcome.outputs, conceal),
            )
        case Skipped():
            outcome = replace(outcome, reason=conceal(outcome.reason))
    return replace(
        tool,
        outcome=outcome,
        warnings=tuple(conceal(text) for text in tool.warnings),
        log=conceal(tool.log),
        hints=tuple(_hint(hint, conceal) for hint in tool.hints),
    )


def _findings(findings: tuple[Finding, ...], conceal: Concealer) -> tuple[Finding, ...]:
    return tuple(_finding(finding, conceal) for finding in findings)


def _finding(finding: Finding, conceal: Concealer) -> Finding:
    texts = (finding.message, finding.fix_message, finding.before, finding.after)
    shown = tuple(conceal(text) for text in texts)
    if shown == texts:
        return finding
    message, fix_message, before, after = shown
    return replace(finding, message=message, fix_message=fix_message, before=before, after=after)


def _tests(tests: tuple[TestCase, ...], conceal: Concealer) -> tuple[TestCase, ...]:
    return tuple(
        replace(
            case,
            nodeid=conceal(case.nodeid),
            message=conceal(case.message),
            detail=conceal(case.detail),
            subtest=conceal(case.subtest),
        )
        for case in tests
    )


def _outputs(outputs: Mapping[str, str], conceal: Concealer) -> dict[str, str]:
    return {name: conceal(value) for name, value in outputs.items()}


def _hint(hint: Hint, conceal: Concealer) -> Hint:
    return replace(hint, cause=conceal(hint.cause), fix=conceal(hint.fix))
