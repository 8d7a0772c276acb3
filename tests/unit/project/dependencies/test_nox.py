"""The session of nox that runs pytest, and what it installs."""

from pathlib import Path

import pytest
from support.builders import layout, write

from ci_action.project.dependencies.nox import of_nox

HEAD = "import nox\nDEPS = ['pytest', 'six']\nNAME: str = 'attrs'\n\n"


def session(body: str, name: str = "tests", decorator: str = "@nox.session") -> str:
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    return f"{decorator}\ndef {name}(session):\n{lines}\n"


def asked(folder: Path, text: str):
    write(folder, {"noxfile.py": HEAD + text, "more.txt": ""})
    return of_nox(layout(folder))


RUN = "\nsession.run('pytest', *session.posargs)"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("session.install('pytest', '.[x]', '-r', 'more.txt')", {"requirements": ("pytest",), "extras": ("x",), "files": ("more.txt",)}),
        ("session.install(*DEPS, NAME)", {"requirements": ("pytest", "six", "attrs")}),
        ("session.install(f'{NAME}>=1', 'a' + 'b')", {"requirements": ("attrs>=1",)}),
        ("session.install('-e.', '--group=test')", {"groups": ("test",)}),
        ("session.install(*nox.project.dependency_groups(PYPROJECT, 'test', 'cov'))", {"groups": ("test", "cov")}),
        ("session.install(*PYPROJECT['dependency-groups']['test'])", {"groups": ("test",)}),
        ("session.install(*PYPROJECT['project']['optional-dependencies']['test'])", {"extras": ("test",)}),
        ("session.run('uv', 'sync', '--group', 'dev')", {"groups": ("dev",)}),
        ("session.run('poetry', 'install', '--with', 'dev', external=True)", {"groups": ("dev",)}),
        ("session.run('python', '-m', 'pip', 'install', 'six')", {"requirements": ("six",)}),
        ("with session.chdir('x'):\n    session.install('six')", {"requirements": ("six",)}),
        ("if ci:\n    session.install('six')", {}),
        ("other.install('six')", {}),
        ("session.install(str(path / 'x'), *unknown, 'six')", {"requirements": ("six",)}),
        ("helper(session)", {"requirements": ("pluggy",)}),
    ],
)  # fmt: skip
def test_what_a_session_installs(body: str, expected: dict[str, object], tmp_path: Path):
    helper = "def helper(s, more=1):\n    s.install('pluggy')\n    helper(s)\n"
    found = asked(tmp_path, helper + session(body + RUN))
    assert found is not None
    names = ("requirements", "files", "groups", "extras")
    assert {name: value for name in names if (value := getattr(found, name))} == expected


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (session("session.run('coverage', 'run', '-m', 'pytest')", "unit"), "noxfile.py: session unit"),
        (session("session.run('pytest')", "downstream") + session("session.run('pytest')"), "noxfile.py: session tests"),
        (session("session.run('pytest')", decorator="@session(python=['3.12'])"), "noxfile.py: session tests"),
        (session("session.run('pytest-of-mine')"), None),
        (session("session.run('pytest')", decorator="@other"), None),
        ("def tests(session): session.run('pytest')\n", None),
        ("def (\n", None),
    ],
)  # fmt: skip
def test_which_session_runs_pytest(text: str, source: str | None, tmp_path: Path):
    found = asked(tmp_path, text)
    assert (None if found is None else found.source) == source


@pytest.mark.parametrize(
    ("call", "tests"),
    [
        ("session.run('pytest', '--cov=x', 'tests')", ("tests",)),
        ("session.run('pytest', *(session.posargs or ['tests']))", ("tests",)),
        ("session.run('pytest', *session.posargs)", ()),
    ],
)
def test_what_pytest_is_started_with(call: str, tests: tuple[str, ...], tmp_path: Path):
    write(tmp_path, {"tests/x": ""})
    found = asked(tmp_path, session(f"session.install('six')\n{call}"))
    assert found is not None
    assert found.tests == tests


@pytest.mark.parametrize("text", ["(", "(" * 100_000, "x = " + "-" * 50_000 + "1"])
def test_what_cannot_be_read_installs_nothing(text: str, tmp_path: Path):
    assert asked(tmp_path, text) is None


@pytest.mark.parametrize(
    "body",
    [
        "words = ['pytest']\nsession.run(*words)",
        "if ci:\n    session.run('pytest')",
        "match ci:\n    case 1:\n        session.run('pytest')",
    ],
)
def test_what_may_be_different_when_it_runs_is_left_out(body: str, tmp_path: Path):
    assert asked(tmp_path, session(body)) is None
