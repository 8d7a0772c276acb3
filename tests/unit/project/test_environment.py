"""Making environments: what uv is told, what it says, and what the project's code must not find."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, completed, layout

from ci_action.project.dependencies.asked import Asked
from ci_action.project.dependencies.discover import Dependencies
from ci_action.project.environment import (
    ADDED,
    Builder,
    Environment,
    environment_of_project,
    python_variables,
)
from ci_action.system.errors import ToolError
from ci_action.system.folder import Owner
from ci_action.system.process import Command, Completed

ME = Owner(uid=os.getuid(), gid=os.getgid())


def builder(folder: Path, run: FakeRun | None = None, owner: Owner | None = None, **environ: str) -> Builder:
    workspace = folder / "w"
    workspace.mkdir(exist_ok=True)
    tempdir = folder / "tempdir"
    tempdir.mkdir(exist_ok=True)
    return Builder(
        uv=Path("/bin/uv"),
        run=run or FakeRun(),
        layout=layout(workspace),
        environ=environ,
        tempdir=tempdir,
        cache=folder / "cache",
        timeout=9,
        owner=owner,
    )


def test_credentials_of_an_index_are_there_while_packages_are_installed_and_gone_after(tmp_path: Path):
    (tmp_path / ".netrc").write_text("machine index.example login u password p\n")
    made = builder(tmp_path, owner=ME, HOME=str(tmp_path))
    copy = Path(made.variables()["NETRC"])
    assert copy.read_text() == (tmp_path / ".netrc").read_text()
    assert copy.stat().st_mode & 0o077 == 0
    made.forget()
    assert not copy.exists()


def test_without_another_user_the_credentials_stay_where_they_are(tmp_path: Path):
    (tmp_path / ".netrc").write_text("x")
    assert "NETRC" not in builder(tmp_path, HOME=str(tmp_path)).variables()


@pytest.mark.parametrize(
    "stderr",
    [
        "error: No solution found\n  cause: Because x is not there\n",
        "error: Failed to build `x`\n" + "  line\n" * 90 + "hint: Build failures usually indicate\n",
        "something\nelse\n",
        "",
    ],
    ids=["with causes", "a long log", "words of its own", "no words"],
)
def test_the_reason_of_a_failed_install_is_what_uv_says(stderr: str, tmp_path: Path, wording: Any):
    run = FakeRun(uv=completed(stderr=stderr, returncode=1))
    with pytest.raises(ToolError) as caught:
        builder(tmp_path, run).pip("/python", "x")
    assert caught.value.reason == wording


def test_what_an_environment_is_made_of_decides_whether_it_is_kept(tmp_path: Path):
    made = builder(tmp_path)
    lock = tmp_path / "w" / "uv.lock"
    lock.write_text("one")
    one = Dependencies(source="uv.lock", inputs=(lock,))
    first = made._folder(one, "3.12", ["pytest"])
    assert made._folder(one, "3.12", ["pytest"]) == first
    assert made._folder(one, "3.13", ["pytest"]) != first
    assert made._folder(one, "3.12", ["pytest", "pytest-xdist"]) != first
    lock.write_text("two")
    assert made._folder(one, "3.12", ["pytest"]) != first


LISTED = completed('[{"name": "iniconfig", "version": "2.0"}]')
REFUSED = completed(stderr="error: no index\n", returncode=1)


@pytest.mark.parametrize(
    ("extra", "answers", "asked"),
    [
        (["pytest", "pytest-cov"], [LISTED, completed()], [["pytest", "pytest-cov>=3"]]),
        (["pytest", "pytest-cov"], [LISTED, REFUSED, completed()], [["pytest", "pytest-cov>=3"], ["pytest"]]),
        (["iniconfig", "coverage"], [LISTED, REFUSED], [["coverage[toml]>=5"]]),
        (["iniconfig", "pytest-cov"], [LISTED, REFUSED], [["pytest-cov>=3"]]),
    ],
)
def test_tests_can_run_without_pytest_cov(
    tmp_path: Path, extra: list[str], answers: list[Any], asked: list[list[str]]
):
    run = FakeRun(uv=answers)
    made = builder(tmp_path, run)
    assert made.add("/python", extra) == {"iniconfig": "2.0"}
    installed = [command.argv for command in run.asked if "install" in command.argv]
    assert [list(argv[-len(names) :]) for argv, names in zip(installed, asked, strict=True)] == asked
    assert [f"{extra[1]}: " in note for note in made.notes] == [True] * (REFUSED in answers)


def test_tests_cannot_run_without_pytest(tmp_path: Path):
    with pytest.raises(ToolError, match="no index"):
        builder(tmp_path, FakeRun(uv=[LISTED, REFUSED])).add("/python", ["pytest"])
    with pytest.raises(ToolError, match="no index"):
        builder(tmp_path, FakeRun(uv=[LISTED, REFUSED, REFUSED])).add("/python", ["pytest", "pytest-cov"])


def test_an_environment_is_handed_from_tool_to_tool(tmp_path: Path, wording: Any):
    environment = Environment(
        python="/p", version="3.13.0", source="uv.lock", packages={"a": "1"}, added=("a",)
    )
    environment.save(tmp_path)
    assert Environment.load(tmp_path) == environment
    (tmp_path / "environment.json").write_text("{")
    with pytest.raises(ToolError) as caught:
        Environment.load(tmp_path)
    assert str(caught.value) == wording


@pytest.mark.parametrize(
    ("facts", "package", "source"),
    [
        ({"sources": {"a": "uv.lock"}, "added": ("coverage",)}, "coverage", ADDED),
        ({"added": ("Pytest_Cov",)}, "pytest-cov", ADDED),
        ({"resolved": True, "sources": {"pytest-cov": "dev.txt"}}, "pytest_cov", "dev.txt"),
        ({}, "pytest", "uv.lock"),
    ],
    ids=["added to a lock", "added under another spelling", "pinned", "made by commands"],
)
def test_only_a_file_that_names_the_version_is_its_source(facts: dict[str, Any], package: str, source: str):
    made = Environment(python="/p", version="3", source="uv.lock", **facts)
    assert made.source_of(package) == source


def test_a_version_that_uv_chose_has_no_file_for_its_source():
    made = Environment(python="/p", version="3", source="setup.py", resolved=True)
    assert "setup.py" in made.source_of("pytest") != "setup.py"


def test_the_code_of_the_project_sees_no_credentials_of_indexes():
    environ = {"PIP_INDEX_URL": "x", "UV_INDEX_A_PASSWORD": "x", "PIP_FIND_LINKS": "x", "DATABASE_URL": "x"}
    command = environment_of_project(Command(argv=("python",), cwd=Path("/")), environ)
    assert command.withheld == {"PIP_INDEX_URL", "UV_INDEX_A_PASSWORD", "PIP_FIND_LINKS"}


def test_the_tests_see_what_the_step_says_to_python():
    environ = {
        "PYTHONPATH": "src",
        "PYTHONHASHSEED": "0",
        "PYTHONHOME": "/x",
        "PYTHONINSPECT": "1",
        "PATH": "/bin",
    }
    assert python_variables(environ) == {"PYTHONPATH": "src", "PYTHONHASHSEED": "0"}


def test_where_no_interpreter_can_be_had_those_that_are_here_are_asked_as_the_owner_too(
    tmp_path: Path, wording: Any
):
    run = FakeRun(
        uv=[
            completed("", "error: No interpreter found for Python 3.14", 2),
            completed("cpython-3.13.0-linux-x86_64-gnu    /usr/bin/python3.13\n"),
        ]
    )
    made = replace(builder(tmp_path, run=run, owner=ME), asked_by=".python-version")
    with pytest.raises(ToolError) as caught:
        made.venv(tmp_path / "x", "3.14")
    assert str(caught.value) == wording
    assert [command.owner for command in run.asked] == [ME, ME]


UNREACHABLE = """\
warning: Failed to inspect /old
  cause: too old
error: Request failed
  cause: Failed to download `u`
  cause: again
  cause: dns error
  cause: no such host
"""


@pytest.mark.parametrize(
    ("stderr", "words", "absent"),
    [
        ("error: No interpreter found for Python 3.14\nhint: downloads are set to 'never'\n", ["3.14"], ["hint", "downloads"]),
        (
            UNREACHABLE,
            ["Failed to download `u`", "no such host"],
            ["too old", "again", "dns"],
        ),
    ],
    ids=["not there", "not downloaded"],
)  # fmt: skip
def test_why_a_python_is_missing_is_one_sentence(
    stderr: str, words: list[str], absent: list[str], tmp_path: Path
):
    run = FakeRun(uv=[completed("", stderr, 2), completed("")])
    with pytest.raises(ToolError) as caught:
        builder(tmp_path, run=run).venv(tmp_path / "x", "3.14")
    assert all(word in caught.value.reason for word in words)
    assert not [word for word in absent if word in caught.value.reason]


def uv_with(packages: list[list[str]], extras: str = "") -> FakeRun:
    """Return a uv whose environment has these packages each time that it is asked."""
    lists = iter(packages)

    def answer(command: Command) -> Completed:
        if command.argv[1] == "venv":
            Path(command.argv[-1]).mkdir(parents=True)
        if command.argv[1:4] == ("pip", "--no-progress", "--color=never") and "list" in command.argv:
            return completed(json.dumps([{"name": name, "version": "1"} for name in next(lists)]))
        return completed("3.12.1")

    return FakeRun(
        uv=answer, python=[completed(extras), completed("3.12.1")] if extras else completed("3.12.1")
    )


def test_an_environment_without_the_files_of_its_build_is_made_again(tmp_path: Path):
    needs = Dependencies(source="pyproject.toml", project=".", locked=True)
    version = tmp_path / "w" / "pkg" / "_version.py"
    entry = {"name": "pkg", "version": "1", "editable_project_location": str(tmp_path / "w")}
    builds: list[tuple[str, ...]] = []

    def answer(command: Command) -> Completed:
        where = Path(command.argv[-1])
        if command.argv[1] == "venv":
            (where / "bin").mkdir(parents=True, exist_ok=True)
            (where / "bin" / "python").touch(mode=0o755)
        if "--editable=." in command.argv:
            builds.append(command.argv)
            version.parent.mkdir(exist_ok=True)
            version.touch()
        return completed(json.dumps([entry, {"name": "pytest", "version": "1"}]))

    made = builder(tmp_path, FakeRun(uv=answer, python=completed("3.12.1")))
    first = made.make(needs, "", ["pytest"])
    assert (first.generated, first.in_place) == (("pkg/_version.py",), ("pkg",))
    assert made.make(needs, "", ["pytest"]).reused
    version.unlink()
    again = made.make(needs, "", ["pytest"])
    assert (again, version.exists()) == (first, True)
    assert ["--reinstall-package=pkg" in build for build in builds] == [False, True]


RUNNER = Asked(
    source="tox.ini [testenv]", requirements=("pytest", "six"), files=("a.txt",), constraints=("c.txt",)
)


@pytest.mark.parametrize(
    ("needs", "lists", "installed", "source"),
    [
        ({"runner": RUNNER}, [["pytest"], ["pytest"], ["pytest"]], [], "setup.py"),
        (
            {"runner": RUNNER},
            [["a"], ["a"], ["a", "pytest"], ["a", "pytest"], ["a", "pytest"]],
            ["--requirements=a.txt", "--constraints=c.txt"],
            "setup.py and tox.ini [testenv]",
        ),
        ({}, [["a"], ["a"], ["a"], ["a", "pytest"]], ["pytest"], "setup.py"),
    ],
    ids=["brought", "by its runner", "by us"],
)
def test_what_brings_pytest(
    needs: dict[str, Any], lists: list[list[str]], installed: list[str], source: str, tmp_path: Path
):
    run = uv_with(lists)
    made = builder(tmp_path, run)
    environment = made.make(Dependencies(source="setup.py", **needs), "", ["pytest"])
    words = [word for command in run.asked for word in command.argv if command.argv[-1] != "--format=json"]
    assert [
        word for word in words if word in {"pytest", "--requirements=a.txt", "--constraints=c.txt"}
    ] == installed
    assert environment.source == source


@pytest.mark.parametrize(
    ("system", "isolated", "needed"),
    [
        ({"build-backend": "mesonpy", "requires": ["meson-python", "pybind11>=2", 3, "-r x"]}, False, ["meson-python", "pybind11>=2", "ninja"]),
        ({"build-backend": "mesonpy", "requires": 3}, False, ["ninja"]),
        ({"build-backend": "hatchling.build", "requires": ["hatchling"]}, True, []),
        ("x", True, []),
    ],
)  # fmt: skip
def test_what_is_built_at_import_keeps_the_programs_of_its_build(
    system: object, isolated: bool, needed: list[str], tmp_path: Path
):
    run = uv_with([["pytest"]] * 3)
    made = builder(tmp_path, run)
    made = replace(made, layout=layout(made.layout.workspace, pyproject={"build-system": system}))
    made.make(Dependencies(source="pyproject.toml", project="."), "", ["pytest"])
    (build,) = [command.argv for command in run.asked if "--editable=." in command.argv]
    assert ("--no-build-isolation" not in build) is isolated
    outside = [word for word in build if "build-dir" in word]
    assert bool(outside) is not isolated
    assert not any(str(made.layout.workspace) in word for word in outside)
    file = made.tempdir / "requirements.txt"
    assert (file.read_text().split() if file.is_file() else []) == needed


def test_extras_that_only_a_build_knows_are_installed_if_pytest_is_missing(tmp_path: Path):
    run = uv_with([["a"], ["a", "pytest"], ["a", "pytest"], ["a", "pytest"]], "docs testing")
    made = builder(tmp_path, run)
    environment = made.make(Dependencies(source="setup.py", project=".", hidden_extras=True), "", ["pytest"])
    assert any("--editable=.[testing]" in command.argv for command in run.asked)
    assert environment.source == "setup.py with extra testing"


def test_the_step_decides_about_a_variable_that_the_runner_sets_too():
    made = Environment(
        python="/p", version="3", source="x", variables={"A": "1", "B": "2", "PYTHONPATH": "src"}
    )
    environ = {"A": "step", "PYTHONPATH": "lib", "PYTHONWARNINGS": "error"}
    assert made.variables_for(environ) == {"B": "2", "PYTHONPATH": "lib", "PYTHONWARNINGS": "error"}


def test_what_cannot_be_kept_is_made_in_a_temporary_folder(tmp_path: Path):
    (tmp_path / "cache").write_text("nothing can be made below a file")
    made = builder(tmp_path)
    one = Dependencies(source="uv.lock", locked=True)
    folders = [
        made._folder(one, "", ()),
        *(Path(made.variables()[f"UV_{name}_DIR"]) for name in ("CACHE", "PYTHON_INSTALL")),
    ]
    assert all(folder.is_relative_to(tmp_path / "tempdir") for folder in folders)
    (tmp_path / "cache").unlink()
    assert made._folder(one, "", ()).is_relative_to(tmp_path / "cache")


FULL = "error: failed to write: No space left on device (os error 28)"


@pytest.mark.parametrize(("stderr", "starts"), [(FULL, 2), ("error: no such package", 1)])
def test_a_command_is_run_again_without_a_cache_that_is_full(tmp_path: Path, stderr: str, starts: int):
    run = FakeRun(uv=[completed(stderr=stderr, returncode=1), completed()])
    made = builder(tmp_path, run)
    if starts == 1:
        with pytest.raises(ToolError):
            made.command("pip", "compile")
    else:
        made.command("pip", "compile")
    assert len(run.asked) == starts
    folders = [command.environ["UV_CACHE_DIR"] for command in run.asked]
    assert folders == [str(tmp_path / "cache" / "uv"), str(made.tempdir / "uv")][:starts]
    assert len(made.notes) == starts - 1


@pytest.mark.parametrize(
    "change",
    [
        {"python": 5},
        {"packages": "x"},
        {"packages": {"a": 1}},
        {"added": [1]},
        {"more": ""},
        {"overlay": None},
        {"generated": "x"},
    ],
)
def test_a_kept_environment_of_another_shape_is_none(tmp_path: Path, change: dict[str, object]):
    values = {"python": "/p", "version": "3", "source": "x", "packages": {"a": "1"}, "added": ["a"]}
    (tmp_path / "e.json").write_text(json.dumps(values))
    assert Environment.read(tmp_path / "e.json").added == ("a",)
    (tmp_path / "e.json").write_text(json.dumps({**values, **change}))
    with pytest.raises((TypeError, ValueError)):
        Environment.read(tmp_path / "e.json")
