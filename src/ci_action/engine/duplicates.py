"""Report a problem that two tools find once: mute one finding, and name its rule beside the other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from ci_action.model.finding import BLINDING, SEVERITIES, Finding
from ci_action.model.result import StageResult, ToolResult

ACCEPTED: Final = "accepted in "
"""How the reason begins with which a baseline mutes a finding."""

_Place: TypeAlias = tuple[str, int]
_Candidate: TypeAlias = tuple[Finding, bool]
"""A finding, and whether its stage can fail the run."""


def mute_duplicates(stages: tuple[StageResult, ...]) -> tuple[StageResult, ...]:
    """Mute each finding that another tool reports too (`Finding.same_as`) on the same line, if that one counts or is accepted."""
    wanted = {_place(finding) for stage in stages for finding in stage.findings if finding.same_as} - {None}
    if not wanted:
        return stages
    candidates: dict[_Place | None, list[_Candidate]] = {place: [] for place in wanted}
    for stage in stages:
        for finding in stage.findings:  # few of a large run are at these places
            if (place := _place(finding)) in wanted and _can_replace(finding):
                candidates[place].append((finding, not stage.warns_only))
    muted: dict[int, str] = {}
    joined: dict[int, list[Finding]] = {}
    for stage in stages:
        for finding in stage.findings:
            if finding.same_as and finding.counts:
                near = candidates.get(_place(finding), ())
                if same := _same(finding, near, can_block=not stage.warns_only):
                    why = f"is {same.muted}" if same.muted else "counts"
                    muted[id(finding)] = f"the same as {same.tool} {same.rule}, which {why}"
                    joined.setdefault(id(same), []).append(finding)
    if not muted:
        return stages
    return tuple(
        replace(stage, tools=tuple(_rewritten(tool, joined, muted) for tool in stage.tools))
        for stage in stages
    )


def _can_replace(finding: Finding) -> bool:
    if finding.muted:
        return finding.muted.startswith(ACCEPTED)
    return not finding.same_as and finding.rule not in BLINDING


def _place(finding: Finding) -> _Place | None:
    where = finding.location
    return (where.path, where.line) if where and where.line else None


def _same(finding: Finding, candidates: Sequence[_Candidate], *, can_block: bool) -> Finding | None:
    """Return the finding that replaces another: an accepted one, or one with the same weight in the verdict."""
    found = [
        (not other.muted, preference, _order(other), other)
        for other, blocks in candidates
        if (other.muted or blocks or not can_block)
        and (preference := _preference(finding, other)) is not None
    ]
    return min(found, key=lambda each: each[:3])[3] if found else None


def _preference(finding: Finding, other: Finding) -> int | None:
    """Return the position of another finding in `same_as`; None if it is another problem."""
    names = (other.tool, f"{other.tool}:{other.rule}")
    return next((place for place, name in enumerate(finding.same_as) if name in names), None)


def _order(finding: Finding) -> tuple[str, int, int, int, str]:
    """Return the sort key among findings of one tool: rule, column and weight."""
    column = (finding.location.column or 0) if finding.location else 0
    return finding.rule, column, -finding.level.rank, _badness(finding.severity), finding.fingerprint


def _rewritten(
    tool: ToolResult, joined: Mapping[int, Sequence[Finding]], muted: Mapping[int, str]
) -> ToolResult:
    def rewritten() -> Iterator[Finding]:
        for finding in tool.findings:
            if id(finding) in muted:
                yield replace(finding, muted=muted[id(finding)])
            elif finding.counts and id(finding) in joined:
                yield _with(finding, joined[id(finding)])
            else:
                yield finding

    return tool.with_findings(tuple(rewritten()))


def _with(finding: Finding, others: Sequence[Finding]) -> Finding:
    every = [finding, *others]
    return replace(
        finding,
        also=tuple(sorted({f"{one.tool}:{one.rule}" for one in others} | set(finding.also))),
        level=max((one.level for one in every), key=lambda level: level.rank),
        severity=min((one.severity for one in every), key=_badness),
    )


def _badness(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
