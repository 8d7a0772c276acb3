"""How the text of a setting becomes a value."""

from datetime import date, datetime
from typing import Any

import pytest

from ci_action.settings.field import EntryError
from ci_action.settings.kinds import (
    ignored_vulnerabilities,
    items,
    lines,
    python_version,
    switch,
    text,
    whole,
    words,
)
from ci_action.settings.types import IgnoredVulnerability

SECONDS = whole(1, 86_400)
NO_SWITCH: tuple[object, ...] = ("", "1", 1, None, [])


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        pytest.param(lines, "a\n b ,c\r\n\n", ("a", "b ,c"), id="lines keep commas"),
        pytest.param(lines, ["a,b"], ("a,b",), id="lines as a list"),
        pytest.param(lines, "", (), id="no lines"),
        pytest.param(items, "a, b\nc\r\n,,", ("a", "b", "c"), id="items by comma and newline"),
        pytest.param(items, ("a",), ("a",), id="items as a tuple"),
        pytest.param(words, '--a \'b c\' "d\\"e"', ("--a", "b c", 'd"e'), id="words as in a shell"),
        pytest.param(words, ["x y"], ("x y",), id="words as a list stay whole"),
        pytest.param(words, "", (), id="no words"),
        pytest.param(text, "a b", "a b", id="a folder"),
        pytest.param(SECONDS, "600", 600, id="seconds as text"),
        pytest.param(SECONDS, 7, 7, id="seconds"),
        pytest.param(python_version, "3.12", "3.12", id="a minor version"),
        pytest.param(python_version, "3.12.4", "3.12.4", id="a patch version"),
        pytest.param(python_version, ">=3.11,<4", ">=3.11,<4", id="a range"),
        pytest.param(python_version, "~=3.11", "~=3.11", id="a compatible release"),
        pytest.param(python_version, "", "", id="no version"),
        pytest.param(switch, True, True, id="true as TOML has it"),
        pytest.param(switch, False, False, id="false as TOML has it"),
        *(pytest.param(switch, word, True, id=f"{word!r} is on") for word in ["true", "Yes", " on ", "True"]),
        *(
            pytest.param(switch, word, False, id=f"{word!r} is off")
            for word in ("FALSE", "no", "off", "False")
        ),
    ],
)
def test_becomes(kind: Any, given: object, expected: object):
    assert kind.read(given) == expected


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        pytest.param(words, "--a 'b", id="open quote"),
        pytest.param(words, 5, id="words as a number"),
        pytest.param(lines, 5, id="lines as a number"),
        pytest.param(items, {"a": 1}, id="items as a table"),
        pytest.param(items, [1], id="items as numbers"),
        pytest.param(text, "a\0b", id="a NUL in a folder"),
        pytest.param(text, 5, id="a folder as a number"),
        pytest.param(SECONDS, "ten", id="seconds as a word"),
        pytest.param(SECONDS, "-5", id="negative seconds"),
        pytest.param(SECONDS, "1.5", id="seconds with a point"),
        pytest.param(SECONDS, 1.5, id="seconds as a float"),
        pytest.param(SECONDS, True, id="seconds as a boolean"),
        pytest.param(SECONDS, "", id="no seconds"),
        pytest.param(python_version, 3.1, id="a float: 3.10 in YAML"),
        pytest.param(python_version, 3, id="a whole number"),
        pytest.param(python_version, "3.1", id="what YAML makes of 3.10"),
        pytest.param(python_version, "3.2", id="what YAML makes of 3.20"),
        pytest.param(python_version, "py311", id="a target name"),
        pytest.param(python_version, "2.7", id="Python 2"),
        pytest.param(python_version, ">=three", id="a range of words"),
        pytest.param(python_version, "3." + "9" * 5000, id="endless digits"),
        pytest.param(python_version, "<" + "9" * 5000, id="an endless range"),
        pytest.param(python_version, "3.12; rm -rf /", id="a command"),
        pytest.param(python_version, ["3.12"], id="a list"),
        *(pytest.param(switch, word, id=repr(word)) for word in NO_SWITCH),
    ],
)
def test_is_refused(kind: Any, given: object, wording: Any):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the wording is compared
        kind.read(given)
    assert list(caught.value.args) == wording


ACCEPTED = IgnoredVulnerability(
    package="typing-extensions", id="CVE-2021-1", expires=date(2026, 12, 31), reason="not reached"
)
TABLE = {"package": "Typing_Extensions", "id": "CVE-2021-1", "expires": "2026-12-31", "reason": "not reached"}


@pytest.mark.parametrize(
    "given",
    [
        "Typing_Extensions CVE-2021-1 2026-12-31 not reached",
        "\n  typing.extensions   CVE-2021-1\t2026-12-31   not   reached \n\n",
        ["typing-extensions CVE-2021-1 2026-12-31 not\nreached"],
        [TABLE],
        [{**TABLE, "expires": date(2026, 12, 31)}],
        [{**TABLE, "reason": " not  reached"}],
    ],
    ids=str,
)
def test_an_accepted_vulnerability(given: object):
    assert ignored_vulnerabilities.read(given) == (ACCEPTED,)


@pytest.mark.parametrize(
    "day", [datetime.fromisoformat("2026-12-31"), "2026-12-31T00:00", "2026-W01-1", "soon", None]
)
def test_a_day_is_a_day(day: object, wording: Any):
    with pytest.raises(EntryError) as caught:
        ignored_vulnerabilities.read([{**TABLE, "expires": day}])
    assert str(caught.value) == wording


@pytest.mark.parametrize(
    ("package", "advisories", "matches"),
    [
        ("typing-extensions", ["CVE-2021-1"], True),
        ("Typing.Extensions", ["PYSEC-2021-9", "cve-2021-1"], True),
        ("typing-extensions", ["CVE-2021-10"], False),
        ("typing-extensions", [], False),
        ("typing", ["CVE-2021-1"], False),
    ],
)
def test_what_an_accepted_vulnerability_is_about(package: str, advisories: list[str], matches: bool):
    assert ACCEPTED.matches(package, advisories) is matches
