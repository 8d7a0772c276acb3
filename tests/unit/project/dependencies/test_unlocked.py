"""What the project names and its lock does not hold."""

from pathlib import Path

import pytest
from support.builders import layout, write

from ci_action.project.layout import load_toml
from ci_action.stages.security.pip_audit.collect import from_files

UV = '[[package]]\nname = "app"\nversion = "1"\nsource = { virtual = "." }\n[package.metadata]\nrequires-dist = [{ name = "tomli", marker = "python_version < \'3\'" }]\n[[package]]\nname = "six"\nversion = "1"\nsource = { registry = "x" }\n'
PROJECT = """[project]
name = "app"
dependencies = ["Six", "requests>=2", "tomli", "nt; sys_platform == 'win32'", "app[all]"]
[project.optional-dependencies]
all = ["flask"]
[dependency-groups]
lint = ["ruff", {include-group = "all"}]
"""
POETRY = '[tool.poetry]\nname = "app"\n[tool.poetry.dependencies]\npython = "^3.11"\nsix = "*"\nflask = "^1"\nnt = {version = "1", platform = "win32"}\n'
PACKAGE = '[[package]]\nname = "six"\nversion = "1"\n'
PIPFILE = (
    '[packages]\nsix = "*"\nflask = "*"\nnt = {version = "*", markers = "x"}\n[dev-packages]\nruff = "*"\n'
)


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        ({"pyproject.toml": PROJECT, "uv.lock": UV}, ["requests", "flask", "ruff"]),
        ({"pyproject.toml": PROJECT, "uv.lock": ""}, ["six", "requests", "tomli", "flask", "ruff"]),
        ({"pyproject.toml": PROJECT, "pdm.lock": PACKAGE}, ["requests", "tomli"]),
        (
            {"pyproject.toml": PROJECT, "pylock.toml": PACKAGE.replace("package", "packages")},
            ["requests", "tomli"],
        ),
        ({"pyproject.toml": PROJECT, "poetry.lock": PACKAGE}, ["requests", "tomli", "flask"]),
        ({"pyproject.toml": POETRY, "poetry.lock": PACKAGE}, ["flask"]),
        (
            {"Pipfile": PIPFILE, "Pipfile.lock": '{"default": {\n"six": {"version": "==1"}}}'},
            ["flask", "ruff"],
        ),
        ({"pyproject.toml": "[project]\ndependencies = 1\n", "uv.lock": UV}, []),
        ({"uv.lock": UV}, []),
    ],
)
def test_what_a_lock_lacks_is_not_audited(files: dict[str, str], missing: list[str], tmp_path: Path):
    write(tmp_path, files)
    document = (
        load_toml(tmp_path / "pyproject.toml", "pyproject.toml", tmp_path)
        if "pyproject.toml" in files
        else {}
    )
    found = from_files(layout(tmp_path, pyproject=document))
    assert found is not None
    assert sorted(one.name for one in found.unauditable) == sorted(missing)
    assert all(one.location and "older than" in one.reason for one in found.unauditable)
