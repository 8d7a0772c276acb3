"""A run of tests with everything that a report can contain."""

from support.builders import (
    at,
    broken_tool,
    case,
    covered,
    file_coverage,
    finding,
    run_result,
    stage_result,
    with_tests,
)

from ci_action.model.result import Hint, RunResult

TRACEBACK = "    def test_fee():\n>       assert fee(2) == 5\nE       assert 4 == 5\n\ntests/test_fees.py:7: AssertionError"
HINT = Hint(
    name="missing-variable",
    cause="the environment variable TIDES_URL is not set",
    fix="set it under `env:`",
    url="https://docs.example.org/variables",
)


def sample_run() -> RunResult:
    """Return a red run of the test stage."""
    tests = [
        case("tests/test_fees.py::test_fee", "failed", line=7, message="assert 4 == 5", detail=TRACEBACK),
        case("tests/test_fees.py::test_large[a|b <c>]", seconds=1.5),
        case("tests/test_tides.py", "error", line=1, message="KeyError: 'TIDES_URL'", detail="E  KeyError"),
        case("tests/test_berths.py::TestBerth::test_free", "skipped", message="no harbour here"),
        case("tests/test_berths.py::TestBerth::test_taken", "xfailed", message="known"),
        case("tests/test_berths.py::TestBerth::test_new", "xpassed"),
        case("tests/test_berths.py::TestBerth::test_net", "flaky", runs=2, message="timeout"),
    ]
    branches = file_coverage(
        "src/fees.py",
        missing=frozenset({5, 6, 9}),
        executed_branches=frozenset({(1, 2)}),
        missing_branches=frozenset({(1, 5), (3, -1)}),
    )
    uncovered = finding(
        tool="coverage", rule="uncovered", message="no test runs line 9", location=at("src/fees.py", 9)
    )
    coverage = covered(branches, file_coverage("src/tides.py", missing=frozenset()), coverage_min=90.0)
    tools = (
        with_tests(*tests, version="9.2.0", hints=(HINT,)),
        coverage.with_findings((uncovered,)),
        broken_tool("services could not be reached", tool="services", detail="last words"),
    )
    return run_result(stage_result(*tools, stage="test"), reproduce="ci-action run test")
