"""Parsing of pip-audit's output: recorded runs (`tests/golden/capture_pip_audit.py`), and invalid output."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.paths import GOLDEN

from ci_action.engine.advisories.output import (
    Failure,
    audited_before_it_failed,
    failure_of,
    last_message,
    parse,
    skipped_advisories,
)
from ci_action.system.errors import ToolError

FOLDER = GOLDEN / "pip-audit"
CASES = sorted(file.stem for file in FOLDER.glob("*.txt"))


def recorded(case: str) -> str:
    return (FOLDER / f"{case}.txt").read_text()


def test_what_was_found():
    found = parse((FOLDER / "found.json").read_bytes())
    assert found.skipped == {}
    assert {key: [one.id for one in advisories] for key, advisories in found.audited.items()} == {
        ("redis", "4.0.0"): [],
        ("requests", "2.19.0"): ["PYSEC-2018-28", "PYSEC-2023-74"],
        ("six", "1.16.0"): [],
        ("urllib3", "1.24.1"): ["PYSEC-2021-108", "PYSEC-2023-192", "PYSEC-2023-207"],
    }
    first = found.audited["requests", "2.19.0"][0]
    assert first.aliases == ("CVE-2018-18074", "GHSA-x84v-xcm2-53pg")
    assert (first.fixed_in, first.summary[:11]) == (("2.20.0",), "Credentials")


@pytest.mark.parametrize(
    ("case", "cause", "done"),
    [
        ("status-500", Failure(text="S answered with HTTP 500"), 2),
        ("status-404", Failure(text="S answered with HTTP 404", final=True), 0),
        ("half", Failure(text="S closed the connection before the end of its answer"), 1),
        ("hang", Failure(text="S did not answer in time"), 0),
        ("no-json", Failure(text="S returned invalid JSON"), 0),
        ("no-osv", Failure(text="S returned an answer that pip-audit cannot read"), 0),
        ("no-types", Failure(text="S returned an answer that pip-audit cannot read"), 0),
        ("refused", Failure(text="S refused the connection", unreachable=True), 0),
        ("no-name", Failure(text="S could not be resolved", unreachable=True), 0),
    ],
)
def test_why_there_is_no_answer(case, cause, done):
    with pytest.raises(ToolError, match="printed nothing"):
        parse((FOLDER / f"{case}.json").read_bytes())
    assert (failure_of(recorded(case), "S"), audited_before_it_failed(recorded(case))) == (cause, done)


def test_every_recorded_case_is_looked_at():
    assert set(CASES) == {
        "clean",
        "found",
        "strange",
        "status-500",
        "status-404",
        "half",
        "hang",
        "no-json",
        "no-osv",
        "no-types",
        "refused",
        "no-name",
    }


def test_an_advisory_that_was_left_out_is_a_doubt(wording: Any):
    assert skipped_advisories(recorded("strange")) == {1: wording}
    assert skipped_advisories(recorded("found")) == {}


def test_what_is_not_the_fault_of_the_service():
    stderr = "usage: pip-audit [-h]\npip-audit: error: argument --timeout: invalid int value: 'x'\n"
    assert failure_of(stderr, "S") is None
    assert last_message(stderr) == "pip-audit: error: argument --timeout: invalid int value: 'x'"
    assert last_message("") == "no error message"


def test_skipped_packages():
    text = json.dumps({"dependencies": [{"name": "A_b", "skip_reason": "gone\n::error::x"}]})
    assert parse(text.encode()).skipped == {"a-b": "gone ::error::x"}


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "7", "null", "{}", '{"dependencies": 7}', '{"dependencies": [7]}', '{"dependencies": [{}]}',
        '{"dependencies": [{"name": 7, "version": "1", "vulns": []}]}',
        '{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": 7}]}]}',
        '{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "X", "aliases": 7}]}]}',
        '{"dependencies": [{"name": "a", "version": "1", "vulns": null}]}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_answer(text):
    with pytest.raises(ToolError):
        parse(text.encode())


def test_long_and_hostile_text_stays_one_short_line():
    vuln = {
        "id": "X\n::error::" + "y" * 9999,
        "aliases": ["\x1b[31m"],
        "fix_versions": [],
        "description": "a\r\n::stop-commands::" + "z" * 1_000_000,
    }
    text = json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": [vuln]}]})
    (one,) = parse(text.encode()).audited["a", "1"]
    assert len(one.id) <= 80
    assert len(one.summary) <= 240
    assert not any(
        character in text for text in (one.id, one.summary, *one.aliases) for character in "\r\n\x1b"
    )


@given(st.binary(max_size=200), st.text(max_size=100))
def test_nothing_makes_it_crash(raw, stderr):
    with suppress(ToolError):
        parse(raw)
    failure_of(stderr, "S")
    assert "\n" not in last_message(stderr)
