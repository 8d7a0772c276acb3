"""A finding as the page shows it."""

from dataclasses import dataclass

from ci_action.model.finding import Finding


@dataclass(frozen=True)
class Shown:
    """A finding and the stage that it is of."""

    finding: Finding
    stage: str

    @property
    def path(self) -> str:
        """The file; empty for the project as a whole."""
        return self.finding.location.path if self.finding.location else ""

    @property
    def line(self) -> int:
        """The line, 0 where there is none."""
        return (self.finding.location.line or 0) if self.finding.location else 0
