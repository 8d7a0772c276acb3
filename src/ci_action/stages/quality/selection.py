"""Which formatter and linter a project means: a function of the settings and of what names the tools in the project.

The kinds of evidence decide in this order: hooks of pre-commit, commands of the continuous integration, other commands,
configurations, requirements. A tool that is only installed or configured is required if nothing shows what the project
checks: where its hooks, commands or continuous integration are known and do not run it, it warns.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.tool import Selection
from ci_action.model.result import Offer
from ci_action.project.evidence import Evidence, Gathered, Kind
from ci_action.project.tool_names import FORMATTERS, LINTERS, Named
from ci_action.settings import Settings
from ci_action.settings.types import Formatter, Linter

_ORDER: Final = (Kind.HOOK, Kind.WORKFLOW, Kind.COMMAND, Kind.TABLE, Kind.DEPENDENCY)
_FORMATTERS: Final = {Formatter.BLACK: Named.BLACK, Formatter.RUFF: Named.RUFF_FORMAT}
_OURS: Final = frozenset({Named.BLACK, Named.RUFF_FORMAT})


def formatter(ctx: Context, tool: Named) -> Selection:
    """Return whether a formatter runs: `Named.BLACK` or `Named.RUFF_FORMAT`."""
    found = formatter_selection(ctx.settings, ctx.evidence, tool)
    return replace(found, warnings=ctx.evidence.problems)


def linter(ctx: Context) -> Selection:
    """Return whether `ruff check` runs."""
    return replace(linter_selection(ctx.settings, ctx.evidence), warnings=ctx.evidence.problems)


def formatter_selection(settings: Settings, gathered: Gathered, tool: Named) -> Selection:
    """Return whether a formatter runs."""
    asked = settings.formatter
    if asked is Formatter.NONE:
        return Selection(why_not="switched off by `formatter: none`")
    if asked is not Formatter.AUTO:
        chosen = _FORMATTERS[asked]
        by_setting = f"{chosen}, from the setting `formatter`"
        return (
            Selection(because=by_setting) if chosen is tool else Selection(why_not=f"not used: {by_setting}")
        )
    evidence = formatter_evidence(gathered)
    if not evidence:
        if tool is Named.BLACK:
            return _offered("nothing in the project names a formatter", "formatter", "black")
        return Selection(why_not="not used: nothing in the project names a formatter")
    if evidence[0].tool is tool:
        return _required(gathered, evidence, "formatter", _setting(tool))
    ours = "" if evidence[0].tool in _OURS else f"; set `formatter: {_setting(tool)}` to run {tool}"
    return Selection(why_not=f"not used: {evidence[0]}{ours}")


def linter_selection(settings: Settings, gathered: Gathered) -> Selection:
    """Return whether `ruff check` runs."""
    asked = settings.linter
    if asked is Linter.NONE:
        return Selection(why_not="switched off by `linter: none`")
    if asked is Linter.RUFF:
        return Selection(because=f"{Named.RUFF_CHECK}, from the setting `linter`")
    evidence = linter_evidence(gathered)
    if not evidence:
        return _offered("nothing in the project names a linter", "linter", "ruff")
    if evidence[0].tool in {Named.RUFF_CHECK, Named.RUFF}:
        return _required(gathered, evidence, "linter", "ruff")
    return Selection(why_not=f"not used: {evidence[0]}; set `linter: ruff` to run ruff check")


def formatter_evidence(gathered: Gathered) -> tuple[Evidence, ...]:
    """Return the evidence for the formatter that the project means, the strongest first; empty if it names none."""
    candidates: Collection[Named] = FORMATTERS
    found = _strongest_first(gathered, FORMATTERS)
    for kind in _ORDER:
        named = {one.tool for one in found if one.kind is kind and one.tool in candidates}
        ours = named & _OURS
        if len(ours) == 1 or (named and not ours):
            chosen = next(one.tool for one in found if one.kind is kind and one.tool in (ours or named))
            return tuple(one for one in found if one.tool is chosen)
        candidates = ours or candidates  # both are named: only what is weaker can tell them apart
    chosen = next((one.tool for one in found if one.tool in candidates), Named.BLACK)
    return tuple(one for one in found if one.tool is chosen)


def linter_evidence(gathered: Gathered) -> tuple[Evidence, ...]:
    """Return the evidence for the linter that the project means, the strongest first; empty if it names none.

    Ruff is preferred. The package alone may also be meant for formatting, if nothing but `ruff format` is run.
    """
    ruff = _strongest_first(gathered, (Named.RUFF_CHECK,))
    runs_format = any(one.kind.runs for one in gathered.naming(Named.RUFF_FORMAT))
    if not runs_format:
        ruff += _strongest_first(gathered, (Named.RUFF,))
    return ruff or _strongest_first(gathered, LINTERS)


def _strongest_first(gathered: Gathered, tools: Collection[Named]) -> tuple[Evidence, ...]:
    found = gathered.naming(*tools)
    return tuple(sorted(found, key=lambda one: (one.advisory, _ORDER.index(one.kind))))


def _required(gathered: Gathered, evidence: tuple[Evidence, ...], setting: str, value: str) -> Selection:
    """Return the selection of a tool that the project names."""
    if any(one.kind.runs and not one.advisory for one in evidence):
        return Selection(because=str(evidence[0]))
    others = any(one.kind.runs for one in gathered.naming(*FORMATTERS, *LINTERS))
    if not (others or gathered.automated):
        return Selection(because=str(evidence[0]))
    where = f"{evidence[0].source} names it, but no check of the project requires it"
    return _offered(where, setting, value, because=str(evidence[0]))


def _offered(why: str, setting: str, value: str, because: str = "") -> Selection:
    return Selection(because=because or why, offer=Offer(why=why, setting=setting, value=value))


def _setting(tool: Named) -> str:
    return "black" if tool is Named.BLACK else "ruff"
