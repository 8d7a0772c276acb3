"""How a tool is started: ours, or the project's version through uv."""

from pathlib import Path
from typing import Any

import pytest
from support.builders import BUNDLED, FakeRun, bundled_tools, completed, layout, resolved, write

from ci_action.project.pins import Choice
from ci_action.project.programs import (
    BundledTools,
    Installed,
    Installer,
    Program,
    Wanted,
    argument_names,
    index_variables,
    locate,
    obtain,
    search_path,
    select,
    variables_of_uv,
)
from ci_action.system.child_environ import Sees
from ci_action.system.errors import InterruptedRunError, TimedOutError, ToolError
from ci_action.system.folder import Owner
from ci_action.system.process import Completed

PINNED = Choice(specifier="==24.1.0", source="uv.lock", warnings=("two pins disagree",))


def located(
    tmp_path: Path, choice: Choice, run: FakeRun, variables: dict[str, str] | None = None, **options: Any
) -> Program:
    ours = bundled_tools(tmp_path)
    installer = Installer(
        run=run,
        uv=ours.uv,
        python=tmp_path / "python",
        tempdir=tmp_path / "away",
        variables=variables or {},
        **options,
    )
    return locate(
        "black", choice, bundled=ours, install=lambda wanted: installer.install(wanted, tmp_path / "here")
    )


def test_the_bundled_version(tmp_path: Path):
    program = located(tmp_path, Choice(), FakeRun())
    assert (program.argv, program.version, program.source) == (
        (str(tmp_path / "bin" / "black"),),
        BUNDLED["black"],
        "bundled",
    )


def test_a_pin_of_exactly_ours_needs_no_network_and_keeps_its_source(tmp_path: Path):
    program = located(tmp_path, Choice(specifier=f"=={BUNDLED['black']}", source="uv.lock"), FakeRun())
    assert (program.version, program.source) == (BUNDLED["black"], "uv.lock")


def test_the_projects_version_comes_through_uv(tmp_path: Path):
    run = FakeRun(uv=completed(), black=completed("black, 24.1.0 (compiled: yes)\nPython 3.13\n"))
    program = located(tmp_path, PINNED, run)
    python = f"--python={tmp_path / 'python'}"
    assert run.words[0][1:] == ("tool", "install", "--quiet", python, "black==24.1.0")
    assert run.asked[0].cwd == tmp_path / "away", "the configuration of uv is not that of the project"
    assert run.words[1:] == [(*program.argv, "--version")]
    assert Path(run.asked[0].environ["UV_TOOL_DIR"], "black", "bin", "black") == Path(*program.argv)
    assert [command.sees for command in run.asked] == [Sees.NETWORK, Sees.LITTLE], "no index to the tool"
    assert (program.version, program.source, program.warnings) == (
        "24.1.0",
        "uv.lock",
        ("two pins disagree",),
    )


def test_extras_are_asked_for_even_with_our_version(tmp_path: Path):
    run = FakeRun(uv=completed(), black=completed("black, 26.10.1"))
    program = located(tmp_path, Choice(extras=frozenset({"jupyter"})), run)
    assert f"black[jupyter]=={BUNDLED['black']}" in run.words[0]
    assert program.extras == {"jupyter"}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(completed(stderr="error: no network\n", returncode=1), id="failure"),
        pytest.param(completed(returncode=2), id="failure without a word"),
        pytest.param(completed("hello"), id="no version"),
        pytest.param(TimedOutError("uv was ended after its time limit"), id="timeout"),
        pytest.param(ToolError("'uv' cannot be started"), id="uv is absent"),
    ],
)
def test_a_version_that_is_not_available_is_replaced_by_ours_with_the_reason(
    tmp_path: Path, answer, wording: Any
):
    black = answer if isinstance(answer, Completed) else completed()
    program = located(tmp_path, PINNED, FakeRun(uv=answer, black=black))
    assert (program.version, program.source) == (BUNDLED["black"], "bundled")
    assert program.warnings[0] == "two pins disagree"
    assert program.warnings[1] == wording
    assert "black==24.1.0" in program.instead


def test_an_interruption_is_no_reason_to_go_on(tmp_path: Path):
    with pytest.raises(InterruptedRunError):
        located(tmp_path, PINNED, FakeRun(uv=InterruptedRunError("interrupted")))


def test_index_variables_reach_uv(tmp_path: Path):
    run = FakeRun(uv=completed(), black=completed("black, 24.1.0"))
    located(tmp_path, PINNED, run, variables_of_uv({"PIP_INDEX_URL": "https://pypi.example/simple"}))
    assert run.asked[0].environ["UV_DEFAULT_INDEX"] == "https://pypi.example/simple"
    assert run.asked[1].environ == {}


def test_settings_at_the_home_of_the_project_are_not_read(tmp_path: Path):
    (tmp_path / "theirs").mkdir()
    netrc = tmp_path / "theirs" / ".netrc"
    netrc.write_text("machine index.example login u password p\n")
    run, ours = FakeRun(uv=completed(), black=completed("black, 24.1.0")), tmp_path / "ours"
    environ = {"HOME": str(netrc.parent)}
    variables = variables_of_uv(environ, ours)
    located(tmp_path, PINNED, run, variables)
    expected = {"HOME": str(ours), "NETRC": str(netrc), "UV_CACHE_DIR": f"{ours}/.cache/uv"}
    assert run.asked[0].environ.items() >= expected.items()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HOME": "/home/ada"}, "/home/ada/.cache/uv"),
        ({"HOME": "/home/ada", "XDG_CACHE_HOME": "/caches"}, "/caches/uv"),
        ({"HOME": "/home/ada", "UV_CACHE_DIR": "/elsewhere"}, None),
        ({"HOME": ""}, None),
    ],
)
def test_uv_keeps_its_folder_whatever_the_tool_is_given(
    tmp_path: Path, environ: dict[str, str], expected: str | None
):
    run = FakeRun(uv=completed(), black=completed("black, 24.1.0"))
    located(tmp_path, PINNED, run, variables_of_uv(environ))
    assert run.asked[0].environ.get("UV_CACHE_DIR") == expected


def test_root_builds_nothing_and_starts_nothing_of_a_package(tmp_path: Path):
    run = FakeRun(uv=completed(), black=completed("black, 24.1.0"), python=completed(returncode=1))
    ours, owner = bundled_tools(tmp_path), Owner(1001, 1001)
    installer = Installer(
        run=run,
        uv=ours.uv,
        python=tmp_path / "python",
        tempdir=tmp_path,
        variables={},
        reader=owner,
        builds=False,
    )
    wanted = Wanted(tool="black", specifier="==24.1.0")
    installer.install(wanted, tmp_path / "here")
    installer.compile(wanted, tmp_path / "here")
    assert "--no-build" in run.words[0]
    assert [command.owner for command in run.asked] == [None, owner, None]
    assert run.words[2][1:3] == ("-I", "-S"), "no code of a package at the start of the interpreter"


def test_another_python_is_requested_by_its_version(tmp_path: Path):
    run = FakeRun(uv=completed(), mypy=completed("mypy 1.20.0 (compiled: yes)"))
    installer = Installer(
        run=run, uv=tmp_path / "uv", python=tmp_path / "python", tempdir=tmp_path, variables={}
    )
    choice = Choice(extras=frozenset({"a"}), source="asked for")
    program = obtain(
        "mypy", choice, install=lambda wanted: installer.install(wanted, tmp_path), python="3.14"
    )
    assert run.words[0][-2:] == ("--python=3.14", "mypy[a]")
    assert (program.version, program.source, program.instead) == ("1.20.0", "asked for", "")


def test_a_tool_that_is_not_bundled_has_no_other_version(tmp_path: Path):
    def fails(_: Wanted) -> Installed:
        raise ToolError("no network")

    with pytest.raises(ToolError, match="no network"):
        obtain("mypy", Choice(), install=fails)


def test_interpreters_of_pyenv_are_found(tmp_path: Path):
    for version in ("3.9.1", "3.14.0"):
        (tmp_path / ".pyenv" / "versions" / version / "bin").mkdir(parents=True)
    environ = {"PATH": "/usr/bin", "HOME": str(tmp_path)}
    found = [Path(one) for one in search_path(environ).split(":")]
    assert [one.parent.name for one in found] == ["usr", "3.9.1", "3.14.0"]
    assert search_path({**environ, "PYENV_ROOT": "/none"}) == "/usr/bin"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, {}),
        ({"PIP_INDEX_URL": " https://a "}, {"UV_DEFAULT_INDEX": "https://a"}),
        ({"PIP_INDEX_URL": " "}, {}),
        ({"PIP_INDEX_URL": "https://a", "UV_DEFAULT_INDEX": "https://b"}, {}),
        ({"PIP_EXTRA_INDEX_URL": "https://a"}, {"UV_INDEX": "https://a"}),
        ({"PIP_FIND_LINKS": "/wheels"}, {"UV_FIND_LINKS": "/wheels"}),
    ],
)
def test_variables_of_pip_become_those_of_uv(environ: dict[str, str], expected: dict[str, str]):
    assert index_variables(environ) == expected


def test_an_environment_without_a_tool_says_so(tmp_path: Path):
    with pytest.raises(ToolError, match=r"ruff is missing from .*: reinstall ci-action"):
        bundled_tools(tmp_path, black="1.0").program("ruff")
    assert bundled_tools(tmp_path, black="1.0").version("ruff") == ""


def test_the_tools_of_the_image_are_apart_and_of_a_shell_beside_us(tmp_path: Path):
    assert BundledTools.of(tmp_path).scripts == tmp_path / "bin"
    (tmp_path / "tools" / "bin").mkdir(parents=True)
    assert BundledTools.of(tmp_path).scripts == tmp_path / "tools" / "bin"


def test_select_reads_the_pins_unless_ours_are_asked_for(tmp_path: Path, wording: Any):
    write(tmp_path / "w", {"requirements.txt": "black==24.1.0\n", "setup.cfg": "broken"})
    ours = bundled_tools(tmp_path / "tools")
    place = layout(tmp_path / "w")
    choice = select("black", settings=resolved().settings, layout=place, bundled=ours)
    assert (choice.specifier, choice.source) == ("==24.1.0", "requirements.txt")
    assert choice.warnings[0] == wording
    bundled = resolved(tool_versions="bundled").settings
    assert select("black", settings=bundled, layout=place, bundled=ours) == Choice()


def test_names_of_options():
    assert argument_names(["--fix=x", "-q", "a.py", "--", "/dev/null"]) == ["--fix", "-q", "--"]
