"""SIGINT and SIGTERM: the children are ended, what there is gets written, and we are gone in time."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

from ci_action.errors import ExitCode
from ci_action.process import Processes

# The runner sends SIGINT, waits 7.5 s, then SIGTERM (ProcessInvoker.cs): whatever hangs, we are gone before.
LAST_SECONDS: Final = 6.0


class Interruption:
    """Turns SIGINT and SIGTERM into the end of the children; a second signal changes nothing."""

    def __init__(self) -> None:
        """Nothing was interrupted yet."""
        self.name = ""
        self.processes: Processes | None = None
        self.finishing = False
        """Whether results are being written, which takes a moment and is not to be cut short."""
        self.urgent = False
        """Whether a signal came: then nobody waits for a server any longer."""

    def handle(self, number: int, _frame: FrameType | None) -> None:
        """End the children; before any could run, end ourselves."""
        self.urgent = True
        if self.finishing or self.name:
            return
        self.name = signal.Signals(number).name
        last = threading.Timer(LAST_SECONDS, os._exit, (int(ExitCode.INTERRUPTED),))
        last.daemon = True
        last.start()
        if self.processes is None:
            raise KeyboardInterrupt
        self.processes.stop()

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Catch the signals; outside the main thread, where tests may be, Python allows no handlers."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
