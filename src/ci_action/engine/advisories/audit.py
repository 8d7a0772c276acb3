"""Ask for many packages at once, by several processes, and come to an end whatever the service does.

Each process gets a part of the packages and answers for all of them or for none. What failed is asked again after a
pause, growing. Then, where some other package may fare better, the one at which it failed is set aside and the rest is
asked again; after a number of runs the rest is given up. Every package ends as audited or as missed, with the reason.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from ci_action.engine.advisories.errors import Cause
from ci_action.engine.advisories.output import Advisory, Answer

Key: TypeAlias = tuple[str, str]
"""Name and version of a package, in their normal forms."""

PAUSES: Final = (0.5, 1.5)
# So many packages pay for the start of a process: a lookup takes a twentieth to a tenth of a second over the internet.
PART: Final = 30
_MOST_PARTS: Final = 6
_MOST_RUNS: Final = 12
# So many packages are set aside before the service as a whole is at fault, as long as it has answered for none.
_MOST_ASIDE: Final = 3
LATE: Final = "the time limit was reached before it was asked for"


@dataclass(frozen=True)
class Failure:
    """A run that gave no answer."""

    cause: Cause
    done: int = 0
    """How many packages it had asked for before it failed at the next one."""
    late: bool = False
    """Whether the time of the tool is over."""


class Ask(Protocol):
    """Asks for some packages by one process; `tools.pip_audit`, or a fake in tests."""

    def __call__(self, packages: Sequence[Key], seconds: float, /) -> Answer | Failure:
        """Return what it says of all of them, or why it says nothing."""
        ...


@dataclass
class Audit:
    """What became of every package."""

    audited: dict[Key, tuple[Advisory, ...]] = field(default_factory=dict)
    missed: dict[Key, str] = field(default_factory=dict)
    """Why a package was not audited; one that is in both was not audited wholly."""
    late: bool = False
    runs: int = 0


@dataclass(kw_only=True)
class Auditor:
    """Divides the packages, asks, and asks again."""

    ask: Ask
    seconds: float
    """When it all has to be over."""
    pauses: Sequence[float] = PAUSES
    wait: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    _down: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def audit(self, packages: Iterable[Key]) -> Audit:
        """Return what became of each of the packages."""
        parts = divided(list(dict.fromkeys(packages)))
        audit = Audit()
        end = self.now() + self.seconds
        with ThreadPoolExecutor(max_workers=len(parts) or 1) as pool:
            for future in [pool.submit(self._part, part, end, audit) for part in parts]:
                future.result()
        return audit

    def _part(self, part: list[Key], end: float, audit: Audit) -> None:
        waiting, failed, aside, reached = list(part), 0, 0, 0
        cause = Cause(text=LATE)
        for _ in range(_MOST_RUNS):
            if not waiting:
                return
            left = end - self.now()
            if left <= 0:
                audit.late = True
                break
            said = self.ask(waiting, left)
            with self._lock:
                audit.runs += 1
            if isinstance(said, Answer):
                self._answered(waiting, said, audit)
                return
            cause, reached = said.cause, max(reached, said.done)
            if said.late:
                audit.late = True
                break
            failed += 1
            if failed <= len(self.pauses) and not cause.final and not self._down.is_set():
                self.wait(min(self.pauses[failed - 1], max(0.0, end - self.now())))
                continue
            if cause.unreachable:
                self._down.set()
                break
            aside += 1
            audit.missed[waiting.pop(min(said.done, len(waiting) - 1))] = cause.text
            if aside >= _MOST_ASIDE and not reached:
                break
        audit.missed.update(dict.fromkeys(waiting, cause.text))

    def _answered(self, waiting: Sequence[Key], answer: Answer, audit: Audit) -> None:
        for key in waiting:
            if key in answer.audited:
                audit.audited[key] = answer.audited[key]
                audit.missed.update({key: answer.doubts[key]} if key in answer.doubts else {})
            else:
                audit.missed[key] = answer.skipped.get(key[0], "pip-audit did not say what became of it")


def divided(packages: Sequence[Key]) -> list[list[Key]]:
    """Divide packages into parts of about the same size in which no name is twice: pip-audit refuses that."""
    count = min(_MOST_PARTS, -(-len(packages) // PART)) or 1
    parts: list[dict[str, Key]] = [{} for _ in range(count)]
    for key in packages:
        free = [part for part in parts if key[0] not in part]
        if free:
            min(free, key=len)[key[0]] = key
        else:
            parts.append({key[0]: key})
    return [list(part.values()) for part in parts if part]
