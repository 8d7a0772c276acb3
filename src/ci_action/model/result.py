"""The values that a run is made of: outcomes, results, verdicts. Does no input or output."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

from ci_action.model.coverage import Coverage
from ci_action.model.finding import Finding
from ci_action.model.tests import TestCase, TestWarning
from ci_action.system.exit_codes import ExitCode

if TYPE_CHECKING:
    from ci_action.model.docker import Image
    from ci_action.model.migrations import Migrations


class Conclusion(StrEnum):
    """How a tool, a stage or a run ended, in the order of precedence, the weakest first."""

    SKIPPED = "skipped"
    PASSED = "passed"
    WARNED = "warned"
    EMPTY = "empty"
    FAILED = "failed"
    BROKEN = "broken"

    @property
    def rank(self) -> int:
        """The position in the order of precedence, 0 for the weakest."""
        return list(Conclusion).index(self)

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of a run with this conclusion."""
        return _EXIT_CODES.get(self, ExitCode.OK)


_EXIT_CODES: Final = {
    Conclusion.EMPTY: ExitCode.USAGE,
    Conclusion.FAILED: ExitCode.FOUND,
    Conclusion.BROKEN: ExitCode.BROKEN,
}


class Counted(StrEnum):
    """What a tool counts: the names in `examined` of report.json."""

    FILES = "files"
    PACKAGES = "packages"
    TESTS = "tests"
    SERVICES = "services"
    TABLES = "tables"
    SHARDS = "shards"
    STATEMENTS = "statements"
    TITLES = "titles"
    REVISIONS = "revisions"
    STEPS = "steps"
    PROBES = "probes"
    LAYERS = "layers"
    REPORTS = "reports"
    POSTED = "posted"
    UNREADABLE = "unreadable"
    SKIPPED = "skipped"
    LEFT_OUT = "left_out"
    BINARY = "binary"
    EXCLUDED = "excluded"
    REFUSED = "refused"

    @property
    def is_examined(self) -> bool:
        """Whether the tool examined what it counts under this name."""
        return self not in _NOT_EXAMINED

    def amount(self, number: int) -> str:
        """Return a number of these: `1 file`, `2 left out`."""
        word = self.removesuffix("s") if number == 1 else str(self)
        return f"{number:,} {word.replace('_', ' ')}"


_NOT_EXAMINED: Final = frozenset({
    Counted.UNREADABLE, Counted.SKIPPED, Counted.LEFT_OUT, Counted.BINARY, Counted.EXCLUDED, Counted.REFUSED,
})  # fmt: skip
Examined: TypeAlias = Mapping[Counted, int]


@dataclass(frozen=True, kw_only=True)
class _Ran:
    """The results of a tool that ran."""

    findings: tuple[Finding, ...] = ()
    examined: Examined = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tests: tuple[TestCase, ...] = ()
    test_warnings: tuple[TestWarning, ...] = ()
    """What pytest warned about; it never turns a stage red."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Outputs that only the tool knows, by name."""
    migrations: "Migrations | None" = None
    image: "Image | None" = None


@dataclass(frozen=True, kw_only=True)
class Report(_Ran):
    """The tool finished its work."""

    coverage: Coverage | None = None
    details: tuple[str, ...] = ()
    """Additional information beside the findings, one line each."""


@dataclass(frozen=True)
class Broken(_Ran):
    """The tool failed to run; its results until then are kept."""

    reason: str
    detail: str = ""
    """The last lines that the tool wrote."""
    bug: bool = False
    """Whether the cause is a bug in ci-action."""


@dataclass(frozen=True)
class Skipped:
    """The tool had nothing to check, or did not apply."""

    reason: str
    empty: bool = False
    """Whether its stage depends on this tool: then nothing to check is `empty`, and red."""
    rightly: bool = False
    """Whether the tool did not apply although there are files for it: `scope: changed` without a change."""
    unused: bool = False
    """Whether the project or a setting means another tool: the reason names that, and quotes nothing."""

    findings: ClassVar[tuple[Finding, ...]] = ()
    examined: ClassVar[Examined] = {}
    metrics: ClassVar[Mapping[str, float]] = {}
    tests: ClassVar[tuple[TestCase, ...]] = ()
    test_warnings: ClassVar[tuple[TestWarning, ...]] = ()
    outputs: ClassVar[Mapping[str, str]] = {}
    migrations: ClassVar[None] = None
    image: ClassVar[None] = None


Outcome: TypeAlias = Report | Skipped | Broken


@dataclass(frozen=True, kw_only=True)
class Hint:
    """A known error that was recognised: its cause, what to do, and where to read more."""

    name: str
    cause: str
    fix: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A tool that the project has not decided to use."""

    why: str
    """Why not, for people: `nothing in the project names a formatter`."""
    setting: str
    """The setting that requires it or switches it off."""
    value: str
    """The value of the setting that requires it."""

    def __str__(self) -> str:
        """Return why its findings only warn, and how to change that."""
        ways = f"`{self.setting}: {self.value}` requires it, `{self.setting}: none` switches it off"
        return f"{self.why}: {ways}"


@dataclass(frozen=True, kw_only=True)
class ToolResult:
    """The result of one tool in one run."""

    tool: str
    outcome: Outcome
    url: str = ""
    """The documentation of the tool."""
    seconds: float = 0.0
    version: str = ""
    version_source: str = ""
    """`bundled`, or the file that pins the version and what in it."""
    warnings: tuple[str, ...] = ()
    """Warnings of ci-action about the run of this tool; they never turn a stage red."""
    log: str = ""
    """The tool's own output: foreign text."""
    hints: tuple[Hint, ...] = ()
    instead: str = ""
    """Why another version ran than the pinned one: then the tool never passes. Empty if it is what the project asks for."""
    apart: bool = False
    """Whether it judges the change to the checks: it never makes a stage pass, and blocks also in one that only warns."""
    because: str = ""
    """What names the tool: `ruff format, from .pre-commit-config.yaml`."""
    offer: Offer | None = None
    """Set if the project has not decided to use the tool."""
    by_name: bool = True
    """Whether its stage was requested by name: then its findings count in any case."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, whatever the outcome."""
        return self.outcome.findings

    @property
    def examined(self) -> Examined:
        """What was counted, whatever the outcome."""
        return self.outcome.examined

    @property
    def outputs(self) -> Mapping[str, str]:
        """The outputs that the tool sets, whatever the outcome."""
        return self.outcome.outputs

    def with_findings(self, findings: tuple[Finding, ...]) -> "ToolResult":
        """Return the same result with other findings."""
        if isinstance(self.outcome, Skipped):
            return self
        return replace(self, outcome=replace(self.outcome, findings=findings))


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """A conclusion with its reasons."""

    conclusion: Conclusion
    reasons: tuple[str, ...] = ()
    exit_code: ExitCode = ExitCode.OK


@dataclass(frozen=True, kw_only=True)
class StageResult:
    """The results of the tools of one stage; `verdict` is set when the stage is judged."""

    stage: str
    tools: tuple[ToolResult, ...]
    seconds: float = 0.0
    warns_only: bool = False
    """Whether findings in this stage warn instead of failing the run."""
    warns_because: str = ""
    """Why they do, and how to change that."""
    of_pull: bool = False
    """Whether it judges the pull request itself, and not the files of the checkout."""
    by_name: bool = True
    """Whether the stage was requested by name, not as a part of `all`."""
    reason: str = ""
    """Why a stage of `all` was not run; empty if it was."""
    because: str = ""
    """Why a stage of `all` was run."""
    warnings: tuple[str, ...] = ()
    """Warnings of ci-action about a stage of `all` that was not run; they never turn a run red."""
    verdict: Verdict = field(default_factory=lambda: Verdict(conclusion=Conclusion.SKIPPED))

    @property
    def account(self) -> str:
        """Whether a stage of `all` was run, and why: `test: not run, quality failed`; empty if it was requested by name."""
        if self.reason:
            return f"{self.stage}: not run, {self.reason}"
        return f"{self.stage}: run, {self.because}" if self.because else ""

    @property
    def findings(self) -> Iterator[Finding]:
        """All findings of the stage."""
        return (finding for tool in self.tools for finding in tool.findings)


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """A finished run: what every reporter shows."""

    stages: tuple[StageResult, ...]
    verdict: Verdict
    started: datetime
    seconds: float
    version: str
    commit: str = ""
    base: str = ""
    scope: str = "all"
    new_findings: int | None = None
    """Number of findings that are not muted and touch the change; None if the base commit is unknown."""
    warnings: tuple[str, ...] = ()
    """Warnings of ci-action about the run; they never turn it red."""
    reproduce: str = ""
    """The command for the same run in a shell."""
    fix_flags: tuple[str, ...] = ()
    """The flags of `ci-action fix` for the same settings."""

    @property
    def findings(self) -> Iterator[Finding]:
        """All findings of all stages."""
        return (finding for stage in self.stages for finding in stage.findings)

    @property
    def counting(self) -> Iterator[Finding]:
        """The findings that are not muted."""
        return (
            finding for finding in self.findings if not finding.muted
        )  # faster than its property `counts`
