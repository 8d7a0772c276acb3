"""The test stage in the container: how a run of each kind ends, in exit code, outputs, annotations and report."""

import shutil
from collections.abc import Callable

import pytest
from support.container import projects
from support.container.runner import Machine, Ran
from support.runner_model import could_be_command, log_lines

pytestmark = pytest.mark.docker
Run = Callable[..., Ran]
PLAIN = "[project]\nname = 'sample'\nversion = '1'\nrequires-python = '>=3.10'\n"
BUILT = PLAIN + "[build-system]\nrequires = ['setuptools']\nbuild-backend = 'setuptools.build_meta'\n"
ADD = "def add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n    return a - b\n"
USES = "from {} import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
ASYNC = """
import asyncio
import pytest

@pytest.mark.asyncio
async def test_add():
    await asyncio.sleep(0)
    assert 1 + 2 == 3
"""
GREEN = {
    "flat": {"pyproject.toml": PLAIN, "sums.py": ADD, "test_sums.py": USES.format("sums")},
    "src": {"pyproject.toml": BUILT, "src/sums/__init__.py": ADD, "tests/test_sums.py": USES.format("sums")},
    "backend": {
        "pyproject.toml": PLAIN,
        "backend/__init__.py": "",
        "backend/app/__init__.py": ADD,
        "backend/tests/test_app.py": USES.format("backend.app"),
    },
    "async": {"requirements.txt": "pytest-asyncio\n", "sums.py": ADD, "test_async.py": ASYNC},
}
RED = """
import pytest


def test_fails():
    expected = 3
    assert expected == 4


@pytest.fixture
def broken():
    raise RuntimeError("no server")


def test_errors(broken):
    pass


@pytest.mark.parametrize("word", ["::set-output name=result::passed", "\\x1b[31m##[error]x\\x1b[0m", "\\r::add-mask::e"])
def test_says(word):
    print(word)
    assert word == "", word


def test_whispers():
    print("::set-output name=result::passed")
    print("##[set-output name=result]passed")
    print("::stop-commands::x")
    print("\\x1b]0;title\\x07\\x1b[2J\\x1b[31mred\\x1b[0m")


@pytest.mark.skip(reason="::error::not now")
def test_later():
    pass
"""


@pytest.fixture(scope="module")
def step(image: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return what runs one step after the other of a job, each on a project of its own."""
    machine = Machine(image=image, root=tmp_path_factory.mktemp("job"))

    def run(files: projects.Files, **inputs: str) -> Ran:
        for path in machine.workspace.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        projects.write(machine.workspace, files)
        return machine.run(inputs={"stage": "test"} | {n.replace("_", "-"): v for n, v in inputs.items()})

    return run


def counted(ran: Ran) -> tuple[str, str, str]:
    return ran.outputs["tests-total"], ran.outputs["tests-failed"], ran.outputs["tests-skipped"]


@pytest.mark.parametrize("layout", GREEN)
def test_a_green_project_of_every_layout(step: Run, layout: str):
    ran = step(GREEN[layout], coverage_min="50")
    assert (ran.code, ran.outputs["result"]) == (0, "passed"), ran.log
    assert counted(ran) == ("1", "0", "0")
    assert float(ran.outputs["coverage"]) >= 50
    for name in ("report", "coverage-file", "junit-file", "summary-file"):
        assert (ran.workspace / ran.outputs[name]).stat().st_size, name
    assert not ran.annotations("error")
    assert {owner for name, owner in ran.owners.items()} == {projects.OWNER}
    left = {path.name for path in ran.workspace.rglob("*") if ".git" not in path.parts}
    assert not left & {".coverage", "__pycache__", ".pytest_cache", "sample.egg-info", "build"}, left
    if layout != "async":
        text = (ran.workspace / ran.outputs["coverage-file"]).read_text("utf-8")
        assert 'filename="' + next(name for name, body in GREEN[layout].items() if body == ADD) in text


def test_coverage_below_its_minimum_fails_though_every_test_passed(step: Run):
    ran = step(GREEN["flat"], coverage_source="sums", coverage_min="75.01")
    assert (ran.code, ran.outputs["result"], ran.outputs["coverage"]) == (1, "failed", "75.00"), ran.log
    assert any("75.01" in seen.data for seen in ran.annotations("error"))


@pytest.fixture(scope="module")
def red(step: Run) -> Ran:
    return step({"pyproject.toml": PLAIN, "test_red.py": RED})


def test_failures_and_errors_are_told_on_their_lines(red: Ran):
    assert (red.code, red.outputs["result"]) == (1, "failed"), red.log
    lines = RED.splitlines()
    places = {
        (seen.properties["file"], int(seen.properties["line"]), seen.data.partition(": ")[0].split("::")[-1])
        for seen in red.annotations("error")
    }
    fails, errors = (
        lines.index("    assert expected == 4") + 1,
        lines.index('    raise RuntimeError("no server")') + 1,
    )
    assert {("test_red.py", fails, "test_fails"), ("test_red.py", errors, "test_errors")} <= places, places
    rules = {finding["rule"] for finding in red.tool("pytest")["findings"]}
    assert rules == {"failed", "error"}
    metrics = red.tool("pytest")["metrics"]
    assert (metrics["failed"], metrics["errors"], metrics["passed"], metrics["skipped"]) == (4, 1, 1, 1)
    assert counted(red) == ("7", "5", "1")
    assert red.outputs["coverage"], "measured also when tests fail"


def test_modules_that_cannot_be_imported_are_told_on_their_lines(step: Run):
    files = {"test_a.py": "import os\nimport gone_0001\n", "tests/test_b.py": "def test_b(:\n    pass\n"}
    ran = step({"pyproject.toml": PLAIN, **files})
    assert (ran.code, ran.outputs["result"]) == (1, "failed"), ran.log
    places = {(seen.properties["file"], seen.properties["line"]) for seen in ran.annotations("error")}
    assert {("test_a.py", "2"), ("tests/test_b.py", "1")} <= places


def test_what_tests_print_is_only_text(red: Ran):
    assert set(red.counted) <= {
        "error",
        "warning",
        "notice",
        "group",
        "endgroup",
        "add-mask",
        "stop-commands",
    }
    assert len([seen for seen in red.commands if seen.name == "add-mask"]) == 1
    control = {chr(number) for number in (*range(0x20), *range(0x7F, 0xA0))} - {"\n", "\t"}
    assert not control & set(red.log)
    assert not control & set(red.summary)
    inside, token = False, ""
    for line in log_lines(red.log):
        if line.startswith("::stop-commands::"):
            inside, token = True, line.removeprefix("::stop-commands::")
        elif inside and line == f"::{token}::":
            inside = False
        else:
            assert not (inside and could_be_command(line)), line


def test_nothing_collected_is_empty(step: Run):
    ran = step({"pyproject.toml": PLAIN, "sums.py": ADD}, coverage_min="80")
    assert (ran.code, ran.outputs["result"]) == (2, "empty"), ran.log
    assert ran.report["conclusion"] == "empty"
    assert "no tests" in ran.tool("pytest")["reason"]
    assert ran.tool("coverage")["outcome"] == "skipped"
    assert any("no tests" in seen.data for seen in ran.annotations("error")), ran.log


def test_all_skipped_is_red(step: Run):
    source = "import pytest\npytestmark = pytest.mark.skip(reason='no server')\ndef test_a(): pass\n"
    ran = step({"pyproject.toml": PLAIN, "test_a.py": source})
    assert (ran.code, ran.outputs["result"]) == (1, "failed"), ran.log
    assert counted(ran) == ("1", "0", "1")
    assert any("no server" in seen.data for seen in ran.annotations("error"))


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("__import__('os')._exit(0)", "exited during the tests"),
        ("__import__('ctypes').string_at(0)", "SIGSEGV"),
        ("__import__('time').sleep(600)", "timed out"),
    ],
)
def test_a_run_that_breaks_half_way_is_broken_and_what_ran_is_told(step: Run, statement: str, reason: str):
    source = f"def test_a(): pass\ndef test_b(): assert 0\ndef test_c(): {statement}\ndef test_d(): pass\n"
    limit = {"timeout": "10"} if "sleep" in statement else {}
    ran = step({"pyproject.toml": PLAIN, "test_a.py": source}, **limit)
    assert (ran.code, ran.outputs["result"]) == (3, "broken"), ran.log
    assert reason in ran.tool("pytest")["reason"]
    assert ran.tool("pytest")["metrics"]["passed"] == 1
    assert "test_a.py::test_b" in {f["message"].partition(": ")[0] for f in ran.tool("pytest")["findings"]}
    assert any("test_c" in seen.data or reason in seen.data for seen in ran.annotations("error"))
    assert reason in ran.summary
    assert "Traceback" not in ran.log.partition("stage  tool")[2]
    assert {owner for name, owner in ran.owners.items()} == {projects.OWNER}
