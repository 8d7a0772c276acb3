"""Hints: each is recognised in a log of the real error, and only there."""

import time
from dataclasses import replace
from pathlib import Path
from re import _constants, _parser  # type: ignore[attr-defined]  # no public way to walk a pattern
from typing import Any

import pytest
from hypothesis import given, settings
from support.builders import (
    context,
    finding,
    program,
    report,
    run_result,
    stage_result,
    tool,
    tool_result,
    write,
)
from support.execution import executed, stage
from support.hostile_text import FOREIGN
from support.paths import GOLDEN

from ci_action.engine.context import Context
from ci_action.engine.execute import check
from ci_action.engine.hints import LONGEST_TEXT, MOST, Facts, entries, evidence, facts, limited, with_hints
from ci_action.engine.hints import recognise as recognise_by
from ci_action.engine.tool import Checked
from ci_action.model.finding import Level
from ci_action.model.result import Broken, Hint, Report, Skipped
from ci_action.model.tests import TestCase, TestOutcome
from ci_action.project.programs import Program
from ci_action.stages import load, load_all
from ci_action.system.errors import ToolError

LOGS = GOLDEN / "hints"
SECURITY, TEST = load("security").hints, load("test").hints
TABLES = [stage.hints for stage in load_all() if stage.hints]
KNOWN = Facts(packages=frozenset({"tally"}), empty=frozenset({"PAYMENT_API_KEY"}))
# The recorded log, its tool, the hint, and a word in it.
CASES = [
    ("advisories-certificate", "pip-audit", "advisories-certificate", "REQUESTS_CA_BUNDLE"),
    ("advisories-name", "pip-audit", "advisories-unreachable", "advisories.invalid"),
    ("advisories-proxy", "pip-audit", "advisories-proxy", "api.osv.dev"),
    ("advisories-refused", "pip-audit", "advisories-unreachable", "127.0.0.1:9"),
    ("all-deselected", "pytest", "all-deselected", "deselected"),
    ("async-fixture", "pytest", "async-fixture", "app"),
    ("async-mode", "pytest", "async-mode", "asyncio_mode"),
    ("async-test", "pytest", "async-test", "pytest-asyncio"),
    ("different-tests", "pytest", "tests-differ-between-workers", "xdist"),
    ("disk-full", "pytest", "disk-full", "full"),
    ("django-settings", "pytest", "django-settings", "DJANGO_SETTINGS_MODULE"),
    ("docker-socket", "pytest", "docker-socket", "run-as: root"),
    ("dubious-ownership", "environment", "dubious-ownership", "/github/workspace"),
    ("empty-variable", "pytest", "empty-variable", "PAYMENT_API_KEY"),
    ("index-certificate", "environment", "index-certificate", "SSL_CERT_FILE"),
    ("index-credentials", "environment", "index-credentials", "401"),
    ("killed", "pytest", "out-of-memory", "137"),
    ("lock-outdated-poetry", "environment", "lock-out-of-date", "poetry lock"),
    ("lock-outdated-uv", "environment", "lock-out-of-date", "uv lock"),
    ("missing-compiler", "environment", "missing-compiler", "build-essential"),
    ("missing-fixture", "pytest", "fixture-of-a-plugin", "pytest-mock"),
    ("missing-fixture-own", "pytest", "missing-fixture", "database"),
    ("missing-module", "pytest", "missing-module", "PyYAML"),
    ("missing-plugin-cov", "pytest", "missing-plugin", "pytest-cov"),
    ("missing-plugin-xdist", "pytest", "missing-plugin", "pytest-xdist"),
    ("missing-shared-library", "pytest", "missing-shared-library", "libzbar0"),
    ("missing-variable", "pytest", "missing-variable", "DATABASE_URL"),
    ("missing-zones", "pytest", "missing-time-zones", "Europe/Berlin"),
    ("newer-syntax", "pytest", "newer-syntax", "python-version"),
    ("no-coverage-collected", "pytest", "no-coverage-data", "coverage-source"),
    ("no-coverage-combine", "coverage", "no-coverage-data", "coverage-source"),
    ("no-tags-scm", "environment", "no-tags", "fetch-depth: 0"),
    ("no-tags-versioningit", "environment", "no-tags", "fetch-depth: 0"),
    ("no-tests", "pytest", "no-tests", "test_*.py"),
    ("out-of-memory", "pytest", "out-of-memory", "memory"),
    ("own-package", "pytest", "own-package", "tally"),
    ("python-version", "environment", "python-version", "3.11.7"),
    ("python-version-package", "environment", "python-version", "3.11.7"),
    ("python-version-pip", "environment", "python-version", "3.11.7"),
    ("plugin-by-name", "pytest", "plugin-by-name", "pytest_httpbin"),
    ("plugin-by-setting", "pytest", "plugin-by-setting", "pytest-asyncio"),
    ("plugin-of-coverage", "pytest", "plugin-of-coverage", "covdefaults"),
    ("plugin-required", "pytest", "plugin-required", "pytest-mock>=3"),
    ("read-only", "pytest", "read-only", "tmp_path"),
    ("refused-localhost", "pytest", "refused-localhost", "localhost:5432"),
    ("refused-localhost-psycopg", "pytest", "refused-localhost", "127.0.0.1:5432"),
    ("refused-localhost-redis", "pytest", "refused-localhost", "127.0.0.1:6379"),
    ("same-name", "pytest", "same-file-name", "importlib"),
    ("submodule", "pytest", "submodule", "submodules: true"),
    ("system-library-header", "environment", "missing-system-library", "libldap-dev"),
    ("system-library-mysql", "environment", "missing-system-library", "libmysqlclient-dev"),
    ("system-library-pg", "environment", "missing-system-library", "libpq-dev"),
    ("timezone", "pytest", "timezone", "UTC"),
    ("timezone-text", "pytest", "timezone", "UTC"),
    ("unknown-host", "pytest", "unknown-host", "database"),
    ("unknown-host-psycopg", "pytest", "unknown-host", "database"),
    ("unknown-host-redis", "pytest", "unknown-host", "cache"),
    ("unknown-marker", "pytest", "unknown-marker", "slow"),
    ("unknown-option", "pytest", "unknown-option", "--frobnicate"),
    ("wrong-password", "pytest", "wrong-password", "POSTGRES_PASSWORD"),
]
TESTS = ("pytest", "coverage", "black")
NOTHING = {
    "green": ("environment", *TESTS),
    "green-coverage": ("environment", *TESTS),
    "green-install": ("environment", *TESTS),
    "red-assertion": TESTS,
    "red-date": TESTS,
    "red-key": TESTS,
    "red-resolution": ("environment",),
}


def recognise(text: str, known: Facts) -> tuple[Hint, ...]:
    """Recognise by the tables of the tool's stage."""
    return recognise_by(text, known, SECURITY if known.tool == "pip-audit" else TEST)


def log(name: str) -> str:
    return (LOGS / f"{name}.log").read_text("utf-8")


@pytest.mark.parametrize(("name", "tool", "expected", "word"), CASES, ids=[case[0] for case in CASES])
def test_the_right_hint_and_no_other(name: str, tool: str, expected: str, word: str):
    absent = frozenset({"vendor/data"} if expected == "submodule" else ())
    (found,) = recognise(log(name), replace(KNOWN, tool=tool, submodules=absent))
    assert found.name == expected
    assert word in f"{found.cause} {found.fix}"
    assert "{" not in found.cause + found.fix
    assert found.url.startswith("https://")


@pytest.mark.parametrize(
    ("name", "tool"), [(name, tool) for name, tools in NOTHING.items() for tool in tools]
)
def test_ordinary_logs_have_no_hints(name: str, tool: str):
    assert recognise(log(name), replace(KNOWN, tool=tool)) == ()


def test_every_log_and_every_hint_has_a_case():
    assert {path.stem for path in LOGS.glob("*.log")} == {case[0] for case in CASES} | set(NOTHING)
    tested = {case[2] for case in CASES} | {"refused-localhost-in-container"}
    assert {entry.name for own in (SECURITY, TEST) for entry in entries(own)} == tested


def test_inside_the_container_localhost_is_explained():
    (found,) = recognise(log("refused-localhost"), Facts(container=True))
    assert found.name == "refused-localhost-in-container"
    assert "label of the service" in found.fix


@pytest.mark.parametrize(
    ("module", "expected"),
    [("tally", "own-package"), ("tally.words", "own-package"), ("requests", "missing-module")],
)
def test_missing_modules_of_the_project_and_others_differ(module: str, expected: str):
    text = f"E   ModuleNotFoundError: No module named '{module}'"
    assert [hint.name for hint in recognise(text, KNOWN)] == [expected]


def test_names_are_listed_once_and_at_most_three():
    lines = [f"E   ModuleNotFoundError: No module named 'm{number}'" for number in (1, 1, 2, 3, 4)]
    (found,) = recognise("\n".join(lines), KNOWN)
    assert "the module m1, m2, m3, … is not" in found.cause


def test_colours_hide_nothing():
    assert recognise("\x1b[1m\x1b[31mE   MemoryError\x1b[0m", KNOWN)[0].name == "out-of-memory"


def test_at_most_five_and_only_the_end_of_a_long_text():
    names = ("disk-full", "read-only", "out-of-memory", "missing-module", "unknown-marker", "timezone")
    text = "\n".join(map(log, names))
    assert len(recognise(text, KNOWN)) == MOST
    assert recognise(f"{log('disk-full')}{'x ' * LONGEST_TEXT}", KNOWN) == ()


@given(FOREIGN)
@settings(max_examples=50)
def test_foreign_text_is_harmless(text: str):
    recognise(text, KNOWN)
    (found,) = recognise(f"{text}\nE   fixture 'x' not found", replace(KNOWN, tool="pytest"))[:1]
    assert found.cause.isprintable()


@pytest.mark.parametrize("join", ["\n", "", " "], ids=["lines", "one line", "words"])
def test_a_megabyte_of_hostile_text_takes_little_time(join: str):
    # Every word that a pattern begins with, over and over, and never its end.
    lines = [line for case in CASES for line in log(case[0]).splitlines() if line.strip()]
    starts = [line[: len(line) * part // 4] for line in lines for part in (2, 3, 4)]
    for text in (join.join(starts), *(join.join([start] * 2000) for start in starts[:: len(starts) // 8])):
        whole = (text * (1_000_000 // len(text) + 1))[:1_000_000]
        began = time.process_time()
        recognise(whole, KNOWN)
        assert time.process_time() - began < 2


def unlimited(parsed: Any) -> bool:
    for operation, argument in parsed:
        if operation in {_constants.MAX_REPEAT, _constants.MIN_REPEAT}:
            inner = [argument[2]]
            if argument[1] is _constants.MAXREPEAT:
                return True
        elif operation is _constants.BRANCH:
            inner = argument[1]
        else:
            inner = [argument[-1]] if operation is _constants.SUBPATTERN else []
        if any(map(unlimited, inner)):
            return True
    return False


def test_every_repetition_is_limited():
    patterns = [
        one
        for own in TABLES
        for entry in entries(own)
        for one in (*entry.patterns, *entry.needs, *entry.unless)
    ]
    assert [one.pattern for one in patterns if unlimited(_parser.parse(one.pattern))] == []
    assert unlimited(_parser.parse("a(b|c+)"))


FAILED = TestCase(
    nodeid="t.py::t", outcome=TestOutcome.FAILED, message="E", detail="[Errno 28] No space left on device"
)


@pytest.mark.parametrize(
    ("outcome", "log_", "found"),
    [
        (Broken("pytest was ended by SIGKILL"), "", ["out-of-memory"]),
        (Broken("it ended", "MemoryError"), "", ["out-of-memory"]),
        (Broken("it ended", tests=(FAILED,)), "", ["disk-full"]),
        (Report(tests=(FAILED,)), "MemoryError", ["out-of-memory", "disk-full"]),
        (Skipped("no tests collected", empty=True), "", ["no-tests"]),
        (Skipped("no files"), "MemoryError", []),
        (report(), "MemoryError", []),
        (Report(tests=(replace(FAILED, outcome=TestOutcome.PASSED),)), "MemoryError", []),
    ],
)
def test_what_is_searched_for_hints(tmp_path: Path, outcome, log_: str, found: list[str]):
    result = with_hints(tool_result(tool="pytest", outcome=outcome, log=log_), context(tmp_path), TEST)
    assert [hint.name for hint in result.hints] == found


@pytest.mark.parametrize(
    ("level", "tool", "found"),
    [
        (Level.ERROR, "build", ["registry-access"]),
        (Level.WARNING, "build", []),
        (Level.ERROR, "hadolint", []),
    ],
)
def test_errors_that_a_tool_reports_are_searched_if_the_table_wants_it(
    tmp_path: Path, level: Level, tool: str, found: list[str]
):
    one = finding(tool=tool, rule="build-failed", message="pull access denied\nMemoryError", level=level)
    result = tool_result(one)
    assert [hint.name for hint in with_hints(result, context(tmp_path), load("docker").hints).hints] == found
    assert with_hints(result, context(tmp_path), TEST).hints == ()


def test_failures_are_limited_and_the_reason_is_searched():
    many = tuple(replace(FAILED, detail="x" * 50_000) for _ in range(100))
    text = evidence(Broken("the reason", tests=many), "the log")
    assert len(text) < LONGEST_TEXT
    assert text.endswith("the reason")


def test_facts(tmp_path: Path):
    write(tmp_path, {"src/tally/__init__.py": "", "flat.py": "", "docs/index.md": "", "name/space.py": ""})
    environ = {"API_KEY": "", "OTHER_KEY": "x", "INPUT_TOKEN": "", "EMPTY": ""}
    known = facts("pytest", tmp_path, environ, container=True)
    assert known.packages == {tmp_path.name, "tally", "flat", "name"}
    assert known.empty == {"API_KEY"}
    assert (known.container, known.tool) == (True, "pytest")
    assert facts("pytest", tmp_path / "none", {}, container=False).packages == {"none"}


def test_submodules_that_are_not_checked_out(tmp_path: Path):
    names = "".join(f'[submodule "{name}"]\n\tpath = {name}\n' for name in ("a", "b/c", "full", "../out"))
    write(tmp_path, {"w/.gitmodules": names, "w/full/x": "", "w/a/.keep": "", "w/p/x": ""})
    (tmp_path / "w" / "a" / ".keep").unlink()
    work = tmp_path / "w"
    assert facts("pytest", work / "p", {}, container=True, workspace=work).submodules == {"a", "b/c"}


def test_a_submodule_that_only_a_text_names_is_none():
    known = replace(KNOWN, submodules=frozenset({"vendor/data"}))
    (found,) = recognise("E   No such file: x\nsubmodule not" + " checked out: made/up", known)
    assert "made/up" not in found.cause


def test_a_run_has_five_hints_each_once():
    hints = [Hint(name=str(number), cause="c", fix="f", url="") for number in range(7)]
    tools = [tool_result(tool="a", hints=tuple(hints[:3])), tool_result(tool="b", hints=tuple(hints[1:]))]
    result = run_result(stage_result(*tools))
    (stage,) = limited(result.stages)
    assert [[hint.name for hint in tool.hints] for tool in stage.tools] == [["0", "1", "2"], ["3", "4"]]


def test_a_run_recognises_the_output_of_its_tools(tmp_path: Path):
    own = Hint(name="own", cause="c", fix="f", url="")
    outcome = Broken("it ended", "OSError: [Errno 28] No space left on device")

    def look(_ctx: Context, _program: Program) -> Checked:
        return Checked(outcome=outcome, hints=(own,))

    write(tmp_path / "w", {"a.py": ""})
    ctx = context(tmp_path / "w")
    one = tool("ruff", check=look, program=lambda _: Program(argv=(), version="", source=""))
    found = with_hints(check(one, ctx), ctx)
    assert [hint.name for hint in found.hints] == ["own", "disk-full"]
    other = tool("ruff", ToolError("ruff was ended by SIGKILL"), program=lambda _: program())
    raised = with_hints(check(other, ctx), ctx)
    assert [hint.name for hint in raised.hints] == ["out-of-memory"]


@pytest.mark.parametrize(("own", "found"), [(TEST, ["no-tests"]), (None, [])])
def test_a_stage_recognises_by_its_own_table(own: Path | None, found: list[str], tmp_path: Path):
    one = tool("pytest", Skipped("no tests collected", empty=True), program=lambda _: program())
    chosen = stage(one)
    chosen = replace(chosen, stage=replace(chosen.stage, hints=own))
    result, _ = executed(tmp_path, chosen)
    assert [hint.name for hint in result.stages[0].tools[0].hints] == found
