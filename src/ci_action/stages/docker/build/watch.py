"""Follow a build while it runs: the steps that start, and what they print."""

from codecs import getincrementaldecoder
from typing import Final

from ci_action.engine.live import Live
from ci_action.stages.docker.build.progress import Progress
from ci_action.system.process import Growing

_PART: Final = 1_000_000
_STDERR: Final = 1


class Watch:
    """Shows a build while it runs."""

    def __init__(self, live: Live, tool: str) -> None:
        """Follow what buildx prints from its start."""
        self._live = live
        self._tool = tool
        self._progress = Progress()
        self._decoder = getincrementaldecoder("utf-8")("replace")

    def look(self, printed: Growing) -> None:
        """Show what is new."""
        if not self._live.ready():
            return
        while part := printed.read(_STDERR, _PART):
            if lines := self._progress.feed(self._decoder.decode(part)):
                self._live.printed(self._tool, lines)
