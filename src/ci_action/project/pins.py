"""Which version of a tool the project pins, and where it says so.

The order, the strongest first; within one kind the file nearest to the project's root:

1. lock files: uv.lock, pylock.toml, poetry.lock, pdm.lock, Pipfile.lock
2. `required-version` in the tool's own configuration
3. dependency groups, extras and dependencies in pyproject.toml (also those of Poetry, PDM, Hatch and uv)
4. requirements files, setup.cfg
5. .pre-commit-config.yaml

Whatever stands there is only ever parsed as a version or a version range (PEP 440): no other text reaches a command.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ci_action.project.config_files import from_yaml
from ci_action.project.dependencies.pyproject import (
    has_origin,
    poetry_entries,
    poetry_requirements,
    requirement_lists,
)
from ci_action.project.layout import Layout
from ci_action.system.errors import ProjectFileError
from ci_action.system.project_files import read_project_file

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

    from ci_action.project.dependencies.lockfiles import Lock

# The repositories of pre-commit hooks whose `rev` is the version of the tool.
HOOK_REPOSITORIES: Final = {
    "bandit": ("PyCQA/bandit",),
    "black": ("psf/black", "psf/black-pre-commit-mirror", "ambv/black", "python/black"),
    "ruff": ("astral-sh/ruff-pre-commit", "charliermarsh/ruff-pre-commit"),
}
_KNOWN_EXTRAS: Final = frozenset({"jupyter"})
_COMMENT: Final = re.compile(r"(^|\s)#.*$|\s--hash=.*$|\s*\\$")


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One place in which the project says which version of a tool it wants."""

    specifier: str
    """A version range of PEP 440; `==24.1.0` for one version. Empty where the tool is named without one."""
    source: str
    """The file and what in it: `uv.lock`, `pyproject.toml: dependency-groups.lint`."""
    extras: frozenset[str] = frozenset()

    @property
    def exact(self) -> str:
        """The one version that is allowed, or an empty text."""
        only = list(_specifiers(self.specifier))
        if len(only) == 1 and only[0].operator in {"==", "==="} and not only[0].version.endswith(".*"):
            return only[0].version
        return ""

    def allows(self, version: str) -> bool:
        """Whether a version satisfies the pin."""
        return _specifiers(self.specifier).contains(version, prereleases=True)


def _specifiers(text: str) -> "SpecifierSet":
    from packaging.specifiers import SpecifierSet  # noqa: PLC0415 - 15 ms that only projects with pins need

    return SpecifierSet(text)


def _version(text: str) -> str:
    """Return a version in its normal form; raises `ValueError`."""
    from packaging.version import Version  # noqa: PLC0415 - as above

    return str(Version(text))


def find_pins(layout: Layout, tool: str) -> tuple[list[Pin], list[str]]:
    """Collect the pins of a tool, the strongest first; return them and what could not be read."""
    pins: list[Pin] = []
    problems: list[str] = []
    for kind in _KINDS:
        for folder in layout.folders:
            for file in kind.files(folder):
                name = layout.relative(file)
                try:
                    pins += list(kind.read(_File(file, layout), name, tool))
                except (
                    ProjectFileError,
                    ValueError,
                    TypeError,
                    AttributeError,
                    RecursionError,
                ) as error:
                    said = error.problem if isinstance(error, ProjectFileError) else str(error)
                    what = said.splitlines()[0] if said else type(error).__name__
                    problems.append(f"{name} could not be read for the version of {tool}: {what}")
    return pins, problems


def _pin(tool: str, text: str, source: str) -> Iterator[Pin]:
    """Read one requirement; anything but this tool with a version range is passed over."""
    if tool not in text.lower():
        return
    from packaging.requirements import Requirement  # noqa: PLC0415 - as above

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
    # `===` takes any text for a version.
    try:
        return all(_version(one.version.removesuffix(".*")) for one in specifiers)
    except ValueError:
        return False


def _version_pin(version: object, source: str) -> Iterator[Pin]:
    with suppress(ValueError):
        yield Pin(specifier=f"=={_version(str(version))}", source=source)


def _from_toml_lock(file: "_File", source: str, tool: str) -> Iterator[Pin]:
    yield from _version_pin(file.lock.newest(tool), source)


def _from_pipfile_lock(file: "_File", source: str, tool: str) -> Iterator[Pin]:
    found = [one for one in file.lock.entries if one.name == tool]
    for section in ("develop", "default"):
        for one in found:
            if one.section == section:
                yield from _version_pin(one.version, f"{source}: {section}")


def _from_required_version(file: "_File", source: str, tool: str) -> Iterator[Pin]:
    document = tomllib.loads(file.text)
    in_pyproject = source.endswith("pyproject.toml")
    table = document.get("tool", {}).get(tool, {}) if in_pyproject else document
    value = table.get("required-version")
    where = f"{source}: tool.{tool}.required-version" if in_pyproject else f"{source}: required-version"
    if value is None or not (in_pyproject or tool == "ruff"):
        return
    text = str(value).strip()
    if tool == "black" and re.fullmatch(
        r"\d+", text
    ):  # Black takes a bare major version for all of that year
        text = f"=={text}.*"
    if re.match(r"\d", text):
        text = f"=={text}"
    try:
        specifiers = _specifiers(text)
    except ValueError:
        return
    if _holds_versions(specifiers):
        yield Pin(specifier=str(specifiers), source=where)


def _from_pyproject(file: "_File", source: str, tool: str) -> Iterator[Pin]:
    document = tomllib.loads(file.text)
    for where, requirements in requirement_lists(document):
        for requirement in requirements:
            if isinstance(requirement, str):
                yield from _pin(tool, requirement, f"{source}: {where}")
    for where, name, value in poetry_entries(document):
        if name.lower() == tool and not has_origin(value):
            for line in poetry_requirements(name, value, Path(source).parent):
                yield from _pin(tool, line, f"{source}: {where}")


def _from_requirements(file: "_File", source: str, tool: str) -> Iterator[Pin]:
    for line in file.text.splitlines():
        yield from _pin(tool, line, source)


def _from_setup_cfg(file: "_File", source: str, tool: str) -> Iterator[Pin]:
    import configparser  # noqa: PLC0415 - few projects need it

    parser = configparser.RawConfigParser()
    try:
        parser.read_string(file.text)
    except configparser.Error as error:
        raise ValueError(str(error)) from error
    if parser.has_section("options.extras_require"):
        for extra, entries in parser.items("options.extras_require"):
            for line in entries.splitlines():
                yield from _pin(tool, line, f"{source}: options.extras_require.{extra}")


def _from_pre_commit(file: "_File", source: str, tool: str) -> Iterator[Pin]:
    document = from_yaml(file.text) or {}
    for repository in document.get("repos", ()):
        url = str(repository.get("repo", "")).removesuffix(".git").rstrip("/")
        for known in HOOK_REPOSITORIES.get(tool, ()):
            if url.endswith((f"/{known}", f":{known}")):
                yield from _version_pin(repository.get("rev", ""), f"{source}: {known}")


@dataclass(frozen=True)
class _File:
    file: Path
    layout: Layout

    @property
    def lock(self) -> "Lock":
        return self.layout.lock(self.file)

    @property
    def text(self) -> str:
        return read_project_file(self.file, self.layout.workspace).decode("utf-8")


@dataclass(frozen=True)
class _Kind:
    patterns: tuple[str, ...]
    read: Callable[[_File, str, str], Iterator[Pin]]

    def files(self, folder: Path) -> Iterator[Path]:
        found = (file for pattern in self.patterns for file in sorted(folder.glob(pattern)))
        return (file for file in dict.fromkeys(found) if os.path.lexists(file))


_KINDS: Final = (
    _Kind(("uv.lock", "pylock.toml", "pylock.*.toml", "poetry.lock", "pdm.lock"), _from_toml_lock),
    _Kind(("Pipfile.lock",), _from_pipfile_lock),
    _Kind(("pyproject.toml", "ruff.toml", ".ruff.toml"), _from_required_version),
    _Kind(("pyproject.toml",), _from_pyproject),
    _Kind(
        (
            "requirements*.txt",
            "*requirements.txt",
            "requirements/*.txt",
            "requirements*.in",
            "requirements/*.in",
        ),
        _from_requirements,
    ),
    _Kind(("setup.cfg",), _from_setup_cfg),
    _Kind((".pre-commit-config.yaml", ".pre-commit-config.yml"), _from_pre_commit),
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

    The first pin that names one version decides, unless a stronger range forbids it. Where all are ranges the
    first one does: the bundled version is taken where it lies inside.
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
    warnings = tuple(_disagreements(tool, chosen, versioned))
    if not chosen.exact and chosen.allows(bundled):
        return Choice(extras=extras, warnings=warnings)
    return Choice(specifier=chosen.specifier, source=chosen.source, extras=extras, warnings=warnings)


def _disagreements(tool: str, chosen: Pin, pins: Iterable[Pin]) -> Iterator[str]:
    for other in pins:
        contradicts = (chosen.exact and not other.allows(chosen.exact)) or (
            other.exact and not chosen.allows(other.exact)
        )
        if contradicts:
            yield (
                f"two pins of {tool} disagree: {chosen.source} says {chosen.specifier},"
                f" {other.source} says {other.specifier}; the first was taken"
            )
