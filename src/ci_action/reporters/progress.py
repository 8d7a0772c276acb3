"""What is said while tools run, where there is no terminal: one group for each tool, when it ends."""

from collections.abc import Iterator
from typing import Final, TextIO

from ci_action.engine.tool import Tool
from ci_action.github.workflow import Workflow
from ci_action.model.finding import ranked
from ci_action.model.result import ToolResult
from ci_action.reporters.lines import finding_line, headline
from ci_action.system.text import neutral

# The log of a job is read by people: beyond this the report file is the place to look.
MOST_LINES: Final = 1_000


def _body(result: ToolResult) -> Iterator[str]:
    if result.version or result.version_source:  # else it is a part of ours
        yield f"version {result.version or 'unknown'} from {result.version_source or 'nowhere'}"
    findings = ranked(result.findings)
    yield from (finding_line(finding) for finding in findings[:MOST_LINES])
    if len(findings) > MOST_LINES:
        yield f"… {len(findings) - MOST_LINES:,} more findings, they are in report.json"
    if result.log.strip():
        yield from result.log.strip().split("\n")[-MOST_LINES:]


class PlainProgress:
    """Prints one line when a tool ends."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def started(self, tool: Tool) -> None:
        """Say nothing yet: output that interleaves is worth nothing."""

    def ended(self, result: ToolResult) -> None:
        """Say what became of the tool."""
        print(neutral(headline(result)), file=self._stream, flush=True)


class ActionsProgress:
    """Prints one folded group for each tool in the log of the job."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow

    def started(self, tool: Tool) -> None:
        """Say nothing yet: groups do not nest."""

    def ended(self, result: ToolResult) -> None:
        """Print all that the tool said."""
        self._workflow.group(headline(result), "\n".join(_body(result)))
