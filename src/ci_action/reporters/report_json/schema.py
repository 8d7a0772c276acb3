"""The shape of report.json: these types write it, read it, and are published as its JSON schema.

Names may be added; none is removed or changes its meaning.
"""

from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from ci_action.model.docker import Image
from ci_action.model.finding import Fix, Level, Reach, Severity
from ci_action.model.migrations import Migrations
from ci_action.model.result import Conclusion, Hint
from ci_action.model.tests import TestOutcome

SCHEMA: Final = 1
# No file of a real project has more lines.
MOST_LINES: Final = 100_000_000
Line = Annotated[int, Meta(ge=1, le=MOST_LINES)]
Scalar: TypeAlias = str | int | float | bool | None


class PackageEntry(Struct):
    """The package of a finding; `advisories` are all names of the problem, `parents` the packages that need it."""

    name: str
    version: str
    advisories: tuple[str, ...]
    fixed_in: tuple[str, ...]
    parents: tuple[str, ...]
    direct: bool | None
    upgrade: str
    licenses: str


class FindingEntry(Struct):
    """One problem. Lines and columns start at 1; end lines are inclusive, end columns exclusive.

    `also` lists the same problem in other tools, as `tool:rule`. `loosens` rates how far the change makes the checks less
    strict here: 0 not at all, 1 one line, 2 a test, 3 a setting. `new` is whether the change introduced it, null if the
    changed lines decide or it is unknown. `reach` is how near it is to the change: `lines`, `file` or empty. Other channels
    fold findings of one rule in one file if there are many, or `bulk` is true. `redacted` is whether `***` in `before` or
    `after` replaces a possible secret.
    """

    rule: str
    message: str
    level: Level
    severity: Severity | Literal[""]
    path: str
    line: Line | None
    column: int | None
    end_line: Line | None
    end_column: int | None
    url: str
    fingerprint: str
    muted: str
    fix: Fix
    fix_message: str
    before: str
    after: str
    package: PackageEntry | None
    also: tuple[str, ...]
    loosens: Annotated[int, Meta(ge=0, le=3)]
    new: bool | None
    reach: Reach = Reach.NONE
    bulk: bool = False
    redacted: bool = False


class CaseEntry(Struct):
    """One test, or one of its subtests (`subtest`); the middle of a long `detail` is cut."""

    nodeid: str
    outcome: TestOutcome
    seconds: float
    path: str
    line: Line | None
    message: str
    detail: str
    runs: int
    subtest: str


class TestWarningEntry(Struct):
    """A warning that pytest recorded `number` times; `path` of an installed package is relative to its folder."""

    category: str
    message: str
    path: str
    line: Line
    number: int


class FileCoverageEntry(Struct):
    """The coverage of one file; `missing` are ranges of lines, first and last."""

    covered_lines: int
    statements: int
    covered_branches: int
    branches: int
    missing: list[tuple[int, int]]


class CoverageEntry(Struct):
    """The coverage by file; the totals are in `metrics`."""

    files: dict[str, FileCoverageEntry]


class ToolEntry(Struct):
    """The result of one tool; `because` is what names it in the project.

    `migrations` is what a tool of the stage `migrations` knows: the revisions of the change with those that they follow and
    the heads, the database, and the time of each step. `image` is what a tool of the stage `docker` knows: the image with
    its size in bytes, the steps of its build, its layers, and how its container answered.
    """

    name: str
    version: str
    version_source: str
    seconds: float
    outcome: Literal["report", "skipped", "broken"]
    reason: str
    examined: dict[str, int]
    metrics: dict[str, float]
    warnings: list[str]
    hints: list[Hint]
    details: list[str]
    coverage: CoverageEntry | None
    findings: list[FindingEntry]
    tests: list[CaseEntry]
    test_warnings: list[TestWarningEntry]
    because: str = ""
    migrations: Migrations | None = None
    image: Image | None = None


class StageEntry(Struct):
    """The results of the tools of one stage, and its conclusion.

    `because` and `not_run` are why `all` ran a stage or not; both are empty for a stage that was requested by name.
    """

    name: str
    conclusion: Conclusion
    reasons: list[str]
    seconds: float
    tools: list[ToolEntry]
    because: str = ""
    not_run: str = ""


class RunReport(Struct):
    """A finished run of ci-action."""

    schema: Literal[1]
    version: str
    conclusion: Conclusion
    exit_code: int
    reasons: list[str]
    seconds: float
    started: str
    commit: str
    base: str
    scope: str
    warnings: list[str]
    reproduce: str
    settings: dict[str, Scalar | list[Scalar]]
    stages: list[StageEntry]
    outputs: dict[str, str]


def schema_address(name: str) -> str:
    """Return the address of a published schema of this major version."""
    return f"https://raw.githubusercontent.com/org/ci-action/v1/.github/schema/{name}.schema.json"


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of the report file."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": schema_address("report")}
    return {**head, "title": "ci-action report", **msgspec.json.schema(RunReport)}
