"""Size and metadata of pull requests in real repositories, as actions/checkout leaves them, and from the API."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.github_bodies import changed_file
from support.github_hub import READER, TOKEN, Hub
from support.github_service import served
from support.repositories import checkout, commit, git, snapshot, write

LINES = "".join(f"line {number}\n" for number in range(40))


def other(letter: str) -> str:
    """Return forty lines that no other file has, so that git takes it for none."""
    return "".join(f"{letter * 9} {number}\n" for number in range(40))


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """Make a repository with a main branch and files of every kind."""
    folder = tmp_path / "origin"
    git(tmp_path, "init", "--quiet", "-b", "main", str(folder))
    git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
    attributes = (
        "*.gen.py linguist-generated\nlib/** linguist-vendored=true\nvendor/own/** -linguist-vendored\n"
    )
    commit(
        folder,
        {
            ".gitattributes": attributes, "moved.txt": other("m"), "edited.txt": LINES, "gone.py": "a\nb\n", "mode.sh": other("s"),
            "picture.bin": b"a\0b", "changed.py": "a\nb\n",
        },
    )  # fmt: skip
    return folder


def merged(origin: Path) -> dict[str, Any]:
    """Let the base move on and merge the branch `topic` into it as GitHub does; return the payload."""
    head = git(origin, "rev-parse", "HEAD")
    git(origin, "checkout", "--quiet", "main")
    base = commit(origin, {"elsewhere.py": LINES})
    git(origin, "checkout", "--quiet", "--detach")
    git(origin, "merge", "--quiet", "--no-ff", "-m", "merge", "topic")
    git(origin, "update-ref", "refs/pull/7/merge", "HEAD")
    git(origin, "checkout", "--quiet", "main")
    repo = {"full_name": "o/r"}
    return {
        "number": 7,
        "pull_request": {
            "number": 7, "title": "feat: something", "body": "Fixes #3", "draft": False, "labels": [],
            "user": {"login": "someone", "type": "User"},
            "head": {"sha": head, "ref": "topic", "repo": repo}, "base": {"sha": base, "ref": "main", "repo": repo},
        },
    }  # fmt: skip


def topic(origin: Path, files: Mapping[str | bytes, str | bytes]) -> dict[str, Any]:
    """Commit to the branch and merge it."""
    git(origin, "checkout", "--quiet", "-b", "topic")
    commit(origin, files)
    return merged(origin)


Pr = Callable[..., Any]


@pytest.fixture
def pr(ci_action: Callable[..., Any], under_actions: Callable[..., dict[str, str]]) -> Pr:
    """Run the stage `pr` for an event."""

    def run(folder: Path, payload: Mapping[str, Any], *words: str, **more: str) -> Any:
        more = {"GITHUB_REPOSITORY": "o/r", "GITHUB_SERVER_URL": "https://github.com", **more}
        name = more.pop("event", "pull_request")
        return ci_action(folder, "run", "pr", *words, env=under_actions(folder, name, payload, **more))

    return run


def counted(ran: Any) -> dict[str, Any]:
    found = ran.tool("size")
    outputs = ran.report["outputs"]
    return {
        "files": outputs["changed-files"],
        "lines": outputs["changed-lines"],
        "counted": found["metrics"].get("size_files"),
        "size": outputs["pr-size"],
    }


def left_out(ran: Any) -> list[str]:
    return [
        line.removeprefix("left out: ")
        for line in ran.tool("size")["details"]
        if line.startswith("left out: ")
    ]


def every_kind(origin: Path) -> dict[str, Any]:
    """Change files in every way that there is."""
    git(origin, "checkout", "--quiet", "-b", "topic")
    git(origin, "mv", "moved.txt", "new place => {x}.txt")
    git(origin, "mv", "edited.txt", "edited elsewhere.txt")
    git(origin, "rm", "--quiet", "gone.py")
    os.chmod(origin / "mode.sh", 0o755)  # nosec B103 - that the mode changes is the case
    names = [b"tab\t.py", b"new\nline.py", b"bad\xff.py", b"-dash.py", b":100644 100644 a b M"]
    changed: dict[str | bytes, str | bytes] = {
        "edited elsewhere.txt": LINES + "one more\n", "picture.bin": b"a\0c", "changed.py": "a\nc\n",
        "uv.lock": other("u"), "a.gen.py": other("g"), "lib/x.py": other("l"), "vendor/x.py": other("v"),
        "vendor/own/x.py": other("o"),
        **dict.fromkeys(names, "x\n"),
    }  # fmt: skip
    write(origin, changed)
    git(origin, "add", "-A")
    # A submodule as git keeps it: a commit of another repository.
    git(origin, "update-index", "--add", "--cacheinfo", f"160000,{git(origin, 'rev-parse', 'HEAD')},sub")
    git(origin, "commit", "--quiet", "-m", "x")
    git(origin, "checkout", "--quiet", "--force", "topic")
    return merged(origin)


@pytest.mark.parametrize(
    ("ref", "options"),
    [
        pytest.param("refs/pull/7/merge", ["--depth=2"], id="merge, shallow"),
        pytest.param("refs/pull/7/merge", ["--no-tags"], id="merge, with its history"),
        pytest.param("refs/heads/topic", ["--no-tags", "+refs/heads/main:refs/remotes/main"], id="head"),
    ],
)
def test_every_kind_of_change_is_counted_as_github_does(ref, options, origin, pr, tmp_path):
    payload = every_kind(origin)
    if "main" in options[-1]:
        folder = checkout(origin, tmp_path / "clone", ref, "--no-tags")
        git(folder, "fetch", "--quiet", "origin", options[-1])
    else:
        folder = checkout(origin, tmp_path / "clone", ref, *options)
    before = snapshot(folder)
    ran = pr(folder, payload)
    # A move, an edited move, a deletion, a mode, a binary, a change, a lock file, a generated one, two vendored ones, one
    # that is said not to be, five names and a submodule.
    assert counted(ran) == {"files": "17", "lines": "211", "counted": 12, "size": "M"}
    assert left_out(ran) == [
        "moved without a change (1): new place => {x}.txt",
        "lock files (1): uv.lock",
        "generated in .gitattributes (1): a.gen.py",
        "vendored (2): lib/x.py, vendor/x.py",
    ]
    assert (ran.code, ran.report["conclusion"]) == (0, "passed")
    assert snapshot(folder) == before


def test_a_change_does_not_mark_its_own_files(origin, pr, tmp_path):
    attributes = "* linguist-generated -diff\n"
    payload = topic(
        origin, {".gitattributes": attributes, "src/.gitattributes": attributes, "src/a.py": LINES}
    )
    folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge", "--depth=2")
    (folder / ".git" / "info").mkdir(exist_ok=True)
    ran = pr(folder, payload)
    assert counted(ran) == {"files": "3", "lines": "45", "counted": 3, "size": "M"}
    assert left_out(ran) == []


def test_what_the_base_took_over_already_is_counted_where_the_history_is_here(origin, pr, tmp_path):
    git(origin, "checkout", "--quiet", "-b", "topic")
    commit(origin, {"both.py": LINES, "mine.py": "x\n"})
    git(origin, "checkout", "--quiet", "main")
    commit(origin, {"both.py": LINES})
    git(origin, "checkout", "--quiet", "topic")
    payload = merged(origin)
    payload["pull_request"]["changed_files"] = 2
    deep = checkout(origin, tmp_path / "deep", "refs/pull/7/merge", "--no-tags")
    assert counted(pr(deep, payload))["files"] == "2"
    shallow = checkout(origin, tmp_path / "shallow", "refs/pull/7/merge", "--depth=2")
    ran = pr(shallow, payload)
    assert counted(ran)["files"] == "1"
    assert "git counts 1 changed files, GitHub 2: using those of git" in "\n".join(ran.report["warnings"])


def test_without_the_base_and_a_token_it_is_broken_and_says_what_to_do(origin, pr, tmp_path):
    payload = topic(origin, {"src/a.py": "x\n"})
    folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge")
    ran = pr(folder, payload)
    assert (ran.code, ran.report["conclusion"]) == (3, "broken")
    assert "fetch-depth: 2" in ran.tool("size")["reason"]
    assert "github-token" in ran.tool("size")["reason"]
    assert (ran.report["outputs"]["pr-number"], ran.report["outputs"]["changed-files"]) == ("7", "")


def test_without_the_base_and_a_token_the_numbers_of_the_payload_do(origin, pr, tmp_path):
    payload = topic(origin, {"src/a.py": "x\n"})
    payload["pull_request"] |= {"changed_files": 51, "additions": 60, "deletions": 4}
    folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge")
    ran = pr(folder, payload)
    assert (ran.code, ran.report["conclusion"]) == (0, "warned")
    found = ran.report["outputs"]
    assert (found["changed-files"], found["changed-lines"], found["changed-areas"]) == ("51", "64", "")
    assert "fetch-depth: 2" in "\n".join(ran.report["warnings"])
    ran = pr(folder, payload, "--size-blocking=true")
    assert (ran.code, ran.report["conclusion"]) == (3, "broken")
    assert ran.report["outputs"]["changed-files"] == "51"


def test_a_checkout_that_is_not_the_pull_request_is_not_counted(origin, pr, tmp_path):
    payload = topic(origin, {"src/a.py": "x\n"})
    git(origin, "checkout", "--quiet", "-b", "other")
    commit(origin, {"other.py": LINES})
    folder = checkout(origin, tmp_path / "clone", "refs/heads/other", "--no-tags")
    ran = pr(folder, payload)
    assert "not this pull request" in ran.tool("size")["reason"]


def hub_of(payload: Mapping[str, Any], names: list[str], **overrides: Any) -> Hub:
    hub = Hub()
    hub.files[7] = [changed_file(name, "https://example.org") for name in names]
    pull = payload["pull_request"]
    hub.add_pull(
        7,
        **{
            "head_sha": pull["head"]["sha"],
            "base_sha": pull["base"]["sha"],
            "changed_files": len(names),
            **overrides,
        },
    )
    return hub


def test_the_api_tells_what_a_clone_of_one_commit_does_not(origin, pr, tmp_path):
    payload = topic(origin, {"src/a.py": "x\n"})
    folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge")
    # More than one page, and generated as the attributes of the base say.
    names = [*(f"src/f{number}.py" for number in range(100)), "x.gen.py", "uv.lock"]
    with served(hub_of(payload, names)) as hub:
        ran = pr(folder, payload, f"--github-token={READER}", "--max-files=100", GITHUB_API_URL=hub.root)
        assert len(hub.asked("GET", r"/files$")) == 2
    assert counted(ran) == {"files": "102", "lines": "102", "counted": 100, "size": "L"}
    assert left_out(ran) == ["lock files (1): uv.lock", "generated in .gitattributes (1): x.gen.py"]
    assert (ran.code, ran.report["conclusion"]) == (0, "passed")


def test_beyond_three_thousand_files_the_api_is_not_believed_to_list_all(origin, pr, tmp_path):
    payload = topic(origin, {"src/a.py": "x\n"})
    shutil.rmtree(tmp_path / "empty", ignore_errors=True)
    folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge")
    names = [f"src/f{number}.py" for number in range(3001)]
    with served(hub_of(payload, names, additions=3001, deletions=0)) as hub:
        env = {"GITHUB_API_URL": hub.root}
        ran = pr(
            folder, payload, f"--github-token={READER}", "--max-files=3000", "--size-blocking=true", **env
        )
        assert len(hub.asked("GET", r"/files$")) == 30
    assert (ran.code, counted(ran)["files"], counted(ran)["lines"]) == (1, "3001", "3001")
    assert "3,001 changed files are more than 3,000" in ran.findings("size")[0]["message"]
    assert "GitHub lists 3,000 of 3,001 changed files" in "\n".join(ran.report["warnings"])
    assert ran.report["outputs"]["has-docs"] == ""


@pytest.mark.parametrize(
    ("token", "after", "problems"),
    [(TOKEN, ["bug", "size/XS", "type: feat"], 0), (READER, ["bug", "size/XL"], 1)],
)
def test_labels_are_set_with_a_token_that_may_and_change_no_verdict(
    token, after, problems, origin, pr, tmp_path
):
    payload = topic(origin, {"src/a.py": "x\n"})
    folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge", "--depth=2")
    with served(hub_of(payload, ["src/a.py"], labels=["bug", "size/XL"])) as hub:
        ran = pr(folder, payload, f"--github-token={token}", "--labels=true", GITHUB_API_URL=hub.root)
        assert sorted(hub.pulls[7]["labels"]) == after
    assert (ran.code, ran.report["conclusion"]) == (0, "passed")
    assert ran.out.count("note: could not set the labels: ") == problems


def test_the_outputs_reach_later_jobs(origin, pr, tmp_path):
    payload = topic(origin, {"src/a.py": "x\n", "docs/b.md": "x\n"})
    hostile = "x\n::error::y `z` | @me <!-- \x1b[31m"
    pull = payload["pull_request"]
    pull |= {"labels": [{"name": hostile}], "title": hostile, "body": "`fixes #1` fixes #2"}
    pull["head"]["ref"] = hostile
    folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge", "--depth=2")
    write(folder, {"pyproject.toml": '[tool.ci-action.areas]\ncode = ["src/"]\npapers = "docs/"\n'})
    ran = pr(folder, payload)
    found = ran.report["outputs"]
    assert json.loads(found["changed-areas"]) == ["code", "papers"]
    assert (found["pr-issues"], found["pr-author"], found["has-docs"]) == ('["#2"]', "someone", "true")
    assert json.loads(found["pr-labels"]) == [found["pr-head"]]
    assert "\n" not in found["pr-head"]
    assert "\x1b" not in found["pr-head"]
    written = (tmp_path / "output").read_text("utf-8")
    assert f"\n{found['pr-head']}\n" in written
    assert not [line for line in ran.out.splitlines() if line.startswith("::error::")]
    assert "## The pull request" in (tmp_path / "summary").read_text("utf-8")
