"""Looks up many packages by several processes, and ends whatever the service does.

Each process gets a part of the packages and answers for all of them or for none. A failed part is retried after growing
pauses. Then, if another package may fare better, the package at which it failed is set aside and the rest is retried; after
a number of runs the rest is given up. Every package ends as audited or as missed, with the reason.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from ci_action.engine.advisories.output import Advisory, Answer, Failure

Key: TypeAlias = tuple[str, str]
"""Name and version of a package, normalised."""

PAUSES: Final = (0.5, 1.5)
# Number of packages that pay for the start of a process: a lookup takes 50 to 100 ms over the internet.
PART: Final = 30
_MOST_PARTS: Final = 6
_MOST_RUNS: Final = 12
# After this many packages the service itself is at fault, if it has not answered for any.
_MOST_ASIDE: Final = 3
LATE: Final = "the time limit was reached before its lookup"


Ask: TypeAlias = Callable[[Sequence[Key], float], Answer | Failure]
"""Looks up packages by one process within some seconds, all of them or none: `PipAudit`."""


@dataclass
class Audit:
    """The result for every package."""

    audited: dict[Key, tuple[Advisory, ...]] = field(default_factory=dict)
    missed: dict[Key, str] = field(default_factory=dict)
    """Why a package was not audited; a package in both was not audited completely."""
    late: bool = False
    runs: int = 0


@dataclass(kw_only=True)
class Auditor:
    """Divides the packages, looks them up, and retries."""

    ask: Ask
    seconds: float
    """The time limit for everything."""
    pauses: Sequence[float] = PAUSES
    wait: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    _down: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def audit(self, packages: Iterable[Key]) -> Audit:
        """Return the result for each of the packages."""
        parts = divided(list(dict.fromkeys(packages)))
        audit = Audit()
        end = self.now() + self.seconds
        with ThreadPoolExecutor(max_workers=len(parts) or 1) as pool:
            for future in [pool.submit(self._part, part, end, audit) for part in parts]:
                future.result()
        return audit

    def _part(self, part: list[Key], end: float, audit: Audit) -> None:
        waiting, failed, aside, reached = list(part), 0, 0, 0
        text = LATE
        for _ in range(_MOST_RUNS):
            if not waiting:
                return
            left = end - self.now()
            if left <= 0:
                audit.late = True
                break
            answer = self.ask(waiting, left)
            with self._lock:
                audit.runs += 1
            if isinstance(answer, Answer):
                _answered(waiting, answer, audit)
                return
            text, reached = answer.text, max(reached, answer.done)
            if answer.late:
                audit.late = True
                break
            failed += 1
            if failed <= len(self.pauses) and not answer.final and not self._down.is_set():
                self.wait(min(self.pauses[failed - 1], max(0.0, end - self.now())))
                continue
            if answer.unreachable:
                self._down.set()
                break
            aside += 1
            audit.missed[waiting.pop(min(answer.done, len(waiting) - 1))] = text
            if aside >= _MOST_ASIDE and not reached:
                break
        audit.missed.update(dict.fromkeys(waiting, text))


def _answered(waiting: Sequence[Key], answer: Answer, audit: Audit) -> None:
    for key in waiting:
        if key in answer.audited:
            audit.audited[key] = answer.audited[key]
            audit.missed.update({key: answer.doubts[key]} if key in answer.doubts else {})
        else:
            audit.missed[key] = answer.skipped.get(key[0], "pip-audit did not report on it")


def divided(packages: Sequence[Key]) -> list[list[Key]]:
    """Divide packages into parts of about the same size without duplicate names, which pip-audit refuses."""
    count = min(_MOST_PARTS, -(-len(packages) // PART)) or 1
    parts: list[dict[str, Key]] = [{} for _ in range(count)]
    for key in packages:
        free = [part for part in parts if key[0] not in part]
        if free:
            min(free, key=len)[key[0]] = key
        else:
            parts.append({key[0]: key})
    return [list(part.values()) for part in parts if part]
