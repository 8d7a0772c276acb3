"""What a change makes less strict in the checks themselves: settings, exceptions, suppressions, tests; against the base commit."""

from collections.abc import Iterable, Iterator
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.ignore import mute
from ci_action.engine.tool import Checked, Tool
from ci_action.github.event import WITH_BASE
from ci_action.model.ranking import ranked
from ci_action.model.result import Broken, Outcome, Skipped, ToolResult
from ci_action.model.section import Item, Items, Line, Ours, Place, Section, place_link
from ci_action.project.git.repository import is_commit_name
from ci_action.project.programs import Program
from ci_action.settings.types import GateChanges

NAME: Final = "gate-changes"
DOCUMENTATION: Final = "https://github.com/org/ci-action/blob/v1/docs/stages/gate-changes.md"
_MOST_PROBLEMS: Final = 10
_ACCEPT: Final = Ours(
    "To accept it, ignore it in the `ignore` input of the workflow, such as `gate-changes:removed-test@tests/`."
)


def check(ctx: Context, _program: Program) -> Checked:
    """Compare the files of the change with the base commit."""
    changes = ctx.changes
    if changes is None or not changes.known:
        return Checked(outcome=_without_base(ctx, changes.problem if changes else "no base commit"))
    from ci_action.stages.gate_changes.comparison import Comparison  # only needed here

    comparison = Comparison(ctx=ctx, repository=ctx.repository.with_fetched(), commit=changes.base)
    outcome = comparison.outcome()
    # A change cannot ignore its own findings: the exceptions of the base commit apply, and those of the workflow.
    muted = mute(ToolResult(tool=NAME, outcome=outcome), comparison.ignored, ctx.layout.relative("."))
    return Checked(outcome=muted.outcome, warnings=tuple(_notes(comparison.problems)))


def _without_base(ctx: Context, problem: str) -> Outcome:
    """Return the outcome without a base: `Broken` if the event has a base and the gate blocks."""
    reason = f"the base commit is unknown: {problem}"
    event = ctx.event
    has_base = event.name in WITH_BASE or (
        event.name == "push" and is_commit_name(event.payload.get("before"))
    )
    return Broken(reason) if has_base and ctx.settings.gate_changes is GateChanges.FAIL else Skipped(reason)


def _notes(problems: Iterable[str]) -> Iterator[str]:
    texts = list(dict.fromkeys(problems))
    yield from (f"{NAME} did not compare everything: {text}" for text in texts[:_MOST_PROBLEMS])
    if len(texts) > _MOST_PROBLEMS:
        yield f"{NAME} did not compare {len(texts) - _MOST_PROBLEMS:,} more"


def plan(ctx: Context) -> str:
    """Return what would be compared."""
    changes = ctx.changes
    if changes is None or not changes.known:
        return "skipped: the base commit is unknown"
    return f"compares the settings of the checks, suppressions and tests with {changes.base[:12]}"


TOOL: Final = Tool(
    name=NAME,
    summary="Checks that the change makes less strict: minimums, exceptions, suppressions, removed tests.",
    url=DOCUMENTATION,
    check=check,
    program=lambda _: Program(argv=(), version="", source=""),
    wanted=lambda ctx: ctx.settings.gate_changes is not GateChanges.OFF,
    plan=plan,
    apart=True,
)


def section(tools: Iterable[ToolResult]) -> tuple[Section, ...]:
    """Return the findings that are not muted, settings first: the first section of a report."""
    found = ranked(one for tool in tools for one in tool.findings if one.loosens and one.counts)
    if not found:
        return ()
    number = f"{len(found):,} {'place' if len(found) == 1 else 'places'}"
    title = Ours(f"This change makes the checks less strict in {number}")
    rows = []
    for one in found:
        place: Line = (place_link(one.location), Ours(" · ")) if one.location else ()
        rows.append(Item((*place, one.rule, Ours(" · "), one.message)))
    block = Items(title=title, rows=tuple(rows), note=(_ACCEPT,))
    return (Section(title=Ours("Changes to the checks"), blocks=(block,), place=Place.FIRST),)
