"""One problem that two tools name is one finding: the other one is muted, and its name stands beside the first."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ci_action.model.finding import BLINDING, SEVERITIES, Finding
from ci_action.model.result import StageResult, ToolResult

ACCEPTED: Final = "accepted in "
"""How the reason begins with which a finding in a baseline does not count."""

_Place = tuple[str, int]


@dataclass
class _Kept:
    """A finding that others may join, and those that did."""

    finding: Finding
    blocks: bool
    """Whether its stage can turn the run red."""
    joining: list[Finding]

    @property
    def order(self) -> tuple[str, int, int, int, str]:
        """What comes first among findings of one tool: by name, place and weight."""
        place = self.finding.location
        column = (place.column or 0) if place else 0
        one = self.finding
        return one.rule, column, -one.level.rank, _badness(one.severity), one.fingerprint


def mute_duplicates(stages: tuple[StageResult, ...]) -> tuple[StageResult, ...]:
    """Mute each finding of which another tool says the same (`Finding.same_as`) on the same line, if that one counts."""
    wanted = {_place(finding) for stage in stages for finding in stage.findings if finding.same_as}
    kept: dict[int, _Kept] = {}
    by_place: dict[_Place, list[_Kept]] = {}
    for place, one in _keepers(stages, wanted - {None}):
        kept[id(one.finding)] = one
        by_place.setdefault(place, []).append(one)
    muted = _accepted(stages)
    for stage in stages:
        for finding in stage.findings:
            if id(finding) in muted:
                continue
            same = _same(finding, by_place, can_block=not stage.warns_only)
            if same:
                same.joining.append(finding)
                muted[id(finding)] = f"the same as {same.finding.tool} {same.finding.rule}, which counts"
    if not muted:
        return stages
    return tuple(
        replace(stage, tools=tuple(_rewritten(tool, kept, muted) for tool in stage.tools)) for stage in stages
    )


def _accepted(stages: tuple[StageResult, ...]) -> dict[int, str]:
    """Return why a finding does not count of which another tool says the same, and that one is accepted in a baseline."""
    every = [finding for stage in stages for finding in stage.findings]
    known = {_place(finding): finding for finding in every if finding.muted.startswith(ACCEPTED)}
    muted = {}
    for finding in every:
        other = known.get(_place(finding)) if finding.same_as and finding.counts else None
        if other is not None and _preference(finding, other) is not None:
            muted[id(finding)] = f"the same as {other.tool} {other.rule}, which is {other.muted}"
    return muted


def _keepers(
    stages: Iterable[StageResult], wanted: Collection[_Place | None]
) -> Iterator[tuple[_Place, _Kept]]:
    """Yield what others may join, at the places where they are: a large run has few of these."""
    for stage in stages:
        for finding in stage.findings:
            if not finding.counts or finding.same_as or finding.rule in BLINDING:
                continue
            place = _place(finding)
            if place and place in wanted:
                yield place, _Kept(finding, blocks=not stage.warns_only, joining=[])


def _place(finding: Finding) -> _Place | None:
    where = finding.location
    return (where.path, where.line) if where and where.line else None


def _same(finding: Finding, by_place: Mapping[_Place, list[_Kept]], *, can_block: bool) -> _Kept | None:
    """Return what says the same as a finding, and weighs as much in the verdict."""
    place = _place(finding)
    if not finding.same_as or not finding.counts or place is None:
        return None
    found = [
        (preference, one)
        for one in by_place.get(place, ())
        if (one.blocks or not can_block) and (preference := _preference(finding, one.finding)) is not None
    ]
    return min(found, key=lambda each: (each[0], each[1].order))[1] if found else None


def _preference(finding: Finding, other: Finding) -> int | None:
    """Return the place of another finding among those that say the same; None if it does not."""
    names = (other.tool, f"{other.tool}:{other.rule}")
    return next((place for place, name in enumerate(finding.same_as) if name in names), None)


def _rewritten(tool: ToolResult, kept: Mapping[int, _Kept], muted: Mapping[int, str]) -> ToolResult:
    return tool.with_findings(
        tuple(
            (
                replace(finding, muted=muted[id(finding)])
                if id(finding) in muted
                else _with(finding, kept[id(finding)].joining) if id(finding) in kept else finding
            )
            for finding in tool.findings
        )
    )


def _with(finding: Finding, joining: Iterable[Finding]) -> Finding:
    others = list(joining)
    if not others:
        return finding
    names = sorted({f"{one.tool}:{one.rule}" for one in others} | set(finding.also))
    everyone = [finding, *others]
    return replace(
        finding,
        also=tuple(names),
        level=max((one.level for one in everyone), key=lambda level: level.rank),
        severity=min((one.severity for one in everyone), key=_badness),
    )


def _badness(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
