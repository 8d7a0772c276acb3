"""The lines of a change in real repositories, and what `scope: changed` makes of them."""

import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.git_server import basic, served
from support.repositories import BAD, OLD, checkout, commit, git, pull_request, snapshot, write


def counting(ran: Any, tool: str = "ruff") -> list[str]:
    return sorted(one["path"] for one in ran.findings(tool) if not one["muted"])


def notes(ran: Any) -> str:
    return "\n".join(ran.report["warnings"])


CHANGE: dict[str | bytes, str | bytes] = {"both.py": OLD + "\n\nimport sys\n", "new.py": BAD}


@pytest.mark.parametrize("depth", [1, 2])
def test_a_merge_commit_is_compared_with_its_first_parent(depth, origin, ci_action, under_actions, tmp_path):
    payload = pull_request(origin, CHANGE)
    folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge", f"--depth={depth}")
    before = snapshot(folder)
    ran = ci_action(folder, "quality", "--scope=changed", env=under_actions(folder, "pull_request", payload))
    assert ran.code == 1
    assert ran.report["base"] == payload["pull_request"]["base"]["sha"]
    assert ran.report["scope"] == "changed"
    assert notes(ran) == ""
    assert counting(ran) == ["both.py", "both.py", "new.py"]  # unused, and not at the top
    assert {one["muted"] for one in ran.findings("ruff")} == {"", "outside the lines of the change"}
    assert ran.tool("ruff")["examined"]["files"] == 2
    assert ran.tool("black")["examined"]["files"] == 2
    assert ran.report["outputs"]["new-findings"] == ran.report["outputs"]["findings"]
    assert "ruff: 3 findings on your lines (+ 1 older)" in ran.report["reasons"]
    assert snapshot(folder) == before


def test_the_same_verdict_from_the_head_of_the_pull_request(origin, ci_action, under_actions, tmp_path):
    payload = pull_request(origin, CHANGE)
    folder = checkout(origin, tmp_path / "clone", "refs/heads/topic")
    before = snapshot(folder)
    ran = ci_action(folder, "quality", "--scope=changed", env=under_actions(folder, "pull_request", payload))
    assert ran.report["base"] == git(origin, "merge-base", "main", "topic")
    assert notes(ran) == ""
    assert counting(ran) == ["both.py", "both.py", "new.py"]
    assert snapshot(folder) == before


def reaches(ran: Any) -> Counter[str]:
    return Counter(one["reach"] for one in ran.findings("ruff"))


@pytest.mark.parametrize("depth", ["--depth=1", "--depth=2"])
def test_with_scope_all_everything_counts_and_new_findings_are_known(
    depth, origin, ci_action, under_actions, tmp_path
):
    payload = pull_request(origin, CHANGE)
    folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge", depth)
    before = snapshot(folder)
    ran = ci_action(folder, "quality", env=under_actions(folder, "pull_request", payload))
    assert ran.report["base"] == payload["pull_request"]["base"]["sha"]
    outputs = ran.report["outputs"]
    assert (outputs["new-findings"], outputs["findings"], notes(ran)) == ("3", "6", "")
    assert reaches(ran) == {"lines": 3, "file": 1, "": 2}
    assert snapshot(folder) == before


def test_with_scope_all_a_base_that_cannot_be_fetched_changes_nothing(
    origin, ci_action, under_actions, tmp_path
):
    payload = pull_request(origin, CHANGE)
    folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge")
    git(folder, "remote", "remove", "origin")
    ran = ci_action(folder, "quality", env=under_actions(folder, "pull_request", payload))
    assert (ran.code, ran.report["base"], ran.report["outputs"]["new-findings"], notes(ran)) == (
        1,
        "",
        "",
        "",
    )
    assert reaches(ran) == {"": 6}


def test_without_a_remote_everything_counts_and_the_way_out_is_said(
    origin, ci_action, under_actions, tmp_path
):
    payload = pull_request(origin, CHANGE)
    folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge")
    git(folder, "remote", "remove", "origin")
    ran = ci_action(folder, "quality", "--scope=changed", env=under_actions(folder, "pull_request", payload))
    assert counting(ran) == ["both.py", "both.py", "both.py", "moved.py", "new.py", "old.py"]
    assert "counting all findings: could not determine the base commit" in notes(ran)
    assert "could not fetch commit" in notes(ran)
    assert "fetch-depth: 2" in notes(ran)


def test_a_base_that_cannot_be_fetched_is_said(origin, ci_action, under_actions, tmp_path):
    payload = pull_request(origin, CHANGE)
    folder = checkout(origin, tmp_path / "clone", "refs/heads/topic")
    shutil.rmtree(origin)
    ran = ci_action(folder, "quality", "--scope=changed", env=under_actions(folder, "pull_request", payload))
    assert len(counting(ran)) == 5
    assert "could not fetch commit" in notes(ran)
    assert "fetch-depth: 0" in notes(ran)


def test_the_base_branch_is_not_the_pull_request(origin, ci_action, under_actions, tmp_path):
    payload = pull_request(origin, CHANGE)
    folder = checkout(origin, tmp_path / "clone", "refs/heads/main")
    env = under_actions(folder, "pull_request_target", payload)
    ran = ci_action(folder, "quality", "--scope=changed", env=env)
    assert "a commit of the base branch: check out the pull request" in notes(ran)
    assert counting(ran) == ["both.py", "moved.py", "old.py"]


@pytest.mark.parametrize("options", [["--depth=1"], ["--no-tags"]])
def test_a_push_is_compared_with_the_commit_before_it(options, origin, ci_action, under_actions, tmp_path):
    before = git(origin, "rev-parse", "HEAD")
    commit(origin, {"a.py": BAD})
    commit(origin, {"b.py": BAD})
    folder = checkout(origin, tmp_path / "clone", "refs/heads/main", *options)
    env = under_actions(folder, "push", {"before": before})
    ran = ci_action(folder, "quality", "--scope=changed", env=env)
    assert (counting(ran), ran.report["base"], notes(ran)) == (["a.py", "b.py"], before, "")


def test_a_forced_push_is_compared_with_what_it_replaced(origin, ci_action, under_actions, tmp_path):
    before = commit(origin, {"a.py": "x = 1\n"})
    git(origin, "reset", "--quiet", "--hard", "HEAD^")
    commit(origin, {"b.py": BAD})
    folder = checkout(origin, tmp_path / "clone", "refs/heads/main")
    env = under_actions(folder, "push", {"before": before, "forced": True})
    ran = ci_action(folder, "quality", "--scope=changed", env=env)
    assert (counting(ran), ran.report["base"]) == (["b.py"], before)
    env = under_actions(folder, "push", {"before": "12" * 20, "forced": True})
    ran = ci_action(folder, "quality", "--scope=changed", env=env)
    assert counting(ran) == ["b.py", "both.py", "old.py"]
    assert "could not fetch commit 121212121212" in notes(ran)


def test_the_first_push_has_no_commit_before_it(origin, ci_action, under_actions, tmp_path):
    folder = checkout(origin, tmp_path / "clone", "refs/heads/main")
    env = under_actions(folder, "push", {"before": "0" * 40, "created": True})
    ran = ci_action(folder, "quality", "--scope=changed", env=env)
    assert counting(ran) == ["both.py", "old.py"]
    assert "the push created the branch or tag" in notes(ran)


def test_a_merge_group_is_compared_with_its_base(origin, ci_action, under_actions, tmp_path):
    base = git(origin, "rev-parse", "HEAD")
    commit(origin, {"a.py": BAD})
    folder = checkout(origin, tmp_path / "clone", "refs/heads/main")
    env = under_actions(folder, "merge_group", {"merge_group": {"base_sha": base}})
    assert counting(ci_action(folder, "quality", "--scope=changed", env=env)) == ["a.py"]


@pytest.fixture
def laptop(origin: Path, tmp_path: Path) -> Path:
    """Clone it as a person does, and begin a branch."""
    git(tmp_path, "clone", "--quiet", str(origin), str(tmp_path / "laptop"))
    git(tmp_path / "laptop", "checkout", "--quiet", "-b", "topic")
    return tmp_path / "laptop"


NAMES: list[str | bytes] = [
    b"a b.py", b"a b/c d.py", b"x and y.py", b'quo"te.py', b"new\nline.py", b"tab\t.py", b"back\\slash.py", b" lead.py",
    b"caf\xc3\xa9.py", b"bad\xff\xe9.py", b"-dash.py", b"+++ b/x.py", b"'.py", b"$(x).py", b"d:/e.py",
]  # fmt: skip


def test_names_of_files_are_what_they_are(laptop, ci_action, tmp_path):
    commit(laptop, dict.fromkeys(NAMES, OLD + "x = 1\n"))
    git(laptop, "update-ref", "refs/remotes/origin/main", "HEAD")
    write(laptop, dict.fromkeys(NAMES, OLD + "x = 1\nimport sys\ny  = 2\n"))
    ran = ci_action(laptop, "quality", "--scope=changed")
    shown = sorted(os.fsencode(name).decode("utf-8", "replace") for name in NAMES)
    assert ran.tool("ruff")["examined"] == {"files": len(NAMES), "unreadable": 0}
    assert sorted(set(counting(ran, "ruff"))) == shown
    assert {one["line"] for one in ran.findings("ruff") if not one["muted"]} == {7}
    assert {one["line"] for one in ran.findings("ruff") if one["muted"]} == {1}
    assert sorted(set(counting(ran, "black"))) == shown
    assert ran.tool("black")["examined"] == {"files": len(NAMES), "unreadable": 0}


def test_on_a_laptop_what_is_not_committed_belongs_to_the_change(laptop, ci_action):
    commit(laptop, {"committed.py": BAD})
    write(laptop, {"staged.py": BAD, "untracked.py": BAD, "ignored.py": BAD, ".gitignore": "ignored.py\n"})
    write(laptop, {"both.py": OLD + "\n\nimport sys\n"})
    git(laptop, "add", "staged.py")
    os.utime(laptop / "old.py", (1, 1))  # git would like to note in its index that nothing changed
    before = snapshot(laptop)
    ran = ci_action(laptop, "quality", "--scope=changed")
    expected = ["both.py", "both.py", "committed.py", "staged.py", "untracked.py"]
    assert (counting(ran), ran.report["base"]) == (expected, git(laptop, "rev-parse", "origin/main"))
    assert snapshot(laptop) == before
    assert "the merge base with origin/HEAD: 5 changed files" in ci_action(laptop, "plan").out


def test_renamed_moved_cut_and_emptied_files(laptop, ci_action):
    long = "".join(f"a{number} = {number}\n" for number in range(40))
    commit(
        laptop, {"one.py": long + OLD, "two.py": long + OLD, "cut.py": "import ast\n" + OLD, "bin.py": b"x\0"}
    )
    git(laptop, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(laptop, "mv", "one.py", "renamed.py")
    git(laptop, "mv", "two.py", "edited.py")
    write(laptop, {"edited.py": long + OLD + "\n\nimport sys\n", "cut.py": OLD, "bin.py": b"x\0y"})
    ran = ci_action(laptop, "quality", "--scope=changed")
    assert counting(ran) == ["bin.py", "edited.py", "edited.py"]
    examined = {"renamed.py", "edited.py", "cut.py", "bin.py"}
    assert {one["path"] for one in ran.findings("ruff")} == examined
    assert ran.tool("ruff")["examined"]["files"] == 4


def test_line_ends_of_other_systems(laptop, ci_action):
    crlf, cr = OLD.replace("\n", "\r\n"), OLD.replace("\n", "\r")
    commit(laptop, {"crlf.py": crlf, "cr.py": cr})
    git(laptop, "update-ref", "refs/remotes/origin/main", "HEAD")
    write(laptop, {"crlf.py": crlf + "import sys\r\n", "cr.py": cr + "import sys\r"})
    ran = ci_action(laptop, "quality", "--scope=changed")
    assert [
        (one["path"], one["line"])
        for one in ran.findings("ruff")
        if not one["muted"] and one["rule"] == "F401"
    ] == [("cr.py", 1), ("cr.py", 6), ("crlf.py", 6)]


def test_a_file_that_the_change_made_unreadable_counts_wherever_the_error_is_seen(laptop, ci_action):
    commit(laptop, {"a.py": "x = (\n    1\n)\n" + "y = 1\n" * 20})
    git(laptop, "update-ref", "refs/remotes/origin/main", "HEAD")
    write(laptop, {"a.py": "x = (\n    1\n" + "y = 1\n" * 20})
    ran = ci_action(laptop, "quality", "--scope=changed")
    assert ran.code == 1
    assert set(counting(ran, "black")) == set(counting(ran, "ruff")) == {"a.py"}


def test_a_change_without_python_is_rightly_skipped(laptop, ci_action):
    write(laptop, {"README": "y\n"})
    ran = ci_action(laptop, "quality", "--scope=changed")
    assert (ran.code, ran.report["conclusion"]) == (0, "skipped")
    assert ran.report["reasons"][0] == "black, ruff: no changed Python file"
    assert ran.report["outputs"]["new-findings"] == "0"


def test_the_configuration_of_the_user_changes_nothing(laptop, ci_action, environ):
    home = Path(environ["HOME"])
    poison = home / ".gitconfig"
    write(home, {"spy": f"#!/bin/sh\necho asked >> {home}/asked\n"})
    (home / "spy").chmod(0o755)
    poison.write_text(
        "[diff]\n noprefix = true\n mnemonicPrefix = true\n external = false\n context = 9\n interHunkContext = 99\n"
        " renames = copies\n relative = true\n orderFile = /dev/null\n suppressBlankEmpty = true\n algorithm = patience\n"
        ' ignoreSubmodules = none\n submodule = log\n[diff "py"]\n textconv = false\n command = false\n'
        " xfuncname = x\n[color]\n ui = always\n diff = always\n[core]\n quotePath = true\n fsmonitor = "
        f"{home}/spy\n pager = {home}/spy\n"
    )
    (laptop / ".git" / "info" / "attributes").write_text("*.py diff=py\n")
    write(laptop, {"both.py": "x = 1\n" + OLD + "\n\nimport sys\n"})
    ran = ci_action(laptop, "quality", "--scope=changed", env={"GIT_DIFF_OPTS": "-u9", "GIT_TRACE": "1"})
    assert (counting(ran), notes(ran)) == (["both.py", "both.py"], "")
    assert {one["line"] for one in ran.findings("ruff") if one["muted"]} == {2}
    assert not (home / "asked").exists()


def test_a_submodule_is_another_project(laptop, origin, ci_action):
    git(laptop, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", f"file://{origin}", "sub")
    commit(laptop, {})
    git(laptop, "update-ref", "refs/remotes/origin/main", "HEAD")
    commit(laptop / "sub", {"new.py": BAD})
    commit(laptop, {"mine.py": BAD})
    write(laptop, {"sub/dirty.py": BAD})
    ran = ci_action(laptop, "quality", "--scope=changed")
    assert (counting(ran), notes(ran)) == (["mine.py"], "")
    assert ": 1 changed file\n" in ci_action(laptop, "plan").out


def test_the_workspace_may_be_a_part_of_the_repository(laptop, ci_action):
    commit(laptop, {"deep/er/a.py": OLD, "deep/other.py": OLD})
    git(laptop, "update-ref", "refs/remotes/origin/main", "HEAD")
    write(
        laptop,
        {"deep/er/a.py": OLD + "\n\nimport sys\n", "deep/other.py": OLD + "\n\nimport sys\n", "new.py": BAD},
    )
    ran = ci_action(laptop / "deep" / "er", "quality", "--scope=changed")
    assert counting(ran) == ["deep/er/a.py", "deep/er/a.py"]
    assert ": 3 changed files\n" in ci_action(laptop / "deep" / "er", "plan").out
    ran = ci_action(laptop, "quality", "--scope=changed", "--working-directory=deep/er")
    assert counting(ran) == ["deep/er/a.py", "deep/er/a.py"]
    ran = ci_action(laptop, "quality", "--scope=changed", "--working-directory=deep", "--paths=other.py")
    assert counting(ran) == ["deep/other.py", "deep/other.py"]


def test_the_repository_may_be_a_part_of_the_workspace(laptop, ci_action):
    write(laptop, {"both.py": OLD + "\n\nimport sys\n"})
    ran = ci_action(laptop.parent, "quality", "--scope=changed", "--working-directory=laptop")
    assert counting(ran) == ["laptop/both.py", "laptop/both.py"]


def test_a_work_tree_whose_git_is_a_file(laptop, ci_action, tmp_path):
    git(laptop, "worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "second")
    assert (tmp_path / "tree" / ".git").is_file()
    write(tmp_path / "tree", {"new.py": BAD})
    assert counting(ci_action(tmp_path / "tree", "quality", "--scope=changed")) == ["new.py"]
    git(laptop, "config", "extensions.worktreeConfig", "true")
    shutil.rmtree(laptop / ".git" / "worktrees")
    ran = ci_action(tmp_path / "tree", "quality", "--scope=changed")
    assert counting(ran) == ["both.py", "new.py", "old.py"]
    assert "no git repository found" in notes(ran)


def test_without_git_or_a_repository_everything_counts_and_it_is_said(tmp_path, ci_action, project):
    plain = tmp_path / "plain"
    write(plain, {"a.py": BAD})
    ran = ci_action(plain, "quality", "--scope=changed")
    assert (counting(ran), ran.report["base"]) == (["a.py"], "")
    assert "no git repository found" in notes(ran)
    ran = ci_action(plain, "quality", "--scope=changed", env={"PATH": str(tmp_path)})
    assert counting(ran) == ["a.py"]
    assert "could not run git" in notes(ran)
    fresh = project({"a.py": BAD})
    ran = ci_action(fresh, "quality", "--scope=changed")
    assert counting(ran) == ["a.py"]
    assert "the repository has no commit yet" in notes(ran)


def test_fixes_are_limited_to_changed_files(laptop, ci_action):
    write(laptop, {"both.py": OLD + "\n\nimport sys\n"})
    ran = ci_action(laptop, "fix", "--scope=changed", "--formatter=black", "--linter=ruff")
    assert (laptop / "old.py").read_text() == OLD
    assert (laptop / "both.py").read_text() == OLD.removeprefix("import re\n\n\n")
    assert ran.code == 0


def test_after_fixes_the_lines_are_those_of_the_fixed_files(laptop, ci_action):
    write(laptop, {"both.py": OLD + "\n\nx = old() == None\n"})
    ran = ci_action(laptop, "fix", "--scope=changed", "--formatter=black", "--linter=ruff")
    assert (laptop / "both.py").read_text().startswith("def old")
    assert ran.code == 1
    assert "ruff: 1 finding" in ran.out


def test_a_plan_fetches_nothing_and_says_what_it_lacks(origin, ci_action, under_actions, tmp_path):
    payload = pull_request(origin, CHANGE)
    folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge")
    ran = ci_action(folder, "plan", "--scope=changed", env=under_actions(folder, "pull_request", payload))
    assert "base       not known without a fetch: the first parent of the merge commit (" in ran.out


TOKEN = "ghs_0123456789abcdef"


@pytest.fixture
def private(origin: Path, tmp_path: Path, under_actions) -> Callable[..., tuple[Path, dict[str, str]]]:
    """Check a pull request out of a repository that is served to its friends only."""

    def make(address: str) -> tuple[Path, dict[str, str]]:
        (tmp_path / "o").mkdir()
        (tmp_path / "o" / "r").symlink_to(origin)
        payload = pull_request(origin, CHANGE)
        folder = checkout(origin, tmp_path / "clone", "refs/pull/7/merge")
        git(folder, "remote", "set-url", "origin", f"{address}/o/r")
        named = {"GITHUB_SERVER_URL": address, "GITHUB_REPOSITORY": "o/r"}
        return folder, under_actions(folder, "pull_request", payload, **named)

    return make


def test_the_token_goes_to_git_by_its_environment_and_to_no_other_place(
    private, tmp_path, ci_action, environ
):
    log = tmp_path / "log"
    spy = tmp_path / "bin" / "git"
    write(
        tmp_path, {"bin/git": f'#!/bin/sh\nprintf "%s\\n" "$*" >> {log}\nexec {shutil.which("git")} "$@"\n'}
    )
    spy.chmod(0o755)
    path = f"{spy.parent}:{environ['PATH']}"
    with served(tmp_path, TOKEN) as (address, seen):
        folder, env = private(address)
        before = snapshot(folder)
        env = {**env, "PATH": path, "INPUT_GITHUB-TOKEN": TOKEN}
        ran = ci_action(folder, "quality", "--scope=changed", env=env)
    assert counting(ran) == ["both.py", "both.py", "new.py"]
    assert [basic(TOKEN)] in seen
    written = (
        "".join(file.read_text() for file in (tmp_path / "reports").iterdir()) + ran.out + log.read_text()
    )
    assert "fetch" in written
    assert TOKEN not in written.replace(f"::add-mask::{TOKEN}", "")
    assert basic(TOKEN).split()[1] not in written
    assert snapshot(folder) == before


@pytest.mark.parametrize("key", ["include.path", "includeIf.gitdir:{}/.git.path"])
def test_the_credentials_that_checkout_left_are_enough(key, private, tmp_path, ci_action):
    with served(tmp_path, TOKEN) as (address, seen):
        folder, env = private(address)
        write(
            tmp_path, {"cred.config": f'[http "{address}/"]\n\textraheader = AUTHORIZATION: {basic(TOKEN)}\n'}
        )
        git(folder, "config", key.format(folder), str(tmp_path / "cred.config"))
        ran = ci_action(folder, "quality", "--scope=changed", env=env)
    assert counting(ran) == ["both.py", "both.py", "new.py"]
    assert all(given == [basic(TOKEN)] for given in seen)


def test_wrong_credentials_of_checkout_give_way_to_the_token(private, tmp_path, ci_action):
    with served(tmp_path, TOKEN) as (address, seen):
        folder, env = private(address)
        git(folder, "config", f"http.{address}/.extraheader", f"AUTHORIZATION: {basic('another')}")
        env = {**env, "INPUT_GITHUB-TOKEN": TOKEN}
        ran = ci_action(folder, "quality", "--scope=changed", env=env)
    assert counting(ran) == ["both.py", "both.py", "new.py"]
    assert all(len(given) == 1 for given in seen)


@pytest.mark.parametrize("token", ["", "ghs_another_token"])
def test_without_the_right_token_nobody_is_asked_and_it_is_said(token, private, tmp_path, ci_action):
    with served(tmp_path, TOKEN) as (address, _):
        folder, env = private(address)
        write(tmp_path, {"ask": f"#!/bin/sh\necho asked >> {tmp_path}/asked\n"})
        (tmp_path / "ask").chmod(0o755)
        helpers = {"GIT_ASKPASS": str(tmp_path / "ask"), "SSH_ASKPASS": str(tmp_path / "ask")}
        env = {**env, **helpers, "INPUT_GITHUB-TOKEN": token}
        ran = ci_action(folder, "quality", "--scope=changed", env=env)
    assert not (tmp_path / "asked").exists()
    assert len(counting(ran)) == 6
    assert "could not fetch commit" in notes(ran)
    assert "fetch-depth: 2" in notes(ran)
