"""The sessions of a noxfile.py as values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.project.nox import UNKNOWN, Call, Session, sessions

HEAD = """
from pathlib import Path
HERE = Path(__file__).parent.resolve()
NAMES: list[str] = ["a", "b"]
VERSIONS = ("3.11", "3.12")
"""


def calls(body: str, *, constants: bool = False) -> tuple[Call, ...]:
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    (one,) = sessions(f"{HEAD}@nox.session\ndef s(it, x=1):\n{lines}", constants=constants)
    return one.calls


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("'x', *NAMES, *['y', *NAMES]", ("x", "a", "b", "y", "a", "b")),
        ("*it.posargs, *(it.posargs or NAMES)", ("a", "b")),
        ("*nox.project.dependency_groups(TOML, 'x', unknown)", ("--group=x",)),
        ("*TOML['dependency-groups']['x']", ("--group=x",)),
        ("*TOML['project']['optional-dependencies']['x']", ("--extra=x",)),
        ("*TOML['other']['x'], *unknown, unknown, 3", (UNKNOWN,) * 4),
        ("HERE / 'x.txt', str(HERE / 'sub')", ("x.txt", "sub")),
        ("f'{HERE}/x', f'a{unknown}'", ("./x", f"a{UNKNOWN}")),
    ],
)
def test_words(words: str, expected: tuple[str, ...]):
    assert [one.words for one in calls(f"it.run({words})")] == [expected]


def test_calls():
    body = "it.install('x')\nother.run('no')\nit.notify('no')\nif ci:\n    it.run('y', env={'A': '1'})\nit.run_always('z')"
    assert calls(body) == (
        Call("install", ("x",)),
        Call("run", ("y",), {"A": "1"}, sometimes=True),
        Call("run_always", ("z",)),
    )


def test_variables_of_a_session():
    body = "words = ['x']\nit.run(*words)"
    assert [one.words for one in calls(body)] == [("x",)]
    assert [one.words for one in calls(body, constants=True)] == [(UNKNOWN,)]


def test_other_functions_that_get_the_session():
    text = (
        "def help(s):\n    s.run('x')\n    help(s)\n    other(s)\n"
        "@session\ndef t(session):\n    if ci:\n        help(session)\n    help(1)\n"
    )
    (one,) = sessions(text)
    assert one.calls == (Call("run", ("x",), sometimes=True, helper=True),)


@pytest.mark.parametrize(
    ("decorator", "pythons"),
    [
        ("@nox.session", ()),
        ("@nox.session(python='3.12')", ("3.12",)),
        ("@session(py=VERSIONS)", ("3.11", "3.12")),
        ("@nox.session(python=False)", ()),
    ],
)
def test_versions_of_python(decorator: str, pythons: tuple[str, ...]):
    assert sessions(f"{HEAD}{decorator}\ndef s(session): ...\n") == [Session("s", pythons, ())]


@pytest.mark.parametrize("text", ["", "def s(session): session.run('x')", "@other\ndef s(session): ..."])
def test_no_session(text: str):
    assert sessions(text) == []


@pytest.mark.parametrize("text", ["def (", "\0", "(" * 100_000])
def test_another_text_is_refused(text: str):
    with pytest.raises((ValueError, RecursionError)):
        sessions(text)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str):
    try:
        assert isinstance(sessions(text), list)
    except ValueError:
        return
