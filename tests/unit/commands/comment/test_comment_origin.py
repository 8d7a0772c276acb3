"""The run of a report folder comes only from GitHub's event, and must match the current pull request."""

from typing import Any

import pytest
from support.builders import event
from support.fake_github import pull

from ci_action.commands.comment import EVENT, Origin, origin_of
from ci_action.model.result import Skipped
from ci_action.system.errors import ToolError

HEAD = "a" * 40
RUN: dict[str, Any] = {
    "id": 99,
    "run_attempt": 2,
    "event": "pull_request",
    "head_sha": HEAD,
    "head_repository": {"full_name": "o/r"},
}


def origin(run: object = RUN, name: str = EVENT, **of_pull: Any) -> Origin | Skipped:
    return origin_of(event(name=name, payload={"workflow_run": run}), pull(**of_pull))


def test_the_run_of_the_pull_request_as_it_is_now():
    assert origin() == Origin(commit=HEAD, run="99-2", url="https://github.com/o/r/actions/runs/99")


@pytest.mark.parametrize(
    ("run", "of_pull"),
    [
        ({"head_repository": {"full_name": "Stranger/R"}}, {"head_repository": "stranger/r"}),
        ({"head_sha": "b" * 64}, {"head_sha": "b" * 64}),
    ],
    ids=["names of repositories have no case", "SHA-256"],
)
def test_one_and_the_same(run: dict[str, Any], of_pull: dict[str, Any]):
    assert isinstance(origin(RUN | run, **of_pull), Origin)


@pytest.mark.parametrize(
    ("run", "number", "url"),
    [
        ({"run_attempt": None}, "99-1", True),
        ({"run_attempt": 0}, "99-1", True),
        ({"run_attempt": True}, "99-1", True),
        ({"id": "99"}, "-2", False),
        ({"id": True}, "-2", False),
        ({"id": 0}, "-2", False),
        ({"id": -1}, "-2", False),
        ({"id": 2**63 - 1}, f"{2**63 - 1}-2", True),
        ({"id": 2**63}, "-2", False),
        ({"id": None, "run_attempt": None}, "-1", False),
    ],
)
def test_invalid_numbers_are_omitted(run: dict[str, Any], number: str, url: bool):
    found = origin(RUN | run)
    assert isinstance(found, Origin)
    assert (found.run, bool(found.url)) == (number, url)


def test_newer_commits_are_rightly_skipped():
    found = origin(head_sha="c" * 40, number=7)
    assert isinstance(found, Skipped)
    assert found.rightly
    assert "7" in found.reason


@pytest.mark.parametrize(
    ("run", "value"),
    [
        ({"event": "push"}, "'push'"),
        ({"event": "pull_request_target"}, "'pull_request_target'"),
        ({"event": None}, "'None'"),
        ({"event": "x" * 41}, f"'{'x' * 40}'"),
        ({"head_sha": None}, ""),
        ({"head_sha": 7}, ""),
        ({"head_sha": "a" * 39}, ""),
        ({"head_sha": "a" * 41}, ""),
        ({"head_sha": "A" * 40}, ""),
        ({"head_sha": f"{HEAD}\n"}, ""),
        ({"head_repository": {"full_name": "stranger/r"}}, "'stranger/r'"),
        ({"head_repository": {"full_name": 7}}, "''"),
        ({"head_repository": "o/r"}, "''"),
        ({"head_repository": None}, "''"),
        ({"head_repository": {"full_name": "x" * 141}}, f"'{'x' * 140}'"),
    ],
)
def test_another_run_is_refused(run: dict[str, Any], value: str):
    with pytest.raises(ToolError) as caught:
        origin(RUN | run)
    assert value in caught.value.reason


@pytest.mark.parametrize(
    ("run", "name"), [(RUN, "pull_request"), (RUN, "push"), (None, EVENT), ("x", EVENT), ([RUN], EVENT)]
)
def test_another_event_is_refused(run: object, name: str):
    with pytest.raises(ToolError, match=EVENT):
        origin(run, name)


def test_the_problem_of_the_event_is_in_the_message():
    with pytest.raises(ToolError, match="its file is torn"):
        origin_of(event(name=EVENT, payload={}, problem="its file is torn"), pull())
