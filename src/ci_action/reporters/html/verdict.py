"""The beginning of the page: the verdict, its reasons, how to reproduce it, and links to the parts below."""

from collections.abc import Iterable, Iterator
from typing import Final

from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.result import Conclusion, RunResult
from ci_action.model.section import Tile
from ci_action.model.totals import fix_command, why_exit_0
from ci_action.reporters.context import Publication
from ci_action.reporters.html.markup import Html, bullets, h, icon
from ci_action.system.text import counted, duration

_MOST_LABELS: Final = 100
_MEANINGS: Final = {
    Conclusion.PASSED: "No findings count.",
    Conclusion.WARNED: "There are findings, but none that blocks.",
    Conclusion.SKIPPED: "Nothing to do.",
    Conclusion.FAILED: "There are findings that count.",
    Conclusion.EMPTY: "There was nothing to check.",
    Conclusion.BROKEN: "A tool failed to run, so its findings are unknown.",
}


def verdict(result: RunResult, publication: Publication) -> Html:
    """Return the band with the verdict."""
    conclusion = result.verdict.conclusion
    return h(
        "section",
        h(
            "div",
            icon(conclusion.value),
            h("h1", conclusion.value.capitalize(), id="verdict-title"),
            h("p", _MEANINGS[conclusion], class_="meaning"),
            class_="band",
        ),
        bullets(*result.verdict.reasons, most=50),
        *([h("p", why, class_="meaning")] if (why := why_exit_0(result)) else []),
        *_commands(result),
        _facts(result, publication),
        class_=f"verdict is-{conclusion.value}",
        aria_labelledby="verdict-title",
    )


def _commands(result: RunResult) -> Iterator[Html]:
    if result.reproduce:
        yield _command("Reproduce locally", result.reproduce, "repeat")
    command, fixable = fix_command(result)
    if fixable:
        yield _command(f"Fix {counted(fixable, 'finding')}", command, "fix")


def _command(label: str, command: str, name: str) -> Html:
    copy = h("button", "Copy", type="button", class_="needs-script", data_copy=f"command-{name}")
    shown = h("div", h("code", command, id=f"command-{name}"), copy, class_="command")
    return h("div", h("span", label, class_="label"), shown, class_="repeat")


def _facts(result: RunResult, publication: Publication) -> Html:
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
        "from a fork": pull.head_repository or "a deleted repository" if pull.is_fork else "",
        "labels": ", ".join(pull.labels[:_MOST_LABELS]),
        "draft": "yes" if pull.is_draft else "",
    }


def tiles(given: Iterable[tuple[str, Tile]]) -> Html:
    """Return the links to the parts of the page, each with the figure of its part."""
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
