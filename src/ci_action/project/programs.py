"""Programs of the tools: the bundled one, or the project's version, which uv installs for the run."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

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
        script = self.scripts / tool
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


def select(tool: str, *, settings: Settings, layout: Layout, bundled: BundledTools) -> Choice:
    """Choose the version of a tool without starting anything."""
    version = bundled.version(tool)
    if settings.tool_versions is ToolVersions.BUNDLED:
        return Choice()
    pins, problems = find_pins(layout, tool)
    choice = choose(tool, pins, version)
    return replace(choice, warnings=(*problems, *choice.warnings))


@dataclass(frozen=True, kw_only=True)
class Installer:
    """Installs the project's version of a tool with uv.

    The tool itself is started without uv, so it never gets the credentials of package indexes.
    """

    run: Run
    folder: Path
    """Where it is installed; the owner may write there."""
    variables: Mapping[str, str]
    """For uv (`variables_of_uv`)."""
    owner: Owner | None = None

    def install(self, uv: Path, tool: str, wanted: str) -> tuple[Path, str]:
        """Install a requirement; return its program and version. Raises `ToolError` with the reason."""
        tools = self.folder / "tools"
        places = {"UV_TOOL_DIR": str(tools), "UV_TOOL_BIN_DIR": str(self.folder / "bin")}
        installing = Command(
            argv=(str(uv), "tool", "install", "--quiet", wanted),
            cwd=self.folder,
            environ={**self.variables, **places},
            timeout=_FETCH_SECONDS,
            owner=self.owner,
            sees=Sees.NETWORK,
            supervised=True,  # it may be built from its sources
        )
        self._finished(installing)
        script = tools / tool / "bin" / tool
        argv = (str(script), "--version")
        done = self._finished(Command(argv=argv, cwd=self.folder, owner=self.owner, sees=Sees.LITTLE))
        found = _VERSION.search(done.stdout.decode("utf-8", "replace"))
        if found is None:
            raise ToolError("it did not print its version")
        return script, found[1].rstrip(",")

    def _finished(self, command: Command) -> Completed:
        done = self.run(command)
        if done.returncode != 0:
            raise ToolError(last_lines(done.stderr, 3) or f"exit code {done.returncode}")
        return done


def locate(tool: str, choice: Choice, *, bundled: BundledTools, installer: Installer) -> Program:
    """Return the program for a choice; if the project's version is not available, the bundled one with the reason."""
    version = bundled.version(tool)
    if not choice.extras and choice.specifier in {"", f"=={version}"}:
        return replace(bundled.program(tool), source=choice.source, warnings=choice.warnings)
    extras = f"[{','.join(sorted(choice.extras))}]" if choice.extras else ""
    wanted = f"{tool}{extras}{choice.specifier or f'=={version}'}"
    try:
        script, found = installer.install(bundled.uv, tool, wanted)
    except ToolError as error:
        warning = (
            f"could not install {wanted} (from {choice.source}); using the bundled {tool} {version}:"
            f" {' '.join(error.reason.split())}"
        )
        return replace(bundled.program(tool), warnings=(*choice.warnings, warning))
    return Program(
        argv=(str(script),),
        version=found,
        source=choice.source,
        warnings=choice.warnings,
        extras=choice.extras,
    )


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
