"""Which type checkers run, and how: those that the project runs itself, with its own arguments.

The first kind of source that runs a checker decides about its arguments: tox, nox, the continuous integration, pre-commit,
then tasks, Makefiles and scripts. A project that runs none is checked by those that it configures, if any: their findings
only warn if the project has checks of its own, which can be green without them.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ci_action.engine.context import Context
from ci_action.model.result import Offer
from ci_action.project.evidence import Evidence, Gathered, Kind
from ci_action.project.layout import Layout
from ci_action.project.tool_names import Named
from ci_action.project.tool_runs import nox, pre_commit, tox
from ci_action.project.tool_runs.model import ToolRun
from ci_action.settings.types import TypeChecker

TOOLS: Final = (Named.MYPY, Named.PYRIGHT, Named.TY)
_OTHERS: Final = (Named.BASEDPYRIGHT, Named.PYREFLY, Named.PYRE, Named.PYTYPE)
# Options with which a checker does something else than check files.
_OTHER_MODES: Final = frozenset({"--verifytypes", "--createstub", "--dependencies", "-w", "--watch"})
_MOST_RUNS: Final = 6
_RUNNERS: Final = ("tox.ini", "tox.toml", "noxfile.py")
NOT_CONFIGURED: Final = "the project does not configure a type checker"


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A type checker of the project: how it runs, or why it does not."""

    tool: str
    runs: tuple[ToolRun, ...] = ()
    why: str = ""
    """The sources, if it runs; else the reason."""
    notes: tuple[str, ...] = ()
    configured: bool = False
    """Whether the project has a configuration for it."""
    offer: Offer | None = None
    """Set if the project configures it, and its own checks do not run it."""


def chosen(ctx: Context) -> dict[str, Chosen]:
    """Return the decision about each type checker, made once a run."""
    found: dict[str, Chosen] = ctx.type_checkers.of(
        lambda: decided(ctx.layout, ctx.settings.type_checker, ctx.evidence)
    )
    return found


def decided(layout: Layout, asked: TypeChecker, gathered: Gathered) -> dict[str, Chosen]:
    """Return the decision about each type checker."""
    every, problems = _every_run(layout, gathered)
    known = {tool: _known(tool, every, gathered, problems) for tool in TOOLS}
    if asked is TypeChecker.NONE:
        return {tool: Chosen(tool=tool, why="`type-checker` is `none`") for tool in TOOLS}
    if asked is not TypeChecker.AUTO:
        return {tool: _asked(known[tool], asked) for tool in TOOLS}
    return _automatic(known, gathered)


def _asked(one: Chosen, asked: TypeChecker) -> Chosen:
    if one.tool != asked:
        return Chosen(tool=one.tool, why=f"`type-checker` is `{asked}`")
    if one.runs:
        return one
    return replace(one, runs=(ToolRun(tool=one.tool, source="type-checker"),), why="type-checker")


def _automatic(known: dict[Named, Chosen], gathered: Gathered) -> dict[str, Chosen]:
    """Choose what the project runs; if it runs nothing, what it configures; of several, what it installs."""
    if any(one.runs for one in known.values()):
        names = " and ".join(tool for tool, one in known.items() if one.runs)
        return {tool: one if one.runs else _left(one, names) for tool, one in known.items()}
    other = [one for one in gathered.naming(*_OTHERS) if one.kind.runs]
    tables = {tool: _sources(gathered, tool, Kind.TABLE) for tool in TOOLS}
    installed = {tool for tool in TOOLS if _sources(gathered, tool, Kind.DEPENDENCY)}
    candidates = [tool for tool, sources in tables.items() if sources and not other]
    if installed & {*candidates}:
        candidates = [tool for tool in candidates if tool in installed]
    found: dict[str, Chosen] = {}
    for tool, one in known.items():
        if tool in candidates:
            source = tables[tool][0].source
            run = ToolRun(tool=tool, source=source)
            found[tool] = replace(one, runs=(run,), why=source, offer=_offer(gathered, tool, source))
        elif other:
            found[tool] = replace(one, why=f"the project runs {other[0]}")
        else:
            found[tool] = _left(one, " and ".join(candidates))
    return found


def _offer(gathered: Gathered, tool: Named, source: str) -> Offer | None:
    """Return why the findings of a checker only warn: the checks of the project are known, and it is not one of them."""
    if not gathered.automated:
        return None
    why = f"{source} configures it, but no check of the project runs it"
    return Offer(why=why, setting="type-checker", value=str(tool))


def _left(one: Chosen, names: str) -> Chosen:
    """Return why a checker does not run although another one does."""
    if one.why:
        return one
    return replace(one, why=f"the project runs {names}" if names else NOT_CONFIGURED)


def _sources(gathered: Gathered, tool: Named, kind: Kind) -> list[Evidence]:
    return [one for one in gathered.naming(tool) if one.kind is kind]


def _known(tool: Named, every: Sequence[list[ToolRun]], gathered: Gathered, problems: list[str]) -> Chosen:
    """Return the runs of one checker by the first source whose arguments can be read."""
    notes = [f"could not read the commands of the project: {problem}" for problem in problems]
    configured = bool(_sources(gathered, tool, Kind.TABLE))
    modes = False
    unread = ""
    for runs in every:
        own = [run for run in runs if run.tool == tool]
        checks = [run for run in own if not _OTHER_MODES.intersection(_names(run.words))]
        modes = modes or len(checks) < len(own)
        readable = [run for run in checks if not run.unresolved]
        if readable:
            sources = ", ".join(dict.fromkeys(run.source for run in readable))
            return Chosen(
                tool=tool,
                runs=tuple(readable[:_MOST_RUNS]),
                why=sources,
                configured=configured,
                notes=tuple(notes),
            )
        unread = unread or next((run.source for run in checks), "")
    if unread:
        notes.append(
            f"could not read the arguments of {tool} in {unread}: checking what its configuration names"
        )
        run = ToolRun(tool=tool, source=unread)
        return Chosen(tool=tool, runs=(run,), why=unread, configured=configured, notes=tuple(notes))
    why = f"the project only runs `{tool} --verifytypes`" if modes else ""
    return Chosen(tool=tool, why=why, configured=configured, notes=tuple(notes))


def _names(words: Sequence[str]) -> set[str]:
    return {word.partition("=")[0] for word in words}


def _every_run(layout: Layout, gathered: Gathered) -> tuple[list[list[ToolRun]], list[str]]:
    """Return the runs by each kind of source, the preferred first, and what could not be read."""
    problems: list[str] = []

    def read(name: str, reader: Callable[[Layout, Sequence[str]], Iterator[ToolRun]]) -> list[ToolRun]:
        try:
            return list(reader(layout, TOOLS))
        except (ValueError, TypeError, RecursionError, AttributeError) as error:
            problems.append(f"{name}: {str(error).splitlines()[0] if str(error) else type(error).__name__}")
            return []

    return [
        read("tox", tox.runs),
        read("nox", nox.runs),
        list(_of_evidence(layout, gathered, Kind.WORKFLOW)),
        read("pre-commit", pre_commit.runs),
        list(_of_evidence(layout, gathered, Kind.COMMAND)),
    ], problems


def _of_evidence(layout: Layout, gathered: Gathered, kind: Kind) -> Iterator[ToolRun]:
    """Yield the commands that run in the environment of the project."""
    seen: set[tuple[str, tuple[str, ...], str]] = set()
    for one in gathered.naming(*TOOLS):
        name = one.source.partition(":")[0].rpartition("/")[2]
        if one.kind is not kind or name in _RUNNERS or ": testenv" in one.source:
            continue
        folder = os.path.relpath(layout.workspace / one.folder, layout.root)
        run = ToolRun(
            tool=one.tool.value,
            words=one.words,
            source=one.source,
            folder="" if folder == "." else folder,
            advisory=one.advisory,
        )
        key = run.tool, run.words, run.folder
        if key not in seen:
            seen.add(key)
            yield run


def all_runs(ctx: Context) -> list[ToolRun]:
    """Return the runs of all type checkers."""
    return [run for one in chosen(ctx).values() for run in one.runs]


def why_not(ctx: Context) -> str:
    """Return why no type checker runs; empty if one does."""
    if all_runs(ctx):
        return ""
    reasons = dict.fromkeys(one.why for one in chosen(ctx).values())
    return next((reason for reason in reasons if reason != NOT_CONFIGURED), NOT_CONFIGURED)


def why(ctx: Context) -> str:
    """Return which type checkers run, and what names them."""
    return "; ".join(f"{one.tool}, from {one.why}" for one in chosen(ctx).values() if one.runs)
