"""Which groups and extras are installed: those that a setting names, else those for tests."""

import tomllib
from pathlib import Path

import pytest
from support.builders import layout, write

from ci_action.project.dependencies.asked import Asked
from ci_action.project.dependencies.discover import find
from ci_action.project.dependencies.selection import for_tests, select, selection_mistakes


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["docs", "test", "Dev", "lint"], ("test", "Dev")),
        (["coverage", "cov", "tests"], ("coverage", "cov", "tests")),
        (["test_deps", "unit.tests"], ("test_deps", "unit.tests")),
        (["test-core", "docs"], ("test-core",)),
        (["test-core", "dev"], ("dev",)),
        (["latest", "docs"], ()),
    ],
)
def test_names_for_tests(names: list[str], chosen: tuple[str, ...]):
    assert for_tests(names) == chosen


def at(folder: Path, text: str, **files: str):
    write(folder, {"pyproject.toml": text, **files})
    return layout(folder, pyproject=tomllib.loads(text))


@pytest.mark.parametrize(
    ("dev", "others", "chosen"),
    [
        ("'just'", "test-unit = ['PyTest>=9', 'attrs']\ntest-docs = ['sphinx']\n", ("dev", "test-unit")),
        ("'pytest'", "test-unit = ['pytest', 'attrs']\n", ("dev",)),
        ("{include-group = 'Base'}", "base = ['pytest']\ntest-unit = ['pytest']\n", ("dev",)),
        ("{include-group = 'dev'}", "a-test = [{include-group = 'b'}]\nb = ['pytest']\n", ("dev", "a-test")),
        ("1, {x = 1}, '!'", "test-x = ['pytest-cov']\n", ("dev",)),
    ],
)
def test_groups_with_pytest_if_the_usual_ones_lack_it(dev, others, chosen, tmp_path: Path):
    found = select(at(tmp_path, f"[dependency-groups]\ndev = [{dev}]\n{others}"))
    assert found.groups == chosen


GROUPS = "[dependency-groups]\ndev = []\nlint = []\nDocs_Site = []\n"
EXTRAS = "[project]\nname = 'x'\nversion = '1'\n[project.optional-dependencies]\ncov = []\nhttp2 = []\n"


@pytest.mark.parametrize(
    ("groups", "extras", "expected"),
    [
        ((), (), (("dev",), ("cov",))),
        (("lint",), (), (("lint",), ())),
        (("docs-site",), ("HTTP2",), (("Docs_Site",), ("http2",))),
    ],
)
def test_a_setting_replaces_the_automatic_choice(groups, extras, expected, tmp_path: Path):
    chosen = select(at(tmp_path, EXTRAS + GROUPS), groups, extras)
    assert (chosen.groups, chosen.extras) == expected


def test_what_the_runner_installs_is_added_if_the_project_has_it(tmp_path: Path):
    runner = Asked(groups=("lint", "absent"), extras=("HTTP2",))
    chosen = select(at(tmp_path, EXTRAS + GROUPS), runner=runner)
    assert (chosen.groups, chosen.extras) == (("dev", "lint"), ("cov", "http2"))


def test_of_groups_that_exclude_each_other_the_first_counts(tmp_path: Path):
    text = GROUPS + "[tool.uv]\nconflicts = [[{group = 'dev'}, {group = 'lint'}], 3, [{extra = 'dev'}]]\n"
    chosen = select(at(tmp_path, text), runner=Asked(groups=("lint", "Docs-Site")))
    assert chosen.groups == ("dev", "Docs_Site")


@pytest.mark.parametrize(
    ("groups", "extras", "shown"),
    [
        (("a",), (), "group a"),
        (("dev", "lint"), ("cov",), "groups dev, lint and extra cov"),
    ],
)
def test_the_selection_for_people(groups, extras, shown, tmp_path: Path):
    assert select(layout(tmp_path), groups, extras).shown == shown


@pytest.mark.parametrize(
    ("text", "files", "groups", "extras", "words"),
    [
        (GROUPS, {}, ("dev", "docs.site"), (), []),
        (GROUPS, {}, ("tests",), (), ["tests", "dev, lint, Docs_Site"]),
        (EXTRAS, {}, (), ("test",), ["test", "cov, http2"]),
        ("", {}, ("a",), (), ["none"]),
        ("[tool.poetry.group.a.dependencies]\nsix = '*'\n", {}, ("a",), (), []),
        ("[tool.poetry.dev-dependencies]\nsix = '*'\n[tool.poetry.extras]\nb = []\n", {}, ("dev",), ("b",), []),
        ("[tool.pdm.dev-dependencies]\na = []\n", {}, ("a",), (), []),
        ("[tool.uv]\ndev-dependencies = ['six']\n", {}, ("dev",), (), []),
        ("[tool.hatch.envs.a]\n", {}, ("a",), (), []),
        ("", {"setup.cfg": "[options.extras_require]\na-b =\n  six\n"}, (), ("a_b",), []),
        ("", {"setup.py": ""}, (), ("anything",), []),
        ("[project]\nname = 'x'\ndynamic = ['optional-dependencies']\n", {}, (), ("anything",), []),
    ],
)  # fmt: skip
def test_unknown_names(text, files, groups, extras, words, tmp_path: Path):
    found = list(selection_mistakes(at(tmp_path, text, **files), groups, extras))
    assert len(found) == bool(words)
    assert all(word in found[0] for word in words)


BUILT = "[build-system]\nrequires = ['hatchling']\n"
POETRY = """
[[package]]
name = "main"
version = "1"
[package.dependencies]
below = "*"
[[package]]
name = "below"
version = "1"
[[package]]
name = "six"
version = "1"
[[package]]
name = "sphinx"
version = "1"
[[package]]
name = "driver"
version = "1"
optional = true
"""
NAMES = """
[tool.poetry]
name = "x"
[tool.poetry.dependencies]
python = "^3.9"
main = "*"
driver = {version = "*", optional = true}
[tool.poetry.extras]
db = ["driver"]
[tool.poetry.group.test.dependencies]
six = "*"
[tool.poetry.group.docs]
optional = true
[tool.poetry.group.docs.dependencies]
sphinx = "*"
"""


@pytest.mark.parametrize(
    ("groups", "extras", "names"),
    [
        ((), (), {"main", "below", "six"}),
        (("docs",), (), {"main", "below", "sphinx"}),
        (("test",), ("db",), {"main", "below", "six", "driver"}),
    ],
)
def test_what_poetry_installs_of_its_lock(groups, extras, names, tmp_path: Path):
    made = at(tmp_path, NAMES, **{"poetry.lock": POETRY})
    lines = find(made, select(made, groups, extras)).requirements
    assert {line.partition("==")[0] for line in lines} == names


@pytest.mark.parametrize(
    ("groups", "extras", "words"),
    [
        ((), (), ("--group=dev", "--extra=cov")),
        (("lint",), (), ("--no-default-groups", "--group=lint")),
        ((), ("http2",), ("--no-default-groups", "--extra=http2")),
    ],
)
def test_options_of_uv(groups, extras, words, tmp_path: Path):
    made = at(tmp_path, EXTRAS + GROUPS, **{"uv.lock": ""})
    assert find(made, select(made, groups, extras)).sync == words


def test_groups_without_a_lock(tmp_path: Path):
    text = (
        BUILT
        + "[tool.pdm.dev-dependencies]\na = ['six']\nb = ['attrs']\n[tool.hatch.envs.c]\ndependencies = ['pluggy']\n"
    )
    made = at(tmp_path, text)
    assert set(find(made).requirements) == {"six", "attrs"}
    assert find(made, select(made, ["a"])).requirements == ("six",)
    assert find(made, select(made, ["c"])).requirements == ("pluggy",)


def test_extras_of_a_setup_file_are_only_known_after_a_build(tmp_path: Path):
    made = at(tmp_path, "", **{"setup.py": ""})
    assert find(made).hidden_extras
    assert not find(made, select(made, (), ["testing"])).hidden_extras
    assert find(made, select(made, (), ["testing"])).project == ".[testing]"
