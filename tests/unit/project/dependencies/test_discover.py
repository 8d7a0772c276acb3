"""What the tests need, and where the project says so: the order, and what each kind of file means."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from support.builders import layout, write

from ci_action.project.dependencies.discover import find
from ci_action.project.environment import python_request
from ci_action.system.errors import ToolError

BUILDABLE = "[build-system]\nrequires = ['hatchling']\n[project]\nname = 'x'\nversion = '0'\n"


def found(tmp_path: Path, files: dict[str, str], **overrides):
    write(tmp_path, files)
    text = files.get("pyproject.toml", "")
    return find(layout(tmp_path, pyproject=tomllib.loads(text), **overrides))


@pytest.mark.parametrize(
    "files",
    [
        {"uv.lock": "", "poetry.lock": "", "requirements.txt": ""},
        {"pylock.toml": "", "poetry.lock": "", "requirements.txt": ""},
        {"poetry.lock": "", "pdm.lock": "", "requirements.txt": ""},
        {"pdm.lock": "", "Pipfile.lock": "{}", "requirements.txt": ""},
        {"Pipfile.lock": "{}", "requirements.txt": ""},
        {"requirements.txt": "", "pyproject.toml": BUILDABLE},
        {"pyproject.toml": BUILDABLE, "setup.py": ""},
        {"setup.cfg": "[metadata]\n", "setup.py": ""},
        {"setup.py": ""},
        {"README.md": ""},
    ],
)
def test_the_order(files: dict[str, str], wording: Any, tmp_path: Path):
    assert found(tmp_path, files).source == wording


def test_the_lock_of_its_workspace_counts(tmp_path: Path):
    workspace = "[tool.uv.workspace]\nmembers = ['back']\n"
    write(tmp_path, {"uv.lock": "", "pyproject.toml": workspace, "back/pyproject.toml": ""})
    assert find(layout(tmp_path, root=tmp_path / "back")).source == "uv.lock"


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["requirements.txt", "requirements-dev.txt"], ("requirements-dev.txt", "requirements.txt")),
        (["dev-requirements.txt", "test_requirements.txt"], ("dev-requirements.txt", "test_requirements.txt")),
        (["requirements.in", "requirements.txt"], ("requirements.txt",)),
        (["requirements/base.txt", "requirements/test.txt", "requirements/docs.txt"], ("requirements/base.txt", "requirements/test.txt")),
        (["requirements-docs.txt", "requirements.txt"], ("requirements.txt",)),
    ],
)  # fmt: skip
def test_requirements_files(names: list[str], chosen: tuple[str, ...], tmp_path: Path):
    assert found(tmp_path, dict.fromkeys(names, "")).files == chosen


@pytest.mark.parametrize(
    ("files", "pins"),
    [
        ({"requirements.txt": "-r more/a.txt\nsix\n", "more/a.txt": "Py.Test==8\n"}, {"py-test": "more/a.txt"}),
        ({"pyproject.toml": BUILDABLE + "dependencies = ['a==1', 'b>1', 5]\n"}, {"a": "pyproject.toml"}),
    ],
)  # fmt: skip
def test_which_files_name_exact_versions(files: dict[str, str], pins: dict[str, str], tmp_path: Path):
    assert found(tmp_path, files).pins == pins


def test_groups_and_extras_that_name_tests(tmp_path: Path):
    text = (
        BUILDABLE
        + "[project.optional-dependencies]\ntest = []\ndocs = []\n[dependency-groups]\nDev = []\nlint = []\n"
    )
    one = found(tmp_path, {"pyproject.toml": text})
    assert (one.project, one.groups) == (".[test]", ("Dev",))


def test_a_project_that_is_not_built_gives_its_dependencies(tmp_path: Path):
    text = "[project]\nname = 'x'\nversion = '0'\ndependencies = ['attrs']\n[project.optional-dependencies]\ntest = ['six']\n"
    one = found(tmp_path, {"pyproject.toml": text})
    assert (one.project, set(one.requirements)) == ("", {"attrs", "six"})


@pytest.mark.parametrize(
    "text",
    ["dependency-groups = 3\n", "[tool]\npoetry = 'x'\n", "[project]\ndependencies = 'x'\n", "[tool.poetry.group]\ntest = []\n"],
)  # fmt: skip
def test_tables_of_another_shape_are_not_understood(text: str, tmp_path: Path):
    one = found(tmp_path, {"pyproject.toml": text})
    assert (one.source, len(one.unread)) == ("pyproject.toml", 1)


POETRY = """
[[package]]
name = "one"
version = "1.0"
[[package]]
name = "two"
version = "2.0"
markers = "python_version < '3.9'"
[[package]]
name = "three"
version = "3"
[package.source]
type = "git"
url = "https://example.org/three.git"
resolved_reference = "abc"
[[package]]
name = "four"
version = "4"
markers = {main = "a == 'b'", dev = "c == 'd'"}
"""


def test_what_poetry_has_locked(tmp_path: Path):
    one = found(tmp_path, {"poetry.lock": POETRY, "pyproject.toml": BUILDABLE})
    assert one.requirements == (
        "one==1.0",
        "two==2.0 ; python_version < '3.9'",
        "three @ git+https://example.org/three.git@abc",
        "four==4 ; (a == 'b') or (c == 'd')",
    )
    assert (one.locked, one.project) == (True, ".")


def test_what_pipenv_has_locked(tmp_path: Path):
    text = '{"default": {"A_b": {"version": "==1", "extras": ["x"]}}, "develop": {"c": {"git": "https://e.org/c", "ref": "f"}}}'
    assert found(tmp_path, {"Pipfile.lock": text}).requirements == ("a-b[x]==1", "c @ git+https://e.org/c@f")


@pytest.mark.parametrize(
    ("files", "kept"),
    [
        ({"requirements.txt": "a==1\n-e .\n"}, True),
        ({"requirements.txt": "./vendor/pkg\n"}, False),
        ({"requirements.txt": "a @ file:///x/a\n"}, False),
        ({"poetry.lock": POETRY}, True),
        ({"poetry.lock": POETRY.replace('"git"', '"directory"')}, False),
    ],
)
def test_copies_of_folders_are_not_kept(files: dict[str, str], kept: bool, tmp_path: Path):
    assert found(tmp_path, files).can_be_kept is kept


@pytest.mark.parametrize("name", ["poetry.lock", "pdm.lock", "Pipfile.lock"])
def test_a_lock_that_cannot_be_read_says_so(name: str, tmp_path: Path):
    with pytest.raises(ToolError, match=f"{name} cannot be read"):
        found(tmp_path, {name: "{[oops"})


@pytest.mark.parametrize(
    ("name", "before"), [("poetry.lock", "x = "), ("pdm.lock", "x = "), ("Pipfile.lock", "")]
)
def test_a_lock_that_is_nested_without_an_end_says_so(name: str, before: str, tmp_path: Path):
    with pytest.raises(ToolError, match=f"{name} cannot be read"):
        found(tmp_path, {name: before + "[" * 100_000 + "]" * 100_000})


UNBUILT = """[tool.poetry]
name = "x"
[tool.poetry.dependencies]
python = "^3.11"
attrs = [{version = "<24", python = "<3.9"}, {version = "^25", python = ">=3.9"}]
part = {path = "vendor/part"}
extra = {version = "^1", optional = true}
[tool.poetry.group.test.dependencies]
six = "~1.16"
odd = {version = 3}
[tool.poetry.group.docs.dependencies]
sphinx = "*"
"""


def test_a_poetry_project_without_a_build_system_gets_its_dependencies(tmp_path: Path):
    one = found(tmp_path, {"pyproject.toml": UNBUILT, "vendor/part/pyproject.toml": ""})
    assert one.project == ""
    assert sorted(one.requirements) == [
        'attrs (<24) ; python_version < "3.9"',
        'attrs (>=25,<26) ; python_version >= "3.9"',
        f"part @ {(tmp_path / 'vendor' / 'part').as_uri()}",
        "six (>=1.16,<1.17)",
    ]
    assert [entry.partition(":")[0] for entry in one.unread] == ["tool.poetry.group.test.odd"]


def test_a_poetry_project_that_is_built_brings_its_own_dependencies(tmp_path: Path):
    text = UNBUILT + "[build-system]\nrequires = ['poetry-core']\n"
    one = found(tmp_path, {"pyproject.toml": text, "vendor/part/pyproject.toml": ""})
    assert (one.project, one.requirements) == (".", ("six (>=1.16,<1.17)",))


@pytest.mark.parametrize(
    ("chosen", "files", "pyproject", "request_", "source"),
    [
        ("3.12", {".python-version": "3.11\n"}, {}, "3.12", "python-version"),
        ("", {".python-version": "# ours\n3.11.4\n"}, {}, "3.11.4", ".python-version"),
        ("", {".python-version": "; rm -rf /\n"}, {"project": {"requires-python": ">=3.9"}}, ">=3.9", "requires-python"),
        ("", {".python-version": "my-project\n"}, {}, "", ""),
        ("", {".python-version": "pypy3.10\n"}, {}, "pypy3.10", ".python-version"),
        ("", {}, {"tool": {"poetry": {"dependencies": {"python": "^3.9"}}}}, "<4.0,>=3.9", "tool.poetry.dependencies.python"),
        ("", {}, {"tool": {"poetry": {"dependencies": {"python": 3}}}}, "", ""),
        ("", {"setup.cfg": "[options]\npython_requires = >=3.8, <3.13\n"}, {}, ">=3.8, <3.13", "setup.cfg: python_requires"),
        ("", {"setup.cfg": "[options]\npython_requires = file: x\n"}, {}, "", ""),
        ("", {"setup.py": "setup(\n    python_requires='>=3.8,<3.13',\n)"}, {}, ">=3.8,<3.13", "setup.py: python_requires"),
        ("", {}, {}, "", ""),
    ],
)  # fmt: skip
def test_which_python(chosen, files, pyproject, request_, source, tmp_path: Path):
    write(tmp_path, files)
    assert python_request(layout(tmp_path, pyproject=pyproject), chosen) == (request_, source)
