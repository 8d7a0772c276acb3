"""How a project runs a tool: the arguments, the place, and what it installs for it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ci_action.project.dependencies.discover import Dependencies
from ci_action.project.layout import Layout

# Variables of a command that its tool may need. Others are not set: they could change how any program is started.
_VARIABLES: Final = frozenset({"MYPYPATH", "PYTHONPATH", "DJANGO_SETTINGS_MODULE", "DJANGO_CONFIGURATION"})
# A part of a word that only the project's own runner could replace.
_UNRESOLVED: Final = re.compile(r"[${}`]|\*\*?")


@dataclass(frozen=True, kw_only=True)
class ToolRun:
    """One run of a tool that the project itself does."""

    tool: str
    words: tuple[str, ...] = ()
    """The arguments, unchecked text of the project."""
    source: str = ""
    """The file and the place in it: `tox.ini: typing`."""
    folder: str = ""
    """Where it is started, relative to the project's folder; empty for that one."""
    advisory: bool = False
    """Whether the project ignores its failure."""
    variables: Mapping[str, str] = field(default_factory=dict)
    needs: Dependencies | None = None
    """What is installed for it alone; None if it runs in the environment of the project."""
    pythons: tuple[str, ...] = ()
    """The versions of Python that it runs with; empty if none is named."""
    version: str = ""
    """The version range of the tool, if the run names it: `==1.11.2`."""
    given: "HookFiles | None" = None
    """Which files a hook passes to it; None for other runs."""

    @property
    def unresolved(self) -> str:
        """The first word that only the project's own runner could replace; empty if there is none."""
        return next((word for word in self.words if _UNRESOLVED.search(word)), "")


@dataclass(frozen=True)
class HookFiles:
    """The files that a hook of pre-commit checks: expressions for their names."""

    files: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


def variables_of(given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a tool may need, if they are literal."""
    return {
        name: value for name, value in given.items() if name in _VARIABLES and not re.search(r"[$%{}]", value)
    }


@dataclass(kw_only=True)
class Installs:
    """Collects what a runner installs for its commands."""

    root: Path
    """The folder of the file: relative paths begin there."""
    requirements: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    extras: list[str] = field(default_factory=list)
    sync: list[str] | None = None
    """The options of `uv sync`; None if it is not used."""
    project: bool = False
    unread: list[str] = field(default_factory=list)

    def add(self, words: Iterable[str]) -> None:
        """Add the arguments of `pip install`."""
        rest = [word for word in words if word]
        while rest:
            word = rest.pop(0)
            if word.startswith("-"):
                self._option(word, rest)
            elif word.startswith((".", "/")) or word == str(self.root):
                self._path(word)
            elif _UNRESOLVED.search(word):
                self.unread.append(word)
            else:
                self.requirements.append(word)

    def _option(self, word: str, rest: list[str]) -> None:
        name, equals, value = word.partition("=")
        if re.match(r"-[rce].", name):
            name, equals, value = name[:2], "=", word[2:].lstrip("=")
        if name in {"-r", "--requirement", "--requirements", "-c", "--constraint", "--constraints", "-e", "--editable", "--group"}:  # fmt: skip
            value = value if equals else (rest.pop(0) if rest else "")
        if name in {"-r", "--requirement", "--requirements"}:
            self._file("-r", value)
        elif name in {"-c", "--constraint", "--constraints"}:
            self._file("-c", value)
        elif name in {"-e", "--editable"}:
            self._path(value)
        elif name == "--group" and value:
            self.groups.append(value.rpartition(":")[2])

    def _file(self, option: str, name: str) -> None:
        file = self.root / name
        if _UNRESOLVED.search(name) or not file.is_file():
            self.unread.append(f"{option} {name}")
        else:
            self.requirements.append(f"{option} {file}")

    def _path(self, word: str) -> None:
        path, bracket, extras = word.partition("[")
        if _UNRESOLVED.search(word):
            self.unread.append(word)
        elif (self.root / (path or ".")).resolve() == self.root.resolve():
            self.project = True
            self.extras += [name.strip() for name in extras.rstrip("]").split(",")] if bracket else []
        else:
            self.requirements.append(f"{self.root / path}{bracket}{extras}")

    def dependencies(self, source: str, layout: Layout) -> Dependencies:
        """Return what is installed, as the project's own definition."""
        files = (
            layout.root.glob(pattern) for pattern in ("*.txt", "*.in", "requirements/*", "*.ini", "*.py")
        )
        names = ("pyproject.toml", "setup.cfg", "setup.py", "uv.lock", "tox.toml")
        inputs = (*sorted(path for found in files for path in found), *(layout.root / name for name in names))
        built = "build-system" in layout.pyproject or (layout.root / "setup.py").is_file()
        extras = ",".join(dict.fromkeys(self.extras))
        project = (f".[{extras}]" if extras else ".") if self.project and built else ""
        known = dict.fromkeys(self.groups)
        if self.sync is not None:
            options = [*self.sync, *(f"--group={name}" for name in known)]
            options += [f"--extra={name}" for name in dict.fromkeys(self.extras)]
            options += [] if self.project else ["--no-install-project"]
            return Dependencies(
                source=source, locked=True, sync=tuple(options), inputs=tuple(filter(Path.is_file, inputs))
            )
        return Dependencies(
            source=source,
            requirements=tuple(dict.fromkeys(self.requirements)),
            groups=tuple(known),
            project=project,
            inputs=tuple(filter(Path.is_file, inputs)),
            folders=tuple(line for line in self.requirements if line.startswith("/")),
            unread=tuple(dict.fromkeys(self.unread)),
        )
