"""Kept results: never trusted when they are not what was written."""

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest
from builders import write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci_action import results as module
from ci_action.errors import AbsentFileError
from ci_action.results import Digests, GuardedFolder, Results, key_of, write_atomically


def kept(file: Path, **entries: object) -> Results:
    results = Results(file)
    for key, value in entries.items():
        results.put(key, value)
    assert results.save() == ""
    return Results(file)


def test_what_was_put_is_got_again(tmp_path: Path):
    results = kept(tmp_path / "c" / "black.json", a=[1, {"é": None}], b=[])
    assert results.get("a") == [1, {"é": None}]
    assert results.get("b") == []
    assert results.get("c") is None


def test_without_a_file_nothing_is_kept():
    results = Results(None)
    results.put("a", 1)
    assert results.save() == ""


def test_nothing_new_is_not_written(tmp_path: Path):
    file = tmp_path / "black.json"
    kept(file, a=1)
    before = file.stat().st_ino
    results = Results(file)
    results.get("a")
    assert results.save() == ""
    assert file.stat().st_ino == before


shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
VALUES = {"key-1": [{"rule": "format", "line": 3, "before": "é"}], "key-2": [], "key-3": [1, 2, 3]}


@shared
@given(st.data())
def test_a_flipped_bit_anywhere_is_a_miss_never_a_wrong_answer(tmp_path: Path, data: st.DataObject):
    file = tmp_path / "black.json"
    kept(file, **VALUES)
    raw = bytearray(file.read_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(raw)
    results = Results(file)
    assert [results.get(key) for key in VALUES] == [None, None, None]


@shared
@given(st.data())
def test_a_file_cut_anywhere_is_a_miss(tmp_path: Path, data: st.DataObject):
    file = tmp_path / "black.json"
    kept(file, **VALUES)
    raw = file.read_bytes()
    file.write_bytes(raw[: data.draw(st.integers(0, len(raw) - 1))])
    assert Results(file).get("key-1") is None


@pytest.mark.parametrize("body", [b"[]", b"5", b"{", b"null", b'{"a": 1'], ids=repr)
def test_another_shape_with_a_right_checksum_is_a_miss(tmp_path: Path, body: bytes):
    file = tmp_path / "black.json"
    file.write_bytes(sha256(body).hexdigest().encode() + b"\n" + body)
    assert Results(file).get("a") is None


def test_a_file_that_cannot_be_read_is_a_miss(tmp_path: Path):
    assert Results(tmp_path).get("a") is None


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path):
    write(tmp_path, {"file": ""})
    results = Results(tmp_path / "file" / "black.json")
    results.put("a", 1)
    assert results.save().startswith(
        f"results of unchanged files cannot be kept in {str(tmp_path / 'file')!r}: "
    )


def test_the_least_recently_used_entries_go_first(tmp_path: Path):
    file = tmp_path / "black.json"
    kept(file, old=1, used=2)
    results = Results(file)
    results.get("used")
    for number in range(module.MOST_ENTRIES - 1):
        results.put(f"n{number}", 0)
    results.save()
    again = Results(file)
    assert (again.get("old"), again.get("used")) == (None, 2)


@given(st.lists(st.text() | st.binary(), max_size=4), st.lists(st.text() | st.binary(), max_size=4))
def test_keys_are_the_same_only_for_the_same_parts(one: list[str | bytes], two: list[str | bytes]):
    same = [part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass") for part in one] == [
        part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass") for part in two
    ]
    assert (key_of(*one) == key_of(*two)) is same


def test_parts_do_not_run_together():
    assert key_of("ab", "c") != key_of("a", "bc")
    assert key_of("a") != key_of("a", "")


def test_a_write_that_fails_leaves_neither_the_file_nor_a_part_of_it(tmp_path: Path):
    (tmp_path / "target").mkdir()
    with pytest.raises(OSError, match="target"):
        write_atomically(tmp_path / "target", b"x")
    assert os.listdir(tmp_path) == ["target"]


def test_a_digest_is_made_once(tmp_path: Path):
    write(tmp_path, {"a": "1"})
    digests = Digests()
    first = digests.of(tmp_path / "a", tmp_path)
    write(tmp_path, {"a": "2"})
    assert digests.of(tmp_path / "a", tmp_path) == first == sha256(b"1").hexdigest()
    with pytest.raises(AbsentFileError, match="absent"):
        digests.of(tmp_path / "absent", tmp_path)


STAMPS = {"a.py": (1, "digest-a"), "b.py": (1, "digest-b")}


def sealed_folder(tmp_path: Path) -> GuardedFolder:
    """Return a folder as a run leaves it."""
    folder = GuardedFolder(tmp_path / "cache" / "ruff")
    folder.prepare(STAMPS)
    write(folder.folder, {"0.17.6/1": b"\x00entry"})
    folder.seal(STAMPS)
    return GuardedFolder(tmp_path / "cache" / "ruff")


@pytest.mark.parametrize(
    "files",
    [
        pytest.param(STAMPS, id="nothing changed"),
        pytest.param({**STAMPS, "a.py": (2, "other")}, id="changed with a new time stamp"),
        pytest.param({**STAMPS, "a.py": (2, "digest-a")}, id="only touched"),
    ],
)
def test_a_folder_is_used_while_that_is_safe(tmp_path: Path, files: dict[str, tuple[int, str]]):
    folder = sealed_folder(tmp_path)
    folder.prepare(files)
    assert (folder.folder / "0.17.6" / "1").exists()


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({**STAMPS, "a.py": (1, "other")}, id="changed under the same time stamp"),
        pytest.param({"a.py": STAMPS["a.py"]}, id="a file less"),
        pytest.param({**STAMPS, "c.py": (1, "c")}, id="a file more"),
    ],
)
def test_a_folder_is_thrown_away_where_files_are_not_to_be_trusted(
    tmp_path: Path, files: dict[str, tuple[int, str]]
):
    folder = sealed_folder(tmp_path)
    folder.prepare(files)
    assert not folder.folder.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ruff/0.17.6/1", b"\x01entry"),
        ("ruff/0.17.6/2", b""),
        ("ruff.state.json", b"{"),
        ("ruff.state.json", b"[]"),
        ("ruff.state.json", b"{}"),
        ("ruff.state.json", json.dumps({"folder": "x", "files": {"a.py": 5}}).encode()),
        ("ruff.state.json", json.dumps({"folder": "x", "files": []}).encode()),
    ],
)
def test_a_folder_that_was_changed_is_thrown_away(tmp_path: Path, name: str, content: bytes):
    folder = sealed_folder(tmp_path)
    write(tmp_path / "cache", {name: content})
    folder.prepare(STAMPS)
    assert not folder.folder.exists()


def test_after_a_run_that_did_not_end_nothing_is_trusted(tmp_path: Path):
    folder = sealed_folder(tmp_path)
    folder.prepare(STAMPS)  # and then killed: no seal
    again = GuardedFolder(folder.folder)
    again.prepare(STAMPS)
    assert not again.folder.exists()
