"""What a stage is: a named set of tools, when it applies to a project, and all that is its own beside them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ci_action.engine.context import Context
from ci_action.engine.tool import Tool
from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.result import StageResult
from ci_action.model.section import Section
from ci_action.project.layout import Layout
from ci_action.settings import Settings


@dataclass(frozen=True)
class Output:
    """An output of the action that is a stage's own: its name, what it says, and its value in a result of the stage."""

    name: str
    about: str
    value: Callable[[StageResult], str]
    """Empty where there is nothing to say, as where the stage was not run."""


def no_sections(_stage: StageResult, _pull: Pull | NoPull) -> tuple[Section, ...]:
    """Return the sections of a stage that has nothing to report beside its findings."""
    return ()


@dataclass(frozen=True)
class Label:
    """A label that the pull request should have, and all labels of ours of its kind: the others are taken away."""

    name: str
    kind: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What mistakes in the settings are looked for in."""

    settings: Settings
    layout: Layout
    """The places that the settings name: they may not be there."""
    written: frozenset[str] = frozenset()
    """The settings that name a file which the command itself writes: it need not be there yet."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A named set of tools that run side by side."""

    name: str
    summary: str
    tools: tuple[Tool, ...]
    applies: Callable[[Context], str] = field(default=lambda _: "")
    """Say why the stage does not apply to a project; empty where it does. Asked for by name it always does."""
    because: Callable[[Context], str] = field(default=lambda _: "it is for every project")
    """Say why it applies to a project; raises `ToolError`."""
    mistakes: Callable[[Configuration], Iterable[str]] = field(default=lambda _: ())
    """Say which of its settings contradict each other or the project; nothing where none of them is set."""
    labels: Callable[[StageResult, Settings], Iterable[Label]] = field(default=lambda *_: ())
    """Return the labels that the pull request should have after a result of the stage."""
    hints: Path | None = None
    """The table of the known errors of its tools (`engine.hints`)."""
    warns_only: Callable[[Settings], bool] = field(default=lambda _: False)
    """Whether findings warn instead of failing the run."""
    quotes: bool = True
    """Whether its results may quote the files of the project, which are then searched for secrets before."""
    of_pull: bool = False
    """Whether it judges the pull request itself, and not the files of the checkout."""
    stops: bool = False
    """Whether `all` runs no further stage after this one was red: what takes seconds spares what takes minutes."""


@dataclass(frozen=True)
class Selected:
    """A stage that is to run, and whether it was asked for by its name."""

    stage: Stage
    by_name: bool
