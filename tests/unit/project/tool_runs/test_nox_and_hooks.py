"""The sessions of nox and the hooks of pre-commit, with what is installed for them."""

from pathlib import Path

import pytest
from support.builders import write

from ci_action.project.config_files import load_toml
from ci_action.project.layout import Layout
from ci_action.project.tool_runs import nox, pre_commit
from ci_action.project.tool_runs.model import HookFiles, ToolRun

TOOLS = ("mypy", "pyright", "ty")
BUILD = '[build-system]\nrequires = ["hatchling"]\n'


def project(tmp_path: Path, files: dict[str, str]) -> Layout:
    folders = {"src/x.py": "", "tests/typing/x.py": ""}
    root = write(tmp_path / "project", {**folders, **files})
    return Layout(workspace=root, root=root, pyproject=load_toml(root / "pyproject.toml", root))


def sessions(tmp_path: Path, text: str) -> list[ToolRun]:
    files = {"noxfile.py": text, "pyproject.toml": BUILD, "req.txt": ""}
    return list(nox.runs(project(tmp_path, files), TOOLS))


def test_literals_of_a_session(tmp_path: Path):
    text = (
        "import nox\nfrom pathlib import Path\nROOT = Path(__file__).parent\nTOML = ROOT / 'pyproject.toml'\n"
        "DIRS = ['src', 'tests']\n\n@nox.session(python=['3.11', '3.12'])\ndef typing(session):\n"
        "    session.install('mypy==1.11.2', '-r', 'req.txt', '-e', '.[dev]')\n"
        "    session.install(*nox.project.dependency_groups(TOML, 'types'))\n"
        "    session.run('mypy', '--config-file', TOML, *DIRS, *session.posargs, env={'MYPYPATH': 'stubs'})\n"
    )
    (run,) = sessions(tmp_path, text)
    assert run.words == ("--config-file", "pyproject.toml", "src", "tests")
    assert (run.pythons, run.variables) == (("3.11", "3.12"), {"MYPYPATH": "stubs"})
    assert run.needs is not None
    assert run.needs.requirements == ("mypy==1.11.2", f"-r {tmp_path / 'project' / 'req.txt'}")
    assert (run.needs.groups, run.needs.project) == (("types",), ".[dev]")


def test_uv_in_a_session(tmp_path: Path):
    text = (
        "@session\ndef types(s):\n    s.run_install('uv', 'sync', '--group', 'types', '--extra=x')\n"
        "    s.run('python', '-m', 'mypy', 'src')\n"
    )
    (run,) = sessions(tmp_path, text)
    assert run.words == ("src",)
    assert run.needs is not None
    assert run.needs.sync == ("--group=types", "--extra=x")


def test_arguments_that_are_not_literal(tmp_path: Path):
    text = "@nox.session\ndef types(session):\n    session.run('mypy', *files())\n"
    (run,) = sessions(tmp_path, text)
    assert run.unresolved
    assert run.needs is None


@pytest.mark.parametrize("text", ["def x(:  # mypy\n", "x = mypy(\n"])
def test_a_file_that_is_not_python(tmp_path: Path, text: str):
    with pytest.raises(ValueError, match="line 1"):
        sessions(tmp_path, text)


def hooks(tmp_path: Path, text: str) -> list[ToolRun]:
    files = {".pre-commit-config.yaml": text, "pyproject.toml": BUILD}
    return list(pre_commit.runs(project(tmp_path, files), TOOLS))


def test_the_mirror_of_mypy(tmp_path: Path):
    text = (
        "exclude: ^docs/\nrepos:\n- repo: https://github.com/pre-commit/mirrors-mypy\n  rev: v1.11.2\n  hooks:\n"
        "  - id: mypy\n    files: ^src/\n    additional_dependencies: [attrs>=20, types-requests]\n"
    )
    (run,) = hooks(tmp_path, text)
    assert run.words == ("--ignore-missing-imports", "--scripts-are-modules")
    assert (run.version, run.given) == ("==1.11.2", HookFiles(("^src/",), ("^docs/",)))
    assert run.needs is not None
    assert (run.needs.requirements, run.needs.project) == (("attrs>=20", "types-requests"), "")


def test_a_frozen_revision(tmp_path: Path):
    text = (
        "repos:\n- repo: https://github.com/pre-commit/mirrors-mypy\n"
        "  rev: 41e691678310dfd3833f7ab4e180ddb014310356  # frozen: v2.3.0\n  hooks:\n  - id: mypy\n    args: []\n"
        "    pass_filenames: false\n"
    )
    (run,) = hooks(tmp_path, text)
    assert (run.version, run.words, run.given) == ("==2.3.0", (), None)


@pytest.mark.parametrize(
    ("hook", "words", "own"),
    [
        ("entry: uv run mypy src\n    language: system\n    pass_filenames: false", ("src",), False),
        ("entry: mypy\n    language: python\n    additional_dependencies: [mypy==1.4]", (), True),
    ],
)
def test_local_hooks(tmp_path: Path, hook: str, words: tuple[str, ...], *, own: bool):
    (run,) = hooks(tmp_path, f"repos:\n- repo: local\n  hooks:\n  - id: types\n    {hook}\n")
    assert run.words == words
    assert (run.needs is not None) is own


@pytest.mark.parametrize(
    "text",
    [
        "repos:\n- repo: x\n  rev: v1\n  hooks:\n  - id: mypy\n    stages: [manual]\n",
        "default_stages: [manual]\nrepos:\n- repo: x\n  rev: v1\n  hooks:\n  - id: mypy\n",
        "repos:\n- repo: x\n  rev: v1\n  hooks:\n  - id: black\n",
        "repos: 3\n",
        "[]\n",
    ],
)
def test_hooks_that_do_not_run(tmp_path: Path, text: str):
    assert hooks(tmp_path, text) == []
