"""Open folders: no link on the way is followed, and no file is written through a link."""

import os
from pathlib import Path

import pytest
from support.builders import write

from ci_action.system.folder import Owner, Place, is_own, opened, place_of

OWN = Owner(os.geteuid(), os.getegid())


def test_a_new_folder_ignores_itself(tmp_path: Path):
    place = Place(tmp_path, ("a", "b"))
    with opened(place, make=True, owner=OWN) as folder:
        found = folder.write("report.json", b"1", OWN)
    assert place.path == tmp_path / "a" / "b"
    assert (found.st_size, found.st_mode & 0o777) == (1, 0o644)
    assert sorted(os.listdir(place.path)) == [".gitignore", "report.json"]
    assert is_own(place.path)
    assert not is_own(tmp_path / "a")


def test_the_folder_of_all_reports_ignores_itself_if_it_is_new(tmp_path: Path):
    with opened(Place(tmp_path, ("deep", "ci-action-report", "quality")), make=True):
        pass
    assert [is_own(folder) for folder in (tmp_path / "deep", tmp_path / "deep" / "ci-action-report")] == [
        False,
        True,
    ]
    (tmp_path / "deep" / "ci-action-report" / ".gitignore").write_text("mine")
    with opened(Place(tmp_path, ("deep", "ci-action-report", "test")), make=True):
        pass
    assert (tmp_path / "deep" / "ci-action-report" / ".gitignore").read_text() == "mine"
    assert is_own(tmp_path / "deep" / "ci-action-report" / "test")


def test_an_existing_folder_is_not_changed(tmp_path: Path):
    with opened(Place(tmp_path, ()), make=True):
        pass
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_an_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="absent"), opened(Place(tmp_path, ("absent",))):
        pass


@pytest.mark.parametrize("link", ["a", "a/b"])
def test_a_link_on_the_way_is_refused(tmp_path: Path, link: str):
    (tmp_path / "elsewhere" / "b").mkdir(parents=True)
    (tmp_path / link).parent.mkdir(exist_ok=True)
    (tmp_path / link).symlink_to(tmp_path / "elsewhere")
    with (
        pytest.raises(OSError, match="a link"),
        opened(Place(tmp_path, ("a", "b")), make=True),
    ):
        pass
    assert os.listdir(tmp_path / "elsewhere") == ["b"]


def test_links_above_the_start_are_followed(tmp_path: Path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with opened(Place(tmp_path / "link", ("a",)), make=True) as folder:
        folder.write("x", b"")
    assert (tmp_path / "real" / "a" / "x").exists()


@pytest.mark.parametrize("kind", ["link", "hard link"])
def test_a_file_is_replaced_and_never_written_through(tmp_path: Path, kind: str):
    write(tmp_path, {"precious": "as it was"})
    link = Path.symlink_to if kind == "link" else Path.hardlink_to
    (tmp_path / "out").mkdir()
    link(tmp_path / "out" / "report.json", tmp_path / "precious")
    with opened(Place(tmp_path, ("out",))) as folder:
        folder.write("report.json", b"ours")
    assert (tmp_path / "precious").read_text() == "as it was"
    assert (tmp_path / "out" / "report.json").read_text() == "ours"
    assert not (tmp_path / "out" / "report.json").is_symlink()


def test_a_failed_write_leaves_no_file(tmp_path: Path):
    (tmp_path / "target").mkdir()
    with opened(Place(tmp_path, ())) as folder, pytest.raises(OSError, match="target"):
        folder.write("target", b"x")
    assert os.listdir(tmp_path) == ["target"]


@pytest.mark.parametrize(
    ("path", "strict", "start", "parts"),
    [
        ("work/out", True, "work", ("out",)),
        ("work/link/out", False, "work", ("link", "out")),
        ("work/../other/out", True, "/", ("other", "out")),
        ("link/out", True, "/", ("link", "out")),
        ("link/out", False, "/", ("other", "out")),
    ],
)
def test_which_links_are_followed(
    tmp_path: Path, path: str, strict: bool, start: str, parts: tuple[str, ...]
):
    for name in ("work", "other"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "other")
    place = place_of(tmp_path / path, tmp_path / "work", strict=strict)
    if start == "/":
        assert place == Place(Path("/"), (*tmp_path.parts[1:], *parts))
    else:
        assert place == Place(tmp_path / start, parts)


@pytest.mark.parametrize(
    ("text", "own"), [("*\n", True), ("*", False), ("*\n!src\n", False), ("build/\n", False)]
)
def test_our_folders_are_recognised(tmp_path: Path, text: str, own: bool):
    write(tmp_path, {".gitignore": text})
    assert is_own(tmp_path) is own
