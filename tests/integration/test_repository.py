"""Git on repositories whose settings and hooks name programs: nothing of it is started, and the answers are right."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from support.builders import layout, write
from support.git_server import basic, served
from support.git_traps import set_traps

from ci_action.project.files import tracked
from ci_action.project.git.diff import Diff
from ci_action.project.git.repository import Allowance, Repository, Server, find, withheld_from_git
from ci_action.stages.pr.git_diff import changed_files, marks, with_attributes_of
from ci_action.system.errors import ToolError
from ci_action.system.process import Processes

_TOKEN: Final = "ghs_" + "0123456789abcdef"
_GIT: Final = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_ALLOW_PROTOCOL": "file",
    "PATH": os.environ["PATH"],
}
Open = Callable[[Path], Repository]


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], env=_GIT, check=True, capture_output=True)
    return done.stdout.decode().strip()


def made(folder: Path, *versions: dict[str, str]) -> list[str]:
    """Make a repository with a commit for each version of its files; return the commits."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "-b", "main", str(folder))
    commits = []
    for files in versions:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        git(folder, "add", "-A")
        git(folder, "commit", "--quiet", "-m", "x")
        commits.append(git(folder, "rev-parse", "HEAD"))
    return commits


def pointer_of(content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    (tmp_path / "tempdir").mkdir()
    (tmp_path / "home").mkdir()
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "CORP_PASSWORD": "secret"}
    processes = Processes(environ, tmp_path / "tempdir")

    def of(folder: Path) -> Repository:
        tempdir = tmp_path / "tempdir" / folder.name
        tempdir.mkdir(exist_ok=True)
        here = Repository(run=processes.run, top=folder, tempdir=tempdir, withheld=withheld_from_git(environ))
        return find(here)

    yield of
    processes.stop()


def test_nothing_that_a_repository_names_is_started(tmp_path: Path, opened: Open):
    top, mark = tmp_path / "top", tmp_path / "mark"
    old = {"a.py": "x = 1\n", "a.pyi": "x: int\n", "docs.md": "text\n", "large.bin": pointer_of(b"1")}
    first, second = made(top, old, {"a.py": "x = 1\ny = 2\n"})
    set_traps(top, mark)
    here = opened(top)
    assert here.head().sha == second
    assert here.diff(first) == Diff(lines={"a.py": frozenset({2})})
    assert (here.untracked(), here.changed(), here.upstream()) == ([], "", None)
    assert here.tracked(top, ["."]) == sorted(old)
    assert here.merge_base(first, second) == here.with_fetched().merge_base(second, first) == first
    seen = with_attributes_of(here, first)
    assert [file.name for file in changed_files(seen, first, second)] == ["a.py"]
    assert marks(seen, ["a.py"]) == {}
    assert here.text_at(first, "a.py") == "x = 1\n"
    (top / "a.py").write_text("x = 2\ny = 2\n")
    assert here.changed() == "a.py"
    assert not mark.exists(), mark.read_text()
    # They are real traps: git alone goes into them.
    subprocess.run(["git", "-C", str(top), "diff"], env=_GIT, capture_output=True, check=False)
    assert mark.exists()


@pytest.mark.parametrize("installed", [True, False])
def test_large_files_are_compared_by_their_pointers(tmp_path: Path, opened: Open, *, installed: bool):
    top, content = tmp_path / "top", b"\0\1" * 50_000
    files = {"same.bin": pointer_of(content), "other.bin": pointer_of(content), "left.bin": pointer_of(b"x")}
    (base,) = made(
        top, {**files, "empty.bin": "", ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"}
    )
    if installed:  # as actions/checkout does it with `lfs: true`, and nobody has the program here
        for key in ("clean", "smudge", "process"):
            git(top, "config", f"filter.lfs.{key}", f"git-lfs-of-nobody {key}")
        git(top, "config", "filter.lfs.required", "true")
    (top / "same.bin").write_bytes(content)
    (top / "other.bin").write_bytes(content + b"\0")
    os.utime(top / "left.bin", (1, 1))
    os.utime(top / "empty.bin", (1, 1))
    here = opened(top)
    changed = here.diff(base)
    assert {*changed.lines, *changed.whole} == {"other.bin"}
    assert here.changed() == "other.bin"


@pytest.mark.parametrize(
    ("words", "files", "told"),
    [
        (("update-index", "--assume-unchanged", "a.py"), {"a.py": "y = 2\n"}, "a.py"),
        (("update-index", "--skip-worktree", "a.py"), {"a.py": "y = 2\n"}, "a.py"),
        (("config", "core.ignoreStat", "true"), {"a.py": "y = 2\n"}, "a.py"),
        (("config", "core.excludesFile", "all"), {".git/all": "*", "sub/b.py": ""}, "sub/b.py"),
        (("status",), {".git/info/exclude": "sub\n", "sub/b.py": ""}, "sub/b.py"),
        (("status",), {"sub/.gitignore": "*\n", "sub/b.py": ""}, "sub/.gitignore"),
        (("status",), {"reports/.gitignore": "*\n", "reports/conftest.py": ""}, "reports/conftest.py"),
        (("status",), {"reports/.gitignore": "*\n", "reports/quality/report.json": "{}"}, ""),
        (("status",), {".venv/.gitignore": "*\n", ".venv/b.py": ""}, ""),
        (("status",), {"out/.gitignore": "*\n", "out/b.py": ""}, ""),
    ],
)
def test_nothing_beside_the_commit_hides_a_file(
    tmp_path: Path, opened: Open, words: tuple[str, ...], files: dict[str, str], told: str
):
    top = tmp_path / "top"
    made(top, {"a.py": "x = 1\n", ".gitignore": "out/\n"})
    git(top, *words)
    write(top, files)
    assert opened(top).changed([top / "reports", tmp_path / "elsewhere"]) == told


def test_the_names_that_git_ignores(tmp_path: Path, opened: Open):
    made(tmp_path / "project", {".gitignore": "*.ini\nbuild/\n", "app/x.py": ""})
    root = tmp_path / "project"
    for name in ("app/a.ini", "app/new\nline.ini", "app/kept.ini", "build/y.py"):
        write(root, {name: ""})
    git(root, "add", "-f", "app/kept.ini")
    names = ["a.ini", "new\nline.ini", "kept.ini", "x.py"]
    assert opened(root).ignored(root / "app", names) == {"a.ini", "new\nline.ini"}
    assert opened(root).ignored(root, ["build/y.py", "app/x.py"]) == {"build/y.py"}


def test_a_commit_is_what_its_name_says(tmp_path: Path, opened: Open):
    top = tmp_path / "top"
    first, second = made(top, {"a.py": "x = 1\n"}, {"a.py": "x = 1\ny = 2\n"})
    git(top, "replace", first, second)
    assert opened(top).diff(first) == Diff(lines={"a.py": frozenset({2})})


def shallow(origin: Path, folder: Path, address: str) -> Path:
    """Clone the last commit only, as actions/checkout does without credentials of its own."""
    git(origin.parent, "clone", "--quiet", "--depth=1", f"file://{origin}", str(folder))
    git(folder, "remote", "set-url", "origin", address)
    return folder


@pytest.fixture
def origin(tmp_path: Path) -> tuple[Path, str]:
    folder = tmp_path / "o" / "r"
    first, _ = made(folder, {"a.py": "x = 1\n"}, {"a.py": "x = 1\ny = 2\n"})
    for key in ("allowAnySHA1InWant", "allowFilter"):
        git(folder, "config", f"uploadpack.{key}", "true")
    return folder, first


def test_the_token_goes_to_the_server_of_the_event_alone(
    tmp_path: Path, opened: Open, origin: tuple[Path, str]
):
    folder, first = origin
    spy, mark = tmp_path / "spy", tmp_path / "mark"
    spy.write_text(f"#!/bin/sh\nenv >> {mark}\ncat /proc/[0-9]*/environ >> {mark} 2> /dev/null\n")
    spy.chmod(0o755)
    with served(tmp_path, _TOKEN) as (address, seen), served(tmp_path, "other") as (evil, stolen):
        clone = shallow(folder, tmp_path / "clone", f"{address}/o/r")
        for key, value in {
            f"url.{evil}/.insteadOf": f"{address}/",
            "http.proxy": evil,
            f"http.{address}/.proxy": evil,
            "credential.helper": f"!{spy}",
            "core.sshCommand": str(spy),
            "core.alternateRefsCommand": str(spy),
            "remote.origin.uploadpack": str(spy),
            "http.extraHeader": "X-Other: 1",
        }.items():
            git(clone, "config", key, value)
        server = Server(address=address, repository="o/r", authorization=f"AUTHORIZATION: {basic(_TOKEN)}")
        found = opened(clone).with_commit(first, server)
    assert found.diff(first) == Diff(lines={"a.py": frozenset({2})})
    assert found.text_at(first, "a.py") == "x = 1\n"
    assert [basic(_TOKEN)] in seen
    assert all(basic(_TOKEN) not in given for given in stolen)
    written = mark.read_text("utf-8", "replace") if mark.exists() else ""
    assert basic(_TOKEN).split()[1] not in written
    assert _TOKEN not in written
    assert "CORP_PASSWORD=" not in written.split("\0")[0]


def test_history_is_fetched_from_the_server_as_well(tmp_path: Path, opened: Open, origin: tuple[Path, str]):
    folder, first = origin
    with served(tmp_path, _TOKEN) as (address, _):
        clone = shallow(folder, tmp_path / "clone", f"{address}/o/r")
        server = Server(address=address, repository="o/r", authorization=f"AUTHORIZATION: {basic(_TOKEN)}")
        here = opened(clone)
        assert here.fetched_merge_base(first, here.head().sha, server) == first
        with pytest.raises(ToolError):
            here.with_commit("1" * 40, server)


def test_git_that_hangs_is_ended_once_and_for_all(tmp_path: Path, opened: Open):
    top = tmp_path / "top"
    made(top, {"a.py": ""})
    (top / ".git" / "HEAD").unlink()
    os.mkfifo(top / ".git" / "HEAD")
    tempdir = tmp_path / "tempdir"
    processes = Processes({"PATH": os.environ["PATH"]}, tempdir)
    here = Repository(run=processes.run, top=top, tempdir=tempdir, allowance=Allowance(0.5))
    for reason in ("git timed out after 0 s", "git is unavailable"):
        with pytest.raises(ToolError, match=reason):
            find(here)


@pytest.fixture
def with_others(tmp_path: Path) -> Path:
    """Make a repository with a submodule, one that is not checked out, and a repository that git does not know."""
    lib, top = tmp_path / "lib", tmp_path / "top"
    made(lib, {"lib.py": "x = 1\n"})
    made(top, {"a.py": "x = 1\n", ".gitignore": "ignored\n"})
    for name in ("sub", "absent"):
        git(top, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(lib), name)
    git(top, "commit", "--quiet", "-m", "x")
    git(top, "submodule", "--quiet", "deinit", "--force", "absent")
    made(top / "tools" / "nested", {"n.py": "x = 1\n"})
    made(top / "ignored", {"i.py": "x = 1\n"})
    (top / "sub" / "untracked.py").write_text("")
    return top


def test_submodules_are_asked_without_their_traps(tmp_path: Path, with_others: Path, opened: Open):
    mark, sub = tmp_path / "mark", with_others / "sub"
    shutil.rmtree(with_others / "tools")
    assert opened(with_others).changed() == "sub/untracked.py"
    (sub / "untracked.py").unlink()
    assert opened(with_others).changed() == ""
    config = with_others / ".git" / "modules" / "sub"
    (config / "hooks").mkdir(exist_ok=True)
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\necho ran >> {mark}\ncat\n")
    trap.chmod(0o755)
    git(sub, "config", "core.fsmonitor", str(trap))
    git(sub, "config", "filter.one.clean", str(trap))
    (config / "info").mkdir(exist_ok=True)
    (config / "info" / "attributes").write_text("* filter=one\n")
    os.utime(sub / "lib.py", (1, 1))
    assert opened(with_others).changed() == ""
    (sub / "lib.py").write_text("x = 2\n")
    assert opened(with_others).changed() == "sub/lib.py"
    assert not mark.exists()


@pytest.mark.parametrize(
    ("paths", "names", "apart"),
    [
        (".", {".gitignore", ".gitmodules", "a.py"}, {"sub", "tools/nested"}),
        ("sub", {"sub/lib.py"}, set()),
        ("sub/lib.py", {"sub/lib.py"}, set()),
        ("tools/nested", {"tools/nested/n.py"}, set()),
        ("absent", set(), set()),
        (". sub", {".gitignore", ".gitmodules", "a.py", "sub/lib.py"}, {"tools/nested"}),
    ],
)
def test_files_of_other_repositories_are_looked_at_by_name(
    with_others: Path, opened: Open, paths: str, names: set[str], apart: set[str]
):
    found = tracked(lambda: opened(with_others), layout(with_others, paths=tuple(paths.split())))
    assert (set(found.names), set(found.apart), found.notice) == (names, apart, "")


def test_security_says_which_repositories_it_left_out(with_others: Path, ci_action: Callable[..., Any]):
    ran = ci_action(with_others, "run", "security")
    for name in ("bandit", "detect-secrets"):
        (said,) = [text for text in ran.tool(name)["warnings"] if "separate git" in text]
        assert "'sub', 'tools/nested'" in said
    assert "'sub', 'tools/nested'" in ran.out
