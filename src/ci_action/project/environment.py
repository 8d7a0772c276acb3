"""The project's own environment: its interpreter, what its tests need, kept while that does not change."""

import errno
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from ci_action.project.dependencies.discover import Dependencies
from ci_action.project.dependencies.inventory import Kind
from ci_action.project.layout import Layout
from ci_action.project.programs import index_variables
from ci_action.system.errors import ToolError
from ci_action.system.folder import Owner, opened, place_of
from ci_action.system.ownership import first_given, hand_over, lend, netrc_of
from ci_action.system.process import Command, Completed, Run, last_lines
from ci_action.system.project_files import find_project_text, read_project_file

FILE: Final = "environment.json"
# They belong to one interpreter, or keep it from ending.
_OF_ONE_PYTHON: Final = frozenset({"PYTHONHOME", "PYTHONEXECUTABLE", "PYTHONPLATLIBDIR", "PYTHONINSPECT"})
_COMPLETE: Final = "ci-action.json"
# What is kept of an environment; another number where that changes.
_FORM: Final = 2
_LONGEST_CAUSE: Final = 800
_FULL_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
# As the C library words the same.
_FULL: Final = re.compile("|".join(re.escape(os.strerror(number)) for number in sorted(_FULL_DISK)))


@dataclass(frozen=True, kw_only=True)
class Environment:
    """An environment that the project's code can run in."""

    python: str
    version: str
    source: str
    """What decided about its content, for people."""
    reused: bool = False
    overlay: str = ""
    """A folder whose packages are seen after those of the environment; empty where nothing had to be added so."""
    packages: Mapping[str, str] = field(default_factory=dict)
    added: Sequence[str] = ()
    """The packages among them that we brought: the project itself needs none of these."""

    @classmethod
    def read(cls, file: Path) -> "Environment":
        """Read one that was written; raises an error of reading or of the content where it is none."""
        values = json.loads(file.read_text(encoding="utf-8"))
        found = cls(**{**values, "added": tuple(values["added"])})
        packages = [text for pair in dict(found.packages).items() for text in pair]
        texts = (found.python, found.version, found.source, found.overlay, *found.added, *packages)
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("not an environment of ours")
        return found

    def save(self, tempdir: Path) -> None:
        """Write it for the tools that come after."""
        (tempdir / FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, tempdir: Path) -> "Environment":
        """Read what the environment tool wrote; raises `ToolError` where it wrote nothing."""
        try:
            return cls.read(tempdir / FILE)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ToolError("there is no environment: the tool that makes it left none") from error


def python_request(layout: Layout, chosen: str) -> tuple[str, str]:
    """Return which Python to ask uv for and where that comes from; empty for the first one that uv finds."""
    if chosen:
        return chosen, "python-version"
    for folder in layout.folders:
        file = folder / ".python-version"
        lines = map(str.strip, find_project_text(file, layout.workspace).splitlines())
        wanted = next((line for line in lines if line and not line.startswith("#")), "")
        if re.fullmatch(r"[\w.+-]+", wanted):
            return wanted, layout.relative(file)
    if layout.requires_python:
        return layout.requires_python, "requires-python"
    return "", ""


@dataclass(frozen=True, kw_only=True)
class Builder:
    """Makes environments with uv."""

    uv: Path
    run: Run
    layout: Layout
    environ: Mapping[str, str]
    tempdir: Path
    cache: Path | None
    timeout: float
    owner: Owner | None = None
    notes: list[str] = field(default_factory=list)
    """What is to be said of the work, each once."""

    def make(self, dependencies: Dependencies, request: str, extra: Sequence[str]) -> Environment:
        """Make the environment, or take the kept one; `extra` are packages that have to be in it.

        Raises `ToolError` with the resolver's own reason.
        """
        try:
            return self._make(dependencies, request, extra)
        except (ToolError, OSError) as error:
            if self.cache is None or not _is_full(error):
                raise
            return self._without_cache()._make(dependencies, request, extra)

    def _without_cache(self) -> "Builder":
        note = f"no space left in the cache {str(self.cache)!r}: packages are not kept"
        if note not in self.notes:
            self.notes.append(note)
        return replace(self, cache=None)

    def _make(self, dependencies: Dependencies, request: str, extra: Sequence[str]) -> Environment:
        where = self._folder(dependencies, request, extra)
        kept = self._kept(where)
        if kept is not None:
            return kept
        self.command(
            "venv",
            "--no-project",
            "--allow-existing",
            *([f"--python={request}"] if request else []),
            str(where),
        )
        python = str(where / "bin" / "python")
        self._install(dependencies, python, where)
        theirs = self.add(python, extra)
        packages = self.packages(python)
        environment = Environment(
            python=python,
            version=self.version_of(python),
            source=dependencies.source,
            packages=packages,
            added=tuple(name for name in packages if name not in theirs),
        )
        place = place_of(where, self.layout.workspace, strict=self.owner is not None)
        with opened(place) as folder:  # never through a link that a build has left there
            folder.write(_COMPLETE, json.dumps(asdict(environment)).encode())
        return environment

    def _folder(self, dependencies: Dependencies, request: str, extra: Sequence[str]) -> Path:
        digest = sha256(
            repr((_FORM, dependencies, request, sorted(extra), str(self.layout.root), self.owner)).encode()
        )
        for (
            file
        ) in (
            dependencies.inputs
        ):  # as they are now, when uv reads them: code of the project may have run since
            digest.update(read_project_file(file, self.layout.workspace))
        # A cache inside the workspace would put the environment into the source tree.
        outside = self.cache is not None and not self.cache.is_relative_to(self.layout.workspace)
        keeps = outside and dependencies.can_be_kept
        homes = [self.cache, self.tempdir] if keeps and self.cache else [self.tempdir]
        home = first_given([home / "environments" for home in homes], self.owner)
        return home / digest.hexdigest()[:20]

    def _kept(self, where: Path) -> Environment | None:
        try:
            kept = replace(Environment.read(where / _COMPLETE), reused=True)
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return kept if os.access(kept.python, os.X_OK) else None

    def _install(self, dependencies: Dependencies, python: str, where: Path) -> None:
        before = self._leftovers()
        try:
            if dependencies.sync or dependencies.source == Kind.UV:
                self.command("sync", "--locked", *dependencies.sync, project=where)
                return
            if dependencies.requirements:
                file = self.tempdir / "requirements.txt"
                file.write_text("\n".join(dependencies.requirements) + "\n", encoding="utf-8")
                exact = ("--no-deps",) if dependencies.locked else ()
                self.pip(python, *exact, f"--requirements={file}")
            words = [f"--requirements={name}" for name in dependencies.files]
            words += [f"--group={name}" for name in dependencies.groups]
            if words:
                self.pip(python, *words)
            if dependencies.project:
                exact = ("--no-deps",) if dependencies.locked else ()
                self.pip(python, *exact, f"--editable={dependencies.project}")
        finally:
            self._tidy(before)

    def add(self, python: str, extra: Sequence[str]) -> Mapping[str, str]:
        """Install what is missing, so that nothing that is there changes; return what was there before."""
        there = self.packages(python)
        missing = [name for name in extra if name not in there]
        if missing:
            freeze = self.tempdir / "constraints.txt"
            freeze.write_text(
                "".join(f"{name}=={version}\n" for name, version in there.items() if _released(version))
            )
            self.pip(python, f"--constraints={freeze}", *missing)
        return there

    def pip(self, python: str, *words: str) -> Completed:
        """Run `uv pip install` for an interpreter."""
        return self.command("pip", "install", f"--python={python}", *words)

    def packages(self, python: str) -> dict[str, str]:
        """Return the installed packages and their versions."""
        done = self.command("pip", "list", "--format=json", f"--python={python}")
        return {entry["name"]: entry["version"] for entry in json.loads(done.stdout)}

    def version_of(self, python: str) -> str:
        """Return the version of an interpreter."""
        code = "import platform; print(platform.python_version())"
        command = Command(
            argv=(python, "-I", "-c", code),
            cwd=self.layout.root,
            owner=self.owner,
            timeout=60,
            supervised=True,
        )
        return self.run(command).stdout.decode().strip()

    def command(self, *words: str, project: Path | None = None) -> Completed:
        """Run uv, without its cache where that is full; raises `ToolError` with what it says where it fails."""
        done = self.ask(words, project)
        if done.returncode != 0 and self.cache is not None and _FULL.search(done.stderr):
            done = self._without_cache().ask(words, project)
        if done.returncode != 0:
            raise ToolError(self._reason(words, done), detail=last_lines(done.stderr, 30))
        return done

    def ask(self, words: Sequence[str], project: Path | None) -> Completed:
        """Run uv with the cache of this builder, however it ends."""
        argv = (str(self.uv), words[0], "--no-progress", "--color=never", *words[1:])
        variables = self.variables() | ({"UV_PROJECT_ENVIRONMENT": str(project)} if project else {})
        return self.run(
            Command(
                argv=argv,
                cwd=self.layout.root,
                environ=variables,
                timeout=self.timeout,
                owner=self.owner,
                supervised=True,  # packages are built, and what was installed starts with every interpreter
            )
        )

    def _reason(self, words: Sequence[str], done: Completed) -> str:
        if words[0] == "venv":
            there = self.run(
                Command(
                    argv=(str(self.uv), "python", "list", "--only-installed", "--no-progress"),
                    cwd=self.layout.root,
                    environ=self.variables(),
                    timeout=60,
                    owner=self.owner,
                )
            ).stdout.decode("utf-8", "replace")
            names = re.findall(r"^cpython-(\d+\.\d+\.\d+\S*?)-\S+\s", there, re.MULTILINE)
            versions = ", ".join(dict.fromkeys(names)) or "none"
            return f"the interpreter cannot be had: {_cause(done.stderr)}; the ones that are here: {versions}"
        if words[:2] == ("pip", "compile"):
            return f"the dependencies cannot be resolved: {_cause(done.stderr)}"
        return f"the environment cannot be made ({' '.join(words[:2])}): {_cause(done.stderr)}"

    def variables(self) -> dict[str, str]:
        """Return what uv sees beside the cleaned environment: folders that its user may write to."""
        homes = [home for home in (self.cache, self.tempdir) if home]
        found = dict(index_variables(self.environ))
        for name, folder in (("UV_CACHE_DIR", "uv"), ("UV_PYTHON_INSTALL_DIR", "python")):
            if name not in self.environ:
                found[name] = str(first_given([home / folder for home in homes], self.owner))
        pyenv = Path(
            self.environ.get("PYENV_ROOT", Path(self.environ.get("HOME", "/nonexistent"), ".pyenv")),
            "versions",
        )
        bins = sorted((str(path) for path in pyenv.glob("*/bin")), reverse=True)
        found["PATH"] = os.pathsep.join([self.environ.get("PATH", os.defpath), *bins])
        if self.owner:
            found |= self._netrc()
            hand_over(self.tempdir / "home", self.owner)
            found["HOME"] = str(self.tempdir / "home")
        return found

    def _netrc(self) -> dict[str, str]:
        """Hand over the credentials of indexes while packages are installed; `forget` takes them back."""
        given, copy = netrc_of(self.environ), self.tempdir / "netrc"
        if self.owner is None or not os.path.lexists(given):
            return {}
        if not copy.exists():
            lend(given, copy, self.owner)
        return {"NETRC": str(copy)}

    def forget(self) -> None:
        """Take away what the project's code must not find: it runs as the same user."""
        (self.tempdir / "netrc").unlink(missing_ok=True)

    def _leftovers(self) -> set[Path]:
        root = self.layout.root
        return {
            path
            for folder in (root, root / "src")
            for path in (*folder.glob("*.egg-info"), folder / "build")
            if path.exists()
        }

    def _tidy(self, before: set[Path]) -> None:
        """Take away what building the project left in the tree: scanners would find everything twice."""
        for path in self._leftovers() - before:
            shutil.rmtree(path, ignore_errors=True)


def _is_full(error: ToolError | OSError) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL_DISK
    return _FULL.search(f"{error.reason}\n{error.detail}") is not None


def _released(version: str) -> bool:
    return re.fullmatch(r"[0-9][0-9A-Za-z.!]*", version) is not None


_MARKED = re.compile(r"^(error|cause|hint|help):\s*|^[×╰├]\S*\s*")


def _cause(stderr: str) -> str:
    """Return what uv says in its own marked lines and those that belong to them, or its last ones."""
    lines = [line.strip() for line in last_lines(stderr, 400).splitlines()]
    told: list[str] = []
    belongs = False
    for line in lines:
        if _MARKED.match(line):
            told.append(_MARKED.sub("", line))
            belongs = True
        elif line.startswith("["):  # what a build wrote
            belongs = False
        elif belongs:
            told[-1] += f" {line}"
    told = [line for line in told if not line.startswith("Build failures usually")]
    return "; ".join(told)[:_LONGEST_CAUSE] if told else " ".join(lines[-3:]) or "uv wrote nothing"


def python_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the step that the project's Python reads, but those that would make it another one."""
    return {
        name: value
        for name, value in environ.items()
        if name.startswith("PYTHON") and name not in _OF_ONE_PYTHON
    }


def environment_of_project(command: Command, environ: Mapping[str, str]) -> Command:
    """Return a command of the project's code: without the credentials of package indexes, and supervised."""
    names = frozenset(name for name in environ if re.search(r"(INDEX|FIND_LINKS|TWINE|KEYRING)", name))
    return replace(command, withheld=command.withheld | names, supervised=True)
