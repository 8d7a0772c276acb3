"""What the security stage found, sorted for the reporters: vulnerabilities, secrets, weak spots, licences, the rest."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ci_action.model.finding import BLINDING, Finding, ranked
from ci_action.model.result import Report, RunResult, Skipped, StageResult, ToolResult

STAGE: Final = "security"
AUDIT: Final = "pip-audit"
SECRETS: Final = "detect-secrets"
LICENSES: Final = "licenses"
# What pip-audit's findings are called that are about no advisory.
_NO_ADVISORY: Final = frozenset({"not-audited", "expired-ignore"})


@dataclass(frozen=True)
class Exposed:
    """The findings of the security stage that count, each in one list, the weightiest first."""

    vulnerabilities: list[Finding] = field(default_factory=list)
    secrets: list[Finding] = field(default_factory=list)
    code: list[Finding] = field(default_factory=list)
    licenses: list[Finding] = field(default_factory=list)
    others: list[Finding] = field(default_factory=list)
    """What could not be looked at, and what is wrong with the settings of the stage."""

    @property
    def total(self) -> int:
        """How many there are."""
        lists = (self.vulnerabilities, self.secrets, self.code, self.licenses, self.others)
        return sum(map(len, lists))


def exposed(result: RunResult) -> Exposed:
    """Sort the findings of the security stage."""
    found = Exposed()
    stages = (stage for stage in result.stages if stage.stage == STAGE)
    for finding in ranked(one for stage in stages for one in stage.findings if one.counts):
        if is_vulnerability(finding):
            found.vulnerabilities.append(finding)
        elif is_secret(finding):
            found.secrets.append(finding)
        elif finding.tool == LICENSES:
            found.licenses.append(finding)
        elif finding.tool in {AUDIT, SECRETS} or finding.rule in BLINDING:
            found.others.append(finding)
        else:
            found.code.append(finding)
    return found


def is_vulnerability(finding: Finding) -> bool:
    """Whether a finding is an advisory about a package."""
    return finding.tool == AUDIT and finding.package is not None and finding.rule not in _NO_ADVISORY


def is_secret(finding: Finding) -> bool:
    """Whether a finding is a secret in a file."""
    return finding.tool == SECRETS and finding.rule not in BLINDING


def number_of(stage: StageResult, name: str, is_one: Callable[[Finding], bool]) -> str:
    """Return how many there are; empty where the tool did not look, for that is not the same as none."""
    number = sum(finding.counts and is_one(finding) for finding in stage.findings)
    looked = any(tool.tool == name and _looked(tool) for tool in stage.tools)
    return str(number) if looked or number else ""


def _looked(tool: ToolResult) -> bool:
    return isinstance(tool.outcome, Report)


def security_tools(result: RunResult) -> list[ToolResult]:
    """Return the tools of the security stage."""
    return [tool for stage in result.stages if stage.stage == STAGE for tool in stage.tools]


def reason_of(tool: ToolResult) -> str:
    """Return why a tool did not look; empty where it did."""
    return "" if isinstance(tool.outcome, Report) else tool.outcome.reason


def is_skipped(tool: ToolResult) -> bool:
    """Whether there was nothing for the tool to do."""
    return isinstance(tool.outcome, Skipped)
