"""What can be found about the tools that a project uses."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from ci_action.project.tool_names import Named


class Kind(IntEnum):
    """The kinds of evidence, in the order in which they are read."""

    DEPENDENCY = 0
    """A requirement of the project: a group, an extra, a requirements file, `deps` of tox."""
    TABLE = 1
    """A configuration of the tool."""
    HOOK = 2
    """A hook of pre-commit."""
    COMMAND = 3
    """A command of tox, nox, make, just, a script or a task."""
    WORKFLOW = 4
    """A command of the continuous integration."""

    @property
    def runs(self) -> bool:
        """Whether the tool is really run, and not only installed or configured."""
        return self >= Kind.HOOK


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One place that names a tool."""

    tool: Named
    kind: Kind
    source: str
    """The file and the place in it: `pyproject.toml: dependency-groups.lint`."""
    folder: str = ""
    """The folder of the file, relative to the workspace: what paths in it are relative to."""
    words: tuple[str, ...] = ()
    """The arguments of a command or hook, unchecked text of the project."""
    gets_files: bool = False
    """Whether a hook appends the names of files to its arguments."""
    advisory: bool = False
    """Whether a failure of the command is ignored, or it only runs on request."""
    files: tuple[str, ...] = ()
    """Expressions of a hook, which checks only the files that match all of them, relative to `folder`."""
    exclude: tuple[str, ...] = ()
    """Expressions of a hook, which does not check the files that match one of them."""

    def __str__(self) -> str:
        """Return the tool and its source for people."""
        return f"{self.tool}, from {self.source}"


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """All evidence of a project in the documented order, and what could not be read."""

    evidence: tuple[Evidence, ...] = ()
    problems: tuple[str, ...] = ()
    automated: bool = False
    """Whether the project has hooks or a continuous integration, which show what it checks; not if they run ci-action."""
    other_tests: str = ""
    """What runs the tests of a project in which nothing names pytest, and where: `manage.py test, from tox.ini`."""

    def naming(self, *tools: Named) -> tuple[Evidence, ...]:
        """Return the evidence for one of these tools."""
        return tuple(one for one in self.evidence if one.tool in tools)

    def named(self, tools: Iterable[Named]) -> tuple[Named, ...]:
        """Return those of the tools that the project names."""
        there = {one.tool for one in self.evidence}
        return tuple(tool for tool in tools if tool in there)
