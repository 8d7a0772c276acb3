"""What a change makes less strict, in words: it comes before everything else that a run found."""

from collections.abc import Iterable
from typing import Final

from ci_action.model.finding import Finding, ranked
from ci_action.model.result import ToolResult
from ci_action.model.section import Item, Items, Line, Ours, Place, Section, place_link

_ACCEPT: Final = Ours(
    "To accept it, ignore it in the `ignore` input of the workflow, such as `gate-changes:removed-test@tests/`."
)


def of(tools: Iterable[ToolResult]) -> tuple[Section, ...]:
    """Return what is less strict, as far as it is not muted: settings first, then tests and suppressions."""
    found = ranked(one for tool in tools for one in tool.findings if one.loosens and one.counts)
    if not found:
        return ()
    number = f"{len(found):,} {'place' if len(found) == 1 else 'places'}"
    title = Ours(f"This change makes the checks less strict in {number}")
    rows = tuple(Item(_row(one)) for one in found)
    block = Items(title=title, rows=rows, note=(_ACCEPT,))
    return (Section(title=Ours("Changes to the checks"), blocks=(block,), place=Place.FIRST),)


def _row(one: Finding) -> Line:
    place = (place_link(one.location), Ours(" · ")) if one.location else ()
    return (*place, one.rule, Ours(" · "), one.message)
