"""Cached results: never used unless they are what we wrote."""

import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.builders import store, write

from ci_action.stages.quality.diff import Change
from ci_action.system import cache as module
from ci_action.system.cache import Digests, Results, distrust, key_of, restored
from ci_action.system.errors import AbsentFileError

FILE = "results/black.kept"


def opened(cache: Path) -> Results:
    """Return the results as a new run finds them."""
    return Results(store(cache), "black")


def kept(cache: Path, **entries: object) -> Results:
    results = opened(cache)
    for key, value in entries.items():
        results.put(key, value)
    assert results.save() == ""
    return opened(cache)


def test_results_are_cached(tmp_path: Path):
    results = kept(tmp_path / "c", a=[1, {"é": None}], b=[])
    assert results.get("a") == [1, {"é": None}]
    assert results.get("b") == []
    assert results.get("c") is None


def test_without_a_store_nothing_is_cached():
    results = Results(None)
    results.put("a", 1)
    assert results.save() == ""


def test_unchanged_results_are_not_written(tmp_path: Path):
    kept(tmp_path, a=1)
    before = (tmp_path / FILE).stat().st_ino
    results = opened(tmp_path)
    results.get("a")
    assert results.save() == ""
    assert (tmp_path / FILE).stat().st_ino == before


shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
VALUES = {"key-1": [{"rule": "format", "line": 3, "before": "é"}], "key-2": [], "key-3": [1, 2, 3]}


@shared
@given(st.data())
def test_a_flipped_bit_anywhere_is_a_miss_never_a_wrong_answer(tmp_path: Path, data: st.DataObject):
    file = tmp_path / FILE
    kept(tmp_path, **VALUES)
    raw = bytearray(file.read_bytes())
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(raw)
    results = opened(tmp_path)
    assert [results.get(key) for key in VALUES] == [None, None, None]


@shared
@given(st.data())
def test_a_file_cut_anywhere_is_a_miss(tmp_path: Path, data: st.DataObject):
    file = tmp_path / FILE
    kept(tmp_path, **VALUES)
    raw = file.read_bytes()
    file.write_bytes(raw[: data.draw(st.integers(0, len(raw) - 1))])
    assert opened(tmp_path).get("key-1") is None


@pytest.mark.parametrize(
    "body", [b"[]", b"5", b"{", b"null", b'{"a": 1', b"[" * 200_000], ids=lambda body: repr(body[:9])
)
def test_another_shape_with_a_right_checksum_is_a_miss(tmp_path: Path, body: bytes):
    kept(tmp_path)
    write(tmp_path, {FILE: sha256(body).hexdigest().encode() + b"\n" + body})
    assert opened(tmp_path).get("a") is None


@pytest.mark.parametrize(
    "entries",
    [
        "x",
        5,
        {"rule": "format", "line": 1},
        ["x"],
        [{"rule": "format"}],
        [{"rule": 5, "line": 1}],
        [{"rule": "format", "line": "1"}],
        [{"rule": "format", "line": 1, "before": None}],
        [{"rule": "format", "line": 1, "more": 1}],
        None,
    ],
    ids=repr,
)
def test_an_entry_of_another_shape_is_a_miss(entries: object):
    assert restored(Change, entries) is None


def test_an_entry_of_the_right_shape_is_not():
    assert restored(Change, [{"rule": "format", "line": None}]) == [Change(rule="format", line=None)]
    assert restored(Change, []) == []


def test_a_failed_write_is_reported(tmp_path: Path):
    write(tmp_path, {"file": ""})
    results = opened(tmp_path / "file")
    results.put("a", 1)
    assert str(tmp_path / "file" / "results") in results.save()


def facts(mode: int = stat.S_IFREG | 0o644, **overrides: int) -> os.stat_result:
    values = {"ino": 5, "dev": 1, "nlink": 1, "uid": 0, "gid": 0, "size": 3, **overrides}
    return os.stat_result((mode, *values.values(), 0, 0, 0))


FOLDER = stat.S_IFDIR | 0o755


@pytest.mark.parametrize(
    ("found", "folder", "trusted"),
    [
        (facts(), False, True),
        (facts(FOLDER, nlink=2), True, True),
        (facts(uid=1001), False, False),
        (facts(FOLDER, uid=1001), True, False),
        (facts(stat.S_IFREG | 0o664), False, False),
        (facts(stat.S_IFREG | 0o646), False, False),
        (facts(stat.S_IFDIR | 0o775), True, False),
        (facts(stat.S_IFDIR | 0o1777), True, False),
        (facts(nlink=2), False, False),
        (facts(stat.S_IFLNK | 0o777), False, False),
        (facts(stat.S_IFIFO | 0o600), False, False),
        (facts(FOLDER), False, False),
        (facts(), True, False),
    ],
)
def test_only_files_that_no_other_user_can_write_are_trusted(
    found: os.stat_result, folder: bool, trusted: bool
):
    assert (distrust(found, 0, folder=folder) == "") is trusted


def forged(cache: Path) -> None:
    body = b'{"a":"forged"}'
    write(cache, {FILE: sha256(body).hexdigest().encode() + b"\n" + body})


def test_results_from_before_the_run_are_read(tmp_path: Path):
    kept(tmp_path, a=1)
    forged(tmp_path)
    assert opened(tmp_path).get("a") == "forged", "the checksum is not a signature"


def test_a_file_written_by_others_during_the_run_is_a_miss(tmp_path: Path):
    kept(tmp_path, a=1)
    during = store(tmp_path)
    forged(tmp_path)
    assert Results(during, "black").get("a") is None


def test_a_folder_created_by_others_during_the_run_is_a_miss(tmp_path: Path):
    during = store(tmp_path)
    forged(tmp_path)
    assert Results(during, "black").get("a") is None
    kept(tmp_path / "other", a=1)
    during = store(tmp_path / "other")
    (tmp_path / "other" / "results").rename(tmp_path / "moved")
    forged(tmp_path / "other")
    assert Results(during, "black").get("a") is None


@pytest.mark.parametrize("name", ["black.kept", "bandit.kept"])
def test_results_that_changed_while_code_ran_are_removed(tmp_path: Path, name: str):
    kept(tmp_path, a=1)
    during = store(tmp_path)
    during.code_ran = True
    write(tmp_path, {f"results/{name}": "x"})
    assert "removed" in during.settle()
    assert os.listdir(tmp_path / "results") == []


def test_our_own_results_are_kept(tmp_path: Path):
    kept(tmp_path, a=1)
    during = store(tmp_path)
    during.code_ran = True
    results = Results(during, "black")
    results.put("b", 2)
    assert results.save() == ""
    assert during.settle() == ""
    assert opened(tmp_path).get("b") == 2


def test_without_code_of_the_project_another_run_may_write(tmp_path: Path):
    kept(tmp_path, a=1)
    during = store(tmp_path)
    kept(tmp_path, b=1)
    assert during.settle() == ""
    assert opened(tmp_path).get("b") == 1


def test_a_closed_store_reads_and_writes_nothing(tmp_path: Path):
    kept(tmp_path, a=1)
    closed = store(tmp_path, why_not="the same user")
    results = Results(closed, "black")
    assert results.get("a") is None
    results.put("b", 1)
    assert results.save() == ""
    assert opened(tmp_path).get("b") is None
    closed.discard()
    assert os.listdir(tmp_path / "results") == []


def test_a_folder_that_is_writable_by_others_is_replaced(tmp_path: Path):
    kept(tmp_path, a=1)
    (tmp_path / "results").chmod(0o777)
    during = store(tmp_path)
    assert during.notice()
    results = Results(during, "black")
    assert results.get("a") is None
    results.put("b", 2)
    assert results.save() == ""
    again = store(tmp_path)
    assert (again.notice(), Results(again, "black").get("a"), Results(again, "black").get("b")) == (
        "",
        None,
        2,
    )


def test_a_folder_with_other_files_is_kept(tmp_path: Path):
    write(tmp_path, {"results/figures.csv": "1"})
    (tmp_path / "results").chmod(0o777)
    results = opened(tmp_path)
    results.put("a", 1)
    assert "not empty" in results.save()
    assert (tmp_path / "results" / "figures.csv").read_text() == "1"


@pytest.mark.parametrize("what", ["the folder", "the file"])
def test_a_link_is_a_miss_and_is_not_written_through(tmp_path: Path, what: str):
    cache = tmp_path / "cache"
    kept(tmp_path / "else", a=1)
    cache.mkdir()
    if what == "the folder":
        (cache / "results").symlink_to(tmp_path / "else" / "results")
    else:
        kept(cache, a=1)
        (cache / FILE).unlink()
        (cache / FILE).symlink_to(tmp_path / "else" / FILE)
    before = (tmp_path / "else" / FILE).read_bytes()
    results = opened(cache)
    assert results.get("a") is None
    results.put("b", 1)
    assert (results.save() == "") is (what == "the file")
    assert (tmp_path / "else" / FILE).read_bytes() == before


def test_the_oldest_entries_are_dropped_first(tmp_path: Path):
    kept(tmp_path, old=1, used=2)
    results = opened(tmp_path)
    results.get("used")
    for number in range(module.MOST_ENTRIES - 1):
        results.put(f"n{number}", 0)
    results.save()
    again = opened(tmp_path)
    assert (again.get("old"), again.get("used")) == (None, 2)


@given(st.lists(st.text() | st.binary(), max_size=4), st.lists(st.text() | st.binary(), max_size=4))
def test_keys_are_the_same_only_for_the_same_parts(one: list[str | bytes], two: list[str | bytes]):
    same = [part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass") for part in one] == [
        part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass") for part in two
    ]
    assert (key_of(*one) == key_of(*two)) is same


def test_parts_are_separated():
    assert key_of("ab", "c") != key_of("a", "bc")
    assert key_of("a") != key_of("a", "")


def test_a_digest_is_computed_once(tmp_path: Path):
    write(tmp_path, {"a": "1"})
    digests = Digests()
    first = digests.of(tmp_path / "a", tmp_path)
    write(tmp_path, {"a": "2"})
    assert digests.of(tmp_path / "a", tmp_path) == first == sha256(b"1").hexdigest()
    with pytest.raises(AbsentFileError, match="absent"):
        digests.of(tmp_path / "absent", tmp_path)
