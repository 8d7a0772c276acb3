"""What commands that install packages ask for."""

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import write

from ci_action.project.dependencies.asked import Asked, joined, of_command, of_words


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["pytest>=8", "attrs; python_version>'3.8'"], {"requirements": ("pytest>=8", "attrs; python_version>'3.8'")}),
        (["-r", "more/a.txt"], {"files": ("more/a.txt",)}),
        (["-rmore/a.txt", "--requirement=more/a.txt"], {"files": ("more/a.txt",)}),
        (["-c", "more/a.txt", "six"], {"constraints": ("more/a.txt",), "requirements": ("six",)}),
        (["-e", ".[test, cov]"], {"extras": ("test", "cov")}),
        (["-e.[test]"], {"extras": ("test",)}),
        ([".", "./"], {}),
        (["--group", "dev", "--group=docs"], {"groups": ("dev", "docs")}),
        (["--index-url", "https://x", "--upgrade", "-q", "six"], {"requirements": ("six",)}),
        (["git+https://example.org/a.git@main"], {"requirements": ("git+https://example.org/a.git@main",)}),
        (["-r", None, "six"], {"requirements": ("six",), "unread": 1}),
        (["-c", None, "six"], {"requirements": ("six",)}),
        ([None], {"unread": 1}),
        (["-r", "absent.txt"], {"unread": 1}),
        (["six\n--index-url=https://evil"], {"unread": 1}),
        (["$(id)", "{posargs}", "--group=a b"], {"unread": 3}),
    ],
)  # fmt: skip
def test_words(words: list[str | None], expected: dict[str, object], tmp_path: Path):
    write(tmp_path, {"more/a.txt": ""})
    found = of_words(words, tmp_path)
    seen = {
        name: getattr(found, name) for name in ("requirements", "files", "constraints", "groups", "extras")
    }
    seen["unread"] = len(found.unread)
    assert {name: value for name, value in seen.items() if value} == expected


def test_a_folder_of_the_project_is_named_by_its_whole_path(tmp_path: Path):
    write(tmp_path, {"part/pyproject.toml": ""})
    found = of_words(["-e", "part[x]", "./part"], tmp_path)
    assert found.requirements == (f"-e {tmp_path / 'part'}[x]", str(tmp_path / "part"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("pip install pytest", {"requirements": ("pytest",)}),
        ("py -m pip3 install -U pytest six", {"requirements": ("pytest", "six")}),
        ("A=1 pypy3 -m pip3 install .[test]", {"extras": ("test",)}),
        ("uv pip install --system six", {"requirements": ("six",)}),
        ("uv sync --locked --group dev --extra=cov", {"groups": ("dev",), "extras": ("cov",)}),
        ("uv run --group test pytest -x", {"groups": ("test",)}),
        ("uv run --with coverage pytest --group 3", {}),
        ("poetry install --with test,docs -E 'a b'", {"groups": ("test", "docs"), "extras": ("a", "b")}),
        ("pdm install -G test", {"groups": ("test",)}),
        ("pytest install", None),
        ("echo pip install six", None),
        ("", None),
    ],
)
def test_commands(line: str, expected: dict[str, object] | None, tmp_path: Path):
    found = of_command(shlex.split(line), tmp_path)
    if found is None:
        assert expected is None
        return
    assert {
        name: value for name in ("requirements", "groups", "extras") if (value := getattr(found, name))
    } == expected


def test_several_commands_are_one():
    parts = [Asked(requirements=("a",), extras=("x",)), Asked(requirements=("a", "b"))]
    assert joined(parts, "tox.ini") == Asked(source="tox.ini", requirements=("a", "b"), extras=("x",))
    assert not joined([], "tox.ini")


@given(st.lists(st.none() | st.text(max_size=30), max_size=8))
def test_no_word_becomes_an_option_or_a_second_line(words: list[str | None]):
    found = of_words(words, Path("/nowhere"))
    lines = (*found.requirements, *found.files, *found.constraints, *found.groups, *found.extras)
    assert not [line for line in lines if "\n" in line or "\r" in line]
    assert not [line for line in lines if line.startswith("-") and not line.startswith("-e /")]
