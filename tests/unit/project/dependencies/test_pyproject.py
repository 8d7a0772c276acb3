"""Poetry's tables: every form of an entry, and invalid ones."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from ci_action.project.dependencies.pyproject import (
    is_optional,
    own_names,
    poetry_entries,
    poetry_requirements,
)


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ("^1.2", ("a (>=1.2,<2.0)",)),
        ("^0.2.3", ("a (>=0.2.3,<0.3.0)",)),
        ("^0", ("a (>=0,<1)",)),
        ("~1.2", ("a (>=1.2,<1.3)",)),
        ("1.2", ("a (==1.2)",)),
        ("*", ("a",)),
        ("<1 || >=3", ("a (>=3)",)),
        ("!=1.3", ("a (!=1.3)",)),
        ({"version": "~1.2", "extras": ["x"], "markers": "sys_platform == 'win32'"}, ('a[x] (>=1.2,<1.3) ; sys_platform == "win32"',)),
        ({"version": "^1", "python": "<3.9"}, ('a (>=1,<2) ; python_version < "3.9"',)),
        ({"git": "https://e.org/a", "tag": "v1"}, ("a @ git+https://e.org/a@v1",)),
        ({"url": "https://e.org/a-1.0.tar.gz"}, ("a @ https://e.org/a-1.0.tar.gz",)),
        ({"source": "corp"}, ("a",)),
        ([{"version": "<2", "python": "<3.9"}, {"version": ">=2", "python": ">=3.9"}],
         ('a (<2) ; python_version < "3.9"', 'a (>=2) ; python_version >= "3.9"')),
    ],
)  # fmt: skip
def test_what_poetry_asks_for(value: object, lines: tuple[str, ...], tmp_path: Path):
    assert poetry_requirements("a", value, tmp_path) == lines


def test_a_path_is_relative_to_the_project(tmp_path: Path):
    (tmp_path / "part").mkdir()
    line = f"a @ {(tmp_path / 'part').as_uri()}"
    assert poetry_requirements("a", {"path": "./part", "develop": True}, tmp_path) == (line,)


@pytest.mark.parametrize(
    "value", ["no version!", 3, [], [5], {"version": 3}, {"path": "absent"}, "", {"git": 1}]
)
def test_what_is_not_understood_is_an_error(value: object, tmp_path: Path):
    with pytest.raises(ValueError, match=r"."):
        poetry_requirements("a", value, tmp_path)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["^1", "~2.1", "*", ">=1,<3"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["version", "python", "markers", "extras", "git", "url", "optional"]), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(name=st.text(max_size=6) | st.just("a"), value=_VALUES)
def test_an_entry_is_a_requirement_or_an_error(name: str, value: object):
    try:
        lines = poetry_requirements(name, value, Path("/nonexistent"))
    except ValueError:
        return
    assert lines
    assert all(Requirement(line) for line in lines)


def test_what_only_adds_to_a_requirement_of_the_project_is_none():
    document = {
        "project": {"dependencies": ["One>=1", "two"]},
        "tool": {"poetry": {"dependencies": {"python": "^3.11", "one": {"source": "corp"}, "two": {"git": "g"}, "three": "1"}}},
    }  # fmt: skip
    assert [name for _, name, _ in poetry_entries(document)] == ["two", "three"]


@pytest.mark.parametrize(
    ("value", "optional"),
    [("^1", False), ({"optional": True}, True), ({"optional": False}, False), ([{"version": "1"}, {"optional": True}], True)],
)  # fmt: skip
def test_what_needs_an_extra(value: object, optional: bool):
    assert is_optional(value) is optional


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ({}, set()),
        ({"project": {"name": "My.App"}}, {"my-app"}),
        ({"tool": {"poetry": {"name": "my_app"}}}, {"my-app"}),
        ({"project": {"name": 1}, "tool": {"poetry": []}}, set()),
        ({"project": [], "tool": {"poetry": {"name": ""}}}, set()),
    ],
)
def test_the_names_of_the_project_itself(document: dict[str, object], names: set[str]):
    assert own_names(document) == names
