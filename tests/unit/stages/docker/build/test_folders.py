"""Caches in folders: copies in the container, and links that the project's code has put there."""

import os
from pathlib import Path

import pytest
from support.builders import context, write

from ci_action.engine.context import Context
from ci_action.stages.docker.build.caches import Caches
from ci_action.stages.docker.build.folders import Folders
from ci_action.system.errors import ToolError

A, B = "a" * 64, "b" * 64
BLOBS = "blobs/sha256"
CACHE = {"index.json": "{}", "oci-layout": "{}", f"{BLOBS}/{A}": "one"}


@pytest.fixture
def tempdir(tmp_path: Path) -> Path:
    folder = tmp_path / "ours"
    folder.mkdir()
    return folder


def inside(tmp_path: Path, *, container: bool = True) -> Context:
    (tmp_path / "w").mkdir(exist_ok=True)
    return context(tmp_path / "w", container=container)


def given(read: str = "", written: str = "") -> Caches:
    return Caches.of([f"type=local,src={read}"] if read else [], [f"type=local,dest={written}"] if written else [])


def files(folder: Path) -> dict[str, str]:
    every = (path for path in folder.rglob("*") if path.is_file() and path.name != ".gitignore")
    return {str(path.relative_to(folder)): path.read_text() for path in every}


def test_in_the_container_buildx_works_on_copies(tmp_path: Path, tempdir: Path):
    ctx = inside(tmp_path)
    write(tmp_path / "w" / "old", CACHE)
    folders = Folders(ctx, given("old", "new"), tempdir)
    read, written = Path(folders.caches.read[0].get("src")), Path(folders.caches.written[0].get("dest"))
    assert read.parent == written.parent == tempdir
    assert files(read) == CACHE
    write(written, CACHE)
    assert not files(tmp_path / "w" / "new")
    folders.keep()
    assert files(tmp_path / "w" / "new") == CACHE
    assert (tmp_path / "w" / "new" / ".gitignore").read_text() == "*\n"


def test_blobs_that_are_not_needed_any_more_go(tmp_path: Path, tempdir: Path):
    ctx = inside(tmp_path)
    write(tmp_path / "w" / "new", {"index.json": "old", f"{BLOBS}/{B}": "two", f"{BLOBS}/README": "mine", "mine": "x"})
    folders = Folders(ctx, given(written="new"), tempdir)
    write(Path(folders.caches.written[0].get("dest")), CACHE)
    folders.keep()
    assert files(tmp_path / "w" / "new") == {**CACHE, f"{BLOBS}/README": "mine", "mine": "x"}


def test_in_a_shell_buildx_works_on_the_folders(tmp_path: Path, tempdir: Path):
    write(tmp_path / "w" / "old", CACHE)
    caches = Folders(inside(tmp_path, container=False), given("old", "a/new"), tempdir).caches
    assert caches.read[0].get("src") == str(tmp_path / "w" / "old")
    assert caches.written[0].get("dest") == str(tmp_path / "w" / "a" / "new")
    assert (tmp_path / "w" / "a" / "new" / ".gitignore").exists()


@pytest.mark.parametrize("container", [True, False])
def test_a_cache_before_the_first_build(tmp_path: Path, tempdir: Path, container: bool):
    (tmp_path / "w" / "empty").mkdir(parents=True)
    for name in ("empty", "nope"):
        (tempdir / name).mkdir()
        folders = Folders(inside(tmp_path, container=container), given(name), tempdir / name)
        assert folders.absent == [name]
        assert folders.caches == given()


@pytest.mark.parametrize("container", [True, False])
@pytest.mark.parametrize("caches", [given("link"), given(written="link")])
def test_no_link_in_the_workspace_is_followed(tmp_path: Path, tempdir: Path, caches: Caches, container: bool):
    ctx = inside(tmp_path, container=container)
    write(tmp_path / "outside", CACHE)
    (tmp_path / "w" / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(ToolError):
        Folders(ctx, caches, tempdir)
    assert files(tmp_path / "outside") == CACHE


@pytest.mark.parametrize("name", ["index.json", f"{BLOBS}/{A}"])
def test_no_link_in_a_cache_is_followed(tmp_path: Path, tempdir: Path, name: str):
    ctx = inside(tmp_path)
    old = write(tmp_path / "w" / "old", CACHE)
    (tmp_path / "secret").write_text("secret")
    (old / name).unlink()
    (old / name).symlink_to(tmp_path / "secret")
    with pytest.raises(ToolError):
        Folders(ctx, given("old"), tempdir)


def test_what_is_written_replaces_links(tmp_path: Path, tempdir: Path):
    ctx = inside(tmp_path)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "w" / "new" / BLOBS).mkdir(parents=True)
    for name in ("index.json", f"{BLOBS}/{A}"):
        (tmp_path / "w" / "new" / name).symlink_to(tmp_path / "secret")
    folders = Folders(ctx, given(written="new"), tempdir)
    write(Path(folders.caches.written[0].get("dest")), CACHE)
    folders.keep()
    assert files(tmp_path / "w" / "new") == CACHE
    assert not os.path.islink(tmp_path / "w" / "new" / "index.json")
    assert (tmp_path / "secret").read_text() == "secret"
