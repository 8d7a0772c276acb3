"""What the page begins with: the verdict, why, how to repeat it, and the way to the parts below."""

from collections.abc import Iterator, Sequence

from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.finding import Fix
from ci_action.model.result import Conclusion, RunResult
from ci_action.model.section import Tile
from ci_action.reporters.context import Publication
from ci_action.reporters.html.markup import NOTHING, Html, Markup
from ci_action.system.text import counted, duration

_MOST_REASONS = 50
_MOST_LABELS = 100
_SAID = {
    Conclusion.PASSED: "Looked, and found nothing that counts.",
    Conclusion.WARNED: "Found something that warns and does not block.",
    Conclusion.SKIPPED: "Rightly nothing to do.",
    Conclusion.FAILED: "Found something that counts.",
    Conclusion.EMPTY: "Asked for, but there was nothing to look at.",
    Conclusion.BROKEN: "A tool could not do its work, so nobody knows what it would have found.",
}


def verdict(h: Markup, result: RunResult, publication: Publication) -> Html:
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
        _facts(h, result, publication),
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


def _facts(h: Markup, result: RunResult, publication: Publication) -> Html:
    facts = {
        "exit code": str(int(result.verdict.exit_code)),
        "took": duration(result.seconds),
        "started": result.started.strftime("%Y-%m-%d %H:%M:%S %Z"),
        "scope": result.scope,
        "commit": result.commit[:40],
        "base": result.base[:40],
        "repository": publication.event.repository,
        **_pull(publication.pull),
    }
    pairs = (h("div", h("dt", name), h("dd", value)) for name, value in facts.items() if value)
    return h("dl", *pairs, class_="facts")


def _pull(pull: Pull | NoPull) -> dict[str, str]:
    if isinstance(pull, NoPull):
        return {}
    return {
        "pull request": f"#{pull.number}",
        "title": pull.title,
        "author": f"{pull.author} (bot)" if pull.is_bot else pull.author,
        "branches": f"{pull.head} → {pull.base}" if pull.head or pull.base else "",
        "from a fork": pull.head_repository or "one that is gone" if pull.is_fork else "",
        "labels": ", ".join(pull.labels[:_MOST_LABELS]),
        "draft": "yes" if pull.is_draft else "",
    }


def tiles(h: Markup, given: Sequence[tuple[str, Tile]]) -> Html:
    """Return the way to the parts of the page."""
    items = (
        h(
            "li",
            h(
                "a",
                h("strong", tile.figure, class_=f"is-{tile.look}"),
                Html(" "),
                h("span", tile.words),
                href=f"#{target}",
            ),
        )
        for target, tile in given
    )
    return h("nav", h("ul", *items), class_="tiles", aria_label="Parts of this page")
