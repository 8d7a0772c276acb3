"""What the page begins with: the verdict, why, how to repeat it, and the way to the parts below."""

from collections.abc import Iterator
from dataclasses import dataclass

from ci_action.github.event import Event
from ci_action.model.finding import Fix
from ci_action.model.result import Conclusion, RunResult
from ci_action.reporters.html.markup import NOTHING, Html, Markup, counted
from ci_action.system.text import duration

_MOST_REASONS = 50
_SAID = {
    Conclusion.PASSED: "Looked, and found nothing that counts.",
    Conclusion.WARNED: "Found something that warns and does not block.",
    Conclusion.SKIPPED: "Rightly nothing to do.",
    Conclusion.FAILED: "Found something that counts.",
    Conclusion.EMPTY: "Asked for, but there was nothing to look at.",
    Conclusion.BROKEN: "A tool could not do its work, so nobody knows what it would have found.",
}


@dataclass(frozen=True)
class Tile:
    """A figure that leads to its part of the page."""

    target: str
    figure: str
    word: str
    look: str = "plain"


def verdict(h: Markup, result: RunResult, event: Event) -> Html:
    """Return the band with the verdict."""
    conclusion = result.verdict.conclusion
    reasons = result.verdict.reasons
    listed = [h("li", reason) for reason in reasons[:_MOST_REASONS]]
    if len(reasons) > _MOST_REASONS:
        listed.append(h("li", f"and {len(reasons) - _MOST_REASONS:,} more"))
    return h(
        "section",
        h(
            "div",
            h.icon(conclusion.value),
            h("h1", conclusion.value.capitalize(), id="verdict-title"),
            h("p", _SAID[conclusion], class_="said"),
            class_="band",
        ),
        h("ul", *listed, class_="reasons") if listed else NOTHING,
        *_repeating(h, result),
        _facts(h, result, event),
        class_=f"verdict is-{conclusion.value}",
        aria_labelledby="verdict-title",
    )


def _repeating(h: Markup, result: RunResult) -> Iterator[Html]:
    if result.reproduce:
        yield _command(h, "The same on your machine", result.reproduce, "repeat")
    fixable = sum(finding.fix is Fix.SAFE for finding in result.counting)
    if fixable:
        verb = "is" if fixable == 1 else "are"
        yield _command(h, f"{counted(fixable, 'finding')} {verb} fixed by", "ci-action fix", "fix")


def _command(h: Markup, label: str, command: str, name: str) -> Html:
    copy = h("button", "Copy", type="button", class_="needs-script", data_copy=f"command-{name}")
    shown = h("code", command, id=f"command-{name}")
    return h(
        "div", h("span", label, class_="label"), h("div", shown, copy, class_="command"), class_="repeat"
    )


def _facts(h: Markup, result: RunResult, event: Event) -> Html:
    facts = {
        "exit code": str(int(result.verdict.exit_code)),
        "took": duration(result.seconds),
        "started": result.started.strftime("%Y-%m-%d %H:%M:%S %Z"),
        "scope": result.scope,
        "commit": result.commit[:40],
        "base": result.base[:40],
        "repository": event.repository,
    }
    pairs = (h("div", h("dt", name), h("dd", value)) for name, value in facts.items() if value)
    return h("dl", *pairs, class_="facts")


def tiles(h: Markup, given: list[Tile]) -> Html:
    """Return the way to the parts of the page."""
    items = (
        h(
            "li",
            h(
                "a",
                h("strong", tile.figure, class_=f"is-{tile.look}"),
                Html(" "),
                h("span", tile.word),
                href=f"#{tile.target}",
            ),
        )
        for tile in given
    )
    return h("nav", h("ul", *items), class_="tiles", aria_label="Parts of this page")
