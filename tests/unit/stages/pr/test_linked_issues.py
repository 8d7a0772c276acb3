"""The issues that a pull request closes: GitHub's keywords, and not in code or comments."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hostile_text import FOREIGN

from ci_action.stages.pr.linked_issues import linked_issues

KEYWORDS = ["close", "closes", "closed", "fix", "fixes", "fixed", "resolve", "resolves", "resolved"]


@pytest.mark.parametrize("keyword", [*KEYWORDS, "CLOSES", "Fixes:", "resolved:"])
def test_every_keyword(keyword: str):
    assert linked_issues(f"It {keyword} #12.", "o/r") == ["#12"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", []),
        ("#12, see #13 and refs #14", []),
        ("prefixes #1, hot-fix #2, fixes#3, fixing #4, fixes # 5", []),
        ("fixes #0 closes #12345678901 fixes #1a", []),
        ("Fixes #1, fixes #2, fixes #1", ["#1", "#2"]),
        ("Fixes #1, #2", ["#1"]),
        ("fixes GH-7", ["#7"]),
        ("fixes o/r#1 closes O/R#2 fixes other/name#3", ["#1", "#2", "other/name#3"]),
        ("fixes https://github.com/o/r/issues/4", ["#4"]),
        ("fixes https://github.com/x/y.z/issues/5#issuecomment-1", ["x/y.z#5"]),
        ("fixes https://evil.com/o/r/issues/6", []),
        ("fixes https://github.com.evil.com/o/r/issues/6", []),
        ("`fixes #1` and fixes #2", ["#2"]),
        ("``a ` fixes #1`` fixes #2", ["#2"]),
        ("a lone ` fixes #1", ["#1"]),
        ("a span\n`over\nfixes #1\ntwo` lines, fixes #2", ["#2"]),
        ("```\nfixes #1\n```\nfixes #2", ["#2"]),
        ("~~~~ py\nfixes #1\n~~~\n```\n~~~~\nfixes #2", ["#2"]),
        ("```\nfixes #1", []),
        ("    fixes #1\n    fixes #2\n\nfixes #3", ["#3"]),
        ("text\n    fixes #1", ["#1"]),
        ("- item\n\n    fixes #1", ["#1"]),
        ("<!-- fixes #1 --> fixes #2", ["#2"]),
        ("<!--\nfixes #1\n\nfixes #2\n-->\nfixes #3", ["#3"]),
        ("<!-- fixes #1", []),
        ("fixes <!-- x --> #1 and fixes `x` #2", []),
        ("fixes #1\r\nfixes #2\rfixes #3", ["#1", "#2", "#3"]),
        ("> ```\n> fixes #1\n> ```\n> fixes #2", ["#2"]),
        ("- a\n  ```\n  fixes #1\n  ```\n- fixes #2", ["#2"]),
        ("# Why\n    fixes #1\n", []),
        (r"\`fixes #1\`", ["#1"]),
        (r"fixes \#1", []),
        ("a `\n\nfixes #1 `", ["#1"]),
        ("<details>\nfixes #1\n<!-- fixes #2 -->\n</details>", ["#1"]),
        ("<div>\n\n```\nfixes #1\n```\n\n</div>", []),
    ],
)
def test_what_is_meant_and_what_is_not(body: str, expected: list[str]):
    assert linked_issues(body, "o/r") == expected


def test_the_server_of_an_enterprise():
    body = "fixes https://ghe.example.com/o/r/issues/1 fixes https://github.com/o/r/issues/2"
    assert linked_issues(body, "o/r", "https://ghe.example.com") == ["#1"]


@given(FOREIGN, st.sampled_from(["`", "~~~\n", "<!--", ""]))
def test_only_numbers_and_names_come_out(text: str, before: str):
    for issue in linked_issues(f"{before}{text} fixes #1 {text} fixes a/b#2", "o/r"):
        name, _, number = issue.partition("#")
        assert number.isdecimal()
        assert name in {"", "a/b"}


@pytest.mark.parametrize(
    "piece",
    [
        "`", "`a", "[", "![[", "<!--", "x <!--", "*a ", "> ", "- ", "- a\n", "1. a\n\n   b\n", "```\n", "<div>\n\n", "\\`", "a\n",
        "*_", "[a](b", "> \n- a\n", "> - ", "\n", "\t", "&", "fixes #1 `", "fixes #1 <!--", "fixes ", '<a b="', "[a]: b\n",
    ],
)  # fmt: skip
def test_no_body_of_github_takes_long(piece: str):
    body = f"fixes #7\n\n{piece * (65_000 // len(piece))}"
    started = time.monotonic()
    assert linked_issues(body, "o/r")[0] == "#7"
    # A hundred times what each of them takes; in quadratic time they take minutes.
    assert time.monotonic() - started < 30


PIECES = [
    "`",
    "```\n",
    "~~~\n",
    "<!--",
    "-->",
    "> ",
    "- ",
    "    ",
    "\n",
    "\n\n",
    "\\",
    "fixes #1",
    "a",
    "# ",
    "<div>",
]


@given(st.lists(st.sampled_from(PIECES)))
def test_only_keywords_in_the_body_count(pieces: list[str]):
    body = "".join(pieces)
    assert set(linked_issues(body, "o/r")) <= ({"#1"} if "fixes #1" in body else set())
    assert (
        linked_issues(f"{body.replace('<', '').replace('`', '').replace('~', '')}\n\nfixes #2", "o/r")[-1]
        == "#2"
    )
