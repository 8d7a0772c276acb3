"""What is installed for a run of a type checker, and what the environments of a run have in common."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from support.builders import context, write

from ci_action.engine.context import Context
from ci_action.project.config_files import load_toml
from ci_action.project.layout import Layout
from ci_action.project.tool_runs.model import Installs, ToolRun
from ci_action.stages.types.surroundings import needs_of, uses_project
from ci_action.system.errors import ToolError
from ci_action.system.lazy import LazyMap

BUILD = "[build-system]\nrequires = ['hatchling']\n[project]\nname = 'x'\nversion = '1'\n"
RUN = ToolRun(tool="mypy", source="Makefile: lint")


def project(tmp_path: Path, toml: str, files: dict[str, str] | None = None, **settings: object) -> Context:
    root = write(tmp_path / "project", {"pyproject.toml": toml, **(files or {})})
    layout = Layout(workspace=root, root=root, pyproject=load_toml(root / "pyproject.toml", root))
    return context(root, layout=layout, settings=settings)


def test_a_checker_of_the_tests_shares_their_environment(tmp_path: Path):
    ctx = project(tmp_path, f"{BUILD}[dependency-groups]\ndev = ['mypy']\n")
    assert needs_of(ctx, RUN).dependencies is None
    assert uses_project(ctx, [RUN])


@pytest.mark.parametrize(
    ("toml", "files", "field", "expected"),
    [
        (f"{BUILD}[dependency-groups]\ntyping = ['mypy==1.11.2']\n", {}, "groups", ("typing",)),
        (f"{BUILD}[project.optional-dependencies]\ntypes = ['mypy']\n", {}, "project", ".[types]"),
        (
            f"{BUILD}[dependency-groups]\ntyping = ['mypy']\n",
            {"uv.lock": 'version = 1\n[[package]]\nname = "mypy"\nversion = "1.11.2"\n'},
            "sync",
            ("--group=typing",),
        ),
    ],
)
def test_the_group_or_extra_with_the_checker(
    tmp_path: Path, toml: str, files: dict[str, str], field: str, expected: object
):
    ctx = project(tmp_path, toml, files)
    found = needs_of(ctx, RUN).dependencies
    assert found is not None
    assert getattr(found, field) == expected
    assert not uses_project(ctx, [RUN])


def test_a_run_with_packages_of_its_own_and_a_version(tmp_path: Path):
    ctx = project(tmp_path, BUILD)
    installs = Installs(root=tmp_path / "project")
    installs.add(["attrs>=20"])
    needs = installs.dependencies("hook", ctx.layout)
    run = ToolRun(tool="pyright", source="hook", needs=needs, version="==1.1.400")
    found = needs_of(ctx, run).dependencies
    assert found is not None
    assert found.requirements == ("pyright[nodejs]==1.1.400", "attrs>=20")
    assert found.pins == {"pyright": "hook"}


def test_commands_of_install_replace_all(tmp_path: Path):
    ctx = project(tmp_path, f"{BUILD}[dependency-groups]\ntyping = ['mypy']\n", install="make install")
    assert needs_of(ctx, RUN).dependencies is None


@pytest.mark.parametrize(
    ("words", "requirements", "groups", "extras", "built"),
    [
        (["-e", ".[a,b]", "mypy==1.0"], ["mypy==1.0"], [], ["a", "b"], True),
        (["--group", "x", "--group=y"], [], ["x", "y"], [], False),
        (["-U", "--quiet", "mypy"], ["mypy"], [], [], False),
        (["."], [], [], [], True),
    ],
)
def test_the_arguments_of_pip(
    tmp_path: Path,
    words: list[str],
    requirements: list[str],
    groups: list[str],
    extras: list[str],
    *,
    built: bool,
):
    found = Installs(root=tmp_path)
    found.add(words)
    assert (found.requirements, found.groups, found.extras) == (requirements, groups, extras)
    assert found.project is built


@pytest.mark.parametrize("words", [["-r", "absent.txt"], ["-c", "absent.txt"], ["${X}"], ["./{x}"]])
def test_what_cannot_be_installed_is_named(tmp_path: Path, words: list[str]):
    found = Installs(root=tmp_path)
    found.add(words)
    assert found.unread
    assert not found.requirements


def test_an_environment_is_made_once_for_tools_that_run_side_by_side():
    values: LazyMap[int] = LazyMap()
    made: list[int] = []
    together = Barrier(4)

    def make() -> int:
        made.append(1)
        return len(made)

    def one(_: int) -> int:
        together.wait()
        return values.of("project", make)

    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(one, range(4))] == [1] * 4
    assert made == [1]
    assert values.of("other", lambda: 7) == 7


def test_a_failure_is_kept_as_well():
    values: LazyMap[int] = LazyMap()

    def fails() -> int:
        raise ToolError("no network")

    for _ in range(2):
        with pytest.raises(ToolError, match="no network"):
            values.of("project", fails)
