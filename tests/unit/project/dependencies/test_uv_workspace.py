"""Which uv.lock is that of a project."""

from pathlib import Path

import pytest
from support.builders import layout, write

from ci_action.project.dependencies.uv_workspace import uv_lock

ROOT = "[tool.uv.workspace]\nmembers = ['packages/*', './apps/api/']\nexclude = ['packages/old']\n"
ABOVE = {"uv.lock": "", "pyproject.toml": ROOT}
PROJECT = "[project]\nname = 'x'\n"


@pytest.mark.parametrize(
    ("folder", "files", "found"),
    [
        ("packages/a", {**ABOVE, "packages/a/pyproject.toml": PROJECT}, "uv.lock"),
        ("apps/api", {**ABOVE, "apps/api/pyproject.toml": PROJECT}, "uv.lock"),
        ("packages/old", {**ABOVE, "packages/old/pyproject.toml": PROJECT}, ""),
        ("other", {**ABOVE, "other/pyproject.toml": PROJECT}, ""),
        (
            "packages/a",
            {**ABOVE, "packages/pyproject.toml": PROJECT, "packages/a/pyproject.toml": PROJECT},
            "",
        ),
        (
            "packages/a",
            {**ABOVE, "packages/pyproject.toml": "", "packages/a/pyproject.toml": PROJECT},
            "uv.lock",
        ),
        ("packages/a", {**ABOVE, "packages/a/pyproject.toml": "[tool.uv.workspace]\n"}, ""),
        (
            "packages/a",
            {**ABOVE, "packages/a/pyproject.toml": PROJECT, "packages/a/uv.lock": ""},
            "packages/a/uv.lock",
        ),
        ("back", {"uv.lock": "", "pyproject.toml": PROJECT, "back/pyproject.toml": PROJECT}, ""),
        ("back", {"uv.lock": "", "pyproject.toml": PROJECT, "back/requirements.txt": ""}, ""),
        ("src", {"uv.lock": "", "pyproject.toml": PROJECT, "src/a.py": ""}, "uv.lock"),
        (
            "packages/a/src",
            {**ABOVE, "packages/a/pyproject.toml": PROJECT, "packages/a/src/b.py": ""},
            "uv.lock",
        ),
        ("packages/a", {"pyproject.toml": ROOT, "packages/a/pyproject.toml": PROJECT}, ""),
        (
            "packages/a",
            {"pyproject.toml": "[tool.uv]\nworkspace = 5\n", "packages/a/pyproject.toml": PROJECT},
            "",
        ),
        (".", ABOVE, "uv.lock"),
        (".", {"a.py": ""}, ""),
    ],
)
def test_the_lock_of_a_project(tmp_path: Path, folder: str, files: dict[str, str], found: str):
    write(tmp_path, files)
    place = layout(tmp_path, root=tmp_path / folder)
    assert uv_lock(place) == (tmp_path / found if found else None)
