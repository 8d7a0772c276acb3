"""Events of the script that scans for secrets: places, findings, cached results, redacted text."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import planted_secrets

from ci_action.engine.secret_scan.events import Scanned, Secret, Text, kept, parse, restored
from ci_action.engine.secret_scan.findings import (
    File,
    Standing,
    findings_of,
    hidden,
    rule_of,
    severity_of,
    words_of,
)
from ci_action.model.changes import Changes
from ci_action.model.finding import Finding

VALUE = "hunter2-" + "hunter2"
KEYWORD, BASE64 = "Secret Keyword", "Base64 High Entropy String"
START = {"event": "start", "engine": "prefilter", "plugins_used": [], "filters_used": []}


def event(number: int = 0, *found: tuple[int, str, str], **overrides: Any) -> dict[str, Any]:
    entries = [[line, kind, value.encode().hex()] for line, kind, value in found]
    return {
        "event": "file",
        "number": number,
        "state": "scanned",
        "encoding": "utf-8",
        "found": entries,
        **overrides,
    }


def lines(*events: dict[str, Any]) -> bytes:
    return "".join(f"{json.dumps(one)}\n" for one in events).encode()


def test_files_values_and_the_end():
    events = parse(
        lines(
            START,
            event(0, (4, KEYWORD, VALUE), (2, KEYWORD, VALUE)),
            event(1),
            {"event": "finish", "files": 2},
        ),
        ["a", "b"],
    )
    assert events.finished
    assert events.files == {
        "a": Scanned(encoding="utf-8", secrets=(Secret(KEYWORD, VALUE, (2, 4)),)),
        "b": Scanned(encoding="utf-8"),
    }


def test_a_value_shows_in_no_representation():
    assert VALUE not in repr(parse(lines(event(0, (1, KEYWORD, VALUE))), ["a"]))


NO_TEXT: tuple[Any, ...] = (None, 1, [], {})
NO_FOUND: tuple[Any, ...] = (None, {}, "x", [1], [[1, "x"]], [[1, "x", "zz"]], [["1", "x", "00"]])
NO_SECRET: tuple[Any, ...] = ([1, None, "00"], [1, "x", None], [1e999, "x", "00"], [True, "x", "00"])
WRONG = [
    *({"number": value} for value in (True, "0", None, 0.0, 10**12)),
    *({name: value} for name in ("state", "encoding", "problem") for value in NO_TEXT),
    *({"found": value} for value in NO_FOUND),
    *({"found": [value]} for value in NO_SECRET),
]


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in event(0).items() if key != name}


@pytest.mark.parametrize(
    ("stdout", "unreadable", "finished"),
    [
        (b"", 0, False),
        (b"rubbish\n", 1, False),
        (lines(START, {"event": "finish", "files": 1}), 0, False),
        (lines(START, event(0), {"event": "finish", "files": 7}), 0, False),
        (lines(START, event(0)) + b'{"event": "fini', 1, False),
        (lines(event(5)), 1, False),
        (lines(event(-1)), 1, False),
        (lines(event(0, state="fine")), 1, False),
        (
            lines(
                {"event": "file", "number": 0, "state": "scanned", "encoding": "", "found": [[1, "x", "zz"]]}
            ),
            1,
            False,
        ),
        (lines({"event": "start", "plugins_used": "x", "filters_used": []}), 1, False),
        (lines({"event": "surprise"}), 1, False),
        (lines({"event": "start", "plugins_used": []}), 1, False),
        (lines(START, {"event": "finish", "files": True}), 1, False),
        (lines(START, event(0), event(0), {"event": "finish", "files": 1}), 1, True),
        (lines(START, event(0), {"event": "finish", "files": 1}, event(0)), 1, True),
        *((lines({**event(0), **wrong}), 1, False) for wrong in WRONG),
        *((lines(without(name)), 1, False) for name in ("number", "state", "encoding", "found")),
        (lines(event(0)).replace(b"0,", b"NaN,"), 1, False),
        (lines(event(0)).replace(b"0,", b"1e999,"), 1, False),
        (lines({"event": "failed", "problem": 1}), 1, False),
        (b"[" * 100_000 + b"\n", 1, False),
        (lines(START, event(0), {"event": "finish", "files": 1}), 0, True),
    ],
)
def test_nothing_is_finished_that_did_not_tell_of_every_file(stdout: bytes, unreadable: int, finished: bool):
    events = parse(stdout, ["a"])
    assert (events.unreadable, events.finished) == (unreadable, finished)


@given(
    st.binary(max_size=60)
    | st.lists(
        st.sampled_from([START, event(0), event(3), {"event": "finish", "files": 1}, {}]), max_size=4
    ).map(lambda many: lines(*many))
)
def test_whatever_comes_nothing_is_raised(stdout: bytes):
    events = parse(stdout, ["a"])
    assert not events.finished or events.files.keys() == {"a"}


def file(
    content: bytes, *secrets: Secret, path: str = "a.py", encoding: str = "utf-8", **overrides: Any
) -> File:
    scanned = Scanned(encoding=encoding, secrets=secrets)
    return File(
        path=path, scanned=scanned, text=Text(content, encoding), baseline=".secrets.baseline", **overrides
    )


def only(given: File) -> Finding:
    (found,) = findings_of(given)
    return found


def test_a_finding_names_type_place_and_what_to_do_and_never_the_value(wording: Any):
    found = only(file(f'# é\npassword = "{VALUE}"\n'.encode(), Secret(KEYWORD, VALUE, (2,))))
    assert (found.tool, found.rule, found.severity, found.also, found.muted) == (
        "detect-secrets",
        "secret-keyword",
        "high",
        (),
        "",
    )
    place = found.location
    assert place
    assert (place.path, place.line, place.column, place.end_line, place.end_column) == ("a.py", 2, 13, 2, 28)
    assert found.message == wording
    assert VALUE not in repr(found)


def test_several_types_of_one_value_on_a_line_are_one_finding():
    types = (KEYWORD, "AWS Access Key", BASE64)
    found = only(file(VALUE.encode(), *(Secret(kind, VALUE, (1,)) for kind in types)))
    assert (found.rule, found.severity) == ("aws-access-key", "critical")
    assert found.also == ("detect-secrets:base64-high-entropy-string", "detect-secrets:secret-keyword")


def test_two_values_on_a_line_are_two_findings():
    assert (
        len(
            list(
                findings_of(
                    file(
                        b"one-value two-value",
                        Secret(KEYWORD, "one-value", (1,)),
                        Secret(KEYWORD, "two-value", (1,)),
                    )
                )
            )
        )
        == 2
    )


@pytest.mark.parametrize(
    ("standings", "rule", "muted", "real"),
    [
        ({}, "aws-access-key", False, False),
        ({"AWS Access Key": "accepted", KEYWORD: "accepted"}, "aws-access-key", True, False),
        ({"AWS Access Key": "accepted"}, "secret-keyword", False, False),
        ({"AWS Access Key": "accepted", KEYWORD: "real"}, "secret-keyword", False, True),
    ],
)
def test_what_the_baseline_says(standings: dict[str, str], rule: str, muted: bool, real: bool):
    def standing(secret: Secret, _token: str) -> Standing:
        word = standings.get(secret.type, "")
        return {"accepted": Standing.ACCEPTED, "real": Standing.REAL}.get(word, Standing.OPEN)

    secrets = (Secret(KEYWORD, VALUE, (1,)), Secret("AWS Access Key", VALUE, (1,)))
    found = only(file(VALUE.encode(), *secrets, standing=standing))
    assert (found.rule, found.muted) == (rule, "accepted in .secrets.baseline" if muted else "")
    assert ("marks it as a real secret" in found.message) is real


@pytest.mark.parametrize(("touched", "line"), [({9}, 9), ({3}, 3), (set(), 3), ({3, 9}, 3)])
def test_of_several_lines_the_one_that_the_change_touched_is_named(touched: set[int], line: int):
    content = ("\n" * 2 + VALUE + "\n" * 6 + VALUE).encode()
    changes = Changes(lines={"a.py": frozenset(touched)})
    found = only(file(content, Secret(KEYWORD, VALUE, (3, 9)), changes=changes))
    assert found.location
    assert found.location.line == line


def test_a_value_that_stands_nowhere_as_it_is_belongs_to_the_change_of_its_file():
    content = b'key: "hunter2\\u002dhunter2"\n'
    secret = Secret(KEYWORD, VALUE, (1,))
    elsewhere, here = (Changes(lines={name: frozenset({5})}) for name in ("b.yaml", "a.yaml"))
    assert [
        only(file(content, secret, path="a.yaml", changes=one)).new for one in (None, elsewhere, here)
    ] == [None, None, True]
    assert content.decode().strip() in hidden(file(content, secret, path="a.yaml"))


@pytest.mark.parametrize(
    ("content", "value", "kinds", "ordinary"),
    [
        (b'"OTHER_INTERNATIONAL_API_KEY": "international",', "international", (KEYWORD,), True),
        (b"access_token = 'access_token'", "access_token", (KEYWORD,), True),
        (b"API_KEY = 'international'", "international", (KEYWORD,), False),
        (b"INTERNATIONAL_KEY = 'international'; key = 'international'", "international", (KEYWORD,), False),
        (b"international --key=international", "international", (KEYWORD,), False),
        (b"INTERNATIONAL_KEY = 'international'", "international", (KEYWORD, BASE64), False),
        (b"HUNTER2_KEY = 'hunter2'", "hunter2", (KEYWORD,), False),
        (b"INTERNATIONAL_KEY = 'inter\\x6eational'", "international", (KEYWORD,), False),
    ],
)
def test_a_value_that_its_own_name_has_is_an_ordinary_word(
    content: bytes, value: str, kinds: tuple[str, ...], ordinary: bool
):
    one = file(content, *(Secret(kind, value, (1,)) for kind in kinds))
    assert words_of(one) == ({value} if ordinary else set())
    assert value in hidden(one)


def test_an_ordinary_word_that_the_baseline_marks_as_real_is_none():
    secret = Secret(KEYWORD, "international", (1,))
    one = file(b"INTERNATIONAL_KEY = 'international'", secret, standing=lambda *_: Standing.REAL)
    assert not words_of(one)


def test_an_ordinary_word_is_one_in_each_of_its_places():
    text = b"INTERNATIONAL_KEY = 'international'\nkey = 'international'"
    assert not words_of(file(text, Secret(KEYWORD, "international", (1, 2))))


@pytest.mark.parametrize(
    ("content", "path", "line", "column"),
    [
        (b"a\r\nb\r\nhunter2\r\n", "a.txt", 3, 1),
        (b"a\rb\rhunter2\r", "a.py", 3, 1),
        (b"a\rb\rhunter2\r", "a.txt", 1, 5),
        (b"\na\rb hunter2\n", "a.txt", 2, 5),
        (b"x\n\rhunter2\n", "a.txt", 2, 2),
    ],
)
def test_lines_are_those_of_git(content: bytes, path: str, line: int, column: int):
    text = Text(content, "utf-8")
    number = next(i for i, row in enumerate(text.lines, 1) if "hunter2" in row)
    place = only(file(content, Secret(KEYWORD, "hunter2", (number,)), path=path)).location
    assert place
    assert (place.line, place.column) == (line, column)


@given(st.text(alphabet="ab\r\n", max_size=30), st.integers(1, 40))
def test_places_count_like_git(content: str, number: int):
    raw = content.encode()
    text = Text(raw, "utf-8")
    row, column = text.place(min(number, len(text.lines)), 0, carriage_returns=False)
    found = raw.replace(b"\r\n", b"\n").split(b"\n")[row - 1]
    assert found[column - 1 :].decode().startswith(text.line(min(number, len(text.lines))))


@pytest.mark.parametrize("state", ["unreadable", "failed"])
def test_what_could_not_be_looked_at_is_a_finding(state: str):
    found = only(File(path="a.py", scanned=Scanned(state=state, problem="Permission denied")))
    assert (found.rule, found.severity) == ("unreadable", "unknown")
    assert "Permission denied" in found.message


def test_every_type_has_a_rule_and_a_level():
    assert {severity_of(kind) for kind in planted_secrets.secrets()} == {"critical", "high"}
    assert (severity_of("Public IP (ipv4)"), severity_of("Our own")) == ("low", "unknown")
    assert [rule_of(kind) for kind in ("AWS Access Key", "Public IP (ipv4)", "::x\n", "")] == [
        "aws-access-key",
        "public-ip-ipv4",
        "x",
        "secret",
    ]


def test_the_body_of_a_private_key_is_hidden():
    line = planted_secrets.secrets()["Private Key"][1]
    for content in (line, line.replace("\n", "\\n")):
        text = Text(content.encode(), "utf-8")
        number = next(i for i, row in enumerate(text.lines, 1) if "BEGIN" in row)
        given_file = File(
            path="a.py",
            scanned=Scanned(secrets=(Secret("Private Key", "BEGIN RSA " + "PRIVATE KEY", (number,)),)),
            text=text,
        )
        assert set(planted_secrets.key_lines()) <= hidden(given_file)


def test_a_token_of_which_the_detector_takes_a_part_is_hidden_whole_and_each_is_a_finding():
    tokens = [planted_secrets.secrets()["GitHub Token"][0], "ghp" + "_" + "b" * 36]
    content = f'a = "{tokens[0]}"\nb = "{tokens[1]}"\nc = "{tokens[0]}"\n'.encode()
    given_file = file(content, Secret("GitHub Token", "ghp", (1, 2, 3)))
    assert set(tokens) <= hidden(given_file)
    assert [one.location.line for one in findings_of(given_file) if one.location] == [1, 2]


def test_a_whole_value_is_one_finding_whatever_stands_beside_it():
    content = b"amqp://hunter2:hunter2@a\nredis://:hunter2@b\n"  # pragma: allowlist secret
    only(file(content, Secret("Basic Auth Credentials", "hunter2", (1, 2))))


def test_what_python_makes_of_escapes_is_hidden_too():
    assert "hunAter2" in hidden(file(rb"hun\x41ter2", Secret(KEYWORD, r"hun\x41ter2", (1,))))


def test_what_is_kept_holds_no_value_and_gives_it_back():
    content = f'x\npassword = "{VALUE}"\n'.encode()
    scanned = Scanned(encoding="utf-8", secrets=(Secret(KEYWORD, VALUE, (2, 7)),))
    entry = kept(scanned, Text(content, "utf-8"))
    assert entry == {"state": "scanned", "encoding": "utf-8", "found": [[KEYWORD, [2, 7], 12, 27]]}
    assert restored(entry, content) == scanned


@pytest.mark.parametrize(
    "scanned",
    [
        Scanned(state="unreadable", problem="x"),
        Scanned(state="failed", problem="x"),
        Scanned(encoding="utf-8", secrets=(Secret(KEYWORD, "not there", (1,)),)),
    ],
)
def test_what_cannot_be_given_back_is_not_kept(scanned: Scanned):
    assert kept(scanned, Text(b"content", "utf-8")) is None


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda one: st.lists(one, max_size=4)
        | st.dictionaries(st.sampled_from(["state", "encoding", "found"]), one),
    )
)
def test_a_kept_entry_of_another_shape_is_a_miss(entry: Any):
    found = restored(entry, b"content")
    assert found is None or found.state in {"scanned", "binary", "excluded"}


def test_a_value_is_where_it_stands_alone():
    columns = {'admin_password = "admin"': 18, "xadminx": 1, "admin": 0, "nothing": None}
    assert {line: Text(line.encode(), "utf-8").column(1, "admin") for line in columns} == columns


@given(st.text(alphabet="ab_é1 -", max_size=30), st.text(alphabet="ab_é1 -", min_size=1, max_size=3))
def test_a_value_is_found_as_by_an_expression(line: str, value: str):
    alone = re.search(rf"(?<!\w){re.escape(value)}(?!\w)", line)
    found = alone.start() if alone else line.find(value)
    assert Text(line.encode(), "utf-8").column(1, value) == (found if found >= 0 else None)
