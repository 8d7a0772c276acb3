"""Settings that are patterns of paths: what they become, and what is said of wrong ones."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import resolved

from ci_action.settings.resolve import from_pyproject, resolve
from ci_action.system.errors import SettingsError

TABLE = """
[tool.ci-action.areas]
api = ["src/api/", "tests/api/"]
docs = "docs/, *.md"
"""


def areas(given: Any) -> list[tuple[str, tuple[str, ...]]]:
    return [(area.name, area.patterns) for area in resolved(areas=given).settings.areas]


@pytest.mark.parametrize(
    "given",
    [
        "api: src/api/, tests/api/\n\n docs :docs/,*.md \n",
        ["api: src/api/,tests/api/", "docs: docs/, *.md"],
        ("api: src/api/,tests/api/", "docs: docs/, *.md"),
        {"api": ["src/api/", "tests/api/"], "docs": "docs/, *.md"},
    ],
)
def test_areas_as_a_text_as_flags_and_as_a_table(given: Any):
    assert areas(given) == [("api", ("src/api/", "tests/api/")), ("docs", ("docs/", "*.md"))]


def test_areas_in_pyproject(wording: Any):
    table, mistakes = from_pyproject(tomllib.loads(TABLE), "pyproject.toml")
    assert mistakes == []
    found = resolve(("pyproject.toml", table)).chosen()["areas"]
    assert found == [wording, "docs: docs/, *.md"]
    assert areas(found) == areas(table["areas"])


@pytest.mark.parametrize(
    "given",
    [
        "api",
        ": src/",
        "api: ,",
        {"api": []},
        {" ": ["src/"]},
        {"api": 3},
        {"api": [3]},
        "api: !",
        "api: [z-a]",
    ],
)
def test_areas_that_are_none(given: Any, wording: Any):
    with pytest.raises(SettingsError) as error:
        resolved(areas=given)
    assert str(error.value.mistakes) == wording


@pytest.mark.parametrize("given", ["*.snap, docs/\n", ["*.snap", "docs/"]])
def test_patterns_for_the_size(given: Any):
    assert resolved(size_ignore=given).settings.size_ignore == ("*.snap", "docs/")


@pytest.mark.parametrize("given", ["!", "\\", "a,[z-a]", [3]])
def test_patterns_that_are_none_never_wait_until_they_are_used(given: Any):
    with pytest.raises(SettingsError) as error:
        resolved(size_ignore=given)
    assert "size-ignore" in str(error.value.mistakes)


@given(st.lists(st.text(max_size=8), max_size=4))
def test_what_was_taken_can_be_matched(patterns: list[str]):
    from pathspec import GitIgnoreSpec

    try:
        found = resolved(size_ignore=patterns, areas={"x": patterns}).settings
    except SettingsError:
        return
    GitIgnoreSpec.from_lines(found.size_ignore).match_file("a/b")
    assert all(area.spec.match_file("a/b") in {True, False} for area in found.areas)
