"""The entry point: argv and environment in, exit code out.

The signals are caught before anything is imported that takes time: until then Python would print a traceback, and
the kernel drops SIGTERM for the first process of a container.
"""

import gc
import io
import os
import sys
from typing import Final, TextIO

from ci_action.system.signals import Interruption

# Objects between two collections of garbage. Python's 700 cost a short run 7 ms, only for imports, which leave none.
_ALLOCATIONS: Final = 50_000


class Steady(io.TextIOWrapper):
    """A standard stream that drops what it cannot write: a closed pipe must not change the verdict."""

    def write(self, text: str, /) -> int:
        """Write, or drop this and all that follows."""
        try:
            return super().write(text)
        except OSError:
            self._drop()
            return len(text)

    def flush(self) -> None:
        """Flush, or drop this and all that follows."""
        try:
            super().flush()
        except OSError:
            self._drop()

    def _drop(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def steady(stream: TextIO | None) -> TextIO:
    """Return a stream like this one that never fails: not for its encoding, nor if it is closed or full."""
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    lines = bool(stream.line_buffering)
    raw = stream.detach()  # type: ignore[attr-defined]  # a TextIOWrapper
    return Steady(raw, encoding="utf-8", errors="backslashreplace", line_buffering=lines)


def entry() -> None:
    """Run the program and end Python with its exit code."""
    interruption = Interruption()
    interruption.install()
    sys.stdout, sys.stderr = steady(sys.stdout), steady(sys.stderr)
    if sys.argv[1:] == ["--version"]:  # without the cost of the settings
        from ci_action import __version__  # after the streams are steady

        sys.stdout.write(f"ci-action {__version__}\n")
        raise SystemExit(0)
    gc.set_threshold(_ALLOCATIONS)
    from ci_action.cli import main  # --version pays for none of it
    from ci_action.github.workflow import with_inputs  # --version pays for none of it
    from ci_action.settings import SETTINGS  # --version pays for none of it

    environ = with_inputs(os.environ, SETTINGS)
    code = main(sys.argv[1:], environ, interruption=interruption)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # all files are closed: what Python does before it ends takes 20 ms


if __name__ == "__main__":
    entry()
