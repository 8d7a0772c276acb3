"""From flags, inputs and pyproject.toml to settings and places; every mistake at once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ci_action.engine.advisories.address import address_mistakes
from ci_action.engine.ignore import ignore_mistakes
from ci_action.engine.secret_scan.baseline import baseline_mistakes
from ci_action.engine.tool import refused_options
from ci_action.github.workflow import workspace_of
from ci_action.project.layout import (
    Layout,
    load_toml,
    path_mistakes,
    python_mistakes,
    working_directory_mistakes,
)
from ci_action.settings import Settings
from ci_action.settings.resolve import PROJECT, Resolved, from_inputs, from_pyproject, resolve
from ci_action.stages import TOOLS, key_mistakes, stage_mistakes
from ci_action.stages.pr.title.rules_from_settings import title_mistakes
from ci_action.stages.security import pip_audit
from ci_action.stages.security.bandit.config import argument_mistakes
from ci_action.stages.security.licenses.spdx import license_mistakes
from ci_action.stages.test.services.addresses import wait_for_mistakes
from ci_action.system.errors import SettingsError
from ci_action.system.project_files import leading_words

PYPROJECT = "pyproject.toml"


def configure(
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    *,
    writes_baseline: bool = False,
) -> tuple[Resolved, Layout]:
    """Resolve the settings and find the places that they name; raises `SettingsError` with all mistakes."""
    workspace = workspace_of(environ)
    inputs, mistakes = from_inputs(environ)
    chosen = {**inputs, **flags}
    document, file, problems = _pyproject(workspace, str(chosen.get("working-directory", ".")))
    mistakes += problems
    table, problems = from_pyproject(document, file)
    mistakes += problems
    folder = str(chosen.get("working-directory", table.get("working-directory", ".")))
    own = document
    if workspace / folder != workspace / Path(file).parent:  # a folder that cannot be is told below
        wrong = working_directory_mistakes(folder, workspace)
        own = {} if wrong else _load(workspace / folder / PYPROJECT, workspace, mistakes)

    def requires() -> str:
        project = own.get("project")
        value = project.get("requires-python", "") if isinstance(project, dict) else ""
        return value if isinstance(value, str) else ""

    def only_in_table(name: str) -> bool:
        return name in table and name not in chosen

    resolved = resolve(
        (PROJECT, table),
        ("input", inputs),
        ("flag", flags),
        mistakes=mistakes,
        checks=(
            lambda settings: stage_mistakes(settings.stage, settings.shard),
            lambda settings: key_mistakes(settings.stage if only_in_table("stage") else ()),
            lambda settings: path_mistakes(settings, workspace),
            lambda settings: baseline_mistakes(settings, workspace, written=writes_baseline),
            lambda settings: python_mistakes(settings, requires()),
            lambda settings: ignore_mistakes(settings.ignore, TOOLS),
            lambda settings: wait_for_mistakes(settings.wait_for),
            title_mistakes,
            lambda settings: license_mistakes(settings.licenses_allow, settings.licenses_deny),
            lambda settings: _argument_mistakes(settings, workspace),
            lambda settings: argument_mistakes(settings.bandit_args),
            lambda settings: pip_audit.argument_mistakes(settings.pip_audit_args),
            lambda settings: address_mistakes(settings.advisory_url),
        ),
    )
    settings = resolved.settings
    layout = Layout(
        workspace=workspace,
        root=workspace / settings.working_directory,
        paths=settings.paths or (".",),
        pyproject=own,
    )
    return resolved, layout


def _pyproject(workspace: Path, folder: str) -> tuple[Mapping[str, Any], str, list[str]]:
    """Return the pyproject.toml that holds our table: that of the working directory, else that of the workspace."""
    problems: list[str] = []
    near = Path(folder, PYPROJECT)
    if folder not in {"", "."} and not working_directory_mistakes(folder, workspace):
        document = _load(workspace / near, workspace, problems)
        tool = document.get("tool", {})
        if isinstance(tool, dict) and "ci-action" in tool:
            return document, near.as_posix(), problems
    return _load(workspace / PYPROJECT, workspace, problems), PYPROJECT, problems


def _load(file: Path, workspace: Path, mistakes: list[str]) -> Mapping[str, Any]:
    try:
        return load_toml(file, file.name, workspace)
    except SettingsError as error:
        mistakes += [mistake for mistake in error.mistakes if mistake not in mistakes]
        return {}


def _argument_mistakes(settings: Settings, workspace: Path) -> list[str]:
    root = workspace / settings.working_directory
    mistakes = []
    for name, words in {"black": settings.black_args, "ruff": settings.ruff_args}.items():
        mistakes += refused_options(TOOLS[name], words)
        mistakes += [f"{name}-args: {mistake}" for mistake in leading_words(words, root, workspace)]
    return mistakes
