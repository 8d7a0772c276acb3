"""Whether a change accepts more findings in a baseline, of detect-secrets or of bandit. Nothing is read here."""

import json
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any

from ci_action.engine.secret_scan.baseline import entries_of, is_whole
from ci_action.stages.gate_changes.configs import UnreadableError
from ci_action.stages.gate_changes.loosened import LARGER_BASELINE, Loosened, counted
from ci_action.system.errors import ToolError

# What an entry is about without its file, and its file.
_Entry = tuple[Hashable, str]


def secrets(path: str, before: str | None, after: str | None) -> Loosened | None:
    """Return whether more secrets are accepted; raises `UnreadableError`."""
    return _larger(path, "secret", _of_secrets, before, after)


def bandit(path: str, before: str | None, after: str | None) -> Loosened | None:
    """Return whether more of bandit's findings are accepted; raises `UnreadableError`."""
    return _larger(path, "finding of bandit", _of_bandit, before, after)


def _larger(
    path: str,
    what: str,
    entries: Callable[[Any, str], Counter[_Entry]],
    before: str | None,
    after: str | None,
) -> Loosened | None:
    old, new = (
        entries(_document(text, path), path) if text is not None else Counter() for text in (before, after)
    )
    fresh, gone = new - old, old - new
    # What was accepted in a file of another name has moved with it.
    moved = Counter(about for about, _ in gone.elements())
    more = sum((Counter(about for about, _ in fresh.elements()) - moved).values())
    if not more:
        return None
    files = sorted({file for about, file in fresh if not moved[about]})[:3]
    text = f"{path} accepts {counted(more, 'more ' + what)}" + (f", in {', '.join(files)}" if files else "")
    return Loosened(rule=LARGER_BASELINE, message=text, path=path)


def _document(text: str, path: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{path} is not JSON") from error


def _of_secrets(document: Any, path: str) -> Counter[_Entry]:
    try:
        entries = entries_of(document, path)
    except ToolError as error:
        raise UnreadableError(error.reason) from error
    return Counter(((key[1], key[2]), key[0]) for key in entries if not is_whole(key))


def _of_bandit(document: Any, path: str) -> Counter[_Entry]:
    try:
        return Counter(
            ((str(entry["test_id"]), str(entry.get("code"))), str(entry["filename"]))
            for entry in document["results"]
        )
    except (LookupError, TypeError, AttributeError) as error:
        raise UnreadableError(f"{path} is not a report of bandit") from error
