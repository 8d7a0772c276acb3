"""The stages and their tools on the page: what each checked, what it did not check, and its result."""

from collections.abc import Iterator
from typing import Final

from ci_action.model.changes import aside
from ci_action.model.result import Broken, Report, RunResult, Skipped, StageResult, ToolResult
from ci_action.model.totals import amounts
from ci_action.reporters.html.markup import NOTHING, Html, bullets, details, h, icon, link, pre
from ci_action.reporters.run_sections import counting, state_of
from ci_action.system.text import counted, duration

_MOST: Final = 100


def section(result: RunResult, logs: str) -> Html:
    """Return the part about stages and tools; `logs` is the name of the part with the failed tests."""
    return h("section", h("h2", "Tools"), *(_stage(stage, logs) for stage in result.stages), id="stages")


def _header(look: str, name: Html, word: str, seconds: float, *more: Html) -> Html:
    shown = h("span", word, class_=f"word is-{look}")
    return h("header", icon(look), name, shown, *more, h("span", duration(seconds), class_="time"))


def _stage(stage: StageResult, logs: str) -> Html:
    conclusion = stage.verdict.conclusion.value
    reasons = [stage.account, *([] if stage.reason else stage.verdict.reasons)]
    return h(
        "section",
        _header(conclusion, h("h3", stage.stage), conclusion, stage.seconds),
        bullets(*filter(None, reasons)),
        *(_tool(stage.stage, tool, logs) for tool in stage.tools),
        class_="stage card",
    )


def _tool(stage: str, tool: ToolResult, logs: str) -> Html:
    look, word = state_of(tool)
    version: tuple[Html, ...] = ()
    if tool.version:
        source = tool.version_source
        source = source if source in {"", "bundled"} else f"from {source}"
        version = (h("span", tool.version, class_="version"), h("span", source, class_="quiet"))
    return h(
        "article",
        _header(look.value, h("h4", tool.tool), word, tool.seconds, *version),
        *((h("p", tool.because, class_="quiet"),) if tool.because else ()),
        *_result(tool),
        _examined(stage, tool, logs),
        *(h("p", icon("warned"), h("span", note), class_="note") for note in tool.warnings[:_MOST]),
        *(
            h(
                "div",
                h("p", h("strong", "Hint: "), hint.cause),
                h("p", hint.fix, Html(" "), link(hint.url, "Read more" if hint.url else "")),
                class_="hint",
            )
            for hint in tool.hints[:_MOST]
        ),
        class_="tool",
    )


def _result(tool: ToolResult) -> Iterator[Html]:
    match tool.outcome:
        case Skipped(reason):
            yield h("p", reason, class_="reason")
        case Broken(reason, detail):
            yield h("p", h("strong", "Failed to run: "), reason, class_="reason")
            if detail.strip():
                yield details("Output", pre(detail, lines=200), class_=None)
        case Report(details=lines):
            yield bullets(*lines)


def _examined(stage: str, tool: ToolResult, logs: str) -> Html:
    """Return what was checked and what was not, and a link to the findings."""
    if isinstance(tool.outcome, Skipped):
        return NOTHING
    seen = {what: number for what, number in tool.examined.items() if what.is_examined}
    lost = {what: number for what, number in tool.examined.items() if not what.is_examined}
    parts = [h("span", "checked ", h("b", amounts(seen)), class_="seen")]
    for what, number in lost.items():
        if number:
            parts.append(h("span", icon("warned"), h("b", what.amount(number)), class_="lost is-warned"))
    if lost and not any(lost.values()):
        parts.append(h("span", "nothing was left out", class_="quiet"))
    if tool.findings:
        words = f"{counted(counting(tool), 'finding')}{aside(tool.findings)}"
        if tool.outcome.tests:
            parts.append(h("a", words, href=f"#{logs}"))
        else:
            parts.append(h("a", words, href="#findings", data_stage=stage, data_tool=tool.tool))
    return h("p", *parts, class_="examined")
