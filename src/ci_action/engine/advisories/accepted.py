"""Vulnerabilities that are accepted for a time: the setting `ignore-vulnerabilities`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from ci_action.settings.types import IgnoredVulnerability

# Who forgot to look again is reminded for so many days before it counts.
GRACE_DAYS: Final = 30


@dataclass(frozen=True)
class Acceptance:
    """What the settings make of one problem."""

    muted: str = ""
    """Why it does not count; empty where it does."""
    expired: IgnoredVulnerability | None = None
    """The entry that has run out, whether it still holds or not."""


def accepted(
    package: str, ids: Sequence[str], entries: Iterable[IgnoredVulnerability], today: date
) -> Acceptance:
    """Say whether a problem of a package is accepted today; of several entries the one that lasts longest counts."""
    matching = [entry for entry in entries if entry.matches(package, ids)]
    if not matching:
        return Acceptance()
    entry = max(matching, key=lambda one: one.expires)
    late = (today - entry.expires).days
    if late <= 0:
        return Acceptance(muted=f"accepted until {entry.expires.isoformat()}: {entry.reason}")
    if late <= GRACE_DAYS:
        reason = f"accepted until {entry.expires.isoformat()}, which is over: {entry.reason}"
        return Acceptance(muted=reason, expired=entry)
    return Acceptance(expired=entry)


def unused(
    entries: Iterable[IgnoredVulnerability], found: Iterable[tuple[str, Sequence[str]]]
) -> list[IgnoredVulnerability]:
    """Return the entries that no problem that was found needs."""
    every = list(found)
    return [entry for entry in entries if not any(entry.matches(name, ids) for name, ids in every)]
