"""What pytest is started with, when it is started again, and what its sessions come to."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from support.builders import FakeRun, completed, context, write

from ci_action.engine.context import Context
from ci_action.engine.test_run.job import MOST_RERUNS, run
from ci_action.engine.test_run.measuring import Measuring
from ci_action.engine.tool import Checked
from ci_action.model.result import Broken, Report, Skipped
from ci_action.model.tests import TestCase
from ci_action.project.environment import Environment
from ci_action.system.errors import InterruptedRunError, TimedOutError
from ci_action.system.folder import Owner
from ci_action.system.process import Command, Completed

PYTHON = "/env/bin/python"
START = {"event": "start", "pytest": "9.2.0", "python": "3.13.0", "root": "/w"}
UNSTARTED = completed(stderr="ImportError: no module covdefaults\n", returncode=4)
Session = Callable[[Command], Completed]


def phases(nodeid: str, outcome: str) -> list[dict[str, Any]]:
    one = {"event": "test", "nodeid": nodeid, "seconds": 0.1, "outcome": "passed"}
    call = {**one, "when": "call", "outcome": outcome}
    return [{**one, "when": "setup", "at": ["t.py", 3]}, call, {**one, "when": "teardown"}]


def session(
    tests: Mapping[str, str], *, code: int | None = None, torn: bool = False, **facts: Any
) -> Session:
    """Return a pytest whose tests end so; `torn` leaves its last event out."""
    red = int("failed" in tests.values())
    exit_code = code if code is not None else red or (0 if tests else 5)
    end = {"event": "finish", "exit": exit_code, "collected": len(tests), "deselected": 0, "dropped": 0}

    def answer(command: Command) -> Completed:
        events = [START, *(event for test in tests.items() for event in phases(*test))]
        events += [] if torn else [{**end, "dropped_names": [], **facts}]
        file = Path(command.environ["CI_ACTION_PYTEST_EVENTS"])
        file.write_text("".join(f"{json.dumps(event)}\n" for event in events))
        return completed("what pytest printed\n", returncode=exit_code)

    return answer


GREEN, RED = session({"t.py::a": "passed"}), session({"t.py::a": "failed", "t.py::b": "passed"})


def made(
    folder: Path,
    run: FakeRun,
    *,
    overlay: str = "",
    packages: Sequence[str] = ("coverage", "pytest-cov"),
    **overrides: Any,
) -> Context:
    (folder / "w").mkdir(exist_ok=True)
    ctx = context(folder / "w", run, **overrides)
    environment = Environment(python=PYTHON, version="3.13.0", source="uv.lock", overlay=overlay)
    replace(environment, packages=dict.fromkeys(packages, "7")).save(ctx.tempdir)
    return ctx


def measuring(command: Command) -> dict[str, Any]:
    """Return how a command measures coverage."""
    found: dict[str, Any] = json.loads(command.environ["CI_ACTION_PYTEST_COVERAGE"])
    return found


def ran(
    folder: Path, *answers: Session | Completed | Exception, **overrides: Any
) -> tuple[Checked, list[Command]]:
    started = FakeRun(python=answers or GREEN)
    return run(made(folder, started, **overrides)), started.asked


def cases(found: Checked) -> dict[str, tuple[str, int]]:
    outcome = found.outcome
    tests: Sequence[TestCase] = () if isinstance(outcome, Skipped) else outcome.tests
    return {case.nodeid: (case.outcome.value, case.runs) for case in tests}


def test_a_session(tmp_path: Path):
    write(tmp_path / "w", {"tox.ini": "[pytest]\naddopts = --cov\n"})
    found, [command] = ran(tmp_path, RED)
    assert isinstance(found.outcome, Report)
    assert [one.rule for one in found.outcome.findings] == ["failed"]
    assert cases(found) == {"t.py::a": ("failed", 1), "t.py::b": ("passed", 1)}
    assert (found.version, found.version_source, found.warnings) == ("9.2.0", "uv.lock", ())
    assert found.log == "what pytest printed"
    assert command.argv[:5] == (PYTHON, "-m", "pytest", "-p", "ciaction_pytest")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, []),
        ({"workers": "auto"}, ["--numprocesses=auto"]),
        ({"shard": "2/3"}, ["--splits=3", "--group=2"]),
        ({"pytest_args": "-k 'a b'"}, ["-k", "a b"]),
    ],
)
def test_its_options(tmp_path: Path, settings: dict[str, str], words: list[str]):
    _, [command] = ran(tmp_path, settings=settings)
    cache = f"--override-ini=cache_dir={tmp_path / 'w-tempdir' / 'pytest' / 'cache'}"
    assert list(command.argv[5:]) == ["--color=no", cache, *words]


TOX = "[testenv]\ncommands = coverage run --branch --source={envsitepackagesdir}/pkg -m pytest\n"
DISABLES = "[testenv]\ncommands = coverage run -m pytest -p no:x -p no:cov\n"
PYTEST = ["-m", "pytest"]


@pytest.mark.parametrize(
    ("files", "overrides", "starter"),
    [
        ({}, {"packages": ["coverage"]}, "coverage"),
        ({"tox.ini": "[testenv]\ncommands = pytest --cov=pkg\n"}, {"packages": ["coverage"]}, "coverage"),
        ({}, {"packages": ["coverage"], "overlay": "/overlay"}, "pytest-cov"),
        ({"pytest.ini": "[pytest]\naddopts = -n 2\n"}, {"packages": ["coverage"]}, "pytest-cov"),
        ({"tox.ini": TOX}, {"packages": [], "overlay": "/overlay"}, "pytest-cov"),
        ({"setup.cfg": "pytest11"}, {"environ": {"PYTEST_ADDOPTS": "-n 2"}}, "pytest-cov"),
        ({"setup.cfg": "pytest11"}, {"environ": {"PYTEST_ADDOPTS": "--cov"}}, "pytest-cov"),
        ({"setup.cfg": "pytest11"}, {"settings": {"pytest_args": "--no-cov"}}, "pytest-cov"),
        ({"tox.ini": TOX}, {"settings": {"pytest_args": "--no-cov"}}, "pytest-cov"),
    ],
)
def test_coverage_is_started_by_what_the_environment_has(
    tmp_path: Path, files: dict[str, str], overrides: dict[str, Any], starter: str
):
    (tmp_path / "w").mkdir()
    write(tmp_path / "w", files)
    _, [command] = ran(tmp_path, **overrides)
    assert measuring(command)["starter"] == starter
    assert (command.argv[2] == "coverage") is (starter == "coverage")


def test_a_plugin_that_the_command_of_the_project_disables_is_disabled(tmp_path: Path):
    (tmp_path / "w").mkdir()
    write(tmp_path / "w", {"tox.ini": DISABLES})
    _, [command] = ran(tmp_path)
    words = list(command.argv)
    assert words[words.index("no:x") - 1] == "-p"
    assert "no:cov" not in words


def test_the_tree_keeps_only_the_compiled_modules_that_it_had(tmp_path: Path):
    (tmp_path / "w").mkdir()
    had = {"a/__pycache__/x.pyc": "", "node_modules/b/__pycache__/y.pyc": ""}
    write(tmp_path / "w", had)

    def compiling(command: Command) -> Completed:
        write(
            tmp_path / "w", {"a/b/__pycache__/x.pyc": "", "__pycache__/y.pyc": "", ".git/__pycache__/z": ""}
        )
        return GREEN(command)

    ran(tmp_path, compiling)
    left = {str(path.relative_to(tmp_path / "w")) for path in (tmp_path / "w").rglob("*") if path.is_file()}
    assert left == {*had, ".git/__pycache__/z"}


def write_tox(folder: Path) -> None:
    """Make the project one that measures coverage itself."""
    write(folder / "w", {"tox.ini": TOX})


@pytest.mark.parametrize(
    ("files", "settings", "words", "facts"),
    [
        ({}, {}, PYTEST, {"starter": "pytest-cov", "source": [], "replace": False}),
        ({}, {"coverage_source": "src, lib"}, PYTEST, {"source": ["src", "lib"], "replace": True}),
        (
            {"tox.ini": "[testenv]\ncommands = pytest --cov=pkg --cov-branch\n"},
            {},
            PYTEST,
            {"starter": "pytest-cov", "source": ["pkg"], "branch": True},
        ),
        (
            {"tox.ini": TOX},
            {},
            ["-m", "coverage", "run", "--source=pkg", "--branch", *PYTEST],
            {"starter": "coverage"},
        ),
        (
            {"tox.ini": TOX},
            {"coverage_source": "lib"},
            ["-m", "coverage", "run", "--source=lib", "--branch", *PYTEST],
            {"starter": "coverage"},
        ),
        # coverage sees no other processes.
        ({"tox.ini": TOX}, {"workers": "2"}, PYTEST, {"starter": "pytest-cov", "source": ["pkg"]}),
        (
            {"setup.cfg": "[options.entry_points]\npytest11 =\n  x = x\n"},
            {},
            ["-m", "coverage", "run", *PYTEST],
            {"starter": "coverage"},
        ),
    ],
)
def test_coverage_is_measured_as_the_project_does(
    tmp_path: Path, files: dict[str, str], settings: dict[str, str], words: list[str], facts: dict[str, Any]
):
    (tmp_path / "w").mkdir()
    write(tmp_path / "w", files)
    _, [command] = ran(tmp_path, settings=settings)
    start = [PYTHON, *words, "-p", "ciaction_pytest"]
    assert list(command.argv[: len(start)]) == start
    assert facts.items() <= measuring(command).items()
    assert command.environ["COVERAGE_FILE"].endswith("/pytest/.coverage")


def test_known_durations_decide_about_the_shards(tmp_path: Path):
    write(tmp_path / "w", {".test_durations": "{}"})
    _, [command] = ran(tmp_path, settings={"shard": "1/2"})
    assert command.argv[-1] == f"--durations-path={tmp_path / 'w' / '.test_durations'}"


@pytest.mark.parametrize(
    ("settings", "plugins"),
    [
        ({}, ["pytest_cov"]),
        ({"workers": "2"}, ["pytest_cov", "xdist"]),
        ({"shard": "1/2"}, ["pytest_cov", "pytest-split"]),
    ],
)
def test_plugins_that_do_not_load_by_themselves_are_named(
    tmp_path: Path, settings: dict[str, str], plugins: list[str]
):
    _, [command] = ran(tmp_path, settings=settings, environ={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    named = [value for word, value in zip(command.argv, command.argv[1:], strict=False) if word == "-p"]
    assert named == ["ciaction_pytest", *plugins]


def test_its_variables(tmp_path: Path):
    environ = {"PATH": "/bin", "PYTHONPATH": "/mine", "PYTHONWARNINGS": "error", "NO_COLOR": "1"}
    _, [command] = ran(tmp_path, environ=environ, overlay="/overlay", settings={"timeout": "77"})
    seen = command.environ
    assert seen["PYTHONPATH"].endswith(":/mine")
    assert (seen["PYTHONWARNINGS"], seen["VIRTUAL_ENV"]) == ("error", "/env")
    assert seen["PATH"] == "/env/bin:/bin"
    assert seen["CI_ACTION_PYTEST_OVERLAY"] == "/overlay"
    assert (command.timeout, command.cwd) == (77.0, tmp_path / "w")
    assert command.withheld == {"PYTHONDONTWRITEBYTECODE"}
    _, [command] = ran(tmp_path, environ={})
    assert "CI_ACTION_PYTEST_OVERLAY" not in command.environ
    assert ":/mine" not in command.environ["PYTHONPATH"]


INTERNAL = session({"t.py::a": "passed"}, code=3)


def internal(text: str) -> Session:
    """Return a pytest that ends with an internal error."""

    def answer(command: Command) -> Completed:
        done = INTERNAL(command)
        file = Path(command.environ["CI_ACTION_PYTEST_EVENTS"])
        lines = file.read_text().splitlines()
        lines[1:1] = [json.dumps({"event": "internal", "text": text})]
        file.write_text("\n".join(lines) + "\n")
        return done

    return answer


def killed(command: Command) -> Completed:
    GREEN(command)
    return completed(returncode=-11)


ERROR_OF_COVERAGE = 'File "/v/site-packages/coverage/control.py"\nCoverageException: no\n'


@pytest.mark.parametrize(
    ("first", "own", "starts"),
    [
        (UNSTARTED, False, 2),
        (UNSTARTED, True, 2),
        (internal("File pytest_cov/engine.py\nDataError: x"), True, 2),
        (internal("ValueError: x"), False, 1),
        (killed, False, 2),
        (killed, True, 1),
        (completed("a test printed: pytest_cov", returncode=1), False, 2),
        (session({"t.py::a": "passed"}, torn=True), False, 1),
        (RED, True, 1),
    ],
)
def test_a_suite_that_coverage_keeps_from_running_runs_without_it(
    tmp_path: Path, first: Any, own: bool, starts: int
):
    (tmp_path / "w").mkdir()
    write(tmp_path / "w", {"tox.ini": TOX} if own else {})
    found, commands = ran(tmp_path, first, GREEN)
    assert len(commands) == starts
    if starts == 2:
        assert isinstance(found.outcome, Report)
        assert measuring(commands[1])["starter"] == ""
        assert commands[1].argv[1:3] == ("-m", "pytest")
        assert cases(found) == {"t.py::a": ("passed", 1)}
        assert Measuring.load(tmp_path / "w-tempdir").failed


def test_an_error_at_the_end_that_coverage_made_is_not_the_one_of_the_tests(tmp_path: Path):
    def ended(command: Command) -> Completed:
        GREEN(command)
        return completed(stderr=ERROR_OF_COVERAGE, returncode=1)

    found, commands = ran(tmp_path, ended, GREEN)
    assert (len(commands), cases(found)) == (2, {"t.py::a": ("passed", 1)})


def test_a_suite_that_fails_without_coverage_too_has_that_reason(tmp_path: Path):
    other = completed(stderr="ImportError: of the suite\n", returncode=4)
    found, _ = ran(tmp_path, UNSTARTED, other)
    assert isinstance(found.outcome, Broken)
    assert "of the suite" in found.outcome.reason
    assert not Measuring.load(tmp_path / "w-tempdir").failed


PLAIN_GREEN = session({"t.py::a": "passed", "t.py::b": "passed"})
BOTH_RED = session({"t.py::a": "failed", "t.py::b": "failed"})
ONE_GREEN = session({"t.py::b": "passed"})
ONE_RED = session({"t.py::b": "failed"})


@pytest.mark.parametrize(
    ("answers", "outcomes", "starts"),
    [
        # Each time it fails with coverage, and passes without it.
        ([BOTH_RED, *[PLAIN_GREEN] * 2, *[BOTH_RED] * 2, PLAIN_GREEN], ("passed", "passed"), 6),
        ([BOTH_RED, RED, ONE_GREEN, *[ONE_RED] * 2, ONE_GREEN], ("failed", "passed"), 6),
        # What it leaves behind decides: it passes from the second run on, each second time, or twice.
        ([BOTH_RED, *[PLAIN_GREEN] * 3], ("failed", "failed"), 4),
        ([BOTH_RED, PLAIN_GREEN, BOTH_RED], ("failed", "failed"), 3),
        ([BOTH_RED, *[PLAIN_GREEN] * 2, *[BOTH_RED] * 3], ("failed", "failed"), 6),
        # It is flaky, or needs the tests before it.
        ([BOTH_RED, *[PLAIN_GREEN] * 2, RED, RED, GREEN], ("passed", "failed"), 6),
        ([BOTH_RED, *[PLAIN_GREEN] * 2, BOTH_RED, PLAIN_GREEN], ("failed", "failed"), 5),
        # It fails without coverage too.
        ([BOTH_RED, BOTH_RED], ("failed", "failed"), 2),
        ([BOTH_RED, TimedOutError("late")], ("failed", "failed"), 2),
        ([BOTH_RED, session({"t.py::a": "passed"}, torn=True)], ("failed", "failed"), 2),
    ],
)
def test_a_test_that_only_coverage_fails_is_not_red(
    tmp_path: Path, answers: list[Any], outcomes: tuple[str, ...], starts: int
):
    found, commands = ran(tmp_path, *answers)
    assert tuple(outcome for outcome, _ in cases(found).values()) == outcomes
    assert len(commands) == starts
    wanted = ["pytest-cov", "", "", "pytest-cov", "pytest-cov", ""]
    assert [measuring(command)["starter"] for command in commands] == wanted[:starts]
    assert any("t.py::" in one for one in found.warnings) is ("passed" in outcomes)
    assert isinstance(found.outcome, Report)
    assert len(found.outcome.findings) == outcomes.count("failed")


def test_where_the_project_measures_coverage_itself_its_tests_fail_with_it(tmp_path: Path):
    write_tox(tmp_path)
    found, commands = ran(tmp_path, RED)
    assert (len(commands), cases(found)["t.py::a"]) == (1, ("failed", 1))


def test_a_subtest_that_passes_does_not_make_its_test_pass(tmp_path: Path):
    def parts(command: Command) -> Completed:
        done = session({"t.py::a": "failed"})(command)
        file = Path(command.environ["CI_ACTION_PYTEST_EVENTS"])
        part = {**phases("t.py::a", "passed")[1], "subtest": "i=1"}
        lines = file.read_text().splitlines()
        file.write_text("\n".join([*lines[:-1], json.dumps(part), lines[-1]]) + "\n")
        return done

    found, _ = ran(tmp_path, parts, parts, parts, settings={"reruns": "1"})
    assert isinstance(found.outcome, Report)
    assert [one.outcome.value for one in found.outcome.tests if not one.subtest] == ["failed"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (TimedOutError("too late", stdout=b"said", stderr=" words"), "too late"),
        (session({"t.py::a": "passed"}, torn=True), "exited during the tests"),
        (session({"t.py::a": "passed"}, code=0, collected=3), "1 of 3"),
        (completed(stderr="ImportError: no\n", returncode=4), "ImportError: no"),
    ],
)
def test_what_cannot_be_trusted_is_broken(tmp_path: Path, answer: Any, reason: str):
    found, _ = ran(tmp_path, answer, settings={"reruns": "2"})
    assert isinstance(found.outcome, Broken)
    assert reason in found.outcome.reason


def test_what_ran_before_the_end_is_told(tmp_path: Path):
    def late(command: Command) -> Completed:
        RED(command)
        raise InterruptedRunError("stopped", stdout=b"said", stderr=" words")

    found, _ = ran(tmp_path, late)
    assert isinstance(found.outcome, Broken)
    assert cases(found) == {"t.py::a": ("failed", 1), "t.py::b": ("passed", 1)}
    assert found.log == "said words"


@pytest.mark.parametrize(("deselected", "said"), [(0, False), (3, True)])
def test_no_tests_are_empty(tmp_path: Path, deselected: int, said: bool):
    found, _ = ran(tmp_path, session({}, deselected=deselected))
    assert isinstance(found.outcome, Skipped)
    assert found.outcome.empty
    assert ("3 deselected" in found.outcome.reason) is said


AGAIN_GREEN, AGAIN_RED = session({"t.py::a": "passed"}), session({"t.py::a": "failed"})


@pytest.mark.parametrize(
    ("reruns", "answers", "outcome", "runs", "starts"),
    [
        (0, [RED], "failed", 1, 1),
        (2, [RED, AGAIN_GREEN], "flaky", 2, 2),
        (2, [RED, AGAIN_RED, AGAIN_GREEN], "flaky", 3, 3),
        (2, [RED, AGAIN_RED, AGAIN_RED], "failed", 3, 3),
        (1, [RED, session({"t.py::a": "passed"}, torn=True)], "failed", 2, 2),
        (1, [RED, session({"t.py::a": "skipped"})], "failed", 2, 2),
        (1, [RED, session({})], "failed", 2, 2),
        (3, [GREEN], "passed", 1, 1),
    ],
)
def test_failed_tests_are_run_again(
    tmp_path: Path, reruns: int, answers: list[Any], outcome: str, runs: int, starts: int
):
    write_tox(tmp_path)
    found, commands = ran(tmp_path, *answers, settings={"reruns": str(reruns), "workers": "2"})
    assert cases(found)["t.py::a"] == (outcome, runs)
    assert len(commands) == starts
    for command in commands[1:]:
        assert command.argv[-2:] == ("--", "t.py::a")
        assert "--numprocesses=2" not in command.argv
        assert measuring(command)["starter"] == ""


@pytest.mark.parametrize(("number", "starts"), [(MOST_RERUNS, 2), (MOST_RERUNS + 1, 1)])
def test_too_many_failures_are_not_flaky(tmp_path: Path, number: int, starts: int):
    write_tox(tmp_path)
    many = session({f"t.py::test_{one}": "failed" for one in range(number)})
    assert len(ran(tmp_path, many, GREEN, settings={"reruns": "1"})[1]) == starts


# Ourselves: to anybody else only root can give a folder.
OWNER = Owner(uid=os.getuid(), gid=os.getgid())


@pytest.mark.parametrize(
    ("container", "owner", "warns"), [(True, None, True), (True, OWNER, False), (False, None, False)]
)
def test_tests_that_run_as_root_are_warned_of(
    tmp_path: Path, container: bool, owner: Owner | None, warns: bool
):
    found, [command] = ran(tmp_path, container=container, owner=owner)
    assert any("run-as: root" in one for one in found.warnings) is warns
    assert command.owner == owner


@pytest.mark.parametrize(("dropped", "more"), [(1, False), (2, False), (2_000, True)])
def test_tests_that_nobody_ran_are_warned_of(tmp_path: Path, dropped: int, more: bool):
    names = [f"t.py::{one}" for one in range(min(dropped, 3))]
    found, _ = ran(tmp_path, session({"t.py::a": "passed"}, dropped=dropped, dropped_names=names))
    [warning] = found.warnings
    assert f"{dropped:,} collected test" in warning
    assert all(repr(name) in warning for name in names)
    assert ("and more" in warning) is more
    assert "pytest_collection_modifyitems" in warning
