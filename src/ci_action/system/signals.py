"""SIGINT and SIGTERM: end the children, write what there is, and exit in time.

Imported and installed before everything else, so that no signal meets Python's own handlers: this module imports
nothing that takes time.
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
# The runner sends SIGINT, waits 7.5 s, then SIGTERM (ProcessInvoker.cs): whatever hangs, we are gone before.
LAST_SECONDS: Final = 6.0
# How long the emergency exit may clean up.
LAST_WORDS_SECONDS: Final = 0.8


class Stoppable(Protocol):
    """The running children."""

    def stop(self) -> None:
        """End them, and start no further one."""


class Interruption:
    """Turns SIGINT and SIGTERM into the end of the children; a second signal changes nothing."""

    def __init__(self, *, seconds: float = LAST_SECONDS, leave: Callable[[int], object] = os._exit) -> None:
        """Nothing was interrupted yet; `leave` ends the process `seconds` after the first signal."""
        self.name = ""
        """The signal that interrupted the run; empty for one that came after the last tool."""
        self.finishing = False
        """Whether results are being written, which takes a moment and is not to be cut short."""
        self.urgent = False
        """Whether a signal came: then no server is waited for any longer."""
        self.last: Callable[[], None] = _nothing
        """Cleans up before the emergency exit, in a thread of its own."""
        self._processes: Stoppable | None = None
        self._seconds = seconds
        self._leave = leave
        self._before: dict[signal.Signals, object] = {}
        self._came = threading.Event()
        self._over = threading.Event()

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """Note the signal and end the children. Never raises: the main thread may be inside an import."""
        if not self.urgent:  # a handler may interrupt a handler, and the lock of an event is not reentrant
            self.urgent = True
            self._came.set()
        if self.finishing or self.name:
            return
        self.name = signal.Signals(number).name
        if self._processes is not None:
            self._processes.stop()

    def attend(self, processes: Stoppable) -> None:
        """End these at a signal; raises `KeyboardInterrupt` if one came already."""
        self._processes = processes
        if self.name:
            processes.stop()
            raise KeyboardInterrupt

    def install(self) -> None:
        """Catch the signals, those included that were blocked until now (the image starts us so)."""
        self._before = {number: signal.signal(number, self.handle) for number in SIGNALS}
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        with suppress(RuntimeError):  # no thread can be started, so no child of ours can hang either
            # Now, since a handler could not do without a thread when none is left.
            threading.Thread(target=self._watch, daemon=True).start()

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Catch the signals here; not outside the main thread, where Python allows no handlers."""
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
    """There is nothing to clean up yet."""
