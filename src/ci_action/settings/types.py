"""The types of settings: choices, accepted vulnerabilities, areas, the token."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from ci_action.system.patterns import gitignore

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


class Assignment(NamedTuple):
    """A name and its value."""

    name: str
    value: str

    def __str__(self) -> str:
        """Write it as it is read."""
        return f"{self.name}={self.value}"


class ToolVersions(StrEnum):
    """Whose versions of the tools run."""

    PROJECT = "project"
    BUNDLED = "bundled"


class Scope(StrEnum):
    """Which findings count: all, or those on lines that the change touched."""

    ALL = "all"
    CHANGED = "changed"


class Formatter(StrEnum):
    """The formatter of the project."""

    AUTO = "auto"
    BLACK = "black"
    RUFF = "ruff"
    NONE = "none"


class Linter(StrEnum):
    """The linter of the project."""

    AUTO = "auto"
    RUFF = "ruff"
    NONE = "none"


class FailOn(StrEnum):
    """Which findings fail the security stage."""

    NEVER = "never"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"
    NEW = "new"


class GateChanges(StrEnum):
    """What happens if a change makes the checks less strict."""

    OFF = "off"
    WARN = "warn"
    FAIL = "fail"


class CommentWhen(StrEnum):
    """When the pull request gets a comment."""

    NEVER = "never"
    ON_FAILURE = "on-failure"
    ALWAYS = "always"


class TypeChecker(StrEnum):
    """Which type checkers run."""

    AUTO = "auto"
    MYPY = "mypy"
    PYRIGHT = "pyright"
    TY = "ty"
    NONE = "none"


class MigrationDepth(StrEnum):
    """Which revisions are downgraded and upgraded again."""

    NEW = "new"
    ALL = "all"


class MigrationDanger(StrEnum):
    """What a dangerous statement of a migration does to the verdict."""

    WARN = "warn"
    FAIL = "fail"
    OFF = "off"


class DraftTitles(StrEnum):
    """Whether the titles of drafts are checked."""

    CHECK = "check"
    SKIP = "skip"


class RunAs(StrEnum):
    """The user that runs the project's code in the container."""

    OWNER = "owner"
    ROOT = "root"


@dataclass(frozen=True)
class Secret:
    """A value that neither `repr` nor `str` shows."""

    value: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class IgnoredVulnerability:
    """A vulnerability that is accepted until a date."""

    package: str
    id: str
    expires: date
    reason: str

    def matches(self, package: str, advisories: Iterable[str]) -> bool:
        """Whether it accepts one of these advisories of a package."""
        from packaging.utils import canonicalize_name  # 20 ms that most runs do not need

        known = {advisory.casefold() for advisory in advisories}
        return self.package == canonicalize_name(package) and self.id.casefold() in known

    def __str__(self) -> str:
        """Return the entry as the input accepts it."""
        return f"{self.package} {self.id} {self.expires.isoformat()} {self.reason}"


@dataclass(frozen=True, kw_only=True)
class Area:
    """A part of the project: a name, and the patterns of its files as in `.gitignore`."""

    name: str
    patterns: tuple[str, ...]

    def __str__(self) -> str:
        """Return the area as the input accepts it."""
        return f"{self.name}: {', '.join(self.patterns)}"

    @property
    def spec(self) -> "GitIgnoreSpec":
        """The patterns, ready to match."""
        return gitignore(self.patterns)
