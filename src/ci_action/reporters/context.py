"""What reporters use and where they write."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

from ci_action.github.client import GitHub
from ci_action.github.event import Event
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
from ci_action.system.folder import Place, opened, place_of
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
FILES: Final = (REPORT, SUMMARY, SARIF, JUNIT, COBERTURA, LCOV, COVERAGE, DURATIONS, PAGE)
"""The names of all report files."""
# Lines of a larger source file are not shown.
_LARGEST_SOURCE: Final = 5_000_000


@dataclass(frozen=True)
class Screen:
    """The stream that people read, whether it is a terminal, and whether it shows colours."""

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
    """The folder of the report files."""
    strict: bool = False
    """Whether links on the way to this folder are refused, because the project's code can write there."""
    screen: Screen
    redact: Redact = str
    """Redacts text from outside the result: source lines and problems of reporters."""
    event: Event = field(default_factory=Event)
    github: GitHub | None = None
    """GitHub's API; None without a token."""
    pull: Pull | NoPull = NO_PULL
    workflow: Workflow | None = None
    """The connection to the runner; None outside Actions."""
    sections_of: Callable[[RunResult, Pull | NoPull], tuple[Section, ...]] = sections_of
    """Returns the sections of the stages of a run."""
    problems: list[str] = field(default_factory=list)
    """The failures of reporters so far (`note`)."""
    written: set[str] = field(default_factory=set)
    """The names of the report files that this run has written."""
    _read: dict[Path, list[str]] = field(default_factory=dict, init=False, repr=False, compare=False)
    """The last source file that was read, with its lines."""
    _sections: list[tuple[RunResult, tuple[Section, ...]]] = field(
        default_factory=list, init=False, repr=False, compare=False
    )
    """The last result, with its sections."""

    @property
    def _place(self) -> Place:
        return place_of(self.folder, self.layout.workspace, strict=self.strict)

    def clear(self) -> None:
        """Remove the report files of an earlier run.

        Files of these names stay in a folder that is not ours if no run has written a report there.
        """
        with (
            suppress(OSError),
            opened(self._place) as folder,
        ):  # a wrong folder is a problem of the first write
            if folder.is_own or folder.has(REPORT):
                for name in FILES:
                    try:
                        folder.remove(name)
                    except OSError as error:
                        self.note(f"could not remove {name} of an earlier run: {error.strerror}")

    def write(self, name: str, text: bytes) -> None:
        """Replace a report file; inside the workspace it belongs to the owner of that. Raises `OSError` if it cannot be written."""
        place = self._place
        owner = ids_of(self.layout.workspace) if place.start == self.layout.workspace else None
        with opened(place, make=True, owner=owner) as folder:
            folder.write(name, text, owner)
        self.written.add(name)

    def note(self, problem: str) -> None:
        """Keep the failure of a reporter for the last of them."""
        self.problems.append(self.redact(problem))

    def shown(self, name: str) -> str:
        """Return the path of a report file for outputs; empty if this run has not written it."""
        return self.redact(self.layout.shown(self.folder / name)) if name in self.written else ""

    @property
    def subject(self) -> str:
        """The repository of the run, or the folder of the project."""
        return self.event.repository or self.redact(self.layout.root.name)

    def sections(self, result: RunResult) -> tuple[Section, ...]:
        """Return the sections of the stages and of the run, made once for all channels."""
        if not (self._sections and self._sections[0][0] is result):
            stages = self.sections_of(result, self.pull)
            self._sections[:] = [(result, (*hints(result), *stages, *of_run(result, self.resolved)))]
        return self._sections[0][1]

    def source_lines(self, finding: Finding, most: int = 5) -> list[str]:
        """Return the source lines of a finding, redacted; none if the file is not readable."""
        place = finding.location
        if place is None or place.line is None or finding.sensitive:
            return []
        file = self.layout.workspace / place.path
        lines = self._lines(file)
        last = min(place.end_line or place.line, place.line + most - 1)
        return [self.redact(line.rstrip("\r")) for line in lines[place.line - 1 : last]]

    def _lines(self, file: Path) -> list[str]:
        if file not in self._read:  # findings of one file mostly follow each other
            self._read.clear()
            try:
                text = _text(read_project_file(file, self.layout.workspace, largest=_LARGEST_SOURCE))
            except ProjectFileError:
                text = ""
            self._read[file] = text.split("\n") if text else []
        return self._read[file]


def _text(raw: bytes) -> str:
    """Return the text of a source as the scan for secrets reads it, else its secrets would not be recognised."""
    # Between the characters of UTF-16 there are null bytes, and no secret is recognised.
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in raw:
        return ""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
