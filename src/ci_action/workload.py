"""How the files of a run are divided over processes, so that all of them end at about the same time."""

import heapq
import os
from collections.abc import Mapping
from typing import Final

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
