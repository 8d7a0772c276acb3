"""The stages and their tools: what each looked at, what it could not look at, and what it says."""

from collections.abc import Iterator
from typing import Final, assert_never

from ci_action.model.changes import aside
from ci_action.model.finding import Level
from ci_action.model.result import (
    Broken,
    Hint,
    Report,
    RunResult,
    Skipped,
    StageResult,
    ToolResult,
)
from ci_action.model.totals import amounts
from ci_action.reporters.html.markup import NOTHING, Html, Markup
from ci_action.system.text import counted, duration

_MOST: Final = 100


def section(h: Markup, result: RunResult, logs: str) -> Html:
    """Return the part about stages and tools; `logs` is the part where what stands for tests is."""
    stages = (_stage(h, stage, logs) for stage in result.stages)
    return h("section", h("h2", "What was looked at"), *stages, id="stages")


def _stage(h: Markup, stage: StageResult, logs: str) -> Html:
    conclusion = stage.verdict.conclusion.value
    reasons = [stage.account] if stage.reason else [stage.account, *stage.verdict.reasons]
    reasons = [reason for reason in reasons if reason]
    return h(
        "section",
        h(
            "header",
            h.icon(conclusion),
            h("h3", stage.stage),
            h("span", conclusion, class_=f"word is-{conclusion}"),
            h("span", duration(stage.seconds), class_="time"),
        ),
        h("ul", *(h("li", reason) for reason in reasons[:_MOST]), class_="reasons") if reasons else NOTHING,
        *(_tool(h, stage.stage, tool, logs) for tool in stage.tools),
        class_="stage card",
    )


def _tool(h: Markup, stage: str, tool: ToolResult, logs: str) -> Html:
    look, word = _outcome(tool)
    version: tuple[Html, ...] = ()
    if tool.version:
        source = (
            f"from {tool.version_source}"
            if tool.version_source not in {"", "bundled"}
            else tool.version_source
        )
        version = (h("span", tool.version, class_="version"), h("span", source, class_="quiet"))
    return h(
        "article",
        h(
            "header",
            h.icon(look),
            h("h4", tool.tool),
            h("span", word, class_=f"word is-{look}"),
            *version,
            h("span", duration(tool.seconds), class_="time"),
        ),
        *_said(h, tool),
        _examined(h, stage, tool, logs),
        *(h("p", h.icon("warned"), h("span", text), class_="note") for text in tool.warnings[:_MOST]),
        *(_hint(h, hint) for hint in tool.hints[:_MOST]),
        class_="tool",
    )


def _outcome(tool: ToolResult) -> tuple[str, str]:
    match tool.outcome:
        case Report(findings=findings):
            counting = {finding.level for finding in findings if finding.counts}
            look = "failed" if Level.ERROR in counting else "warned"
            return (look, "found") if counting else ("passed", "passed")
        case Skipped():
            return "skipped", "skipped"
        case Broken():
            return "broken", "broken"
        case unknown:
            assert_never(unknown)


def _said(h: Markup, tool: ToolResult) -> Iterator[Html]:
    match tool.outcome:
        case Skipped(reason):
            yield h("p", reason, class_="reason")
        case Broken(reason, detail):
            yield h("p", h("strong", "Could not look: "), reason, class_="reason")
            if detail.strip():
                yield h.details(f"What {tool.tool} wrote last", h.block(detail, lines=200))
        case Report(details=details) if details:
            yield h("ul", *(h("li", text) for text in details[:_MOST]), class_="reasons")
        case _:
            return


def _examined(h: Markup, stage: str, tool: ToolResult, logs: str) -> Html:
    """Say what was looked at and what was not, and lead to what was found."""
    if isinstance(tool.outcome, Skipped):
        return NOTHING
    seen = {what: number for what, number in tool.examined.items() if what.is_examined}
    parts = [h("span", "looked at ", h("b", amounts(seen)), class_="seen")]
    lost = {what: number for what, number in tool.examined.items() if not what.is_examined}
    for what, number in lost.items():
        if number:
            parts.append(h("span", h.icon("warned"), h("b", what.amount(number)), class_="lost is-warned"))
    if lost and not any(lost.values()):
        parts.append(h("span", "nothing was left out", class_="quiet"))
    if tool.findings:
        counting = sum(finding.counts for finding in tool.findings)
        words = f"{counted(counting, 'finding')}{aside(tool.findings)}"
        if tool.outcome.tests:
            parts.append(h("a", words, href=f"#{logs}"))
        else:
            parts.append(h("a", words, href="#findings", data_stage=stage, data_tool=tool.tool))
    return h("p", *parts, class_="examined")


def _hint(h: Markup, hint: Hint) -> Html:
    more = (Html(" "), h.link(hint.url, "Read more")) if hint.url else ()
    return h(
        "div", h("p", h("strong", "What may help: "), hint.cause), h("p", hint.fix, *more), class_="hint"
    )
