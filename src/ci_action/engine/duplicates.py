"""One problem that two tools name is one finding: the other one is muted, and its name stands beside the first."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ci_action.model.finding import SEVERITIES, Finding
from ci_action.model.result import StageResult, ToolResult

_BANDIT: Final = "bandit"
_SECRETS: Final = "detect-secrets"
# Hardcoded passwords: as a string, as an argument, as a default.
_PASSWORDS: Final = frozenset({"B105", "B106", "B107"})
# How the reason begins with which a secret in the baseline does not count.
ACCEPTED: Final = "accepted in "
# Ruff's rules S have the numbers of bandit's tests (https://docs.astral.sh/ruff/rules/#flake8-bandit-s). But for this
# one: bandit has two tests for `mark_safe`, Ruff one rule.
_OTHERWISE: Final[Mapping[str, str]] = {"B703": "S308"}

_Place = tuple[str, int]


@dataclass
class _Kept:
    """A finding that others may join, and those that did."""

    finding: Finding
    blocks: bool
    """Whether its stage can turn the run red."""
    joining: list[Finding]

    @property
    def order(self) -> tuple[bool, str, int, int, int, str]:
        """What comes first where several would do: secrets, then by name, place and weight."""
        place = self.finding.location
        column = (place.column or 0) if place else 0
        one = self.finding
        worst = -one.level.rank, _badness(one.severity)
        return one.tool != _SECRETS, one.rule, column, *worst, one.fingerprint


def mute_duplicates(stages: tuple[StageResult, ...]) -> tuple[StageResult, ...]:
    """Mute what bandit says of a line of which a finding of another tool that counts says the same."""
    wanted = {_place(finding) for stage in stages for finding in stage.findings if finding.tool == _BANDIT}
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
    """Return why bandit's word on a secret that the baseline accepts does not count either."""
    every = [finding for stage in stages for finding in stage.findings]
    known = {
        _place(finding): finding
        for finding in every
        if finding.tool == _SECRETS and finding.muted.startswith(ACCEPTED)
    }
    return {
        id(
            finding
        ): f"the same as {_SECRETS} {known[_place(finding)].rule}, which is {known[_place(finding)].muted}"
        for finding in every
        if finding.tool == _BANDIT
        and finding.rule in _PASSWORDS
        and finding.counts
        and _place(finding) in known
    }


def _keepers(
    stages: Iterable[StageResult], wanted: Collection[_Place | None]
) -> Iterator[tuple[_Place, _Kept]]:
    """Yield what others may join, at the places where bandit says something: a large run has few of these."""
    for stage in stages:
        for finding in stage.findings:
            if not finding.counts or finding.tool not in {_SECRETS, "ruff"}:
                continue
            place = _place(finding)
            if place and place in wanted:
                yield place, _Kept(finding, blocks=not stage.warns_only, joining=[])


def _place(finding: Finding) -> _Place | None:
    where = finding.location
    return (where.path, where.line) if where and where.line else None


def _same(finding: Finding, by_place: Mapping[_Place, list[_Kept]], *, can_block: bool) -> _Kept | None:
    """Return what says the same as a finding of bandit, and weighs as much in the verdict."""
    place = _place(finding)
    if finding.tool != _BANDIT or not finding.counts or place is None:
        return None
    rule = _OTHERWISE.get(finding.rule, f"S{finding.rule.removeprefix('B')}")
    found = [
        one
        for one in by_place.get(place, ())
        if (one.blocks or not can_block) and _means(one.finding, finding.rule, rule)
    ]
    return min(found, key=lambda one: one.order, default=None)


def _means(kept: Finding, test: str, rule: str) -> bool:
    if kept.tool == _SECRETS:
        return test in _PASSWORDS and kept.rule != "unreadable"
    return kept.rule == rule


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
