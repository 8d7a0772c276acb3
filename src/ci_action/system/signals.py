"""Handle SIGINT and SIGTERM: end the children, write partial results and exit in time.

Imported and installed first, so that Python's own handlers never run: this module imports nothing slow.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Final, Protocol

from ci_action.system.exit_codes import ExitCode

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
# The runner sends SIGINT and, after 7.5 s, SIGTERM (ProcessInvoker.cs): we exit before, even if something hangs.
LAST_SECONDS: Final = 6.0
# How long the clean-up before an emergency exit may take.
LAST_WORDS_SECONDS: Final = 0.8


class Stoppable(Protocol):
    """The children, as `Processes`."""

    def stop(self) -> None:
        """End them and start no other."""


class Interruption:
    """Ends the children at the first SIGINT or SIGTERM; later signals change nothing."""

    def __init__(self, *, seconds: float = LAST_SECONDS, leave: Callable[[int], object] = os._exit) -> None:
        """Call `leave` to end the process `seconds` after the first signal."""
        self.name = ""
        """The signal that interrupted the run; empty if it arrived after the last tool."""
        self.finishing = False
        """Whether results are being written, which no signal should interrupt."""
        self.urgent = False
        """Whether a signal arrived: then no server is waited for."""
        self.last: Callable[[], None] = _nothing
        """Cleans up before the emergency exit, in another thread."""
        self._processes: Stoppable | None = None
        self._seconds = seconds
        self._leave = leave
        self._before: dict[signal.Signals, object] = {}
        self._came = threading.Event()
        self._over = threading.Event()

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """End the children. Never raises: the main thread may be inside an import."""
        if not self.urgent:  # handlers interrupt each other, and the lock of an event is not reentrant
            self.urgent = True
            self._came.set()
        if self.finishing or self.name:
            return
        self.name = signal.Signals(number).name
        if self._processes is not None:
            self._processes.stop()

    def attend(self, processes: Stoppable) -> None:
        """End these children at a signal; raises `KeyboardInterrupt` if it arrived already."""
        self._processes = processes
        if self.name:
            processes.stop()
            raise KeyboardInterrupt

    def install(self) -> None:
        """Handle the signals, also those that were blocked until now (as the image starts us)."""
        self._before = {number: signal.signal(number, self.handle) for number in SIGNALS}
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        with suppress(RuntimeError):  # no thread can be started
            # Started now, because a handler may find that no thread can be started.
            threading.Thread(target=self._watch, daemon=True).start()

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Handle the signals meanwhile, in the main thread only: elsewhere Python allows no handlers."""
        if self._before or threading.current_thread() is not threading.main_thread():
            yield
            return
        self.install()
        try:
            yield
        finally:
            for number, handler in self._before.items():
                signal.signal(number, handler)  # type: ignore[arg-type]  # what `signal.signal` returned
            self._before = {}
            self._over.set()
            self._came.set()

    def _watch(self) -> None:
        self._came.wait()
        if self._over.wait(self._seconds):
            return
        try:
            ending = threading.Thread(target=self.last, daemon=True)
            ending.start()
            ending.join(LAST_WORDS_SECONDS)
        except RuntimeError:  # no thread can be started
            self.last()
        self._leave(int(ExitCode.INTERRUPTED))


def _nothing() -> None:
    """Do nothing: the default of `last`."""
