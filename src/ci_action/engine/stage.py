"""Stages: a named set of tools, with the rules when it applies and what else it reports."""

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
    """An output of the action: its name, its description, and its value in a result of the stage."""

    name: str
    about: str
    value: Callable[[StageResult], str]
    """Empty if there is none, for example if the stage was not run."""


def no_sections(_stage: StageResult, _pull: Pull | NoPull) -> tuple[Section, ...]:
    """Return no sections, for a stage that only reports findings."""
    return ()


@dataclass(frozen=True)
class Label:
    """A label for the pull request, and all our labels of its kind: the others are removed."""

    name: str
    kind: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The settings and paths that are checked for errors before a run."""

    settings: Settings
    layout: Layout
    """The paths in the settings, which may not exist."""
    written: frozenset[str] = frozenset()
    """Settings with a file that the command itself writes, so that it may not exist yet."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A named set of tools that run in parallel."""

    name: str
    summary: str
    tools: tuple[Tool, ...]
    applies: Callable[[Context], str] = field(default=lambda _: "")
    """Return why `all` does not run the stage for a project; empty if it does."""
    unusable: Callable[[Context], str] = field(default=lambda _: "")
    """Return why `all` cannot run the stage on this machine, although it applies: then it is skipped, with a warning."""
    because: Callable[[Context], str] = field(default=lambda _: "applies to every project")
    """Return why `all` runs the stage for a project; raises `ToolError`."""
    mistakes: Callable[[Configuration], Iterable[str]] = field(default=lambda _: ())
    """Return an error for each of its settings that contradicts another one or the project."""
    labels: Callable[[StageResult, Settings], Iterable[Label]] = field(default=lambda *_: ())
    """Return the labels of the pull request for a result of the stage."""
    hints: Path | None = None
    """The table of known errors of its tools (`engine.hints`)."""
    warns_only: Callable[[Settings], bool] = field(default=lambda _: False)
    """Whether findings warn instead of failing the run."""
    warns_because: str = ""
    """Why they do, and how to change that."""
    quotes: bool = True
    """Whether its results can quote files of the project: then these are searched for secrets."""
    of_pull: bool = False
    """Whether it checks the pull request itself instead of files."""
    stops: bool = False
    """Whether `all` runs no other stage if this one fails: it takes seconds, the others take minutes."""


@dataclass(frozen=True)
class Selected:
    """A stage to run, and whether it was selected by name."""

    stage: Stage
    by_name: bool
