"""Which findings matter first, and how bad those of the security stage are."""

from collections.abc import Iterable
from typing import Final

from ci_action.model.result import Finding, Fix, Level

# The worst first. What nobody has rated may be anything: it has the place right behind `high`, and counts like it.
SEVERITIES: Final = ("critical", "high", "unknown", "medium", "low")
_SEVERITIES: Final = {severity: rank for rank, severity in enumerate(SEVERITIES)}
# A file that could not be read or parsed hides what else is in it.
BLINDING: Final = frozenset({"parse", "unreadable", "invalid-syntax", "E902", "E999"})

GATE_CHANGES: Final = "gate-changes"
"""The tool that compares the checks themselves with those of the base commit."""
# What makes the checks less strict comes before what the checks found; a suppression is one line, a setting is all of them.
_GATES: Final = {
    **dict.fromkeys(
        ("lower-minimum", "added-ignore", "narrower-paths", "softer-fail-on", "larger-baseline"), -40
    ),
    "removed-test": -20,
}
# Each weighs more than all that come after it.
_SEEING: Final = 100
_SEVERE: Final = {level: 1_000 * (len(Level) - level.rank) for level in Level}
_MUTED: Final = 100_000


def at_least(severity: str, limit: str) -> bool:
    """Whether a severity is as bad as the limit, or worse; one that nobody has rated counts as `high`."""
    severity = "high" if severity == "unknown" else severity
    return _SEVERITIES[severity] <= _SEVERITIES[limit]


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Order findings by what matters first: those that count, the severe, what no tool can fix; then by place."""
    return sorted(findings, key=_rank)


def _rank(finding: Finding) -> tuple[int, str, int, str]:
    # One number for all that is no place: a large run is sorted several times, and a longer tuple takes longer.
    weight = (
        (_MUTED if finding.muted else 0)
        + _SEVERE[finding.level]
        + (_SEEING if finding.rule not in BLINDING else 0)
        + 2 * _SEVERITIES.get(finding.severity, len(SEVERITIES))
        + (finding.fix is Fix.SAFE)
        + (_GATES.get(finding.rule, 0) if finding.tool == GATE_CHANGES else 0)
    )
    place = finding.location
    return (weight, place.path, place.line or 0, finding.rule) if place else (weight, "", 0, finding.rule)
