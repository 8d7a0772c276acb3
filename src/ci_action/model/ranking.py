"""Which findings come first, which share a row, and which a channel with little room shows: the same for all channels.

Changed lines come first, then changed files, then the rest; inside of each the tools take turns. Pure functions: the
order of the findings that are given makes no difference.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from ci_action.model.finding import BLINDING, SEVERITIES, Finding, Fix, Level, Reach
from ci_action.model.tests import RED
from ci_action.system.text import counted, listed

MANY: Final = 3
"""More findings of one rule in one file share a row."""
_MOST_LINES: Final = 10
_REACHES: Final = {reach: rank for rank, reach in enumerate(Reach)}
_SEVERITIES: Final = {severity: rank for rank, severity in enumerate(SEVERITIES)}

# Each weighs more than all that follow.
_MUTED: Final = 100_000
_REACH: Final = 10_000
_LEVEL: Final = 1_000
_SEVERE: Final = {level: _LEVEL * (len(Level) - level.rank) for level in Level}
_SEEING: Final = 100
# Changes that make the checks less strict come before findings of the checks, if they are more than a line.
_LOOSER: Final = (0, 0, -20, -40)


@dataclass(frozen=True, slots=True)
class Row:
    """What a channel shows in one row: a finding, or several of one rule in one file, or of tests with one cause."""

    first: Finding
    """The most important one, whose message and place are shown."""
    others: tuple[Finding, ...] = ()
    """The others, in the order of importance."""

    @property
    def count(self) -> int:
        """The number of findings."""
        return 1 + len(self.others)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of its findings."""
        return (self.first, *self.others)

    @property
    def more(self) -> str:
        """The number and the lines of the others: `and 3 more in this file: lines 5, 7, 9`; empty without others."""
        if not self.others:
            return ""
        if self.first.cause:
            return f"and {counted(len(self.others), 'other test')}"
        lines = sorted({one.line for one in self.others} - {0, self.first.line})
        where = f": line{'s' * (len(lines) > 1)} {listed([f'{line}' for line in lines], _MOST_LINES)}"
        return f"and {len(self.others):,} more in this file{where if lines else ''}"


def number_of(rows: Iterable[Row]) -> int:
    """Return the number of findings in rows."""
    return sum(row.count for row in rows)


def by_reach(findings: Iterable[Finding]) -> str:
    """Return the number of findings near to the change: `3 in the change, 5 elsewhere in its files`; empty without any."""
    numbers = Counter(finding.reach for finding in findings)
    parts = ((Reach.LINES, "in the change"), (Reach.FILE, "elsewhere in its files"))
    return ", ".join(f"{numbers[reach]:,} {words}" for reach, words in parts if numbers[reach])


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in the order of importance.

    Those that count come first; then by their reach, by level, and those without a fix; then by place.
    """
    return sorted(findings, key=_rank)


def rows_of(findings: Iterable[Finding]) -> list[Row]:
    """Return findings as rows in the order in which channels show them: the tools take turns."""
    given = list(findings)
    ranks = [*map(_rank, given)]
    groups: dict[object, list[int]] = {}
    order = sorted(range(len(given)), key=ranks.__getitem__)
    for number in order:
        finding = given[number]
        kind = _kind(finding, ranks[number][0]) if _shares(finding) else number
        groups.setdefault(kind, []).append(number)
    rows: dict[int, Row] = {}
    for numbers in groups.values():
        members = [given[number] for number in numbers]
        if len(members) > MANY or members[0].bulk:
            rows[numbers[0]] = Row(members[0], tuple(members[1:]))
        else:
            rows.update(zip(numbers, map(Row, members), strict=True))
    return _in_turns((ranks[number][0], rows[number]) for number in order if number in rows)


def fair(rows: Sequence[Row], most: int) -> list[Row]:
    """Return at most so many rows in their order: the first of each tool, as far as possible, then the first of all."""
    if len(rows) <= most:
        return list(rows)
    firsts: dict[str, int] = {}
    for number, row in enumerate(rows):
        firsts.setdefault(row.first.tool, number)
    kept = list(firsts.values())[:most]
    others = (number for number in range(len(rows)) if number not in firsts.values())
    kept += [number for number, _ in zip(others, range(most - len(kept)), strict=False)]
    return [rows[number] for number in sorted(kept)]


def by_file(rows: Iterable[Row]) -> list[Row]:
    """Order rows by file, that of the first row first, and by line in a file; muted ones are files apart."""
    ranks: dict[tuple[bool, str], int] = {}
    keyed = [(ranks.setdefault((one.first.counts, one.first.path), len(ranks)), one) for one in rows]
    return [one for _, one in sorted(keyed, key=lambda pair: (pair[0], pair[1].first.line))]


def _shares(finding: Finding) -> bool:
    """Whether a finding may share a row: a failed test without a cause, a package and a loosened check have their own."""
    if finding.rule in RED:
        return bool(finding.cause)
    return bool(finding.path) and finding.package is None and not finding.loosens


def _kind(finding: Finding, weight: int) -> tuple[object, ...]:
    """Return what findings of one row have in common: the weight is that of reach, level and severity."""
    weight -= finding.fix is Fix.SAFE
    return weight, finding.tool, finding.rule, finding.cause or finding.path, finding.muted, finding.bulk


def _in_turns(rows: Iterable[tuple[int, Row]]) -> list[Row]:
    """Let the tools take turns among rows of the same reach and level, which are given with their weights."""
    turns: Counter[tuple[int, str]] = Counter()
    keyed = []
    for position, (weight, row) in enumerate(rows):
        group = (weight + _SEEING) // _LEVEL  # what is less than a level can also make it lighter
        turns[group, row.first.tool] += 1
        keyed.append((group, turns[group, row.first.tool], position, row))
    keyed.sort(key=itemgetter(0, 1, 2))
    return [row for *_, row in keyed]


def _rank(finding: Finding) -> tuple[int, str, int, str, str, int, str, str]:
    # One number for all but the place: a large run is sorted several times, and longer tuples are slower.
    weight = (
        (_MUTED if finding.muted else 0)
        + _REACH * _REACHES[finding.reach]
        + _SEVERE[finding.level]
        + (_SEEING if finding.rule not in BLINDING else 0)
        + 2 * _SEVERITIES.get(finding.severity, len(SEVERITIES))
        + (finding.fix is Fix.SAFE)
        + _LOOSER[finding.loosens]
    )
    place = finding.location
    # What follows the rule only decides between findings on one line.
    rest = (
        finding.rule,
        finding.tool,
        (place.column or 0) if place else 0,
        finding.message,
        f"{finding.fingerprint}{finding.bulk}",
    )
    return (weight, place.path, place.line or 0, *rest) if place else (weight, "", 0, *rest)
