"""What we ask of GitHub, over real HTTP, against a stand-in that pages, limits, refuses and fails as GitHub does."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.builders import event
from support.github_bodies import changed_file, sha_of
from support.github_hub import BOT, PERSON, READER, TOKEN, Fault, Hub
from support.github_service import api, served

from ci_action.github.errors import ApiError
from ci_action.github.transport import Line, open_api

HEAD, BASE = sha_of("head 7"), sha_of("base")


@pytest.fixture
def hub() -> Iterator[Hub]:
    with served(Hub()) as hub:
        hub.add_pull()
        yield hub


def test_everything_that_is_asked(hub):
    github = api(hub)
    hub.files[7] = [changed_file("a.py", hub.root)]
    hub.merge_bases[(BASE, HEAD)] = BASE
    assert github.pull(7)["head"]["sha"] == HEAD
    assert [one["filename"] for one in github.pull_files(7)] == ["a.py"]
    assert [one["number"] for one in github.pulls_of_commit(HEAD)] == [7]
    assert github.merge_base(BASE, HEAD) == BASE
    made = github.create_comment(7, "first")
    github.update_comment(made["id"], "second")
    assert [(one["body"], one["user"]["login"]) for one in github.comments(7)] == [("second", BOT)]
    github.delete_comment(made["id"])
    assert list(github.comments(7)) == []
    run = github.create_check_run(
        {"name": "n", "head_sha": HEAD, "status": "completed", "conclusion": "success"}
    )
    github.update_check_run(run["id"], {"output": {"title": "t", "summary": "s"}})
    assert hub.check_runs[run["id"]]["conclusion"] == "success"
    comment = {"path": "a.py", "line": 1, "side": "RIGHT", "body": "b"}
    github.create_review(7, {"commit_id": HEAD, "event": "COMMENT", "comments": [comment]})
    assert [one["path"] for one in github.review_comments(7)] == ["a.py"]
    github.add_labels(7, ["size/S", "type: a/b?#"])
    github.remove_label(7, "type: a/b?#")
    assert hub.pulls[7]["labels"] == ["size/S"]
    assert github.login() == ""
    assert api(hub, PERSON).login() == "maintainer"


def test_all_pages_are_read_up_to_what_github_tells(hub):
    hub.files[7] = [changed_file(f"src/{number}.py", hub.root) for number in range(3_001)]
    found = [one["filename"] for one in api(hub).pull_files(7)]
    assert (len(found), found[0], found[-1]) == (3_000, "src/0.py", "src/2999.py")
    assert len(hub.requests) == 30


def test_an_enterprise_server_with_a_path_of_its_own():
    with served(Hub(prefix="/api/v3", repository="org/a.b-c")) as hub:
        hub.add_pull()
        hub.comments[7] = [hub.add_comment(7, "a", str(number)) for number in range(250)]
        assert len(list(api(hub).comments(7))) == 250


REFUSED: dict[str, tuple[Fault, int, str]] = {
    "401": (
        Fault("GET", 401, text="Bad credentials"),
        401,
        "invalid token (401, 'Bad credentials')",
    ),
    "403": (
        Fault("GET", 403, text="Resource not accessible by integration"),
        403,
        "`permissions: pull-requests: read`",
    ),
    "404": (Fault("GET", 404, text="Not Found"), 404, "not found, or missing permission"),
    "410": (
        Fault("GET", 410, text="Issues are disabled for this repo"),
        410,
        "or disabled in the settings of the repository (410,",
    ),
    "422": (
        Fault("GET", 422, text="Validation Failed"),
        422,
        "invalid request (422, 'Validation Failed')",
    ),
    "429": (Fault("GET", 429, headers={"Retry-After": "3600"}), 429, "rate limit, retry after 3,600 s"),
    "451": (Fault("GET", 451), 451, "unexpected answer (451"),
    "primary limit": (
        Fault("GET", 403, headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}),
        403,
        "rate limit, retry after",
    ),
    "secondary limit": (Fault("GET", 403, headers={"Retry-After": "61"}), 403, "retry after 61 s"),
    "307": (
        Fault("GET", 307, headers={"Location": "http://127.0.0.1:1/"}),
        307,
        "unexpected answer",
    ),
    "half": (Fault("GET", kind="half"), 0, "no complete answer from 127.0.0.1"),
    "closed": (Fault("GET", kind="reset"), 0, "no complete answer from 127.0.0.1"),
    "truncated": (Fault("GET", kind="text", text='{"number": 7, "ti'), 200, "is not valid JSON"),
    "html": (Fault("GET", kind="text", text="<html>captive portal</html>"), 200, "is not valid JSON"),
    "deep": (Fault("GET", kind="text", text="[" * 100_000), 200, "is not valid JSON"),
    "list": (Fault("GET", kind="text", text="[]"), 200, "is not a JSON object"),
    "500": (Fault("GET", 500), 500, "server error (500"),
    "502": (Fault("GET", 502, kind="text", text="<html>Unicorn!</html>"), 502, "server error (502)"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_every_failure_is_a_sentence(name, hub):
    fault, status, said = REFUSED[name]
    hub.faults.append(fault)
    with pytest.raises(ApiError) as caught:
        api(hub, patience=0).pull(7)
    assert caught.value.status == status
    assert said in caught.value.reason
    assert caught.value.reason.startswith("the request to read pull request #7 failed: ")
    assert TOKEN not in caught.value.reason


def test_the_permissions_of_a_token(hub):
    github = api(hub, READER)
    assert github.pull(7)["number"] == 7
    with pytest.raises(
        ApiError,
        match=r"`permissions: pull-requests: write`; the token is always read-only for pull requests from forks",
    ) as caught:
        github.create_comment(7, "x")
    assert caught.value.status == 403
    with pytest.raises(ApiError, match=r"`permissions: checks: write`"):
        github.create_check_run({"name": "n", "head_sha": HEAD})
    with pytest.raises(ApiError, match=r"invalid token"):
        api(hub, "ghs_unknown").login()


def test_what_does_not_answer_at_all():
    for address, said in [
        ("http://127.0.0.1:9", "no complete answer from 127.0.0.1"),
        ("https://nowhere.invalid", "no complete answer from nowhere.invalid"),
        ("ftp://example.org", "`GITHUB_API_URL` is not a valid address"),
        ("http://[", "`GITHUB_API_URL` is not a valid address"),
    ]:
        github = open_api(TOKEN, {"GITHUB_API_URL": address}, event(), patience=0)
        assert github is not None
        with pytest.raises(ApiError) as caught:
            github.pull(7)
        assert said in caught.value.reason


@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_a_server_that_never_comes_to_an_end_is_given_up(kind, hub):
    hub.faults.append(Fault("GET", kind=kind))
    line = Line(hub.root, TOKEN, patience=0, longest=0.5)
    with pytest.raises(ApiError, match=r"did not answer within 0\.5 s"):
        line.ask("GET", "/repos/o/r/pulls/7", "show it", "x: read")


@pytest.mark.parametrize("kind", ["hang", "drip"])
def test_waiting_for_answers_that_never_come_has_one_end_too(kind, hub):
    hub.faults.append(Fault("GET", kind=kind))
    line = Line(hub.root, TOKEN, patience=0.9, longest=0.5)
    with pytest.raises(ApiError, match="did not answer"):
        line.ask("GET", "/repos/o/r/pulls/7", "show it", "x: read")
    asked = len(hub.requests)
    with pytest.raises(ApiError, match="did not answer"):
        line.ask("GET", "/repos/o/r/pulls/7", "show it", "x: read")
    with pytest.raises(ApiError, match=r"request to show it failed: not sent, because .* did not answer"):
        line.ask("GET", "/repos/o/r/pulls/7", "show it", "x: read")
    assert (asked, len(hub.requests)) == (1, 2)


def test_a_pause_that_is_asked_for_is_kept_once(hub):
    hub.tokens[TOKEN].writes = 0
    began = time.monotonic()
    api(hub).create_comment(7, "x")
    assert time.monotonic() - began >= 1
    assert [one.status for one in hub.requests] == [403, 201]


def test_all_waiting_of_a_run_has_one_end(hub):
    hub.faults.append(Fault("GET", 429, headers={"Retry-After": "1"}))
    github = api(hub, patience=1.5)
    for tries in (2, 1):
        hub.requests.clear()
        with pytest.raises(ApiError, match="retry after 1 s"):
            github.pull(7)
        assert len(hub.requests) == tries


def test_nobody_waits_after_a_signal(hub):
    hub.faults.append(Fault("GET", 429, headers={"Retry-After": "50"}))
    answers = iter([False])
    with pytest.raises(ApiError):
        api(hub, stopped=lambda: next(answers, True)).pull(7)
    assert len(hub.requests) == 1


def test_only_what_asking_again_does_not_change_is_asked_again(hub):
    hub.faults += [Fault("GET", 502, times=1), Fault("POST", 502, times=1)]
    github = api(hub, patience=3)
    assert github.pull(7)["number"] == 7
    with pytest.raises(ApiError, match=r"\(502"):
        github.create_comment(7, "x")
    assert [one.status for one in hub.requests] == [502, 200, 502]


def test_the_limit_of_the_hour_is_not_waited_for(hub):
    hub.tokens[TOKEN].remaining = 1
    github = api(hub)
    assert github.pull(7)["number"] == 7
    with pytest.raises(ApiError, match=r"retry after [23],\d+ s \(403, .API rate limit exceeded"):
        github.pull(7)


CIRCLES: dict[str, Callable[[Hub], Any]] = {
    "circle": lambda hub: {"Link": f'<{hub.root}/repos/o/r/issues/7/comments?page=1>; rel="next"'},
    "elsewhere": lambda hub: {"Link": '<http://127.0.0.1:9/repos/o/r/issues/7/comments?page=1>; rel="next"'},
}


@pytest.mark.parametrize("name", CIRCLES)
def test_pages_that_lead_nowhere(name, hub):
    hub.faults.append(Fault("GET", kind="text", text='[{"id": 1}]', headers=CIRCLES[name](hub)))
    with pytest.raises(ApiError, match="list has no last page"):
        list(api(hub).comments(7))


def test_a_list_of_something_else(hub):
    hub.faults.append(Fault("GET", kind="text", text="[1]"))
    with pytest.raises(ApiError, match="is not a JSON object"):
        list(api(hub).comments(7))


@pytest.mark.parametrize("token", ["ghs_a\nInjected: x", "ghs_é", "ghs_\udcff", "a b"])
def test_a_token_that_is_none_is_in_no_message(token, hub):
    with pytest.raises(ApiError, match="`github-token` has invalid characters") as caught:
        api(hub, token).pull(7)
    assert token not in str(caught.value)


def test_without_a_token_or_a_repository_there_is_no_api():
    assert open_api("", {}, event()) is None
    assert open_api(TOKEN, {}, event(repository="")) is None
    strange = open_api(TOKEN, {}, event(repository="o/../../user"))
    assert strange is not None
    with pytest.raises(ApiError, match="not `owner/name`"):
        strange.pull(7)
