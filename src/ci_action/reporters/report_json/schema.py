"""The shape of report.json: its names and its JSON schema. Names may be added; none goes or changes its meaning."""

from typing import Annotated, Any, Final

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from ci_action.model.tests import TestOutcome

SCHEMA: Final = 1


class PackageEntry(TypedDict):
    """The package that a finding is about; `advisories` are all names of the problem, `parents` why it is needed."""

    name: str
    version: str
    advisories: list[str]
    fixed_in: list[str]
    parents: list[str]
    direct: bool | None
    upgrade: str
    licenses: str


class FindingEntry(TypedDict):
    """One problem. Lines and columns start at 1; end lines are inclusive, end columns exclusive.

    `also` names who else says the same, as `tool:rule`; `loosens` is how much of the checks the change makes less strict
    by it (0 nothing, 1 what a line says, 2 a test, 3 a setting); `new` is whether the change brought it, null where the lines
    decide or nobody knows.
    """

    rule: str
    message: str
    level: str
    severity: str
    path: str
    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None
    url: str
    fingerprint: str
    muted: str
    fix: str
    fix_message: str
    before: str
    after: str
    package: PackageEntry | None
    also: list[str]
    loosens: Annotated[int, Field(ge=0, le=3)]
    new: bool | None


class CaseEntry(TypedDict):
    """One test, or one part of it (`subtest`); the detail of a long failure lacks its middle."""

    nodeid: str
    outcome: str
    seconds: float
    path: str
    line: int | None
    message: str
    detail: str
    runs: int
    subtest: str


class FileCoverageEntry(TypedDict):
    """The coverage of one file; `missing` are ranges of lines, first and last."""

    covered_lines: int
    statements: int
    covered_branches: int
    branches: int
    missing: list[tuple[int, int]]


class CoverageEntry(TypedDict):
    """What the tests ran through, by file; the figures of all files are in `metrics`."""

    files: dict[str, FileCoverageEntry]


class HintEntry(TypedDict):
    """A known error that was recognised."""

    name: str
    cause: str
    fix: str
    url: str


class ToolEntry(TypedDict):
    """What one tool did."""

    name: str
    version: str
    version_source: str
    seconds: float
    outcome: str
    reason: str
    examined: dict[str, int]
    metrics: dict[str, float]
    warnings: list[str]
    hints: list[HintEntry]
    details: list[str]
    coverage: CoverageEntry | None
    findings: list[FindingEntry]
    tests: list[CaseEntry]


class StageEntry(TypedDict):
    """What the tools of one stage did, and how it was judged."""

    name: str
    conclusion: str
    reasons: list[str]
    seconds: float
    tools: list[ToolEntry]


class RunReport(TypedDict):
    """A finished run of ci-action."""

    schema: int
    version: str
    conclusion: str
    exit_code: int
    reasons: list[str]
    seconds: float
    started: str
    commit: str
    base: str
    scope: str
    warnings: list[str]
    reproduce: str
    settings: dict[str, Any]
    stages: list[StageEntry]
    outputs: dict[str, str]


_CONCLUSIONS: Final = ["passed", "warned", "skipped", "failed", "empty", "broken"]
_ENUMS: Final[dict[str, dict[str, list[str]]]] = {
    "RunReport": {"conclusion": _CONCLUSIONS},
    "StageEntry": {"conclusion": _CONCLUSIONS},
    "ToolEntry": {"outcome": ["report", "skipped", "broken"]},
    "FindingEntry": {
        "level": ["notice", "warning", "error"],
        "severity": ["", "low", "medium", "high", "critical", "unknown"],
        "fix": ["", "safe", "unsafe"],
    },
    "CaseEntry": {"outcome": [one.value for one in TestOutcome]},
}


def schema_address(name: str) -> str:
    """Return where a schema is published: the one of this major version."""
    return f"https://raw.githubusercontent.com/org/ci-action/v1/.github/schema/{name}.schema.json"


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of the report file."""
    schema = TypeAdapter(RunReport).json_schema()
    entries = {"RunReport": schema, **schema["$defs"]}
    for title, enums in _ENUMS.items():
        for name, words in enums.items():
            entries[title]["properties"][name]["enum"] = words
    schema["properties"]["schema"]["const"] = SCHEMA
    return {
        **schema,
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": schema_address("report"),
        "title": "ci-action report",
    }
