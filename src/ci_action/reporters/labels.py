"""The labels `size/…` and `type: …` of the pull request, where the user asked for them. No other label is touched."""

import re
from collections.abc import Iterator
from typing import Final

from ci_action.github.protocol import ApiError, GitHub
from ci_action.github.pull_request import Pull, pull_from
from ci_action.model.result import RunResult
from ci_action.reporters.context import Publication
from ci_action.stages.pr.section import told
from ci_action.stages.pr.sizes import CLASSES
from ci_action.stages.pr.title.rules import TYPES, literals

_SIZE: Final = "size/"
_TYPE: Final = "type: "
_SIZES: Final = frozenset(f"{_SIZE}{name}" for name in CLASSES)
# GitHub takes fifty characters, and a title may name anything for its type.
_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./_-]{0,39}")
_NOT_FOUND: Final = 404


def report(result: RunResult, publication: Publication) -> None:
    """Add the labels that are missing and take away those of ours that are no longer right."""
    wanted = dict(_wanted(result))
    pull = publication.pull
    if not publication.resolved.settings.labels or not wanted or not isinstance(pull, Pull):
        return
    if publication.github is None:
        publication.note("the labels could not be set: there is no token, give `github-token`")
        return
    try:
        _set(publication.github, pull, wanted, publication)
    except ApiError as error:
        publication.note(f"the labels could not be set: {error.reason}")


def _wanted(result: RunResult) -> Iterator[tuple[str, str]]:
    """Yield each kind of label with the one that is right; a kind of which nothing is known is left as it is."""
    if (size := told(result, "pr-size")) in CLASSES:
        yield _SIZE, f"{_SIZE}{size}"
    if _LABEL.fullmatch(word := told(result, "pr-type")):
        yield _TYPE, f"{_TYPE}{word}"


def _set(github: GitHub, pull: Pull, wanted: dict[str, str], publication: Publication) -> None:
    # The payload of a re-run is as old as the run.
    now = pull if pull.current else pull_from(github.pull(pull.number), current=True) or pull
    right = {label.casefold() for label in wanted.values()}
    there = {label.casefold() for label in now.labels}
    if missing := [label for label in wanted.values() if label.casefold() not in there]:
        github.add_labels(pull.number, missing)
    for label in now.labels:
        if label.casefold() not in right and _is_ours(label, wanted, publication):
            _remove(github, pull.number, label)


def _is_ours(label: str, wanted: dict[str, str], publication: Publication) -> bool:
    if label in _SIZES:
        return _SIZE in wanted
    if not label.startswith(_TYPE) or _TYPE not in wanted:
        return False
    word = label.removeprefix(_TYPE)
    # An expression of the project is not tried on labels: it might not end, and what it matches may be somebody else's.
    return word in {*TYPES, *literals(publication.resolved.settings.title_types)}


def _remove(github: GitHub, number: int, label: str) -> None:
    try:
        github.remove_label(number, label)
    except ApiError as error:
        if error.status != _NOT_FOUND:  # somebody was faster
            raise
