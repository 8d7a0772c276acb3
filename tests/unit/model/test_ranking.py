"""The order of findings, the rows that they share, and the share of each tool: pure functions."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import at, finding

from ci_action.model.finding import SEVERITIES, Finding, Fix, Level, Package, Reach
from ci_action.model.ranking import MANY, Row, by_file, by_reach, fair, number_of, ranked, rows_of

PLACES = st.builds(at, st.sampled_from(["a.py", "b.py"]), st.integers(1, 50))
FINDINGS = st.builds(
    finding,
    tool=st.sampled_from(["ruff", "black", "bandit"]),
    rule=st.sampled_from(["F401", "E501"]),
    message=st.sampled_from(["x", "y"]),
    location=st.none() | PLACES,
    level=st.sampled_from(Level),
    severity=st.sampled_from(["", *SEVERITIES]),
    muted=st.sampled_from(["", "", "why"]),
    reach=st.sampled_from(Reach),
    bulk=st.booleans(),
)
MANY_FINDINGS = st.lists(FINDINGS, max_size=40)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(finding(), finding(muted="x", level=Level.ERROR), id="counting before muted"),
        pytest.param(
            finding(level=Level.ERROR, location=at("z")),
            finding(level=Level.WARNING, location=at("a")),
            id="errors before warnings",
        ),
        pytest.param(
            finding(level=Level.WARNING, location=at("z")),
            finding(level=Level.NOTICE, location=at("a")),
            id="warnings before notices",
        ),
        *(
            pytest.param(
                finding(rule=rule, location=at("z")), finding(location=at("a")), id=f"{rule} hides the rest"
            )
            for rule in ("parse", "unreadable", "invalid-syntax", "E902", "E999")
        ),
        pytest.param(
            finding(severity="critical", location=at("z")),
            finding(severity="high"),
            id="critical before high",
        ),
        pytest.param(
            finding(severity="high", location=at("z")), finding(severity="unknown"), id="high before unknown"
        ),
        pytest.param(
            finding(severity="unknown", location=at("z")),
            finding(severity="medium"),
            id="unknown before medium",
        ),
        pytest.param(finding(severity="low", location=at("z")), finding(), id="any severity before none"),
        pytest.param(
            finding(location=at("z")), finding(fix=Fix.SAFE, location=at("a")), id="unfixable before fixable"
        ),
        pytest.param(
            finding(fix=Fix.UNSAFE, location=at("a")),
            finding(location=at("b")),
            id="an unsafe fix does not count as a fix",
        ),
        pytest.param(finding(location=at("a", 9)), finding(location=at("b", 1)), id="by path"),
        pytest.param(finding(location=at("a", 1)), finding(location=at("a", 2)), id="by line"),
        pytest.param(
            finding(location=at("a", None)), finding(location=at("a", 1)), id="the file before its lines"
        ),
        pytest.param(finding(location=None), finding(location=at("a", None)), id="the project before files"),
        pytest.param(finding(rule="A"), finding(rule="B"), id="by rule"),
        pytest.param(
            finding(reach=Reach.LINES, level=Level.WARNING),
            finding(reach=Reach.FILE, location=at("a")),
            id="changed lines before their file",
        ),
        pytest.param(
            finding(reach=Reach.FILE, level=Level.NOTICE),
            finding(location=at("a")),
            id="changed files before the rest",
        ),
    ],
)
def test_what_matters_first(first, second):
    assert ranked([second, first]) == [first, second]
    assert ranked([first, second]) == [first, second]


@given(MANY_FINDINGS, st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_the_order_of_the_findings(findings: list[Finding], chance: Any):
    shuffled = chance.sample(findings, len(findings))
    assert ranked(shuffled) == ranked(findings)
    assert rows_of(shuffled) == rows_of(findings)


@given(st.lists(FINDINGS, max_size=12))
def test_ranking_is_a_permutation(findings: list[Finding]):
    assert sorted(map(repr, ranked(findings))) == sorted(map(repr, findings))


@given(MANY_FINDINGS)
def test_every_finding_is_in_one_row_and_the_numbers_add_up(findings: list[Finding]):
    rows = rows_of(findings)
    inside = [one for row in rows for one in row.findings]
    assert sorted(map(repr, inside)) == sorted(map(repr, findings))
    assert number_of(rows) == len(findings) == sum(row.count for row in rows)
    for row in rows:
        alike = {
            (one.tool, one.rule, one.path, one.level, one.severity, one.muted, one.reach)
            for one in row.findings
        }
        assert len(alike) == 1
        assert row.count == 1 or row.count > MANY or row.first.bulk


@given(MANY_FINDINGS)
def test_what_is_nearer_to_the_change_comes_first(findings: list[Finding]):
    order = [(bool(row.first.muted), [*Reach].index(row.first.reach)) for row in rows_of(findings)]
    assert order == sorted(order)


@given(MANY_FINDINGS, st.integers(0, 20))
def test_each_tool_has_its_share_of_a_channel(findings: list[Finding], most: int):
    rows = rows_of(findings)
    chosen = fair(rows, most)
    assert len(chosen) == min(most, len(rows))
    positions = [next(number for number, row in enumerate(rows) if row is one) for one in chosen]
    assert positions == sorted(positions)
    tools = {row.first.tool for row in rows}
    assert len({row.first.tool for row in chosen}) == min(len(tools), len(chosen))


@given(st.lists(st.sampled_from(["ruff", "black", "bandit"]), min_size=1, max_size=60), st.integers(1, 30))
def test_tools_take_turns(tools: list[str], most: int):
    rows = rows_of(finding(tool=tool, location=at(f"m{number}.py")) for number, tool in enumerate(tools))
    shown = [row.first.tool for row in fair(rows, most)]
    for one in set(tools):
        for other in set(tools):
            # A tool has two rows more than another only if the other has none left.
            if shown.count(one) > shown.count(other) + 1:
                assert shown.count(other) == tools.count(other)


def test_new_findings_are_not_pushed_out_by_old_ones_of_other_tools():
    old = [finding(tool="black", rule="format", location=at(f"m{number}.py")) for number in range(7)]
    new = finding(location=at("z.py"), reach=Reach.LINES)
    assert fair(rows_of([*old, new]), 3)[0] == Row(new)


def test_a_flood_of_one_tool_leaves_room_for_another():
    flood = [finding(tool="detect-secrets", severity="high", location=at(f"m{one}.py")) for one in range(900)]
    few = [finding(tool="bandit", severity="low", location=at(f"m{one}.py")) for one in range(20)]
    shown = [row.first.tool for row in fair(rows_of([*flood, *few]), 60)]
    assert shown.count("bandit") == 20


@pytest.mark.parametrize(
    ("count", "overrides", "rows"),
    [
        pytest.param(MANY, {}, MANY, id="a few"),
        pytest.param(MANY + 1, {}, 1, id="many"),
        pytest.param(2, {"bulk": True}, 1, id="two of what is mostly harmless"),
        pytest.param(9, {"location": None}, 9, id="about the project"),
        pytest.param(9, {"rule": "failed"}, 9, id="failed tests"),
        pytest.param(9, {"rule": "failed", "cause": "no"}, 1, id="failed tests with one cause"),
        pytest.param(9, {"loosens": 2}, 9, id="loosened checks"),
        pytest.param(9, {"package": Package(name="a", version="1")}, 9, id="packages"),
    ],
)
def test_many_of_one_rule_in_one_file_share_a_row(count: int, overrides: dict[str, Any], rows: int):
    findings = [finding(**{"location": at(line=one + 1), **overrides}) for one in range(count)]
    assert len(rows_of(findings)) == rows


def test_tests_with_one_cause_share_a_row_whatever_their_files_are():
    causes = ["refused"] * 120 + ["assert 1 == 2"]
    findings = [
        finding(rule="failed", message=f"t{number}: {cause}", cause=cause, location=at(f"t{number}.py"))
        for number, cause in enumerate(causes)
    ]
    rows = rows_of(findings)
    assert sorted(row.count for row in rows) == [1, 120]
    assert [row.more for row in rows if row.others] == ["and 119 other tests"]


@pytest.mark.parametrize(
    "other",
    [
        {"rule": "E501"},
        {"tool": "black"},
        {"location": at("other.py")},
        {"level": Level.WARNING},
        {"severity": "low"},
        {"muted": "why"},
        {"reach": Reach.LINES},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_row_has_one_kind_of_findings(other: dict[str, Any]):
    findings = [finding(location=at(line=one + 1)) for one in range(9)]
    assert sorted(row.count for row in rows_of([*findings, finding(**other)])) == [1, 9]


@pytest.mark.parametrize(
    ("reaches", "numbers"),
    [
        ([], []),
        ([Reach.NONE], []),
        ([Reach.LINES, Reach.NONE, Reach.LINES], ["2"]),
        ([Reach.FILE, Reach.LINES, Reach.FILE], ["1", "2"]),
    ],
)
def test_the_number_of_findings_near_to_the_change(reaches: list[Reach], numbers: list[str]):
    text = by_reach(finding(reach=reach) for reach in reaches)
    assert [word for word in text.split() if word.isdigit()] == numbers


def test_a_row_names_the_lines_of_the_others():
    [row] = rows_of(finding(location=at(line=one)) for one in (5, 3, 9, 9, 7))
    assert (row.first.line, row.count) == (3, 5)
    assert row.more.startswith("and 4 more ")
    assert row.more.endswith(": lines 5, 7, 9")
    [row] = rows_of(finding(location=at(line=one)) for one in range(1, 100))
    assert row.more.endswith("10, 11 and 88 more")
    assert Row(finding()).more == ""


def test_rows_by_file_start_with_the_file_of_the_first():
    rows = [Row(finding(location=at(*place))) for place in [("b", 9), ("a", 1), ("b", 2)]]
    assert [(row.first.path, row.first.line) for row in by_file(rows)] == [("b", 2), ("b", 9), ("a", 1)]
    assert all(row.first.counts or not other.first.counts for row, other in pairwise(by_file(rows)))
