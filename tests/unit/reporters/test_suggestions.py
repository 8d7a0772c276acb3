"""Suggested changes: only where the diff of the pull request shows exactly the lines that the tool saw."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import at, event, finding, publication, resolved, run_result, write
from support.fake_feedback import BOT, HEAD, Feedback
from support.fake_github import pull
from support.renderers import rendered

from ci_action.engine.redact import redacted
from ci_action.model.finding import Edit, Finding, Fix
from ci_action.reporters import suggestions
from ci_action.reporters.suggestions import MARKER, MOST, hunks_of, whole_lines
from ci_action.system.redaction import Redactor

SOURCE = "import os\nx = [1,2]\ny = 1\ndef f():\n    return  x\nz = 1\n"
PATCH = "@@ -1,2 +1,6 @@ head\n import os\n+x = [1,2]\n+y = 1\n-old\n+def f():\n+    return  x\n z = 1\n\\ No newline at end of file"


def black(line: int, before: str, after: str, **overrides: Any) -> Finding:
    values = {"tool": "black", "rule": "format", "fix": Fix.SAFE, "fix_message": "Reformat with Black"}
    end = line + max(0, before.count("\n") - 1)
    place = at(overrides.pop("path", "a.py"), line, end_line=end)
    return finding(**{**values, "location": place, "before": before, "after": after, **overrides})


def ruff(*edits: tuple[tuple[int, int], tuple[int, int], str], **overrides: Any) -> Finding:
    made = tuple(Edit(start=start, end=end, text=text) for start, end, text in edits)
    return finding(
        **{"fix": Fix.SAFE, "fix_message": "Fix it", "edits": made, "location": at("a.py", 2), **overrides}
    )


def reported(
    folder: Path,
    *findings: Finding,
    github: Feedback | None = None,
    patch: str = PATCH,
    source: str = SOURCE,
    secrets: Sequence[str] = (),
    **overrides: Any,
) -> tuple[Feedback, list[str]]:
    write(folder, {"a.py": source})
    github = github or Feedback()
    github.files = [{"filename": "a.py", "status": "modified", "patch": patch}]
    values = {
        "resolved": resolved(suggestions="true"),
        "event": event(name="pull_request"),
        "pull": pull(head_sha=HEAD),
        "github": github,
    }
    redact = Redactor(secrets)
    shown = publication(folder, **{"redact": redact, **values, **overrides})
    suggestions.report(redacted(run_result(*findings), redact), shown)
    return github, shown.problems


def made(github: Feedback) -> list[tuple[int, int, str]]:
    """Return what was suggested: the lines, and what they become."""
    comments = [one for review in github.reviews for one in review["comments"]]
    return [
        (one.get("start_line", one["line"]), one["line"], rendered(one["body"]).all("pre")[0].text)
        for one in comments
    ]


SUGGESTED: dict[str, tuple[Finding, list[tuple[int, int, str]]]] = {
    "a line": (black(2, "x = [1,2]\n", "x = [1, 2]\n"), [(2, 2, "x = [1, 2]\n")]),
    "lines": (black(2, "x = [1,2]\ny = 1\n", "x = [1, 2]\n"), [(2, 3, "x = [1, 2]\n")]),
    "a line that goes": (black(3, "y = 1\n", ""), [(3, 3, "")]),
    "lines to add": (black(4, "", "\n\n"), [(4, 4, "\n\ndef f():\n")]),
    "context alone": (black(1, "import os\n", "import os, re\n"), []),
    "context and a changed line": (black(1, "import os\nx = [1,2]\n", "x\n"), [(1, 2, "x\n")]),
    "another text": (black(2, "x = [1,3]\n", "x = [1, 3]\n"), []),
    "another line": (black(3, "x = [1,2]\n", "x = [1, 2]\n"), []),
    "outside of the diff": (black(60, "x = [1,2]\n", "x = [1, 2]\n"), []),
    "another file": (black(2, "x = [1,2]\n", "x = [1, 2]\n", path="b.py"), []),
    "lines to add at the end": (black(6, "", "\n"), []),
    "nothing": (black(2, "", ""), []),
    "unsafe": (black(2, "x = [1,2]\n", "x = [1, 2]\n", fix=Fix.UNSAFE), []),
    "muted": (black(2, "x = [1,2]\n", "x = [1, 2]\n", muted="on purpose"), []),
    "too many lines": (black(2, "x = [1,2]\n", "x\n" * 61), []),
    "an encoding that was guessed": (black(2, "x = [1,2]\n", "x = '\ufffd'\n"), []),
    "a control character": (black(2, "x = [1,2]\n", "x = '\x1b[0m'\n"), []),
    "a tab": (black(2, "x = [1,2]\n", "\tx\n"), [(2, 2, "\tx\n")]),
    "a secret": (black(2, "x = [1,2]\n", "x = 's3cr3t'\n"), []),
    "a fence": (
        black(2, "x = [1,2]\n", "x = '''\n```\n````\n@user\n'''\n"),
        [(2, 2, "x = '''\n```\n````\n@user\n'''\n")],
    ),
    "Ruff, a line that goes": (ruff(((3, 1), (4, 1), "")), [(3, 3, "")]),
    "Ruff, in a line": (ruff(((2, 6), (2, 7), ""), ((2, 8), (2, 8), " ")), [(2, 2, "x = [, 2]\n")]),
    "Ruff, lines apart": (
        ruff(((2, 1), (2, 2), "a"), ((5, 11), (5, 13), " ")),
        [(2, 5, "a = [1,2]\ny = 1\ndef f():\n    return x\n")],
    ),
    "Ruff, somewhere else": (ruff(((40, 1), (40, 1), "x")), []),
    "Ruff, without edits": (ruff(), []),
}


@pytest.mark.parametrize("name", SUGGESTED)
def test_what_is_suggested(name: str, tmp_path: Path):
    given_, expected = SUGGESTED[name]
    github, problems = reported(tmp_path, given_, secrets=["s3cr3t"])
    assert made(github) == expected
    assert problems == []


def test_a_review_names_the_commit_and_decides_nothing(tmp_path: Path):
    github, _ = reported(tmp_path, black(2, "x = [1,2]\ny = 1\n", "x = [1, 2]\n"))
    [review] = github.reviews
    assert (review["commit_id"], review["event"]) == (HEAD, "COMMENT")
    [one] = review["comments"]
    assert (one["path"], one["side"], one["start_side"], one["start_line"], one["line"]) == (
        "a.py",
        "RIGHT",
        "RIGHT",
        2,
        3,
    )
    assert one["body"].startswith(f"{MARKER}\n`black` `format`: `Reformat with Black`\n\n```suggestion\n")


def test_lines_that_moved_since_are_not_suggested(tmp_path: Path):
    moved = "# the base has a line more\n" + SOURCE  # what is checked out is the merge with the base
    github, _ = reported(
        tmp_path, black(3, "x = [1,2]\n", "x = [1, 2]\n"), black(5, "", "\n\n"), source=moved
    )
    assert github.reviews == []


def test_two_for_one_line_are_one(tmp_path: Path):
    github, _ = reported(
        tmp_path,
        black(2, "x = [1,2]\ny = 1\n", "x\n"),
        ruff(((2, 1), (2, 2), "a")),
        black(5, "    return  x\n", "    return x\n"),
    )
    assert [(first, last) for first, last, _ in made(github)] == [(2, 2), (5, 5)]


def test_at_most_thirty_and_the_number_of_the_others(tmp_path: Path):
    source = "x = [1,2]\n" * 40
    patch = "@@ -0,0 +1,40 @@\n" + "\n".join(["+x = [1,2]"] * 40)
    findings = [black(number, "x = [1,2]\n", "x = [1, 2]\n") for number in range(1, 41)]
    github, _ = reported(tmp_path, *findings, source=source, patch=patch)
    [review] = github.reviews
    assert len(review["comments"]) == MOST
    assert "10 more did not fit into this review." in review["body"]


def test_what_was_suggested_before_is_not_repeated(tmp_path: Path):
    findings = [black(2, "x = [1,2]\n", "x = [1, 2]\n"), black(5, "    return  x\n", "    return x\n")]
    github, _ = reported(tmp_path, *findings)
    [review] = github.reviews
    user = {"login": BOT, "type": "Bot"}
    mine, other = ({"id": number, "user": user, **one} for number, one in enumerate(review["comments"]))
    stranger = {**other, "user": {"login": "stranger", "type": "User"}}
    again = Feedback()
    again.lines = [{**mine, "body": mine["body"].replace("\n", "\r\n")}, stranger, {**other, "line": None}]
    reported(tmp_path, *findings, github=again)
    assert [first for first, _, _ in made(again)] == [5]
    assert "1 was suggested before." in again.reviews[0]["body"]
    again = Feedback()
    again.lines = [mine, other]
    reported(tmp_path, *findings, github=again)
    assert again.reviews == []


def test_without_fixes_github_is_not_asked(tmp_path: Path):
    github, problems = reported(tmp_path, finding())
    assert (github.calls, problems) == ([], [])


def test_newer_commits_have_other_lines(tmp_path: Path):
    github, [problem] = reported(tmp_path, black(2, "x = [1,2]\n", "x\n"), github=Feedback(head="b" * 40))
    assert "newer commits" in problem
    assert github.reviews == []


@given(
    st.lists(
        st.sampled_from(["`", "```", "~~~", "\n", "x", " ", "suggestion", "> ", "# ", "@user", "<b>"]),
        max_size=12,
    )
)
def test_no_text_leaves_its_fence(tmp_path_factory: Any, words: list[str]):
    after = "".join(words).rstrip("\n") + "\n"
    folder = tmp_path_factory.mktemp("x")
    github, _ = reported(folder, black(2, "x = [1,2]\n", after))
    [one] = made(github)
    assert one == (2, 2, after)
    assert "@user" not in rendered(github.reviews[0]["comments"][0]["body"]).outside_code


@pytest.mark.parametrize(
    "files",
    [
        [{}],
        [{"filename": "a.py"}],
        [{"filename": "a.py", "patch": None}],
        [{"filename": "a.py", "patch": "@@ -0,0 +1 @@\n+x", "status": "removed"}],
        [{"filename": 1, "patch": "@@ -0,0 +1 @@\n+x"}],
    ],
)
def test_files_without_a_patch_show_nothing(files: list[dict[str, Any]]):
    assert hunks_of(files) == {}


@pytest.mark.parametrize(("line", "count"), [(1, 1), (2, 0)], ids=["in a hunk", "over two hunks"])
def test_a_comment_does_not_reach_from_one_hunk_into_the_next(tmp_path: Path, line: int, count: int):
    patch, lines = "@@ -1 +1,2 @@\n+a\n+b\n@@ -9 +3 @@\n+c", "abc"[line - 1 : line + 1]
    github, _ = reported(tmp_path, black(line, "\n".join(lines) + "\n", "x\n"), patch=patch)
    assert len(made(github)) == count


@pytest.mark.parametrize(
    ("edits", "lines"),
    [
        ([((1, 1), (1, 99), "x")], ["abc"]),
        ([((1, 3), (1, 2), "x")], ["abc"]),
        ([((1, 1), (1, 3), "x"), ((1, 2), (1, 4), "y")], ["abc"]),
        ([((0, 1), (1, 1), "x")], ["abc"]),
        ([((1, 1), (1, 2), "x")], ["äbc"]),
        ([((1, 1), (1, 2), "x")], []),
        ([((1, 1), (99, 1), "x")], ["abc"]),
        ([((1, 4), (2, 1), "")], ["abc"]),
        ([((1, 0), (1, 0), "x")], ["abc"]),
    ],
)
def test_edits_that_do_not_fit_are_ignored(edits: list[Any], lines: list[str]):
    given_ = [Edit(start=start, end=end, text=text) for start, end, text in edits]
    assert whole_lines(given_, lambda first, last: lines[first - 1 : last], 60) is None
