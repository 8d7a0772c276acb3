"""How a tool is started: the bundled one, or the project's version, which uv installs for the run."""

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
from ci_action.system.process import Command, Completed, Run, last_lines

# Fetching a tool may take this long; a network that says nothing must not eat the tool's own time.
FETCH_SECONDS: Final = 120.0
_VERSION: Final = re.compile(r"\b(\d+(?:\.\d+)+\S*)")
# pip's variables for package indexes, and the ones that uv reads instead.
_INDEX_VARIABLES: Final = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
}


@dataclass(frozen=True, kw_only=True)
class Program:
    """A tool that can be started: what comes before its arguments, and where its version comes from."""

    argv: tuple[str, ...]
    version: str
    source: str = "bundled"
    warnings: tuple[str, ...] = ()
    extras: frozenset[str] = frozenset()


@dataclass(frozen=True)
class BundledTools:
    """The tools that come with us: in an environment of their own in the image, beside us in a shell."""

    scripts: Path
    libraries: Path
    uv: Path
    apart: bool = False
    """Whether the tools have an environment of their own, which is so in our image alone."""

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
        """Return the bundled version of a tool; raises `ToolError` where it is missing."""
        script = self.scripts / tool
        version = self.version(tool)
        if not version or not script.is_file():
            raise ToolError(f"{tool} is missing from {str(self.scripts)!r}: install ci-action anew")
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

    The tool itself is started without uv, so that it never sees the credentials of package indexes.
    """

    run: Run
    folder: Path
    """Where it goes; the owner may write there."""
    variables: Mapping[str, str]
    """For uv (`variables_of_uv`)."""
    owner: Owner | None = None

    def install(self, uv: Path, wanted: str) -> Completed:
        """Let uv install a requirement."""
        places = {"UV_TOOL_DIR": str(self.folder / "tools"), "UV_TOOL_BIN_DIR": str(self.folder / "bin")}
        return self.run(
            Command(
                argv=(str(uv), "tool", "install", "--quiet", wanted),
                cwd=self.folder,
                environ={**self.variables, **places},
                timeout=FETCH_SECONDS,
                owner=self.owner,
                sees=Sees.NETWORK,
                supervised=True,  # it may be built from its sources
            )
        )

    def script(self, tool: str) -> Path:
        """Return where the program of a tool is after its installation."""
        return self.folder / "tools" / tool / "bin" / tool

    def version(self, tool: str) -> Completed:
        """Ask an installed tool for its version."""
        argv = (str(self.script(tool)), "--version")
        return self.run(Command(argv=argv, cwd=self.folder, owner=self.owner, sees=Sees.LITTLE))


def locate(tool: str, choice: Choice, *, bundled: BundledTools, installer: Installer) -> Program:
    """Return the program for a choice; if the project's version is not available, the bundled one and why."""
    if not choice.specifier and not choice.extras:
        return replace(bundled.program(tool), warnings=choice.warnings)
    specifier = choice.specifier or f"=={bundled.version(tool)}"
    if specifier == f"=={bundled.version(tool)}" and not choice.extras:
        return replace(bundled.program(tool), source=choice.source, warnings=choice.warnings)
    extras = f"[{','.join(sorted(choice.extras))}]" if choice.extras else ""
    wanted = f"{tool}{extras}{specifier}"
    try:
        done = installer.install(bundled.uv, wanted)
        done = installer.version(tool) if done.returncode == 0 else done
        problem = "" if done.returncode == 0 else last_lines(done.stderr, 3) or f"exit code {done.returncode}"
        found = _VERSION.search(done.stdout.decode("utf-8", "replace"))
    except ToolError as error:
        problem, found = error.reason, None
    if problem or found is None:
        because = " ".join(problem.split()) or "it did not say its version"
        warning = (
            f"{wanted} (from {choice.source}) cannot be had, the bundled {tool} {bundled.version(tool)}"
            f" was used instead: {because}"
        )
        return replace(bundled.program(tool), warnings=(*choice.warnings, warning))
    return Program(
        argv=(str(installer.script(tool)),),
        version=found[1].rstrip(","),
        source=choice.source,
        warnings=choice.warnings,
        extras=choice.extras,
    )


def variables_of_uv(environ: Mapping[str, str], home: Path | None = None) -> dict[str, str]:
    """Return what uv sees beside the cleaned environment when it fetches a tool.

    `home` takes the place of a home folder in which the project's code may have left settings, packages and interpreters
    for uv.
    """
    apart = _at_home(home, environ) if home else {}
    return {**index_variables(environ), **apart, **_cache_of_uv({**environ, **apart})}


def index_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Translate pip's index variables for uv, which does not read them; uv's own win."""
    return {
        theirs: environ[ours].strip()
        for ours, theirs in _INDEX_VARIABLES.items()
        if environ.get(ours, "").strip() and theirs not in environ
    }


def _at_home(home: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Name another home folder; the credentials for package indexes stay those of the former one."""
    credentials = Path(environ.get("HOME") or "/nonexistent", ".netrc")
    known = {} if "NETRC" in environ or not credentials.is_file() else {"NETRC": str(credentials)}
    return {"HOME": str(home), **known}


def _cache_of_uv(environ: Mapping[str, str]) -> dict[str, str]:
    """Name uv's folder where it would be anyway: a tool may be given another folder for caches, uv not."""
    home = cache_home(environ)
    return {"UV_CACHE_DIR": f"{home}/uv"} if home and "UV_CACHE_DIR" not in environ else {}


def options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each option of a command with its value: what follows `=`, else the next word."""
    for word, following in zip(words, (*words[1:], ""), strict=False):
        if word.startswith("-"):
            name, equals, value = word.partition("=")
            yield name, value if equals else following


def argument_names(words: Sequence[str]) -> list[str]:
    """Return the option names among the words of a command: `--fix=x` is `--fix`."""
    return [name for name, _ in options(words)]
