"""The order of the tools of a run: a pure function of the selected stages and their tools."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ci_action.engine.context import Context
from ci_action.engine.stage import Selected, Stage
from ci_action.engine.tool import Tool, Turn
from ci_action.system.errors import UNDONE


@dataclass(frozen=True)
class Slot:
    """One tool of one stage."""

    stage: Stage
    tool: Tool


def rounds(selected: Sequence[Selected], *, fail_fast: bool = True) -> list[list[Selected]]:
    """Group the stages: first each stage that stops the run if it fails, then all others together.

    Without `fail-fast` nothing stops the run, so all stages are together.
    """
    if not fail_fast:
        return [list(selected)] if selected else []
    first = [[one] for one in selected if one.stage.stops]
    rest = [one for one in selected if not one.stage.stops]
    return [*first, *([rest] if rest else [])]


def phases(stages: Iterable[Stage], ctx: Context) -> list[list[Slot]]:
    """Group the tools of all stages by turn; a phase starts when all tools of the previous one have ended.

    So tools of all stages that only read the project run before any of its code does. No tool is in an earlier phase than
    those that it needs, which precede it in the stage.
    """
    slots = [Slot(stage, tool) for stage in stages for tool in stage.tools if tool.wanted(ctx)]
    found: dict[Turn, list[Slot]] = {}
    turns: dict[tuple[str, str], Turn] = {}
    for slot in slots:
        needed = (
            turns.get((slot.stage.name, name), Turn.READS) for name in (*slot.tool.needs, *slot.tool.after)
        )
        turn = max(_turn(slot.tool, ctx), *needed, Turn.READS)
        turns[slot.stage.name, slot.tool.name] = turn
        found.setdefault(turn, []).append(slot)
    return [found[turn] for turn in sorted(found)]


def _turn(tool: Tool, ctx: Context) -> Turn:
    try:
        return tool.turn(ctx)
    except UNDONE:  # its check fails for the same reason and starts nothing
        return Turn.READS


def busy(spans: Iterable[tuple[float, float]]) -> float:
    """Return the seconds that at least one of these spans covers."""
    total, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total
