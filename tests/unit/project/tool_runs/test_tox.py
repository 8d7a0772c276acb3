"""The runs of tools in the environments of tox, and what is installed for them."""

from pathlib import Path

import pytest
from support.builders import write

from ci_action.project.config_files import load_toml
from ci_action.project.layout import Layout
from ci_action.project.tool_runs import tox
from ci_action.project.tool_runs.model import ToolRun

TOOLS = ("mypy", "pyright", "ty")
BUILD = '[build-system]\nrequires = ["hatchling"]\n'


def project(tmp_path: Path, files: dict[str, str]) -> Layout:
    folders = {"src/x.py": "", "tests/typing/x.py": ""}
    root = write(tmp_path / "project", {**folders, **files})
    return Layout(workspace=root, root=root, pyproject=load_toml(root / "pyproject.toml", root))


def runs(tmp_path: Path, **files: str) -> list[ToolRun]:
    named = {name.replace("__", "."): text for name, text in files.items()}
    return list(tox.runs(project(tmp_path, named), TOOLS))


def test_an_environment_of_its_own(tmp_path: Path):
    ini = (
        "[tox]\nenv_list = type\n[testenv]\nextras = tests\n[testenv:type]\nbasepython = python3.12\n"
        "deps =\n  mypy==1.11.2\n  types-requests ; python_version > '3'\n  -r typing.txt\nset_env =\n  MYPYPATH = stubs\n"
        "  LD_PRELOAD = x.so\ncommands =\n  mypy {posargs:src tests}\n"
    )
    found = runs(tmp_path, tox__ini=ini, pyproject__toml=BUILD, typing__txt="attrs\n")
    (run,) = found
    assert (run.tool, run.words, run.source) == ("mypy", ("src", "tests"), "tox.ini: type")
    assert (run.pythons, dict(run.variables)) == (("3.12",), {"MYPYPATH": "stubs"})
    assert run.needs is not None
    file = tmp_path / "project" / "typing.txt"
    assert run.needs.requirements == ("mypy==1.11.2", "types-requests ; python_version > '3'", f"-r {file}")
    assert run.needs.project == ".[tests]"


def test_conditions_and_several_pythons(tmp_path: Path):
    ini = (
        "[tox]\nenv_list = 3.1{0-2}-{tests,mypy}, typing-{mypy,ty}\n[testenv]\ndependency_groups =\n  mypy: typing\n"
        "commands =\n  tests: pytest\n  mypy: mypy tests/typing\n[testenv:typing-{mypy,ty}]\nskip_install = true\n"
        "deps = ty: ty\ncommands =\n  mypy: mypy src\n  ty: ty check\n"
    )
    found = runs(tmp_path, tox__ini=ini, pyproject__toml=BUILD)
    assert [(run.tool, run.words, run.pythons) for run in found] == [
        ("mypy", ("tests/typing",), ("3.10", "3.11", "3.12")),
        ("mypy", ("src",), ()),
        ("ty", (), ()),
    ]
    assert [run.needs and (run.needs.groups, run.needs.project, run.needs.requirements) for run in found] == [
        (("typing",), ".", ()),
        (("typing",), "", ()),
        ((), "", ("ty",)),
    ]


@pytest.mark.parametrize("name", ["tox__toml", "pyproject__toml"])
def test_the_form_of_toml(tmp_path: Path, name: str):
    table = "" if name == "tox__toml" else "tool.tox."
    own = 'env_list = ["type"]' if not table else '[tool.tox]\nenv_list = ["type"]'
    text = (
        f'{own}\n[{table}env_run_base]\npackage = "wheel"\n[{table}env.type]\ndeps = ["mypy"]\n'
        'commands = [["mypy", "src", { replace = "posargs", default = ["tests"] }], ["pyright", "--verifytypes", "x"]]\n'
    )
    found = runs(tmp_path, **{name: text})
    assert [(run.tool, run.words) for run in found] == [
        ("mypy", ("src", "tests")),
        ("pyright", ("--verifytypes", "x")),
    ]
    assert found[0].needs is not None
    assert found[0].needs.requirements == ("mypy",)


def test_a_lock_of_uv(tmp_path: Path):
    ini = "[testenv:type]\nrunner = uv-venv-lock-runner\ndependency_groups = typing\ncommands = mypy\n"
    found = runs(tmp_path, tox__ini=ini, pyproject__toml=BUILD, uv__lock="version = 1\n")
    assert found[0].needs is not None
    assert found[0].needs.sync == ("--no-default-groups", "--group=typing")


def test_references_and_ignored_failures(tmp_path: Path):
    ini = "[base]\npaths = src\n[testenv:type]\nchangedir = sub\ncommands =\n  - mypy {[base]paths} {toxinidir}/x\n"
    (run,) = runs(tmp_path, tox__ini=ini)
    assert run.words == ("src", str(tmp_path / "project" / "x"))
    assert (run.advisory, run.folder) == (True, "sub")


def test_a_word_that_only_tox_can_replace(tmp_path: Path):
    (run,) = runs(tmp_path, tox__ini="[testenv:type]\ncommands = mypy {envsitepackagesdir}/x\n")
    assert run.unresolved


@pytest.mark.parametrize("text", ["[testenv\n", "testenv = 1\n"])
def test_a_file_that_cannot_be_read(tmp_path: Path, text: str):
    with pytest.raises(ValueError, match=r"\S"):
        runs(tmp_path, tox__ini=text)
