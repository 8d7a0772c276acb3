"""Which findings matter first, and how bad those of the security stage are."""

from collections.abc import Iterable
from typing import Final

from ci_action.model import Finding, Fix

# The worst first. What nobody has rated may be anything: it has the place right behind `high`, and counts like it.
LEVELS: Final = ("critical", "high", "unknown", "medium", "low")
_LEVELS: Final = {level: rank for rank, level in enumerate(LEVELS)}
# A file that could not be read or parsed hides what else is in it.
BLINDING: Final = frozenset({"parse", "unreadable", "invalid-syntax", "E902", "E999"})


def at_least(level: str, limit: str) -> bool:
    """Whether a level is as bad as the limit, or worse; one that nobody has rated counts as `high`."""
    level = "high" if level == "unknown" else level
    return _LEVELS[level] <= _LEVELS[limit]


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Order findings by what matters first: those that count, the severe, what no tool can fix; then by place."""
    return sorted(findings, key=_rank)


def _rank(finding: Finding) -> tuple[bool, int, bool, int, bool, str, int, str]:
    place = finding.location
    return (
        not finding.counts,
        -finding.severity.rank,
        finding.rule not in BLINDING,
        _LEVELS.get(finding.level, len(_LEVELS)),
        finding.fix is Fix.SAFE,
        place.path if place else "",
        (place.line or 0) if place else 0,
        finding.rule,
    )
