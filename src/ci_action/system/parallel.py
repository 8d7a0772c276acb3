"""Work beside other work: files divided over processes that end at about the same time, and a thread that may be left."""

import heapq
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Final, TypeVar

Value = TypeVar("Value")

# More processes than this wait for the disk and for each other.
_MOST: Final = 8


def processors() -> int:
    """Return how many processes may run at once here: the processors that are ours, within reason."""
    return min(len(os.sched_getaffinity(0)), _MOST)


def divided(sizes: Mapping[str, int], parts: int, least: int) -> list[list[str]]:
    """Divide names over at most so many parts of about the same size, each sorted; a part is worth `least` at least."""
    total = sum(sizes.values())
    number = max(1, min(parts, total // least, len(sizes)))
    filled: list[tuple[int, int, list[str]]] = [(0, index, []) for index in range(number)]
    # The largest first, each to the part that has the least by then.
    for name in sorted(sizes, key=lambda one: (-sizes[one], one)):
        size, index, names = heapq.heappop(filled)
        names.append(name)
        heapq.heappush(filled, (size + sizes[name], index, names))
    return [sorted(names) for _, _, names in sorted(filled) if names]


def in_background(work: Callable[[], Value]) -> Future[Value]:
    """Do work in a daemon thread: the end of the program does not wait for it."""
    future: Future[Value] = Future()
    threading.Thread(target=_settle, args=(future, work), daemon=True).start()
    return future


def _settle(future: Future[Value], work: Callable[[], Value]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - it is raised again where the result is asked for
        future.set_exception(error)
