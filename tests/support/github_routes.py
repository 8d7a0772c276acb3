"""The routes of the fake GitHub, with the permissions that GitHub requires."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from support import github_bodies as bodies
from support.github_bodies import Body, refused
from support.github_hub import Hub, Token

LONGEST_BODY = 65_536
MOST_FILES = 3_000


class RefusedError(Exception):
    """The request is refused with a status and a body."""

    def __init__(self, status: int, message: str, *errors: object) -> None:
        super().__init__(message)
        self.status = status
        self.body = refused(status, message, errors)


@dataclass(frozen=True)
class Call:
    """A request on its way through the routes."""

    hub: Hub
    token: Token
    parts: tuple[str, ...]
    body: Any

    @property
    def number(self) -> int:
        return int(self.parts[0])


Handler = Callable[[Call], tuple[int, Any]]


def _found(table: dict[int, Any], number: int) -> Any:
    if number not in table:
        raise RefusedError(404, "Not Found")
    return table[number]


def user(call: Call) -> tuple[int, Any]:
    if call.token.app:
        raise RefusedError(403, "Resource not accessible by integration")
    return 200, bodies.public_user(call.token.login, call.hub.root)


def pull(call: Call) -> tuple[int, Any]:
    hub = call.hub
    return 200, bodies.pull(_found(hub.pulls, call.number), hub.repository, hub.root)


def pull_files(call: Call) -> tuple[int, Any]:
    _found(call.hub.pulls, call.number)
    return 200, call.hub.files[call.number][:MOST_FILES]


def pulls_of_commit(call: Call) -> tuple[int, Any]:
    hub, sha = call.hub, call.parts[0]
    numbers = hub.commits.get(sha, []) + [
        one["number"] for one in hub.pulls.values() if one["head_sha"] == sha
    ]
    found = [hub.pulls[number] for number in dict.fromkeys(numbers)]
    return 200, [bodies.pull_simple(one, hub.repository, hub.root) for one in found]


def compare(call: Call) -> tuple[int, Any]:
    base, _, head = call.parts[0].partition("...")
    found = call.hub.merge_bases.get((base, head))
    if found is None:
        raise RefusedError(404, "Not Found")
    return 200, bodies.comparison(base, found, call.hub.root)


def comments(call: Call) -> tuple[int, Any]:
    return 200, _found(call.hub.comments, call.number)


def create_comment(call: Call) -> tuple[int, Any]:
    kept = _found(call.hub.comments, call.number)
    hub, token = call.hub, call.token
    made = bodies.comment(hub.next_id(), token.login, _text(call.body), hub.root, via=token.app)
    kept.append(made)
    return 201, made


def _text(body: Body) -> str:
    text: str = body["body"]
    if not text.strip():
        raise RefusedError(
            422, "Validation Failed", {"resource": "IssueComment", "code": "missing_field", "field": "body"}
        )
    if len(text) > LONGEST_BODY:
        message = f"Body is too long (maximum is {LONGEST_BODY} characters)"
        raise RefusedError(
            422,
            "Validation Failed",
            {"resource": "IssueComment", "code": "unprocessable", "message": message},
        )
    return text


def _comment(call: Call) -> tuple[list[Body], Body]:
    for kept in call.hub.comments.values():
        for one in kept:
            if one["id"] == call.number:
                return kept, one
    raise RefusedError(404, "Not Found")


def update_comment(call: Call) -> tuple[int, Any]:
    _, one = _comment(call)
    one["body"] = _text(call.body)
    return 200, one


def delete_comment(call: Call) -> tuple[int, Any]:
    kept, one = _comment(call)
    kept.remove(one)
    return 204, None


def add_labels(call: Call) -> tuple[int, Any]:
    found = _found(call.hub.pulls, call.number)
    for name in call.body["labels"]:
        if len(name) > 50:
            raise RefusedError(
                422, "Validation Failed", {"resource": "Label", "code": "invalid", "field": "name"}
            )
        if name not in found["labels"]:
            found["labels"].append(name)
    return 200, [bodies.label(name, call.hub.root) for name in found["labels"]]


def remove_label(call: Call) -> tuple[int, Any]:
    found = _found(call.hub.pulls, call.number)
    if call.parts[1] not in found["labels"]:
        raise RefusedError(404, "Label does not exist")
    found["labels"].remove(call.parts[1])
    return 200, [bodies.label(name, call.hub.root) for name in found["labels"]]


def create_check_run(call: Call) -> tuple[int, Any]:
    hub, given = call.hub, call.body
    if not call.token.app:
        raise RefusedError(403, "You must authenticate via a GitHub App.")
    if given.get("status") == "completed" and "conclusion" not in given:
        raise RefusedError(422, 'Invalid request.\n\n"conclusion" wasn\'t supplied.')
    number = hub.next_id()
    hub.annotations[number] = _annotations(given)
    hub.check_runs[number] = dict(given)
    return 201, bodies.check_run(number, given, hub.annotations[number], hub.root)


def update_check_run(call: Call) -> tuple[int, Any]:
    hub, given = call.hub, call.body
    found = _found(hub.check_runs, call.number)
    hub.annotations[call.number] += _annotations(given)
    output = {**found.get("output", {}), **given.get("output", {})}
    found.update({**given, "output": output})
    return 200, bodies.check_run(call.number, found, hub.annotations[call.number], hub.root)


def _annotations(given: Body) -> list[Body]:
    output = given.get("output") or {}
    found: list[Body] = output.get("annotations", [])
    if len(found) > 50:
        raise RefusedError(422, "Invalid request.\n\nNo more than 50 items are allowed; 51 were supplied.")
    if len(output.get("summary", "")) > 65_535:
        raise RefusedError(422, "Invalid request.\n\nOnly 65535 characters are allowed")
    for one in found:
        problem = _wrong_annotation(one)
        if problem:
            raise RefusedError(
                422, "Validation Failed", {"resource": "CheckRun", "code": "invalid", "field": problem}
            )
    return found


def _wrong_annotation(one: Body) -> str:
    columns = {"start_column", "end_column"} & one.keys()
    rules = {
        "start_column": columns and one["start_line"] != one["end_line"],
        "start_line": one["start_line"] < 1 or one["end_line"] < one["start_line"],
        "end_column": one.get("start_column", 1) < 1
        or one.get("end_column", 10**9) < one.get("start_column", 1),
        "path": not one["path"] or one["path"].startswith(("/", "./")) or ".." in one["path"].split("/"),
        "message": not one["message"] or len(one["message"].encode()) > 64 * 1024,
        "title": len(one.get("title", "")) > 255,
        "raw_details": len(one.get("raw_details", "").encode()) > 64 * 1024,
    }
    return next((name for name, broken in rules.items() if broken), "")


def review_comments(call: Call) -> tuple[int, Any]:
    return 200, _found(call.hub.review_comments, call.number)


def create_review(call: Call) -> tuple[int, Any]:
    hub, given, number = call.hub, call.body, call.number
    _found(hub.pulls, number)
    for one in given.get("comments", []):
        lines = {one["line"], one.get("start_line", one["line"])}
        if (
            not lines <= _lines_of_diff(hub.files[number], one["path"])
            or one.get("start_line", 0) >= one["line"]
        ):
            raise RefusedError(
                422, "Unprocessable Entity", "Pull request review thread line must be part of the diff"
            )
    commit = given.get("commit_id") or hub.pulls[number]["head_sha"]
    made = bodies.review(hub.next_id(), call.token.login, {**given, "commit_id": commit}, hub.root)
    hub.reviews.append(made)
    hub.review_comments[number] += [
        bodies.review_comment(hub.next_id(), call.token.login, one, commit, hub.root)
        for one in given.get("comments", [])
    ]
    return 200, made


def _lines_of_diff(files: list[Body], path: str) -> set[int]:
    """Return the lines of a file, as it became, that the patches show."""
    lines: set[int] = set()
    current = 0
    for file in files:
        for row in file.get("patch", "").split("\n") if file["filename"] == path else ():
            head = re.match(r"@@ -\S+ \+(\d+)", row)
            if head:
                current = int(head[1])
            elif not row.startswith(("-", "\\")):
                lines.add(current)
                current += 1
    return lines


_ROUTES: list[tuple[str, str, Handler, str]] = [
    ("GET", "/user", user, ""),
    ("GET", "R/pulls/N", pull, "pull-requests: read"),
    ("GET", "R/pulls/N/files", pull_files, "pull-requests: read"),
    ("GET", "R/commits/X/pulls", pulls_of_commit, "pull-requests: read"),
    ("GET", "R/compare/X", compare, "contents: read"),
    ("GET", "R/issues/N/comments", comments, "pull-requests: read"),
    ("POST", "R/issues/N/comments", create_comment, "pull-requests: write"),
    ("PATCH", "R/issues/comments/N", update_comment, "pull-requests: write"),
    ("DELETE", "R/issues/comments/N", delete_comment, "pull-requests: write"),
    ("POST", "R/issues/N/labels", add_labels, "pull-requests: write"),
    ("DELETE", "R/issues/N/labels/X", remove_label, "pull-requests: write"),
    ("POST", "R/check-runs", create_check_run, "checks: write"),
    ("PATCH", "R/check-runs/N", update_check_run, "checks: write"),
    ("GET", "R/pulls/N/comments", review_comments, "pull-requests: read"),
    ("POST", "R/pulls/N/reviews", create_review, "pull-requests: write"),
]


def answer(hub: Hub, token: Token, verb: str, path: str, body: Any) -> tuple[int, Any]:
    """Do what is asked; raises `RefusedError`."""
    for wanted, pattern, handler, needs in _ROUTES:
        shape = (
            pattern.replace("R/", f"/repos/{re.escape(hub.repository)}/")
            .replace("N", r"(\d+)")
            .replace("X", "([^/]+)")
        )
        match = re.fullmatch(shape, path)
        if match is None or wanted != verb:
            continue
        scope, _, right = needs.partition(": ")
        if scope and token.may.get(scope, "none") not in {right, "write"}:
            raise RefusedError(403, "Resource not accessible by integration")
        return handler(Call(hub, token, tuple(map(unquote, match.groups())), body))
    raise RefusedError(404, "Not Found")
