"""From flags, inputs and pyproject.toml to settings and places; every mistake at once."""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ci_action.engine.ignore import ignore_mistakes
from ci_action.engine.stage import Configuration
from ci_action.github.workflow import is_actions, workspace_of
from ci_action.project.config_files import load_toml
from ci_action.project.layout import (
    Layout,
    path_mistakes,
    place_in,
    python_mistakes,
    repository_above,
    working_directory_mistakes,
)
from ci_action.settings import SETTINGS, Settings
from ci_action.settings.general import COMMENT, MERGE, STAGES, WORDS
from ci_action.settings.resolve import PROJECT, Resolved, from_inputs, from_pyproject, resolve
from ci_action.stages import load, tools
from ci_action.system.errors import SettingsError
from ci_action.system.text import did_you_mean

HERE: Final = "the current folder"
"""The source of a working directory that nothing names."""
_FOLDER: Final = "working-directory"


def configure(
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    *,
    written: frozenset[str] = frozenset(),
    here: Path | None = None,
) -> tuple[Resolved, Layout]:
    """Resolve the settings and find the places that they name; raises `SettingsError` with all mistakes.

    `written` are the settings that name a file which the command itself writes. `here` is the current folder.
    """
    workspace, here = _places(environ, here)
    folder = place_in(here, workspace)
    implied = {_FOLDER: folder} if folder not in {"", "."} else {}
    shell = folder and not is_actions(environ)
    inputs, mistakes = from_inputs(environ)
    chosen = {**inputs, **flags}
    document, file, problems = _pyproject(workspace, str(chosen.get(_FOLDER, folder or ".")))
    mistakes += problems
    table, problems = from_pyproject(document, file)
    mistakes += problems
    folder = str(chosen.get(_FOLDER, table.get(_FOLDER, folder or ".")))
    own = document
    if workspace / folder != workspace / Path(file).parent:  # a wrong folder is reported below
        wrong = working_directory_mistakes(folder, workspace)
        own = {} if wrong else _load(workspace / folder / PROJECT, workspace, mistakes)

    def layout_of(settings: Settings) -> Layout:
        return Layout(
            workspace=workspace,
            root=workspace / settings.working_directory,
            here=here if shell else None,
            paths=settings.paths or (".",),
            pyproject=own,
        )

    resolved = resolve(
        (HERE, implied),
        (PROJECT, table),
        ("input", inputs),
        ("flag", flags),
        mistakes=mistakes,
        checks=(
            lambda settings: stage_mistakes(settings.stage, settings.shard),
            lambda settings: key_mistakes(() if "stage" in chosen else settings.stage),
            lambda settings: path_mistakes(settings, workspace),
            lambda settings: python_mistakes(settings, layout_of(settings).requires_python),
            lambda settings: ignore_mistakes(settings.ignore, tools()) if settings.ignore else (),
            lambda settings: _mistakes_of_stages(
                {*table, *chosen},
                Configuration(settings=settings, layout=layout_of(settings), written=written),
            ),
        ),
    )
    return resolved, layout_of(resolved.settings)


def _places(environ: Mapping[str, str], here: Path | None) -> tuple[Path, Path]:
    """Return the workspace and the current folder; raises `SettingsError` if there are none."""
    try:
        here = here or Path(os.getcwd())
    except OSError as error:
        here = workspace_of(environ)
        if here is None:
            raise SettingsError(
                ["the current folder does not exist: change to that of the project"]
            ) from error
    return workspace_of(environ) or repository_above(here) or here, here


def _pyproject(workspace: Path, folder: str) -> tuple[Mapping[str, Any], str, list[str]]:
    """Return the pyproject.toml that holds our table: that of the working directory, else that of the workspace."""
    problems: list[str] = []
    near = Path(folder, PROJECT)
    if folder not in {"", "."} and not working_directory_mistakes(folder, workspace):
        document = _load(workspace / near, workspace, problems)
        tool = document.get("tool", {})
        if isinstance(tool, dict) and "ci-action" in tool:
            return document, near.as_posix(), problems
    return _load(workspace / PROJECT, workspace, problems), PROJECT, problems


def _load(file: Path, workspace: Path, mistakes: list[str]) -> Mapping[str, Any]:
    try:
        return load_toml(file, workspace)
    except SettingsError as error:
        mistakes += [mistake for mistake in error.mistakes if mistake not in mistakes]
        return {}


def _mistakes_of_stages(named: Collection[str], given: Configuration) -> Iterator[str]:
    """Yield the mistakes of every stage of which a setting is named, whether it runs or not."""
    concerned = {SETTINGS[name].stage for name in named}
    for name in STAGES:
        if name in concerned:
            yield from load(name).mistakes(given)


def key_mistakes(names: Iterable[str]) -> list[str]:
    """Return a mistake for each stage that `[tool.ci-action]` must not name: those that write or post report folders."""
    return [
        f"stage = {name!r} cannot be set in [tool.ci-action], which a pull request can change:"
        " set the input 'stage' in the workflow, or name the stage on the command line"
        for name in dict.fromkeys(names)
        if name in {MERGE, COMMENT}
    ]


def stage_mistakes(names: Iterable[str], shard: str = "") -> list[str]:
    """Return a mistake for each unknown stage, and for settings that contradict `merge` and `comment`."""
    asked = list(dict.fromkeys(names))
    mistakes = [f"unknown stage {name!r}{did_you_mean(name, WORDS)}" for name in asked if name not in WORDS]
    if MERGE in asked and len(asked) > 1:
        mistakes.append("'merge' joins the results of shards and runs nothing: put it in a separate step")
    if COMMENT in asked and len(asked) > 1:
        mistakes.append("'comment' posts the report of another run: put it in a separate step")
    if MERGE in asked and shard:
        mistakes.append(f"shard = {shard!r}: 'merge' joins all shards; set it for the runs of the shards")
    return mistakes
