"""Whether a change accepts more findings in a baseline, of detect-secrets or of bandit. Pure."""

import json
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from ci_action.stages.gate_changes.loosened import LARGER_BASELINE, Changed, Loosened
from ci_action.system.errors import ToolError

Read = Callable[[Any, str], Counter[tuple[Hashable, str]]]
"""Returns the entries of a document: each by what it is about, and its file. Raises `ToolError`."""


def larger(file: Changed, read: Read) -> Iterator[Loosened]:
    """Yield that more is accepted; raises `ToolError`."""
    old, new = (_entries(file.path, text, read) for text in (file.before, file.after))
    fresh = new - old
    # What was accepted in a file of another name has moved with it.
    moved = Counter(about for about, _ in (old - new).elements())
    more = (Counter(about for about, _ in fresh.elements()) - moved).total()
    if more:
        files = sorted({name for about, name in fresh if not moved[about]})[:3]
        text = f"{file.path} accepts {more:,} more {'entry' if more == 1 else 'entries'}"
        text += f", in {', '.join(files)}" if files else ""
        yield Loosened(rule=LARGER_BASELINE, message=text, path=file.path)


def _entries(path: str, text: str | None, read: Read) -> Counter[tuple[Hashable, str]]:
    if text is None:
        return Counter()
    try:
        return read(json.loads(text), path)
    except (ValueError, RecursionError) as error:
        raise ToolError(f"{path} is not JSON") from error


def of_secrets(document: Any, path: str) -> Counter[tuple[Hashable, str]]:
    """Read a baseline of detect-secrets."""
    from ci_action.engine.secret_scan.baseline import entries_of, is_whole  # rare

    return Counter(((key[1], key[2]), key[0]) for key in entries_of(document, path) if not is_whole(key))


def of_bandit(document: Any, path: str) -> Counter[tuple[Hashable, str]]:
    """Read a report of bandit."""
    try:
        return Counter(
            ((str(entry["test_id"]), str(entry.get("code"))), str(entry["filename"]))
            for entry in document["results"]
        )
    except (LookupError, TypeError, AttributeError) as error:
        raise ToolError(f"{path} is not a report of bandit") from error
