"""What a formatter would change, as findings."""

from pathlib import Path
from typing import Any

import pytest
from support.builders import layout

from ci_action.model.finding import Fix
from ci_action.stages.quality.diff import Change, Formatter, is_plain

ANY = Formatter(tool="any", name="Any", url="https://example.com/style")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        pytest.param(
            Change(rule="format", line=3, end_line=3, before="a\n", after="b\n"),
            "a.py:3",
            id="a line",
        ),
        pytest.param(
            Change(rule="format", line=3, end_line=5, before="a\na\na\n", after="b\n"),
            "a.py:3",
            id="lines",
        ),
        pytest.param(
            Change(rule="format", line=3, end_line=4, before="\n\n"),
            "a.py:3",
            id="too many lines",
        ),
        pytest.param(
            Change(rule="format", line=3, end_line=3, after="\n"),
            "a.py:3",
            id="too few lines",
        ),
        pytest.param(
            Change(rule="format", line=3, end_line=3, before="a\n", after="a\n"),
            "a.py:3",
            id="the end of the file",
        ),
        pytest.param(
            Change(rule="format", line=3, end_line=3, cell=2, before="a\n", after="b\n"),
            "a.py",
            id="a cell of a notebook",
        ),
    ],
)
def test_a_finding_has_its_message_and_place(change: Change, place: str, wording: Any):
    (finding,) = ANY.findings({"a.py": [change]}, layout(Path("/w")))
    assert (finding.message, str(finding.location), finding.fix) == (wording, place, Fix.SAFE)


def test_a_place_that_cannot_be_parsed_has_no_fix():
    change = Change(rule="parse", line=3, column=4, message="no")
    (finding,) = ANY.findings({"a.py": [change]}, layout(Path("/w")))
    assert (str(finding.location), finding.fix, finding.url) == ("a.py:3:4", Fix.NONE, "")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("a/b c.py", True),
        ("ü.py", False),
        ("a\tb.py", False),
        (" a.py", False),
        ('"a".py', False),
        ("", False),
    ],
)
def test_names_that_are_plain(name: str, *, plain: bool):
    assert is_plain(name) is plain
