"""What a reporter may touch, and where it writes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

from ci_action.github.event import Event
from ci_action.github.protocol import GitHub
from ci_action.github.pull_request import NO_PULL, NoPull, Pull
from ci_action.github.workflow import Workflow
from ci_action.model.finding import Finding
from ci_action.model.result import RunResult
from ci_action.model.section import Section
from ci_action.project.layout import Layout
from ci_action.reporters.run_sections import hints, of_run
from ci_action.settings.resolve import Resolved
from ci_action.stages import sections_of
from ci_action.system.errors import ProjectFileError
from ci_action.system.folder import opened, place_of
from ci_action.system.ownership import ids_of
from ci_action.system.project_files import read_project_file
from ci_action.system.redaction import Redact

REPORT: Final = "report.json"
SUMMARY: Final = "summary.md"
SARIF: Final = "ci-action.sarif"
JUNIT: Final = "junit.xml"
COBERTURA: Final = "coverage.xml"
LCOV: Final = "lcov.info"
COVERAGE: Final = "coverage.json"
DURATIONS: Final = "durations.json"
PAGE: Final = "report.html"
# A source file above this size is not read to show a line of it.
_LARGEST_SOURCE: Final = 5_000_000


@dataclass(frozen=True)
class Screen:
    """Where people read: a stream, whether it is a terminal, and whether it takes colours."""

    stream: TextIO
    terminal: bool = False
    color: bool = False
    width: int = 120
    verbose: bool = False


@dataclass(frozen=True, kw_only=True)
class Publication:
    """The collaborators of the reporters."""

    resolved: Resolved
    layout: Layout
    folder: Path
    """Where the report files go."""
    strict: bool = False
    """Whether no link on the way to this folder is followed, because the project's code can write there."""
    screen: Screen
    redact: Redact = str
    """Redacts what is not part of the result: source lines and problems of reporters."""
    event: Event = field(default_factory=Event)
    github: GitHub | None = None
    """GitHub's API; None without a token."""
    pull: Pull | NoPull = NO_PULL
    workflow: Workflow | None = None
    """Speaks to the runner; None outside Actions."""
    sections_of: Callable[[RunResult, Pull | NoPull], tuple[Section, ...]] = sections_of
    """Returns what the stages of a run report beside their findings."""
    problems: list[str] = field(default_factory=list)
    """What went wrong with reporters until now (`note`)."""
    written: set[str] = field(default_factory=set)
    """The names of the report files that this run has written."""
    _read: dict[Path, list[str]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """The lines of the source file that was read last."""
    _sections: list[tuple[RunResult, tuple[Section, ...]]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )
    """The sections of the result that was asked for last."""

    def write(self, name: str, text: bytes) -> None:
        """Write a report file whole, for the owner of the workspace where it lies inside; raises `OSError` where it cannot."""
        place = place_of(self.folder, self.layout.workspace, strict=self.strict)
        owner = ids_of(self.layout.workspace) if place.start == self.layout.workspace else None
        with opened(place, make=True, owner=owner) as folder:
            folder.write(name, text, owner)
        self.written.add(name)

    def note(self, problem: str) -> None:
        """Keep what went wrong with a reporter, for the last of them."""
        self.problems.append(self.redact(problem))

    def shown(self, name: str) -> str:
        """Return the path of a report file for outputs; empty where this run has not written it."""
        return self.redact(self.layout.shown(self.folder / name)) if name in self.written else ""

    @property
    def subject(self) -> str:
        """What the run is about: its repository, or the folder of the project."""
        return self.event.repository or self.redact(self.layout.root.name)

    def sections(self, result: RunResult) -> tuple[Section, ...]:
        """Return what the stages report beside their findings, then what there is about the run; made once for all channels."""
        if not (self._sections and self._sections[0][0] is result):
            stages = self.sections_of(result, self.pull)
            self._sections[:] = [(result, (*hints(result), *stages, *of_run(result, self.resolved)))]
        return self._sections[0][1]

    def source_lines(self, finding: Finding, most: int = 5) -> list[str]:
        """Return the lines of a finding as they are in the file, without secrets; none where they cannot be read."""
        place = finding.location
        if place is None or place.line is None or finding.sensitive:
            return []
        file = self.layout.workspace / place.path
        lines = self._lines(file)
        last = min(place.end_line or place.line, place.line + most - 1)
        return [self.redact(line.rstrip("\r")) for line in lines[place.line - 1 : last]]

    def _lines(self, file: Path) -> list[str]:
        if file not in self._read:  # the findings of a file mostly come one after the other
            self._read.clear()
            try:
                text = _text(read_project_file(file, self.layout.workspace, largest=_LARGEST_SOURCE))
            except ProjectFileError:
                text = ""
            self._read[file] = text.split("\n") if text else []
        return self._read[file]


def _text(raw: bytes) -> str:
    """Return the text of a source as the scan for secrets reads it, else its values are not those that we would show."""
    if (
        raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in raw
    ):  # the characters lie apart: no value is found there
        return ""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
