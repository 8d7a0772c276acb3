"""Tools: how a program is run and what its output means; each tool is in the package of its stage."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from ci_action.engine.context import Context
from ci_action.model.result import Hint, Offer, Outcome, Skipped
from ci_action.project.programs import Program, argument_names

# The outcome of a tool for Python files if `scope: changed` selects none of them.
NOTHING_CHANGED: Final = Skipped("no changed Python file", rightly=True)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """The result of a tool's check."""

    outcome: Outcome
    warnings: tuple[str, ...] = ()
    log: str = ""
    """The output of the program for people."""
    version: str = ""
    """The version of the program, if only the run reveals it."""
    version_source: str = ""
    seconds: float | None = None
    """The tool's share of a program that several tools share; None for the time of the check."""
    hints: tuple[Hint, ...] = ()
    """Known errors that the check itself recognised."""


class Turn(IntEnum):
    """When a tool runs: whatever can change the project's files comes after the tools that check them.

    Tools that start code of the project come late, the latest those whose verdict that code can influence.
    """

    READS = 0
    """Reads the project and starts none of its code."""
    RESOLVES = 1
    """Builds packages to find their dependencies."""
    EXTENDS = 2
    """Loads code of the project that the tool's configuration names."""
    INSTALLS = 3
    """Builds the project's environment."""
    INSPECTS = 4
    """Checks the installed environment."""
    LOADS = 5
    """Checks the project with the installed environment, and loads code of both, such as plugins."""
    RUNS = 6
    """Runs the project's code."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Whether a tool runs for a project, and what decided that."""

    because: str = ""
    """What names the tool, for people: `black, from tox.ini: testenv:lint`."""
    why_not: str = ""
    """Why the tool is skipped; empty if it runs."""
    warnings: tuple[str, ...] = ()
    """About files that could not be read, so that the choice may be another one."""
    offer: Offer | None = None
    """Set if neither the project nor a setting requires the tool: then its findings warn unless the stage was requested by
    name, and it writes no fixes."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """A check of the project."""

    name: str
    summary: str
    url: str
    check: Callable[[Context, Program], Checked]
    package: str = ""
    """The package of the program, if it has another name than the tool."""
    program: Callable[[Context], Program] | None = None
    """Returns the program to start; None for a bundled tool whose version the project can pin."""
    fix: Callable[[Context, Program], None] | None = None
    """Writes the tool's safe fixes; raises `ToolError`."""
    count: Callable[[Context], int] = field(default=lambda _: 0)
    """Returns the number of files to check, without checking them."""
    wanted: Callable[[Context], bool] = field(default=lambda _: True)
    """Whether the tool runs; one that a setting has to enable is not reported otherwise."""
    selection: Callable[[Context], Selection] = field(default=lambda _: Selection())
    """Whether the tool runs; evaluated before its program is located."""
    by_lines: bool = False
    """Whether `scope: changed` mutes its findings on unchanged lines."""
    plan: Callable[[Context], str] | None = None
    """Describes what the tool would do, if that is not a version and a number of files; raises `ToolError`."""
    needs: tuple[str, ...] = ()
    """The tools of the same stage that run before; if one of them is broken, this one is skipped."""
    after: tuple[str, ...] = ()
    """The tools of the same stage that run before; if one of them fails or breaks, this one is not run."""
    runs_code: Callable[[Context], bool] = field(default=lambda _: False)
    """Whether a check starts code of the project, which an event with write access must not do (`trust`)."""
    turn: Callable[[Context], Turn] = field(default=lambda _: Turn.READS)
    """When the tool runs (`schedule`), always after those in `needs`; raises `ToolError`."""
    apart: bool = False
    """Whether it judges the change to the checks instead of the project: it never makes a stage pass, it also blocks in a
    stage that only warns, and it applies `ignore` itself."""
    refused: Collection[str] = ()
    """Options that would write files or change the output; they are refused in `<name>-args`."""

    @property
    def distribution(self) -> str:
        """The package that pins are for."""
        return self.package or self.name


def refused_options(tool: Tool, words: Sequence[str]) -> list[str]:
    """Return an error for each refused option in `<tool>-args`."""
    names = {name for word in argument_names(words) for name in _spellings(word, tool.refused)}
    return [
        f"{tool.name}-args: {name!r} is not allowed, because ci-action sets it"
        " (`ci-action fix` writes fixes; set options of the project in its configuration)"
        for name in sorted(names & set(tool.refused))
    ]


def _spellings(word: str, refused: Collection[str]) -> set[str]:
    """Return the options in a word: itself, and refused single letters that are combined in it."""
    found = {word}
    if word.startswith("-") and not word.startswith("--"):
        found |= {f"-{letter}" for letter in word[1:] if f"-{letter}" in refused}
    return found
