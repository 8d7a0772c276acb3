"""How the project's own runner makes the environment of its tests, where its dependencies do not say so.

The first of these that runs pytest counts: an environment of tox, a session of nox, an environment of Hatch, a job of a
workflow.
"""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ci_action.project.dependencies.asked import Asked, Word, joined, of_command
from ci_action.project.dependencies.hatch import of_hatch
from ci_action.project.dependencies.nox import of_nox
from ci_action.project.dependencies.tox import RUNS_PYTEST, of_tox
from ci_action.project.layout import Layout
from ci_action.project.nox import FILE
from ci_action.project.workflows import WORKFLOWS, Step, workflow_of
from ci_action.system.errors import ProjectFileError
from ci_action.system.project_files import find_project_text

_FILES: Final = ("tox.ini", "tox.toml", "setup.cfg", FILE, "hatch.toml")
_EXPRESSION: Final = re.compile(r"\$\{\{.*?\}\}|\$\w+|\$\{\w+\}|`[^`]*`|\$\([^)]*\)")
_UNKNOWN: Final = "\0"


def of_runner(layout: Layout, python: str) -> Asked | None:
    """Return what the runner of the project installs to run pytest; None if no runner does.

    `python` is the version of the interpreter, such as `3.12`; empty if it is not known yet.
    """
    return of_tox(layout, python) or of_nox(layout) or of_hatch(layout) or of_workflows(layout)


def files_of_runners(layout: Layout) -> Iterator[Path]:
    """Yield the files that decide about it."""
    yield from (layout.root / name for name in _FILES)
    yield from _workflow_files(layout)


def _workflow_files(layout: Layout) -> list[Path]:
    folder = layout.workspace / WORKFLOWS
    return sorted([*folder.glob("*.yml"), *folder.glob("*.yaml")])


def of_workflows(layout: Layout) -> Asked | None:
    """Return what the first job that runs pytest installs, of the files in their order."""
    here = layout.relative(".")
    for file in _workflow_files(layout):
        try:
            steps = workflow_of(find_project_text(file, layout.workspace)).steps
        except (ValueError, RecursionError, ProjectFileError):
            continue
        for job in dict.fromkeys(step.job for step in steps):
            own = [
                step
                for step in steps
                if step.job == job
                and step.run
                and not step.condition
                and os.path.normpath(step.folder) == here
            ]
            if any(_runs_pytest(step) for step in own):
                parts = [
                    asked
                    for step in own
                    for words in commands(step.run)
                    if (asked := of_command(words, layout.root))
                ]
                return joined(parts, f"{layout.relative(file)}: job {job}")
    return None


def _runs_pytest(step: Step) -> bool:
    return any(
        words and "install" not in words and any(word and RUNS_PYTEST.fullmatch(word) for word in words)
        for words in commands(step.run)
    )


def commands(script: str) -> Iterator[list[Word]]:
    """Yield the simple commands of a script of a shell as words; `None` for a word with an expression."""
    text = re.sub(r"\\\n", " ", script)
    for line in re.split(r"\n|&&|\|\||;|\|", text):
        bare = _EXPRESSION.sub(_UNKNOWN, line)
        try:
            words = shlex.split(bare, comments=True)
        except ValueError:  # quotes over several lines
            continue
        if words:
            yield [None if _UNKNOWN in word else word for word in words]
