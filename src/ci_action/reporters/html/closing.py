"""What the page ends with: the pull request, notes about the run, and the settings it had."""

import json
from collections.abc import Iterator
from typing import Final

from ci_action.github.pull_request import Pull
from ci_action.model.result import RunResult
from ci_action.reporters.context import Publication
from ci_action.reporters.html.markup import NOTHING, Html, Markup
from ci_action.stages.pr.section import told

_MOST: Final = 100
_KINDS: Final = {
    "has-migrations": "migrations",
    "has-docs": "documentation",
    "has-dependencies": "dependencies",
}


def pull_request(h: Markup, result: RunResult, publication: Publication) -> Html:
    """Return the part about the pull request; nothing where there is none."""
    said = (*_pull(publication), *_measures(result))
    pairs = [h("div", h("dt", name), h("dd", value)) for name, value in said if value]
    if not pairs:
        return NOTHING
    return h("section", h("h2", "Pull request"), h("dl", *pairs, class_="facts card"), id="pull-request")


def _pull(publication: Publication) -> Iterator[tuple[str, str]]:
    pull = publication.pull
    if not isinstance(pull, Pull):
        return
    yield "number", f"#{pull.number}"
    yield "title", pull.title
    yield "author", f"{pull.author} (bot)" if pull.is_bot else pull.author
    yield "branches", f"{pull.head} → {pull.base}" if pull.head or pull.base else ""
    yield "from a fork", pull.head_repository or "one that is gone" if pull.is_fork else ""
    yield "labels", ", ".join(pull.labels[:_MOST])
    yield "draft", "yes" if pull.is_draft else ""


def _measures(result: RunResult) -> Iterator[tuple[str, str]]:
    """Yield what the tools have found for later jobs."""
    yield "title is", {"true": "right", "false": "wrong"}.get(told(result, "pr-title-valid"), "")
    yield "breaking", "yes" if told(result, "pr-breaking") == "true" else ""
    yield "changed files", told(result, "changed-files")
    yield "changed lines", told(result, "changed-lines")
    yield "size", told(result, "pr-size")
    yield "areas", _words(told(result, "changed-areas"))
    yield "closes", _words(told(result, "pr-issues"))
    yield "changes", ", ".join(word for name, word in _KINDS.items() if told(result, name) == "true")


def _words(value: str) -> str:
    """Return a list of words as such; what was redacted in it may have been its brackets."""
    try:
        found = json.loads(value) if value else []
    except ValueError:
        return value
    return ", ".join(map(str, found[:_MOST])) if isinstance(found, list) else value


def notes(h: Markup, result: RunResult) -> Html:
    """Return the notes about the run; nothing where there are none."""
    if not result.warnings:
        return NOTHING
    rows = [h("li", text) for text in result.warnings[:_MOST]]
    if len(result.warnings) > _MOST:
        rows.append(h("li", f"and {len(result.warnings) - _MOST:,} more"))
    return h("section", h("h2", "Notes"), h("ul", *rows, class_="card notes"), id="notes")


def settings(h: Markup, publication: Publication) -> Html:
    """Return the settings that were chosen, and by whom."""
    rows = [
        h(
            "div",
            h("dt", name),
            h("dd", h("code", _value(value)), f" from {publication.resolved.sources[name]}"),
        )
        for name, value in publication.resolved.chosen().items()
    ]
    shown = h("dl", *rows, class_="facts") if rows else h("p", "Everything as it is by default.")
    return h("section", h.details("Settings", shown, class_="card"), id="settings")


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
