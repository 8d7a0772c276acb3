"""What a change makes less strict, in words: it comes before everything else that a run found."""

from collections.abc import Callable, Iterator
from typing import Final

from ci_action.model.finding import Finding, Location, ranked
from ci_action.model.result import RunResult
from ci_action.reporters.markdown import code
from ci_action.system.text import one_line

_MOST: Final = 20
_ACCEPT: Final = (
    "To accept it, ignore it in the `ignore` input of the workflow, such as `gate-changes:removed-test@tests/`."
)


def loosened(result: RunResult) -> list[Finding]:
    """Return what the change makes less strict, as far as it is not muted: settings first, then suppressions and tests."""
    return ranked(finding for finding in result.counting if finding.loosens)


def heading(number: int) -> str:
    """Say how much it is."""
    return f"This change makes the checks less strict in {number:,} {'place' if number == 1 else 'places'}"


def section(result: RunResult, where: Callable[[Location], str]) -> Iterator[str]:
    """Yield the blocks of Markdown under a heading; `where` returns a place as Markdown. Nothing if nothing is less strict."""
    found = loosened(result)
    if not found:
        return
    rows = [f"- {_place(one, where)}{code(one.rule)} · {code(one.message)}" for one in found[:_MOST]]
    if len(found) > _MOST:
        rows.append(f"- and {len(found) - _MOST:,} more, below")
    yield f"## ⚠️ {heading(len(found))}"
    yield "\n".join(rows)
    yield _ACCEPT


def _place(one: Finding, where: Callable[[Location], str]) -> str:
    return f"{code(one.location.path)} {where(one.location)} · ".replace(" — ·", " ·") if one.location else ""


def lines(result: RunResult) -> Iterator[str]:
    """Yield the lines for a console."""
    found = loosened(result)
    if not found:
        return
    yield f"{heading(len(found))}:"
    for one in found[:_MOST]:
        place = f"{one_line(str(one.location))}: " if one.location else ""
        yield f"  {place}{one_line(one.rule)}: {one_line(one.message)}"
    if len(found) > _MOST:
        yield f"  and {len(found) - _MOST:,} more"
