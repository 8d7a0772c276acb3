"""The pull request of an event: from recorded payloads, and from what is none."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import pull_payload, write
from support.hostile_text import TEXTS
from support.pull_requests import event, none_of, of
from support.recorded_events import recorded

from ci_action.github.event import Event
from ci_action.github.pull_request import NoPull, Pull, pull_from, pull_of

SHA = "a" * 40
OF_PULL_REQUEST = (
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_review_thread",
)


@pytest.mark.parametrize("name", OF_PULL_REQUEST)
def test_every_recorded_event_of_a_pull_request_is_read(name: str):
    payloads = recorded()[name]
    assert len(payloads) == {"pull_request": 29, "pull_request_review": 4}.get(name, len(payloads)) > 0
    for payload in payloads:
        found, told = of(name, payload), payload["pull_request"]
        assert (found.number, found.title) == (told["number"], told["title"])
        assert (found.base, found.head, found.head_sha) == (
            told["base"]["ref"],
            told["head"]["ref"],
            told["head"]["sha"],
        )
        assert found.author == told["user"]["login"]
        assert found.labels == tuple(label["name"] for label in told["labels"])
        assert not found.current
        assert not found.problem


def test_of_every_other_recorded_event_there_is_none_or_github_has_to_say():
    for name, payloads in recorded().items():
        if name in OF_PULL_REQUEST:
            continue
        for payload in payloads:
            found = none_of(name, payload)
            asks = name == "workflow_run" and payload["workflow_run"]["pull_requests"]
            assert found.broken == bool(asks), (name, found)
            assert ("no pull request here" in found.reason) != found.broken


def test_the_recorded_drafts():
    drafts = {payload["pull_request"]["draft"] for payload in recorded()["pull_request"]}
    assert drafts == {True, False}
    for payload in recorded()["pull_request"]:
        assert of("pull_request", payload).is_draft is payload["pull_request"]["draft"]


@pytest.mark.parametrize(
    ("overrides", "is_fork", "repository"),
    [
        pytest.param({}, False, "o/r", id="own branch"),
        pytest.param(
            {"head": {"ref": "x", "repo": {"full_name": "stranger/r"}}}, True, "stranger/r", id="fork"
        ),
        pytest.param({"head": {"ref": "x", "repo": None}}, True, "", id="deleted fork"),
        pytest.param({"head": None}, True, "", id="nothing is said"),
        pytest.param({"base": None}, True, "o/r", id="of nothing that is known"),
    ],
)
def test_forks(overrides: dict[str, Any], is_fork: bool, repository: str):
    found = of("pull_request", pull_payload(**overrides))
    assert (found.is_fork, found.head_repository) == (is_fork, repository)


@pytest.mark.parametrize(
    ("user", "is_bot"),
    [
        ({"login": "octocat", "type": "User"}, False),
        ({"login": "dependabot[bot]", "type": "Bot"}, True),
        ({"login": "dependabot[bot]"}, True),
        ({"login": "renovate", "type": "Bot"}, True),
        ({"login": "bot", "type": "Organization"}, False),
        (None, False),
    ],
)
def test_bots(user: dict[str, Any] | None, is_bot: bool):
    assert of("pull_request", pull_payload(user=user)).is_bot is is_bot


JUNK = [
    None,
    True,
    0,
    -1,
    1.5,
    2**70,
    "",
    "x",
    "\ud800",
    [],
    [None],
    {},
    {"name": 1},
    [["x"]],
    {"repo": {"full_name": 3}},
]


@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_a_wrong_type_in_any_field_never_crashes(junk: object):
    whole = pull_payload()
    for name in whole["pull_request"]:
        found = pull_of(event("pull_request", pull_payload(**{name: junk})), None)
        if isinstance(found, Pull):
            _is_well_typed(found)
    for payload in ({"pull_request": junk}, {"pull_request": junk, "number": junk}, {"number": junk}):
        found = pull_of(event("pull_request", payload), None)
        assert isinstance(found, NoPull)
        assert found.broken


def _is_well_typed(pull: Pull) -> None:
    assert isinstance(pull.number, int)
    assert pull.number > 0
    for text in (
        pull.title,
        pull.body,
        pull.author,
        pull.base,
        pull.head,
        pull.head_repository,
        *pull.labels,
    ):
        assert isinstance(text, str)
        text.encode()  # no lone surrogates
    for count in (pull.additions, pull.deletions, pull.changed_files):
        assert count is None or type(count) is int


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("number", "title", "body", "user", "head", "base", "labels", "draft", "additions", "changed_files")


@given(
    pull=st.dictionaries(st.sampled_from(FIELDS), JSON), name=st.sampled_from(sorted(recorded())), rest=JSON
)
def test_no_payload_crashes(pull: dict[str, Any], name: str, rest: object):
    payload = {"pull_request": pull, "issue": rest, "workflow_run": pull, "merge_group": rest, "number": rest}
    found = pull_of(event(name, payload), None)
    if isinstance(found, Pull):
        _is_well_typed(found)
    assert pull_from(pull) is None or pull["title"] is not None


@pytest.mark.parametrize("text", TEXTS)
def test_hostile_text_stays_text(text: str):
    head = {"ref": text, "sha": SHA, "repo": {"full_name": text}}
    found = of("pull_request", pull_payload(title=text, body=text, head=head, labels=[{"name": text}]))
    assert (
        found.title
        == found.body
        == found.head
        == text.replace("\ud800", "\ufffd").replace("\udcff", "\ufffd")
    )


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"number": "7"},
        {"pull_request": {"title": "feat: x"}},
        {"number": 7, "pull_request": {}},
    ],
)
@pytest.mark.parametrize("name", ["pull_request", "pull_request_target", "pull_request_review"])
def test_an_event_of_a_pull_request_that_names_none_is_broken(
    name: str, payload: dict[str, Any], wording: Any
):
    found = none_of(name, payload)
    assert found.broken
    assert found.reason == wording


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b"\xff\xfe", b"[" * 200_000, b"9" * 5_000])
def test_a_payload_file_that_is_none_is_broken_with_the_reason(tmp_path: Path, content: bytes | None):
    if content is not None:
        write(tmp_path, {"event.json": content})
    read = Event.from_environ(
        {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
    )
    found = pull_of(read, None)
    assert isinstance(found, NoPull)
    assert found.broken
    assert "event.json" in found.reason


def test_the_number_beside_the_pull_request_will_do():
    payload = pull_payload(number=None)
    assert of("pull_request", {**payload, "number": 7}).number == 7
