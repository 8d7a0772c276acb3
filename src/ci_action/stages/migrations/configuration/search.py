"""Which files of the project can configure Alembic, by their names and what they contain."""

import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ci_action.project.files import FOREIGN
from ci_action.project.layout import Layout
from ci_action.stages.migrations.configuration.options import LOCATION
from ci_action.system.errors import ProjectFileError
from ci_action.system.project_files import read_project_file

ENV: Final = "env.py"
PYPROJECT: Final = "pyproject.toml"
_LARGEST: Final = 1_000_000
OWN_NAME: Final = re.compile(r"alembic[\w.-]*\.ini")
_OTHER_NAMES: Final = re.compile(r"[\w.-]+\.ini|setup\.cfg")
_CONTEXT: Final = re.compile(
    rb"^\s*(?:from\s+alembic\s+import\b.*\bcontext\b|import\s+alembic\b|.*\balembic\.context\b)", re.MULTILINE
)
# Samples and tests of a library that works with Alembic; `alembic-config` can name one of them.
_SAMPLES: Final = frozenset({
    "test", "tests", "testing", "docs", "doc", "example", "examples", "sample", "samples", "demo", "demos", "fixtures",
    "templates", "vendor", "third_party",
})  # fmt: skip

Ignored = Callable[[Sequence[str]], Collection[str]]
"""Returns the names, relative to the root, that git ignores."""


@dataclass(kw_only=True)
class Candidates:
    """Paths relative to the root, the upper folders first."""

    inis: list[str] = field(default_factory=list)
    tomls: list[str] = field(default_factory=list)
    envs: list[str] = field(default_factory=list)
    """Each env.py that works with Alembic."""
    samples: list[str] = field(default_factory=list)
    """What is left out, because it belongs to tests, samples or templates."""


def candidates(layout: Layout, ignored: Ignored, never: Collection[Path] = ()) -> Candidates:
    """Return what can configure Alembic below the root, except environments, hidden folders and what git ignores."""
    found = Candidates()
    names = list(_walked(layout.root, {os.path.realpath(folder) for folder in never}))
    hidden = set(ignored(names)) if names else set()
    for name in sorted(names, key=lambda one: (one.count(os.sep), one)):
        if name in hidden or not (kind := _kind(layout, name)):
            continue
        if _SAMPLES.intersection(name.split(os.sep)[:-1]):
            found.samples.append(name)
        else:
            {ENV: found.envs, PYPROJECT: found.tomls}.get(kind, found.inis).append(name)
    return found


def _walked(root: Path, never: Collection[str]) -> Iterator[str]:
    for folder, folders, names in os.walk(root):
        if "pyvenv.cfg" in names:
            folders.clear()
            continue
        folders[:] = [
            name
            for name in folders
            if name not in FOREIGN
            and not name.startswith(".")
            and "{{" not in name  # of a template for projects
            and not (never and os.path.realpath(os.path.join(folder, name)) in never)
        ]
        for name in names:
            if name in {ENV, PYPROJECT} or _OTHER_NAMES.fullmatch(name):
                yield os.path.relpath(os.path.join(folder, name), root)


def _kind(layout: Layout, name: str) -> str:
    """Return the kind of a file, as a name; empty if it does not configure Alembic."""
    base = os.path.basename(name)
    if OWN_NAME.fullmatch(base):
        return base
    try:
        raw = read_project_file(layout.root / name, layout.workspace, largest=_LARGEST)
    except ProjectFileError:  # nothing of the project
        return ""
    if base == ENV:
        return ENV if _CONTEXT.search(raw) else ""
    if base == PYPROJECT:
        return PYPROJECT if b"alembic" in raw else ""
    return base if LOCATION.encode() in raw else ""
