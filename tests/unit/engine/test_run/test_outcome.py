"""What a session of pytest comes to: each way in which it cannot be trusted, and each that is red without a red test."""

from dataclasses import replace
from typing import Any

import pytest
from support.builders import case, completed

from ci_action.engine.test_run.events import UNENDED, Session
from ci_action.engine.test_run.outcome import broken, problem, report
from ci_action.engine.verdict import judge_stage
from ci_action.model.result import Conclusion, Report, StageResult, ToolResult
from ci_action.model.tests import TestCase
from ci_action.system.process import Completed

OK, RED, SKIPPED = case("t.py::ok"), case("t.py::red", "failed", message="boom"), case("t.py::s", "skipped")
XFAILED, XPASSED = case("t.py::xf", "xfailed"), case("t.py::xp", "xpassed")
FLAKY, UNKNOWN = case("t.py::f", "flaky", runs=2), case("t.py::u", "error", message=UNENDED)
MODULE = case("t.py", "error", message="ImportError: no")


def session(*cases: TestCase, **overrides: Any) -> Session:
    given: dict[str, Any] = {
        "started": True,
        "finished": True,
        "cases": list(cases),
        "collected": sum(not one.subtest and "::" in one.nodeid for one in cases),
    }
    return Session(**{**given, **overrides})


def ended(code: int = 0, text: str = "") -> Completed:
    return completed(text, returncode=code)


def conclusion(given: Session, code: int) -> Conclusion:
    """Return the conclusion of a whole stage of this one session, as the tool builds it."""
    reason = problem(given, ended(code))
    outcome = broken(reason, given, "") if reason else report(given, ended(code))
    return judge_stage(
        StageResult(stage="test", tools=(ToolResult(tool="pytest", outcome=outcome),))
    ).conclusion


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (session(OK, internal="Traceback\nValueError: x\n\n"), 0),
        (session(RED, internal="x", exit=1), 1),
        (session(OK), -9),
        (session(OK, finished=False), -11),
        (session(UNKNOWN, finished=False), -11),
        (session(OK, malformed="line 3: x"), 0),
        (session(RED, malformed="line 3: x", exit=1), 1),
        (session(started=False, finished=False, malformed="line 1: x"), 0),
        (session(OK), 4),
        (session(RED, exit=4), 4),
        (session(OK, started=False), 0),
        (session(started=False, finished=False), 1),
        (session(OK, finished=False), 0),
        (session(RED, finished=False), 1),
        (session(OK, UNKNOWN, finished=False), 7),
        (session(replace(UNKNOWN, nodeid="t.py::v"), UNKNOWN, finished=False), 7),
        (session(OK, exit=2), 2),
        (session(RED, exit=2), 2),
        (session(OK, collected=2), 0),
        (session(OK, collected=2, deselected=1), 0),
        (session(OK, UNKNOWN, collected=3), 0),
        (session(collected=1), 0),
        (session(OK, case("t.py::ok", subtest="i=1"), collected=2), 0),
        (session(OK), 1),
        (session(OK), 5),
        (session(), 3),
        (session(OK, exit=1), 0),
        (session(OK, exit=5), 0),
        (session(OK, exit=3), 6),
        (session(OK, exit=6), 0),
    ],
)
def test_what_cannot_be_trusted(given: Session, code: int, wording: Any):
    assert problem(given, ended(code, "the last line")) == wording
    assert conclusion(given, code) is Conclusion.BROKEN


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (session(OK), 0),
        (session(OK, XFAILED, SKIPPED, XPASSED), 0),
        (session(OK, collected=0), 0),  # older xdist
        (session(OK, deselected=7, dropped=3), 0),
        (session(OK, OK), 0),
    ],
)
def test_green(given: Session, code: int):
    assert problem(given, ended(code)) == ""
    assert conclusion(given, code) is Conclusion.PASSED


@pytest.mark.parametrize(
    ("given", "code", "rules"),
    [
        (session(OK, RED, exit=1), 1, ["failed"]),
        (session(RED, collected=9, exit=1), 1, ["failed"]),  # --exitfirst
        (session(RED), 0, ["failed"]),  # a plugin that turns exit codes green
        (session(RED, exit=1), 0, ["failed"]),
        (session(RED, collected=9), 0, ["failed"]),
        (session(OK, collected=9, exit=1), 1, ["exit-code"]),
        (session(MODULE, exit=2), 2, ["collection"]),
        (session(case("t.py::e", "error", message="x"), exit=1), 1, ["error"]),
        (session(OK, UNKNOWN), 0, ["error"]),
        (session(OK, case("t.py::ok", "failed", subtest="i=1"), exit=1), 1, ["failed"]),
        (session(SKIPPED), 0, ["all-skipped"]),
        (session(XFAILED), 0, ["none-passed"]),
        (session(XFAILED, SKIPPED), 0, ["none-passed"]),
        (session(SKIPPED, exit=1), 1, ["all-skipped"]),
        (session(OK), 6, ["max-warnings"]),
        (session(FLAKY), 6, ["max-warnings"]),
        (session(OK, exit=6), 6, ["max-warnings"]),
        (session(RED), 6, ["failed"]),
        (session(OK, exit=1), 1, ["exit-code"]),
        (session(OK, exit=3), 3, ["exit-code"]),
        (session(OK, exit=5), 5, ["exit-code"]),
        (session(OK, exit=77), 77, ["exit-code"]),
        (session(FLAKY, OK, exit=3), 3, ["exit-code"]),
        (session(RED, exit=77), 77, ["failed"]),
    ],
)
def test_what_is_red(given: Session, code: int, rules: list[str]):
    assert problem(given, ended(code)) == ""
    assert [one.rule for one in report(given, ended(code)).findings] == rules
    assert conclusion(given, code) is Conclusion.FAILED


def test_a_session_without_tests_is_empty_whatever_a_plugin_makes_of_its_exit_code():
    assert problem(session(exit=5), ended(5)) == ""
    assert problem(session(exit=5), ended(0)) == ""


def test_a_flaky_test_explains_the_exit_code_of_failed_tests_alone():
    given = session(FLAKY, OK, exit=1)
    # Whether the first run can be trusted is asked before tests are run again.
    assert conclusion(given, 1) is Conclusion.PASSED
    assert conclusion(session(FLAKY, OK), 0) is Conclusion.PASSED


def test_a_test_with_failed_subtests_is_told_by_them():
    whole = case("t.py::a", "failed", message="2 of its subtests failed")
    parts = [case("t.py::a", "failed", subtest=f"i={number}", message="x\ny") for number in range(2)]
    findings = report(session(whole, *parts, exit=1), ended(1)).findings
    assert [one.message for one in findings] == ["t.py::a [i=0]: x", "t.py::a [i=1]: x"]
    alone = case("t.py::b", "failed", message="2 of its subtests failed")
    assert len(report(session(alone, exit=1), ended(1)).findings) == 1
    own = case("t.py::a", "failed", message="its own assert failed")
    assert len(report(session(own, *parts, exit=1), ended(1)).findings) == 3


def test_figures_of_a_session():
    cases = [OK, RED, SKIPPED, XFAILED, XPASSED, FLAKY, UNKNOWN, case("t.py::ok", subtest="i=1")]
    given = session(*cases, deselected=4, warnings=5, exit=1)
    found = report(given, ended(1))
    assert isinstance(found, Report)
    assert found.examined == {"tests": 7}
    assert found.metrics == {
        "tests": 7, "passed": 1, "failed": 1, "errors": 1, "skipped": 1, "xfailed": 1, "xpassed": 1, "flaky": 1,
        "deselected": 4, "test_warnings": 5, "subtests": 1,
    }  # fmt: skip
    assert found.tests == tuple(cases)
    torn = broken("why", given, "one\ntwo")
    assert (torn.reason, torn.detail, torn.tests, torn.metrics) == (
        "why",
        "one\ntwo",
        found.tests,
        found.metrics,
    )
    assert [one.rule for one in torn.findings] == ["failed", "error"]


def test_a_finding_says_where_and_why():
    cases = [
        case("t.py::a", "failed", path="src/m.py", line=7, message="first\nsecond"),
        case("t.py::b", "error", path=""),
    ]
    first, second = report(session(*cases, exit=1), ended(1)).findings
    assert (first.tool, first.message, str(first.location)) == ("pytest", "t.py::a: first", "src/m.py:7")
    assert (second.message, second.location) == ("t.py::b: error", None)


def test_reasons_of_skipped_tests_are_said_once_each(wording: Any):
    cases = [case(f"t.py::{number}", "skipped", message=f"r{number % 5}") for number in range(9)]
    [found] = report(session(*cases), ended(0)).findings
    assert found.message == "all 9 tests were skipped: r0; r1; r2"
    [found] = report(session(case("t.py::a", "skipped")), ended(0)).findings
    assert found.message.endswith("no reason given")
    [found] = report(
        session(XFAILED, XFAILED, case("t.py::z", "skipped", message="later")), ended(0)
    ).findings
    assert found.message == wording


def test_the_line_that_names_an_error_is_the_reason_of_a_pytest_that_did_not_start():
    done = ended(4, "usage: pytest\nerror: unrecognized arguments: --x\n  inifile: None\n  rootdir: /w")
    assert "unrecognized arguments: --x" in problem(session(started=False), done)
    assert "rootdir" not in problem(session(started=False), done)
    plain = ended(4, "one\ntwo")
    assert problem(session(started=False), plain).endswith("two")


@pytest.mark.parametrize(("cases", "trusted"), [([OK, MODULE], True), ([OK], False), ([OK, RED], False)])
def test_an_interruption_is_explained_by_an_error_of_one_test(cases: list[Any], trusted: bool):
    assert (problem(session(*cases, exit=2), ended(2)) == "") is trusted


def test_only_a_subtest_that_failed_stands_for_its_test():
    whole = case("t.py::a", "failed", message="1 of its subtests failed")
    green = case("t.py::a", subtest="i=0")
    findings = report(session(whole, green, exit=1), ended(1)).findings
    assert [one.message.partition(":")[0] for one in findings] == ["t.py"]
    odd = case("t.py::a", "failed", subtest="i=1", message="2 of its subtests failed")
    assert len(report(session(whole, odd, exit=1), ended(1)).findings) == 1
