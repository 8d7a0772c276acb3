"""What a tool is: it says how one program is started and what its output means; each is in the wing of its stage."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from ci_action.engine.context import Context
from ci_action.model.result import Hint, Outcome, Skipped
from ci_action.project.programs import Program, argument_names

# What a tool says that looks at Python files where `scope: changed` leaves it none of them.
NOTHING_CHANGED: Final = Skipped("no changed Python file", rightly=True)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What a tool's check gives back: the outcome, our notices about it, and what the program wrote for people."""

    outcome: Outcome
    warnings: tuple[str, ...] = ()
    log: str = ""
    version: str = ""
    """The version that ran, where only the run tells it."""
    version_source: str = ""
    hints: tuple[Hint, ...] = ()
    """Known errors that the tool itself recognised."""


class Turn(IntEnum):
    """When a tool runs: whatever can change the project's files comes after all that judges them.

    Among the tools that start code of the project, those come first whose verdict the project must not decide.
    """

    READS = 0
    """Reads the project and starts no code of it."""
    RESOLVES = 1
    """Builds packages to find out what they depend on."""
    EXTENDS = 2
    """Loads code of the project that the tool's configuration names."""
    INSTALLS = 3
    """Builds the project's environment."""
    INSPECTS = 4
    """Judges the installed environment."""
    RUNS = 5
    """Runs the project's code."""


@dataclass(frozen=True, kw_only=True)
class Tool:
    """Something that looks at the project and reports."""

    name: str
    summary: str
    url: str
    check: Callable[[Context, Program], Checked]
    program: Callable[[Context], Program] | None = None
    """Find what to start; None for a tool of ours whose version the project may pin."""
    fix: Callable[[Context, Program], None] | None = None
    """Write the tool's safe fixes; raises `ToolError`."""
    count: Callable[[Context], int] = field(default=lambda _: 0)
    """How many files a check would look at, without checking any."""
    wanted: Callable[[Context], bool] = field(default=lambda _: True)
    """Whether the tool takes part; one that is off unless a setting names it is not even told of."""
    by_lines: bool = False
    """Whether a finding belongs to the lines that it names, so that `scope: changed` mutes those elsewhere."""
    plan: Callable[[Context], str] | None = None
    """Say what the tool would do, where that is not a version and a number of files; raises `ToolError`."""
    needs: tuple[str, ...] = ()
    """The tools of the same stage that must have ended before; where one of them is broken, this one is skipped."""
    runs_code: Callable[[Context], bool] = field(default=lambda _: False)
    """Whether a check starts code of the project, which an event with rights of its own must not do (`privileged`)."""
    turn: Callable[[Context], Turn] = field(default=lambda _: Turn.READS)
    """When in the run the tool starts (`schedule`), never before those in `needs`; raises `ToolError`."""
    apart: bool = False
    """Whether it judges the change to the checks, not the project: it never makes a stage pass, it blocks also in a stage
    that only warns, and it applies `ignore` itself."""
    refused: Collection[str] = ()
    """Options that would write, or hide what we read; they are refused in `<name>-args`."""


def refused_options(tool: Tool, words: Sequence[str]) -> list[str]:
    """Say which options of `<tool>-args` cannot be given."""
    names = {name for word in argument_names(words) for name in _spellings(word, tool.refused)}
    return [
        f"{tool.name}-args: {name!r} cannot be given, ci-action sets it itself"
        " (fixes are written by `ci-action fix`, options of the project belong into its configuration)"
        for name in sorted(names & set(tool.refused))
    ]


def _spellings(word: str, refused: Collection[str]) -> set[str]:
    """Return the refused options that a word may stand for: itself, and single letters written together."""
    found = {word}
    if word.startswith("-") and not word.startswith("--"):
        found |= {f"-{letter}" for letter in word[1:] if f"-{letter}" in refused}
    return found
