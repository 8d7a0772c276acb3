"""Parallel work: files divided evenly over processes, and background threads."""

import heapq
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

Value = TypeVar("Value")

# More processes only wait for the disk and each other.
_MOST: Final = 8


def processors() -> int:
    """Return the number of processes to run in parallel: the available processors, at most eight."""
    return min(len(os.sched_getaffinity(0)), _MOST)


def process_shortage(cgroup: Path = Path("/sys/fs/cgroup")) -> str:
    """Return why a container cannot start enough processes; empty if it can, or has no limit.

    Ruff waits forever for a thread that it could not start, so the limit is checked before anything runs. A run with one
    tool at a time needs about ten processes and threads, and Ruff one for each processor.
    """
    needed = 16 + len(os.sched_getaffinity(0))
    for name in ("pids.max", "pids/pids.max"):  # of version 2 and 1
        with suppress(OSError):
            limit = (cgroup / name).read_text("ascii").strip()
            if limit.isdecimal() and int(limit) < needed:
                return f"the process limit is {limit}, at least {needed} are needed: increase `docker run --pids-limit`"
    return ""


def divided(sizes: Mapping[str, int], parts: int, least: int) -> list[list[str]]:
    """Divide names into at most `parts` sorted parts of about equal size, at least `least` each."""
    total = sum(sizes.values())
    number = max(1, min(parts, total // least, len(sizes)))
    filled: list[tuple[int, int, list[str]]] = [(0, index, []) for index in range(number)]
    # The largest first, each into the part that is smallest by then.
    for name in sorted(sizes, key=lambda one: (-sizes[one], one)):
        size, index, names = heapq.heappop(filled)
        names.append(name)
        heapq.heappush(filled, (size + sizes[name], index, names))
    return [sorted(names) for _, _, names in sorted(filled) if names]


def shares(files: Mapping[str, Path], least: int) -> list[list[str]]:
    """Divide the names of files over the processors by size; a share has at least `least` bytes if there are several."""
    return divided({name: _size(file) for name, file in files.items()}, processors(), least)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def in_background(work: Callable[[], Value]) -> Future[Value]:
    """Run `work` in a daemon thread: the program can end before it."""
    future: Future[Value] = Future()
    threading.Thread(target=_settle, args=(future, work), daemon=True).start()
    return future


def _settle(future: Future[Value], work: Callable[[], Value]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - `result` raises it
        future.set_exception(error)
