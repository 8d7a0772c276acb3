"""Resolutions by uv, kept for a day: the packages of requirements and metadata whose every input is a file that we know.

What needs a build, a folder, an address or a repository is resolved in every run: no file decides about it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ci_action.project.dependencies.pyproject import requirement_lists, table
from ci_action.project.dependencies.requirements_txt import inputs_of
from ci_action.project.environment import Builder
from ci_action.project.kept_programs import decisive
from ci_action.system.cache import Results, key_of
from ci_action.system.errors import ToolError
from ci_action.system.lazy import Lazy
from ci_action.system.project_files import find_project_file

# The number of resolutions that are kept: a project has a handful.
MOST: Final = 50
_COMPILE: Final = ("pip", "compile", "--quiet", "--no-header", "--annotation-style=line")
_METADATA: Final = "pyproject.toml"
_METADATA_OF_CODE: Final = frozenset({"setup.py", "setup.cfg"})
# uv reads the settings of the project's workspace too.
_SETTINGS: Final = (_METADATA, "uv.toml")
# The parts of metadata that a build decides about.
_BUILT: Final = frozenset({"dependencies", "optional-dependencies"})


@dataclass(frozen=True, kw_only=True)
class Resolver:
    """Resolves requirements with uv, unless the same ones were resolved today."""

    builder: Builder
    kept: Results | None = None
    """The resolutions of earlier runs; None to resolve in every run."""
    facts: tuple[str, ...] = ()
    """What a resolution depends on beside the project: the version of uv, the day."""
    _found: Lazy[str] = field(default_factory=Lazy)

    def compile(
        self, python: Sequence[str], words: Sequence[str], lines: Sequence[str] = (), *, keep: bool = True
    ) -> str:
        """Return the pinned packages of files and options, as a requirements file; raises `ToolError` with uv's reason.

        `lines` are the requirements in the files that are not of the project.
        """
        key = self._key(python, words, lines) if self.kept and keep else ""
        known = self.kept.get(key) if self.kept and key else None
        if isinstance(known, str):
            return known
        done = self.builder.command(*_COMPILE, *python, *words)
        found = done.stdout.decode("utf-8", "replace")
        if self.kept and key:
            self.kept.put(key, found)
        return found

    def save(self) -> str:
        """Keep the resolutions of this run; returns a notice if that fails."""
        return self.kept.save() if self.kept else ""

    def _key(self, python: Sequence[str], words: Sequence[str], lines: Sequence[str]) -> str:
        """Return the key of a resolution; empty if something else than known files decides about it."""
        layout = self.builder.layout
        own = [word for word in words if not Path(word).is_absolute()]
        names = [word for word in own if not word.startswith("-")]
        read = [layout.root / name for name in names if name != _METADATA]
        exact = any(word.startswith("--python-version=") for word in python)
        try:
            if _METADATA in names and not is_static(layout.pyproject):
                return ""
            contents = [*inputs_of(read, layout.workspace), *self._settings()]
            interpreter = "" if exact else self._python(python)
        except (ToolError, ValueError):  # uv reports what is wrong
            return ""
        if _METADATA_OF_CODE.intersection(names) or any(map(is_placed, lines)):
            return ""
        decides = decisive({**self.builder.environ, **self.builder.variables()})
        parts = (*self.facts, str(layout.root), interpreter, *python, "", *own, "", *lines, "")
        return key_of(*parts, *(f"{name}={value}" for name, value in sorted(decides.items())), "", *contents)

    def _settings(self) -> Iterator[bytes]:
        layout = self.builder.layout
        for folder in layout.folders:
            for name in _SETTINGS:
                content = find_project_file(folder / name, layout.workspace)
                yield b"" if content is None else content

    def _python(self, words: Sequence[str]) -> str:
        request = [word.partition("=")[2] for word in words if word.startswith("--python=")]
        return self._found.of(
            lambda: self.builder.command("python", "find", *request).stdout.decode("utf-8", "replace")
        )


def is_static(document: Mapping[str, Any]) -> bool:
    """Whether the metadata in a pyproject.toml decides about every dependency; raises `ValueError` for an invalid table."""
    project = table(document, "project")
    dynamic = project.get("dynamic", [])
    if not project or not isinstance(dynamic, list) or not _BUILT.isdisjoint(map(str, dynamic)):
        return False
    sources = (
        source
        for entry in table(document, "tool", "uv", "sources").values()
        for source in (entry if isinstance(entry, list) else [entry])
    )
    if not all(isinstance(source, dict) and "index" in source for source in sources):
        return False
    return not any(is_placed(str(entry)) for _, entries in requirement_lists(document) for entry in entries)


def is_placed(requirement: str) -> bool:
    """Whether a requirement comes from a folder, an address or a repository."""
    return "@" in requirement.partition(";")[0]
