"""The pull request of an event: from recorded payloads, from GitHub's answers, and from what is neither."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from builders import pull_payload, write
from hostile import TEXTS
from hypothesis import given
from hypothesis import strategies as st
from recorded import recorded

from ci_action.gh.event import Event
from ci_action.gh.github import ApiError
from ci_action.gh.pull import NoPull, Pull, pull_from, pull_of

SHA, NEWER = "a" * 40, "b" * 40
OF_PULL_REQUEST = (
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_review_thread",
)


class Answers:
    """GitHub's API with pull requests of the test; what is not there is refused."""

    def __init__(
        self, *pulls: Mapping[str, Any], error: str = "", by_commit: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self.asked: list[int | str] = []
        self._pulls = {one["number"]: one for one in pulls}
        self._error = error
        self._by_commit = by_commit

    def pull(self, number: int) -> Mapping[str, Any]:
        self.asked.append(number)
        if self._error or number not in self._pulls:
            raise ApiError(self._error or "it is not there (404)", 404)
        return self._pulls[number]

    def pulls_of_commit(self, sha: str) -> Sequence[Mapping[str, Any]]:
        self.asked.append(sha)
        if self._error:
            raise ApiError(self._error, 403)
        return self._by_commit


def event(name: str = "pull_request", payload: Mapping[str, Any] | None = None, **overrides: Any) -> Event:
    return Event(name=name, payload=payload or {}, repository="o/r", **overrides)


def of(*given: Any, github: Any = None, **overrides: Any) -> Pull:
    found = pull_of(event(*given, **overrides), github)
    assert isinstance(found, Pull), found
    return found


def none_of(*given: Any, github: Any = None, **overrides: Any) -> NoPull:
    found = pull_of(event(*given, **overrides), github)
    assert isinstance(found, NoPull), found
    return found


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
    ("payload", "told"),
    [
        ({}, "names no pull request"),
        ({"number": "7"}, "names no pull request"),
        ({"pull_request": {"title": "feat: x"}}, "names no pull request"),
        ({"number": 7, "pull_request": {}}, "title of the pull request 7"),
    ],
)
@pytest.mark.parametrize("name", ["pull_request", "pull_request_target", "pull_request_review"])
def test_an_event_of_a_pull_request_that_names_none_is_broken(name: str, payload: dict[str, Any], told: str):
    found = none_of(name, payload)
    assert found.broken
    assert told in found.reason


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


def test_what_github_says_now_stands_over_the_payload():
    now = pull_payload(title="feat: now", labels=[{"name": "late"}], draft=True)["pull_request"]
    found = of("pull_request", pull_payload(title="then"), github=Answers(now))
    assert (found.title, found.labels, found.is_draft, found.current) == ("feat: now", ("late",), True, True)


def test_with_newer_commits_the_run_stays_about_its_own():
    newer = pull_payload(title="feat: now", changed_files=9, additions=8, head={"ref": "topic", "sha": NEWER})
    found = of("pull_request", pull_payload(changed_files=2), github=Answers(newer["pull_request"]))
    assert (found.title, found.head_sha, found.changed_files, found.additions) == ("feat: now", SHA, 2, 10)


@pytest.mark.parametrize(
    "github", [Answers(error="it may not (403)"), Answers({"number": 7}), Answers({"number": 7, "title": 3})]
)
def test_where_github_does_not_say_the_payload_stands_and_that_is_told(github: Answers):
    found = of("pull_request", pull_payload(), github=github)
    assert found.title == "feat: add a page"
    assert not found.current
    assert "as it is now" in found.problem


def test_an_answer_about_another_pull_request_is_none():
    other: Mapping[str, Any] = pull_payload(number=8, title="feat: of 8")["pull_request"]

    class Wrong(Answers):
        def pull(self, number: int) -> Mapping[str, Any]:
            del number
            return other

    found = of("pull_request", pull_payload(), github=Wrong())
    assert (found.number, found.title) == (7, "feat: add a page")
    assert found.problem


def test_without_a_token_only_a_rerun_is_told_of():
    assert not of("pull_request", pull_payload()).problem
    assert "re-run" in of("pull_request", pull_payload(), attempt=2).problem


@pytest.mark.parametrize(
    ("payload", "broken"),
    [
        ({"issue": {"number": 7, "pull_request": {}}}, True),
        ({"issue": {"number": 7}}, False),
        ({}, True),
        ({"issue": {"number": "7"}}, True),
    ],
)
def test_a_comment_without_a_token(payload: dict[str, Any], broken: bool):
    assert none_of("issue_comment", payload).broken is broken


def test_a_comment_on_a_pull_request_is_asked_for():
    github: Any = Answers(pull_payload()["pull_request"])
    assert of("issue_comment", {"issue": {"number": 7, "pull_request": {}}}, github=github).current
    found = none_of("issue_comment", {"issue": {"number": 7}}, github=github)
    assert "on an issue" in found.reason
    assert github.asked == [7]


QUEUE = "refs/heads/gh-readonly-queue/main/pr-7-" + SHA


@pytest.mark.parametrize(
    ("ref", "number"),
    [
        (QUEUE, 7),
        ("refs/heads/gh-readonly-queue/pr-5-x/pr-7-" + SHA, 7),
        ("refs/heads/gh-readonly-queue/main/pr-7-abc", None),
        ("refs/heads/gh-readonly-queue/main/pr-0-" + SHA, None),
        ("refs/heads/main", None),
        (None, None),
        ("$(id)", None),
    ],
)
def test_the_merge_queue_names_the_last_pull_request_of_a_group(ref: str | None, number: int | None):
    github: Any = Answers(pull_payload()["pull_request"])
    found = pull_of(event("merge_group", {"merge_group": {"head_ref": ref}}), github)
    assert isinstance(found, Pull) == (number is not None)
    assert github.asked == ([] if number is None else [number])


@pytest.mark.parametrize("github", [None, Answers(error="it may not (403)")])
def test_a_merge_group_that_cannot_be_asked_about_is_skipped(github: Answers | None):
    found = none_of("merge_group", {"merge_group": {"head_ref": QUEUE}}, github=github)
    assert not found.broken
    assert "no pull request here" in found.reason


def run_of(**overrides: Any) -> dict[str, Any]:
    values = {
        "head_sha": SHA,
        "event": "pull_request",
        "head_repository": {"full_name": "o/r"},
        "pull_requests": [],
    }
    return {"workflow_run": {**values, **overrides}}


def test_a_workflow_run_names_its_pull_request():
    github: Any = Answers(pull_payload()["pull_request"])
    others = [{"number": 3, "head": {"sha": NEWER}}, {"number": 7, "head": {"sha": SHA}}]
    assert of("workflow_run", run_of(pull_requests=others), github=github).number == 7
    assert github.asked == [7]


def test_a_workflow_run_of_a_fork_is_found_by_its_commit():
    fork = {"ref": "x", "sha": SHA, "repo": {"full_name": "stranger/r"}}
    answer = pull_payload(head=fork)["pull_request"]
    other = pull_payload(number=9, head={**fork, "sha": NEWER})["pull_request"]
    payload = run_of(head_repository={"full_name": "stranger/r"})
    assert of("workflow_run", payload, github=Answers(answer, by_commit=[other, answer])).number == 7


@pytest.mark.parametrize(
    ("run", "github"),
    [
        pytest.param(run_of(), None, id="no token"),
        pytest.param(run_of(), Answers(), id="of none"),
        pytest.param(run_of(), Answers(error="it may not"), id="refused"),
        pytest.param(run_of(event="push"), Answers(), id="of a push"),
        pytest.param({}, Answers(), id="of nothing"),
        pytest.param(
            run_of(head_repository={"full_name": "x/y"}),
            Answers(pull_payload()["pull_request"], by_commit=[pull_payload()["pull_request"]]),
            id="the commit is that of another repository",
        ),
    ],
)
def test_a_workflow_run_about_none(run: dict[str, Any], github: Answers | None):
    assert not none_of("workflow_run", run, github=github).broken


@pytest.mark.parametrize(
    "name", ["push", "schedule", "workflow_dispatch", "repository_dispatch", "release", ""]
)
def test_events_without_a_pull_request_are_no_fault(name: str):
    found = none_of(name, {"pull_request": 1})
    assert not found.broken
    assert found.reason.startswith("no pull request here")


def test_a_label_is_found_whatever_its_case():
    found = of("pull_request", pull_payload(labels=[{"name": "a"}, {"name": "Skip CI"}]))
    assert found.label_among(["x", "skip ci"]) == "Skip CI"
    assert found.label_among(["skip"]) == ""
