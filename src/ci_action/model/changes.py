"""Which lines of which files a change touched."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ci_action.model.finding import BLINDING, Finding, Reach

# The reason for which `scope: changed` mutes a finding.
OLDER: Final = "outside the lines of the change"
NO_BASE: Final = (
    "no branch to compare with: origin/HEAD, origin/main, origin/master and the upstream branch were not found"
)
"""Why the base commit is unknown in a repository without a remote."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The lines that a change touched; paths are POSIX and relative to the workspace."""

    base: str = ""
    """The base commit; empty if it is unknown."""
    source: str = ""
    """Where the base commit comes from."""
    lines: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """The changed lines of each changed file; empty if lines were only removed, or the file was only renamed."""
    problem: str = ""
    """Why the base commit is unknown, and what to do; empty if it is known."""

    @property
    def known(self) -> bool:
        """Whether the base commit is known."""
        return not self.problem

    def file(self, path: str) -> bool:
        """Whether the change touched the file."""
        return self._lines(path) is not None

    def touches(self, finding: Finding) -> bool:
        """Whether a finding is on what the change touched; one about the whole project always is."""
        if finding.new is not None:
            return finding.new
        place = finding.location
        if place is None:
            return True
        lines = self._lines(place.path)
        if lines is None:
            return False
        # The cause of an unreadable file can be in any line; the lines of a notebook are counted in each cell.
        if place.line is None or finding.rule in BLINDING or place.path.endswith(".ipynb"):
            return True
        # Lines to be inserted before a line concern the line above as well.
        start = place.line - 1 if finding.after and not finding.before else place.line
        end = max(place.line, place.end_line or 0)
        if end - start < len(lines):
            return any(number in lines for number in range(start, end + 1))
        return any(start <= number <= end for number in lines)

    def reach(self, finding: Finding, *, by_lines: bool) -> Reach:
        """Return how near a finding is to the change; without `by_lines`, where it is states nothing about that.

        A test fails because of the change, wherever the test is.
        """
        if not self.known:
            return Reach.NONE
        if self.touches(finding) or (finding.new is None and not by_lines):
            return Reach.LINES
        return Reach.FILE if self.file(finding.path) else Reach.NONE

    def _lines(self, path: str) -> frozenset[int] | None:
        if path not in self.lines and "\ufffd" in path:
            return next((lines for name, lines in self.lines.items() if as_shown(name) == path), None)
        return self.lines.get(path)


def as_shown(path: str) -> str:
    """Return a path as printed by tools that only know UTF-8: other bytes become the replacement character."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def aside(findings: Iterable[Finding]) -> str:
    """Return the number of muted findings: ` on your lines (+ 41 older, 2 muted)`; empty if there are none."""
    reasons = [finding.muted for finding in findings if finding.muted]
    older = reasons.count(OLDER)
    others = len(reasons) - older
    words = [f"{older:,} older"] if older else []
    words += [f"{others:,} muted"] if others else []
    return f"{' on your lines' if older else ''} (+ {', '.join(words)})" if words else ""
