"""How git is started: as whom, with which settings, and for how long in all."""

import io
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import FakeGit, FakeRun, completed, context

from ci_action.project.git.lfs_filter import packed, packets, pointer, serve
from ci_action.project.git.repository import Allowance, Repository, Server, find, withheld_from_git
from ci_action.system.errors import InterruptedRunError, TimedOutError, ToolError
from ci_action.system.folder import Owner
from ci_action.system.process import Command, Completed


def settings_of(command: Command) -> dict[str, str]:
    count = int(command.environ["GIT_CONFIG_COUNT"])
    keys = (command.environ[f"GIT_CONFIG_KEY_{number}"] for number in range(count))
    return {key: command.environ[f"GIT_CONFIG_VALUE_{number}"] for number, key in enumerate(keys)}


def found(tmp_path: Path, git: FakeGit, **overrides: Any) -> Repository:
    return find(Repository(run=git, top=tmp_path, tempdir=tmp_path, **overrides))


def test_every_git_is_the_owners_and_starts_nothing(tmp_path: Path):
    (tmp_path / "w").mkdir()
    git, owner = FakeGit("a.py", head="c0ffee"), Owner(uid=1001, gid=1001)
    ctx = context(
        tmp_path / "w", FakeRun(git=git), holder=owner, environ={"PATH": "/bin", "CORP_PASSWORD": "x"}
    )
    assert ctx.repository.head().sha == "c0ffee"
    assert ctx.tracked.notices == ()
    assert git.asked
    for command in git.asked:
        assert command.owner == owner
        assert command.withheld == {"CORP_PASSWORD"}
        settings = settings_of(command)
        assert (settings["core.hooksPath"], settings["core.fsmonitor"]) == ("/dev/null", "false")


def test_it_is_found_once(tmp_path: Path):
    (tmp_path / "w").mkdir()
    git = FakeGit("a.py")
    ctx = context(tmp_path / "w", FakeRun(git=git))
    assert ctx.repository is ctx.repository
    assert ctx.tracked is ctx.tracked
    assert sum("--show-toplevel" in command.argv for command in git.asked) == 1


@pytest.mark.parametrize(
    ("named", "filters"),
    [
        (b"filter.one.clean\0filter.one.process\0", {"one", "lfs"}),
        (b"filter.a=b.clean\0filter.a.b.smudge\0", {"a=b", "a.b", "lfs"}),
        (b"filter.sp ace\n.required\0filter.clean\0", {"sp ace\n", "lfs"}),
        (b"", {"lfs"}),
    ],
)
def test_no_filter_of_the_settings_runs(tmp_path: Path, named: bytes, filters: set[str]):
    git = FakeGit(config=completed(named), status=completed(), read_tree=completed())
    here = found(tmp_path, git)
    assert set(here.filters) == filters
    here.changed()
    settings = settings_of(next(one for one in git.asked if "status" in one.argv))
    for name in filters:
        assert settings[f"filter.{name}.clean"] == settings[f"filter.{name}.smudge"] == ""
        assert settings[f"filter.{name}.required"] == "false"
        assert ("lfs_filter.py" in settings[f"filter.{name}.process"]) is (name == "lfs")


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        *((name, True) for name in ("PATH", "HOME", "https_proxy", "HTTPS_PROXY", "GIT_SSL_CAINFO", "LC_ALL")),
        *((name, False) for name in ("GITHUB_TOKEN", "UV_INDEX_X_PASSWORD", "GIT_DIR", "GIT_TRACE", "GIT_EXTERNAL_DIFF")),
        *((name, False) for name in ("GIT_ALTERNATE_OBJECT_DIRECTORIES", "MYPATH", "PATHS", "GIT_CONFIG_GLOBAL")),
    ],
)  # fmt: skip
def test_what_git_sees_of_the_environment(name: str, seen: bool):
    assert (name not in withheld_from_git([name])) is seen


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("error", [None, ToolError("absent"), TimedOutError("too long")])
def test_all_git_of_a_run_has_one_time(tmp_path: Path, error: Exception | None):
    clock, limits = Clock(), []

    def slow(command: Command) -> Completed:
        limits.append(command.timeout)
        clock.now += min(command.timeout, 40)
        if error:
            raise error
        return completed()

    allowance = Allowance(100, clock)
    command = Command(argv=("git",), cwd=tmp_path, timeout=60)
    for _ in range(3):
        with (
            nullcontext()
            if error is None
            else pytest.raises(ToolError, match=r"absent|all git commands of a run: 100 s")
        ):
            allowance.spend(slow, command)
    assert limits == [60, 60, 20]
    with pytest.raises(ToolError, match="have used the 100 s"):
        allowance.spend(slow, command)


def test_an_interruption_stays_one(tmp_path: Path):
    def stopped(_: Command) -> Completed:
        raise InterruptedRunError("SIGTERM")

    with pytest.raises(InterruptedRunError):
        Allowance().spend(stopped, Command(argv=("git",), cwd=tmp_path))


def test_the_token_is_shown_to_nobody():
    server = Server(address="https://github.com", repository="o/r", authorization="AUTHORIZATION: basic x")
    assert "basic" not in repr(server)
    keys = dict(server.settings)
    assert keys["remote.origin.url"] == "https://github.com/o/r"
    assert keys["http.https://github.com/.extraheader"] == server.authorization


@given(st.lists(st.binary(max_size=3000)))
def test_a_pointer_is_made_once(blocks: list[bytes]):
    content = b"".join(blocks)
    once = pointer(blocks)
    assert pointer([once]) == once
    assert (once == b"") is (content == b"")
    assert once == pointer([content])


@given(st.lists(st.binary(max_size=5000), max_size=4))
def test_git_is_answered_file_by_file(contents: list[bytes]):
    greeting = packed(b"git-filter-client\n", b"version=2\n") + packed(b"capability=clean\n")
    asked = b"".join(
        packed(b"command=clean\n", b"pathname=a\n") + packed(*([content] if content else []))
        for content in contents
    )
    answers = io.BytesIO()
    with pytest.raises(EOFError):
        serve(io.BytesIO(greeting + asked), answers)
    answers.seek(0)
    assert list(packets(answers)) == [b"git-filter-server\n", b"version=2\n"]
    assert list(packets(answers)) == [b"capability=clean\n"]
    for content in contents:
        assert list(packets(answers)) == [b"status=success\n"]
        assert b"".join(packets(answers)) == pointer([content])
        assert list(packets(answers)) == []
