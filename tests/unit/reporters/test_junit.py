"""junit.xml: its tests, and that any text in it is only text."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from support.builders import (
    STARTED,
    case,
    publication,
    run_result,
    with_tests,
    without,
)
from support.hostile_text import FOREIGN

from ci_action.model.tests import TestCase
from ci_action.model.totals import LONGEST_DETAIL
from ci_action.reporters import junit
from ci_action.reporters.encode import xml_text
from ci_action.system.text import named_marks


def parsed(*cases: TestCase, **options) -> ET.Element:
    return ET.fromstring("".join(junit.render(cases, STARTED, **options)).encode("utf-8"))


def one(case_: TestCase) -> ET.Element:
    (found,) = parsed(case_).iter("testcase")
    return found


def test_suites_are_files_with_their_totals():
    root = parsed(
        case("a/test_a.py::test_1", seconds=1.25),
        case("a/test_a.py::test_2", "failed", message="E"),
        case("b.py::test_3", "error"),
        case("b.py::test_4", "skipped"),
        case("b.py::test_5", "xfailed"),
        case("b.py::test_6", "flaky", runs=2),
        case("b.py::test_7", "xpassed"),
    )
    totals = [
        {name: suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped", "time")}
        for suite in (root, *root)
    ]
    assert totals == [
        {"name": "ci-action", "tests": "7", "failures": "1", "errors": "1", "skipped": "2", "time": "4.250"},
        {
            "name": "a/test_a.py",
            "tests": "2",
            "failures": "1",
            "errors": "0",
            "skipped": "0",
            "time": "1.750",
        },
        {"name": "b.py", "tests": "5", "failures": "0", "errors": "1", "skipped": "2", "time": "2.500"},
    ]
    assert root[0].get("timestamp") == "2026-01-02T03:04:05+00:00"


def test_a_failed_test():
    found = one(case("t.py::test_it", "failed", path="src/app.py", line=7, message="E 1", detail="line\nE 1"))
    assert found.attrib == {
        "classname": "t",
        "name": "test_it",
        "file": "src/app.py",
        "line": "7",
        "time": "0.500",
    }
    (failure,) = found
    assert (failure.tag, failure.get("message"), failure.text) == ("failure", "E 1", "line\nE 1")


@pytest.mark.parametrize(
    ("outcome", "tag", "kind"),
    [
        ("error", "error", "error"),
        ("skipped", "skipped", "pytest.skip"),
        ("xfailed", "skipped", "pytest.xfail"),
    ],
)
def test_elements(outcome: str, tag: str, kind: str):
    (element,) = one(case(outcome=outcome, message="why"))
    assert (element.tag, element.get("type"), element.get("message"), element.text) == (
        tag,
        kind,
        "why",
        "why",
    )


def test_a_passed_test_is_empty_and_a_place_may_be_unknown():
    assert list(one(case())) == []
    assert set(one(case(path="", line=None)).attrib) == {"classname", "name", "time"}


def test_a_flaky_test_is_passed_and_marked():
    found = one(case(outcome="flaky", runs=3, message="E", detail="the first time"))
    assert {row.get("name") for row in found.iter("property")} == {"flaky", "runs"}
    assert found.find("failure") is None
    assert found.findtext("system-out") == "the first time"


@pytest.mark.parametrize(
    ("nodeid", "expected"),
    [
        ("tests/test_a.py::test_b", ("tests.test_a", "test_b")),
        ("tests/test_a.py::TestC::test_b[1-x::y]", ("tests.test_a.TestC", "test_b[1-x::y]")),
        ("README.rst::README.rst", ("README.rst", "README.rst")),
        ("tests/test_a.py", ("tests.test_a", "tests.test_a")),
        ("the collection", ("the collection", "the collection")),
    ],
)
def test_names_are_those_of_pytest(nodeid: str, expected: tuple[str, str]):
    assert junit.names(case(nodeid)) == expected


def test_a_part_of_a_test_has_its_name():
    assert junit.names(case("t.py::test_b", subtest="i=1")) == ("t", "test_b (i=1)")


def shown(text: str) -> str:
    return xml_text(named_marks(text))


def test_marks_of_direction_are_shown_as_numbers():
    found = one(case("t.py::test_x[\u202egnissap]", "failed", message="\u2066m", detail="d\u200b"))
    assert (found.get("name"), found[0].get("message"), found[0].text) == (
        "test_x[<U+202E>gnissap]",
        "<U+2066>m",
        "d<U+200B>",
    )


@given(FOREIGN, FOREIGN, FOREIGN)
def test_any_text_parses_back(name: str, message: str, detail: str):
    nodeid = f"t.py::test_x[{name}]"
    found = one(case(nodeid, "failed", path=f"p{name}", message=message, detail=f"d{detail}"))
    failure = found[0]
    assert found.get("name") == shown(f"test_x[{name}]")
    assert found.get("file") == shown(f"p{name}")
    assert failure.get("message") == shown(message)
    assert failure.text == shown(f"d{detail}")


def test_it_can_contain_every_character():
    every = "".join(map(chr, [*range(0x300), *range(0xD7F0, 0xE010), *range(0xFFF0, 0x10010), 0x10FFFF]))
    assert one(case(outcome="failed", message="m", detail=f"]]>{every}"))[0].text == xml_text(f"]]>{every}")


def test_the_middle_of_a_long_detail_is_cut():
    text = one(case(outcome="failed", detail=f"first{'x' * 50_000}last"))[0].text or ""
    assert text.startswith("first")
    assert text.endswith("last")
    assert "40,009 characters are left out here" in text
    assert len(text) < LONGEST_DETAIL + 100


def test_secrets_are_removed_before_escaping(tmp_path: Path):
    shown = publication(tmp_path)
    result = run_result(with_tests(case(outcome="failed", message="a s<3&cr3t", detail="b s<3&cr3t")))
    junit.report(without(result, "s<3&cr3t"), shown)
    text = (shown.folder / "junit.xml").read_text("utf-8")
    assert "cr3t" not in text
    assert text.count("***") == 2
    assert shown.written == {"junit.xml"}
