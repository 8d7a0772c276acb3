"""The values that a run is made of: outcomes, results, verdicts. No input or output here."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from ci_action.model.coverage import Coverage
from ci_action.model.finding import Finding
from ci_action.model.tests import TestCase
from ci_action.system.exit_codes import ExitCode


class Conclusion(StrEnum):
    """How a tool, a stage or a run ended; the order is that of precedence, the weakest first."""

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
        """The exit code of a run that ends so."""
        return _EXIT_CODES[self]


_EXIT_CODES: Final = {
    Conclusion.SKIPPED: ExitCode.OK,
    Conclusion.PASSED: ExitCode.OK,
    Conclusion.WARNED: ExitCode.OK,
    Conclusion.EMPTY: ExitCode.USAGE,
    Conclusion.FAILED: ExitCode.FOUND,
    Conclusion.BROKEN: ExitCode.BROKEN,
}


class Counted(StrEnum):
    """What a tool counts of what it looked at, and of what it did not: the names in `examined` of report.json."""

    FILES = "files"
    PACKAGES = "packages"
    TESTS = "tests"
    SERVICES = "services"
    SHARDS = "shards"
    TITLES = "titles"
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
        """Whether the tool looked at what it counts so."""
        return self not in _NOT_EXAMINED

    def told(self, number: int) -> str:
        """Say a number of it: `1 file`, `2 left out`."""
        word = self.removesuffix("s") if number == 1 else str(self)
        return f"{number:,} {word.replace('_', ' ')}"


_NOT_EXAMINED: Final = frozenset({
    Counted.UNREADABLE, Counted.SKIPPED, Counted.LEFT_OUT, Counted.BINARY, Counted.EXCLUDED, Counted.REFUSED,
})  # fmt: skip
Examined: TypeAlias = Mapping[Counted, int]


@dataclass(frozen=True, kw_only=True)
class Report:
    """A tool looked: what it found, and what it looked at."""

    findings: tuple[Finding, ...] = ()
    examined: Examined = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tests: tuple[TestCase, ...] = ()
    coverage: Coverage | None = None
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Values of outputs that the tool alone knows, by their names."""
    details: tuple[str, ...] = ()
    """What a reader may want to know beside the findings, a line each."""


@dataclass(frozen=True)
class Skipped:
    """There was nothing for the tool to look at, or rightly nothing to do."""

    reason: str
    empty: bool = False
    """Whether the tool is what its stage is for: then nothing to look at is `empty`, and red."""
    rightly: bool = False
    """Whether there was rightly nothing to do, though files of its kind exist: `scope: changed` without a change."""


@dataclass(frozen=True)
class Broken:
    """The tool could not look; what it had found until then is kept."""

    reason: str
    detail: str = ""
    """The last lines that the tool wrote."""
    findings: tuple[Finding, ...] = ()
    examined: Examined = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    tests: tuple[TestCase, ...] = ()
    bug: bool = False
    """Whether the cause lies in our own code."""
    outputs: Mapping[str, str] = field(default_factory=dict)


Outcome: TypeAlias = Report | Skipped | Broken


@dataclass(frozen=True, kw_only=True)
class Hint:
    """A known error that was recognised: what causes it, what to do, where to read."""

    name: str
    cause: str
    fix: str
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class ToolResult:
    """What one tool did in one run."""

    tool: str
    outcome: Outcome
    url: str = ""
    """Where the tool is documented."""
    seconds: float = 0.0
    version: str = ""
    version_source: str = ""
    """`bundled`, or the file that pins the version and what in it."""
    warnings: tuple[str, ...] = ()
    """Our own notices about the run of this tool; they never turn a stage red."""
    log: str = ""
    """What the tool wrote for people, as it is: foreign text."""
    hints: tuple[Hint, ...] = ()
    apart: bool = False
    """Whether it judges the change to the checks: it never makes a stage pass, and blocks also in one that only warns."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, whatever the outcome."""
        return () if isinstance(self.outcome, Skipped) else self.outcome.findings

    @property
    def examined(self) -> Examined:
        """What was looked at, whatever the outcome."""
        return {} if isinstance(self.outcome, Skipped) else self.outcome.examined

    @property
    def outputs(self) -> Mapping[str, str]:
        """The outputs that the tool filled in, whatever the outcome."""
        return {} if isinstance(self.outcome, Skipped) else self.outcome.outputs

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
    """What the tools of one stage did; `verdict` is set once it was judged."""

    stage: str
    tools: tuple[ToolResult, ...]
    seconds: float = 0.0
    warns_only: bool = False
    """Whether findings in this stage warn instead of failing the run."""
    of_pull: bool = False
    """Whether it judges the pull request itself, and not the files of the checkout."""
    by_name: bool = True
    """Whether the stage was asked for by its name, not as a part of `all`."""
    reason: str = ""
    """Why a stage of `all` was not run; empty where it was."""
    because: str = ""
    """Why a stage of `all` was run."""
    verdict: Verdict = field(default_factory=lambda: Verdict(conclusion=Conclusion.SKIPPED))

    @property
    def account(self) -> str:
        """Why a stage of `all` was run or not, with its name; empty for one that was asked for by name."""
        if self.reason:
            return f"{self.stage} was not run: {self.reason}"
        return f"{self.stage} was run: {self.because}" if self.because else ""

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
    """How many of the findings that count touch the change; None where the base is not known."""
    warnings: tuple[str, ...] = ()
    """Our own notices about the run; they never turn it red."""
    reproduce: str = ""
    """The command that gives the same verdict in a shell."""

    @property
    def findings(self) -> Iterator[Finding]:
        """All findings of all stages."""
        return (finding for stage in self.stages for tool in stage.tools for finding in tool.findings)

    @property
    def counting(self) -> Iterator[Finding]:
        """The findings that are not muted."""
        return (finding for finding in self.findings if not finding.muted)  # a property takes its time
