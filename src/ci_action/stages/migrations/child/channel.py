"""How this process reports: events as JSON lines in a file, apart from everything that the project prints."""

import json
import os
import sys
import threading
import time

LONGEST = 20_000
"""Characters of a text from the project or the database."""


def cut(text, longest=LONGEST):
    """Return a text that is not longer than that."""
    return text if len(text) <= longest else text[:longest] + "…"


class Channel:
    """Writes events, each with one call, so that no thread mixes them."""

    def __init__(self, path):
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._process = os.getpid()

    def send(self, event, **fields):
        """Write an event; a copy of this process that the project forked writes none."""
        if os.getpid() == self._process:
            line = json.dumps(dict(fields, event=event)) + "\n"
            os.write(self._file, line.encode("ascii"))


class Watchdog:
    """Ends this process when a phase takes too long."""

    def __init__(self, seconds, report):
        """`report` is called with the name of the phase before the end."""
        self._seconds = seconds
        self._report = report
        self._timer = None

    def start(self, phase):
        """Start the time of a phase, and end that of the one before."""
        self.stop()
        self._timer = threading.Timer(self._seconds, self._end, (phase,))
        self._timer.daemon = True
        self._timer.start()

    def stop(self):
        """Stop watching."""
        if self._timer:
            self._timer.cancel()

    def _end(self, phase):
        self._report(phase)
        sys.stdout.flush()
        os._exit(1)


class Clock:
    """Measures seconds."""

    def __init__(self):
        self._started = time.monotonic()

    def seconds(self):
        """Return the seconds since it was made."""
        return round(time.monotonic() - self._started, 6)
