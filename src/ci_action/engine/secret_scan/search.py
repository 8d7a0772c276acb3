"""The search for secrets in parallel to the tools: no text from the project's files is shown before it has ended."""

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final, Protocol, Self

from ci_action.engine.live import Standing
from ci_action.engine.redact import redacted
from ci_action.engine.tool import Tool
from ci_action.model.changes import NO_BASE
from ci_action.model.result import Broken, Report, Skipped, ToolResult
from ci_action.system.redaction import Redactor

# The lines that quote nothing: of Black and Ruff without findings, and of a comparison without a base commit.
_CLEAN: Final = re.compile(
    r"^(?:All done! [^\w\n]*|\d+ files? (?:would be )?left unchanged\.|All checks passed!"
    rf"|the base commit is unknown: {re.escape(NO_BASE)})$",
    re.MULTILINE,
)

# Seconds after which a run counts as long enough to search beside it.
_GRACE: Final = 0.5


class Progress(Protocol):
    """Shows the tools that start and end, and what they report meanwhile; the latter in the threads of the tools."""

    def started(self, tool: Tool) -> None:
        """Show that a tool starts."""

    def printed(self, tool: str, lines: Sequence[str]) -> None:
        """Show lines of a running tool's output."""

    def moved(self, tool: str, at: Standing) -> None:
        """Show how far a running tool is."""

    def ended(self, result: ToolResult) -> None:
        """Show that a tool has ended."""


class Search:
    """Searches the project's files for secrets in a thread; `look` returns why that failed, or nothing.

    The thread waits a moment first: a short run that quotes nothing needs no search.
    """

    def __init__(
        self, look: Callable[[], str] = str, cancel: Callable[[], None] = lambda: None, grace: float = _GRACE
    ) -> None:
        """Start nothing yet; `cancel` ends a search whose result is not needed."""
        self._grace = grace
        self._look = look
        self._cancel = cancel
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._needed = threading.Event()
        self._over = False

    def __enter__(self) -> Self:
        """Start the search."""
        self._found = self._pool.submit(self._begin)
        return self

    def __exit__(self, *_: object) -> None:
        """End the search if it still runs."""
        self._over = True
        self._needed.set()
        if not self._found.done():
            self._cancel()
        self._pool.shutdown()

    def _begin(self) -> str:
        self._needed.wait(self._grace)
        return "" if self._over else self._look()

    def wait(self) -> str:
        """Wait for the end; return why the files could not be searched, or nothing."""
        self._needed.set()
        return self._found.result()

    def is_over(self) -> bool:
        """Whether it has ended; it is needed from now on, so it starts at once."""
        self._needed.set()
        return self._found.done()

    def result(self, results: Iterable[ToolResult]) -> str:
        """Return what `wait` does if one of the results may quote the project; else do not wait."""
        return self.wait() if any(map(quotes, results)) else ""


class Quiet:
    """Shows a tool that has ended as soon as the files that it may quote were searched for secrets."""

    def __init__(self, progress: Progress, search: Search, redact: Redactor) -> None:
        self._progress = progress
        self._search = search
        self._redact = redact

    def started(self, tool: Tool) -> None:
        """Show it at once: the name of a tool quotes nothing."""
        self._progress.started(tool)

    def ready(self) -> bool:
        """Whether the files were searched."""
        return self._search.is_over()

    def printed(self, tool: str, lines: Sequence[str]) -> None:
        """Show lines redacted; only if `ready`."""
        self._progress.printed(tool, [self._redact(line) for line in lines])

    def moved(self, tool: str, at: Standing) -> None:
        """Show it redacted; only if `ready`."""
        self._progress.moved(tool, replace(at, failures=tuple(map(self._redact, at.failures))))

    def ended(self, result: ToolResult) -> None:
        """Wait for the search if the result may quote the project, and show it redacted."""
        if quotes(result):
            self._search.wait()
        self._progress.ended(redacted(result, self._redact))


def quotes(result: ToolResult) -> bool:
    """Whether a result has text that may come from the project's files."""
    outcome, text = result.outcome, result.log
    parts: tuple[object, ...] = (result.warnings, result.hints)
    if isinstance(outcome, Report):
        parts += (outcome.findings, outcome.tests, outcome.test_warnings)
        parts += (outcome.coverage, outcome.outputs, outcome.details)
    elif not (isinstance(outcome, Skipped) and outcome.unused):
        text = f"{outcome.reason}\n{text}"
    return isinstance(outcome, Broken) or any(parts) or bool(_CLEAN.sub("", text).strip())
