"""How a tool is started: ours, or the project's version through uv."""

from pathlib import Path
from typing import Any

import pytest
from support.builders import BUNDLED, FakeRun, bundled_tools, completed, layout, resolved, write

from ci_action.project.pins import Choice
from ci_action.project.programs import (
    BundledTools,
    Installer,
    Program,
    argument_names,
    index_variables,
    locate,
    select,
    variables_of_uv,
)
from ci_action.system.child_environ import Sees
from ci_action.system.errors import InterruptedRunError, TimedOutError, ToolError
from ci_action.system.process import Completed

PINNED = Choice(specifier="==24.1.0", source="uv.lock", warnings=("two pins disagree",))


def located(tmp_path: Path, choice: Choice, run: FakeRun, environ: dict[str, str] | None = None) -> Program:
    installer = Installer(run=run, folder=tmp_path, variables=variables_of_uv(environ or {}))
    return locate("black", choice, bundled=bundled_tools(tmp_path), installer=installer)


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
    assert run.words[0][1:] == ("tool", "install", "--quiet", "black==24.1.0")
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


def test_an_interruption_is_no_reason_to_go_on(tmp_path: Path):
    with pytest.raises(InterruptedRunError):
        located(tmp_path, PINNED, FakeRun(uv=InterruptedRunError("interrupted")))


def test_index_variables_reach_uv(tmp_path: Path):
    run = FakeRun(uv=completed(), black=completed("black, 24.1.0"))
    located(tmp_path, PINNED, run, {"PIP_INDEX_URL": "https://pypi.example/simple"})
    assert run.asked[0].environ["UV_DEFAULT_INDEX"] == "https://pypi.example/simple"
    assert run.asked[1].environ == {}


def test_settings_at_the_home_of_the_project_are_not_read(tmp_path: Path):
    (tmp_path / "theirs").mkdir()
    netrc = tmp_path / "theirs" / ".netrc"
    netrc.write_text("machine index.example login u password p\n")
    run, ours = FakeRun(uv=completed(), black=completed("black, 24.1.0")), tmp_path / "ours"
    environ = {"HOME": str(netrc.parent)}
    variables = variables_of_uv(environ, ours)
    installer = Installer(run=run, folder=tmp_path, variables=variables)
    locate("black", PINNED, bundled=bundled_tools(tmp_path), installer=installer)
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
    located(tmp_path, PINNED, run, environ)
    assert run.asked[0].environ.get("UV_CACHE_DIR") == expected


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
