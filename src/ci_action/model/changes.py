"""Which lines of which files a change touched."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from ci_action.model.finding import BLINDING, Finding

# Why a finding does not count with `scope: changed`.
OLDER: Final = "outside the lines of the change"


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The lines that a change touched; paths are POSIX and relative to the workspace."""

    base: str = ""
    """The commit that the change is compared with; empty where it is not known."""
    source: str = ""
    """Why it is this commit."""
    lines: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """The lines of every changed file, as it is now; none where lines were only taken away, or it was only renamed."""
    problem: str = ""
    """Why nothing is known, and what to do; empty where it is."""

    @property
    def known(self) -> bool:
        """Whether there is a base to compare with."""
        return not self.problem

    def file(self, path: str) -> bool:
        """Whether the change touched the file."""
        return self._lines(path) is not None

    def touches(self, finding: Finding) -> bool:
        """Whether a finding is about what the change touched; one about the whole project always is."""
        if finding.new is not None:
            return finding.new
        place = finding.location
        if place is None:
            return True
        lines = self._lines(place.path)
        if lines is None:
            return False
        # What cannot be read may have its cause in any line; the rows of a notebook are those of a cell.
        if place.line is None or finding.rule in BLINDING or place.path.endswith(".ipynb"):
            return True
        # What is to be added before a line concerns the line above as well.
        start = place.line - 1 if finding.after and not finding.before else place.line
        end = max(place.line, place.end_line or 0)
        if end - start < len(lines):
            return any(number in lines for number in range(start, end + 1))
        return any(start <= number <= end for number in lines)

    def _lines(self, path: str) -> frozenset[int] | None:
        found = self.lines.get(path)
        if found is None and "\ufffd" in path:
            return self._unreadable_names.get(path)
        return found

    @property
    def _unreadable_names(self) -> Mapping[str, frozenset[int]]:
        return {as_shown(path): lines for path, lines in self.lines.items()}


def as_shown(path: str) -> str:
    """Return a path as tools print it that know UTF-8 only: other bytes become the replacement character."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def aside(findings: Iterable[Finding]) -> str:
    """Say in brackets what does not count: ` on your lines (+ 41 older, 2 muted)`; nothing where all counts."""
    reasons = [finding.muted for finding in findings if finding.muted]
    older = reasons.count(OLDER)
    others = len(reasons) - older
    words = [f"{older:,} older"] if older else []
    words += [f"{others:,} muted"] if others else []
    return f"{' on your lines' if older else ''} (+ {', '.join(words)})" if words else ""
