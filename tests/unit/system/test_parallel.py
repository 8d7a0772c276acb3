"""Work is divided evenly, and nothing of it is lost."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.system.parallel import divided, process_shortage, processors

SIZES = st.dictionaries(st.text(min_size=1, max_size=4), st.integers(0, 1000), min_size=1, max_size=30)


@given(SIZES, st.integers(1, 8), st.integers(1, 500))
def test_every_name_is_in_one_part(sizes: dict[str, int], parts: int, least: int):
    found = divided(sizes, parts, least)
    assert sorted(name for part in found for name in part) == sorted(sizes)
    assert all(part == sorted(part) and part for part in found)
    assert len(found) <= max(1, min(parts, sum(sizes.values()) // least))


@given(SIZES, st.integers(1, 8))
def test_no_part_is_larger_than_the_smallest_by_more_than_one_file(sizes: dict[str, int], parts: int):
    found = divided(sizes, parts, 1)
    totals = [sum(sizes[name] for name in part) for part in found]
    assert max(totals) - min(totals) <= max(sizes.values())


def test_little_work_is_one_part():
    assert divided({"a": 100, "b": 100}, 4, 150) == [["a", "b"]]
    assert divided({"a": 100, "b": 200}, 4, 150) == [["a"], ["b"]]
    assert divided({"a": 0}, 4, 150) == [["a"]]


def test_there_is_at_least_one_processor():
    assert 1 <= processors() <= 8


@pytest.mark.parametrize("name", ["pids.max", "pids/pids.max"], ids=["version 2", "version 1"])
@pytest.mark.parametrize(
    ("limit", "short"), [("6", True), ("16", True), ("4096", False), ("max", False), ("", False)]
)
def test_a_container_that_cannot_start_enough_processes(tmp_path: Path, name: str, limit: str, short: bool):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(f"{limit}\n", "ascii")
    assert bool(process_shortage(tmp_path)) is short


def test_without_a_limit_there_are_enough_processes(tmp_path: Path):
    assert process_shortage(tmp_path) == ""
