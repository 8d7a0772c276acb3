"""The project's own environment: its interpreter and packages, kept until its definition changes."""

import errno
import json
import os
import re
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from msgspec import Struct, convert, structs, to_builtins

from ci_action.project.dependencies.discover import Dependencies
from ci_action.project.dependencies.inventory import Kind, canonical
from ci_action.project.dependencies.pyproject import (
    MAIN,
    find_requirement,
    poetry_requirements,
    requirement_of,
    setup_cfg_python,
    setup_py_python,
    table,
)
from ci_action.project.dependencies.selection import for_tests
from ci_action.project.generated import Stamps, all_there, stamps_of, written_since
from ci_action.project.layout import Layout
from ci_action.project.programs import index_variables, search_path
from ci_action.system.errors import ToolError
from ci_action.system.folder import Owner, opened, place_of
from ci_action.system.json_fields import json_object
from ci_action.system.ownership import first_given, hand_over, lend, netrc_of
from ci_action.system.process import Command, Completed, Run, last_lines
from ci_action.system.project_files import find_project_text, read_project_file
from ci_action.system.text import listed

FILE: Final = "environment.json"
# They are specific to one interpreter, or keep it from ending.
_OF_ONE_PYTHON: Final = frozenset({"PYTHONHOME", "PYTHONEXECUTABLE", "PYTHONPLATLIBDIR", "PYTHONINSPECT"})
_COMPLETE: Final = "ci-action.json"
# The version of the format of a kept environment.
_FORM: Final = 4
ADDED: Final = "added by ci-action"
"""The source of a package that nothing of the project asks for."""
PYTEST_COV: Final = "pytest-cov"
# What measures coverage: the tests can run without it. Constraints may leave only a version that is too old.
_OPTIONAL: Final = {PYTEST_COV: f"{PYTEST_COV}>=3", "coverage": "coverage[toml]>=5"}
# What uv accepts as a version; pyenv also accepts the name of an environment.
_VERSION: Final = re.compile(r"(?:[a-z]+[-@]?)?\d+(?:\.\d+){0,2}[\w.+-]*")
_RANGE: Final = re.compile(r"[<>=!~][<>=!~\d.*,\s]*")
_LONGEST_CAUSE: Final = 800
_MOST_CAUSES: Final = 3
_PYTHON: Final = "--python="
# How uv begins if it found no interpreter, or only one that does not start.
_NOT_FOUND: Final = ("No interpreter found", "Failed to inspect")
# Prints the extras of the project that is installed in place from the folder of its argument.
_EXTRAS_OF: Final = """
import importlib.metadata, json, sys, urllib.parse
wanted = urllib.parse.unquote(sys.argv[1])
for one in importlib.metadata.distributions():
    text = one.read_text("direct_url.json")
    if text and urllib.parse.unquote(json.loads(text).get("url", "")).rstrip("/") == wanted.rstrip("/"):
        print(*one.metadata.get_all("Provides-Extra") or ())
"""
_FULL_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
# The messages of the C library for these.
_FULL: Final = re.compile("|".join(re.escape(os.strerror(number)) for number in sorted(_FULL_DISK)))


class Environment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An environment that the project's code can run in."""

    python: str
    version: str
    source: str
    """What defined its packages, for people."""
    reused: bool = False
    overlay: str = ""
    """A folder with further packages, which come after those of the environment; empty if there is none."""
    packages: dict[str, str] = {}
    added: tuple[str, ...] = ()
    """The packages among them that we added: the project itself needs none of these."""
    sources: dict[str, str] = {}
    """What decided about a version, by package in its normal form."""
    resolved: bool = False
    """Whether uv chose the versions that no file names."""
    variables: dict[str, str] = {}
    """The variables that the project's own runner sets for the tests."""

    tests: tuple[str, ...] = ()
    """The files and folders that this runner starts pytest with."""
    runner: str = ""
    """The file of this runner, and the part that was read."""

    in_place: tuple[str, ...] = ()
    """The packages that are folders of the workspace, installed in place."""
    generated: tuple[str, ...] = ()
    """The files that building these wrote into the workspace, relative to it."""

    def variables_for(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the variables of the tests besides those that the step sets, and what the step sets for Python."""
        own = {name: value for name, value in self.variables.items() if name not in environ}
        return {**own, **python_variables(environ)}

    def source_of(self, package: str) -> str:
        """Return the source of the version of a package: a file only if it names that version."""
        wanted = canonical(package)
        if wanted in map(canonical, self.added):
            return ADDED
        other = f"the newest that {self.source} allows" if self.resolved else self.source
        return self.sources.get(wanted, other)

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read one that was written; raises `OSError`, or `ValueError` if the file is not one."""
        return convert(json_object(file.read_bytes()), cls)

    def written(self) -> bytes:
        """Return what `read` reads."""
        return json.dumps(to_builtins(self)).encode()

    def save(self, tempdir: Path) -> None:
        """Write it for later tools of the run."""
        (tempdir / FILE).write_bytes(self.written())

    @classmethod
    def load(cls, tempdir: Path) -> Self:
        """Read what the tool `environment` wrote; raises `ToolError` if it wrote nothing."""
        try:
            return cls.read(tempdir / FILE)
        except (OSError, ValueError) as error:
            raise ToolError("no environment: the tool that makes it left none") from error


def python_request(layout: Layout, chosen: str) -> tuple[str, str]:
    """Return the Python to request from uv and its source; both are empty for the first one that uv finds."""
    if chosen:
        return chosen, "python-version"
    for folder in layout.folders:
        file = folder / ".python-version"
        lines = map(str.strip, find_project_text(file, layout.workspace).splitlines())
        wanted = next((line for line in lines if line and not line.startswith("#")), "")
        if _VERSION.fullmatch(wanted):
            return wanted, layout.relative(file)
    if layout.requires_python:
        return layout.requires_python, "requires-python"
    return next(_other_ranges(layout), ("", ""))


def _other_ranges(layout: Layout) -> Iterator[tuple[str, str]]:
    """Yield the ranges of Python, each with its place, of a project without `requires-python`."""
    with suppress(ValueError):  # whoever installs the table reports its shape
        given = table(layout.pyproject, "tool", "poetry", "dependencies").get("python")
        for line in poetry_requirements("python", given, layout.root) if given else ():
            if wanted := str(requirement_of(line).specifier):
                yield wanted, f"{MAIN}.python"
    for name, find_range in (("setup.cfg", setup_cfg_python), ("setup.py", setup_py_python)):
        wanted = find_range(find_project_text(layout.root / name, layout.workspace))
        if _RANGE.fullmatch(wanted):
            yield wanted, f"{name}: python_requires"


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
    asked_by: str = ""
    """What requests the Python: a setting or a file."""
    rebuilt: tuple[str, ...] = ()
    """The packages that are built in place again, whatever uv has in its cache."""
    notes: list[str] = field(default_factory=list)
    """Warnings about the work, each once."""

    def make(self, dependencies: Dependencies, request: str, extra: Sequence[str]) -> Environment:
        """Make the environment, or reuse the kept one; `extra` are packages that it needs as well.

        Raises `ToolError` with the reason of the resolver.
        """
        try:
            return self._make(dependencies, request, extra)
        except (ToolError, OSError) as error:
            if self.cache is None or not _is_full(error):
                raise
            return self._without_cache()._make(dependencies, request, extra)

    def _without_cache(self) -> "Builder":
        note = f"no space left in the cache {str(self.cache)!r}: not caching packages"
        if note not in self.notes:
            self.notes.append(note)
        return replace(self, cache=None)

    def _make(self, dependencies: Dependencies, request: str, extra: Sequence[str]) -> Environment:
        where = self._folder(dependencies, request, extra)
        kept = _kept(where / _COMPLETE)
        if kept and all_there(kept.generated, self.layout.workspace):
            return structs.replace(kept, reused=True)
        # What we added to an environment that is filled again would pass for the project's own.
        existing = "--clear" if kept else "--allow-existing"
        return self._rebuilding(kept).fill(where, dependencies, request, extra, existing)

    def _rebuilding(self, kept: Environment | None) -> "Builder":
        return replace(self, rebuilt=kept.in_place) if kept else self

    def fill(
        self, where: Path, dependencies: Dependencies, request: str, extra: Sequence[str], existing: str
    ) -> Environment:
        """Fill an environment in a folder, by what happens to an `existing` one; kept with the files of its build."""
        self.venv(where, request, existing)
        python = str(where / "bin" / "python")
        before = self._stamps()
        with self._tidied():
            self._install(dependencies, python, where)
            held = self.packages(python)
            exact = dict.fromkeys(map(canonical, held), dependencies.source) if dependencies.locked else {}
            source, sources = self._complete(dependencies, python, held)
        generated = written_since(before, self._stamps())
        found = self.found(python, source, self.add(python, extra))
        every = {**sources, **dependencies.pins, **exact}
        runner = dependencies.runner
        environment = structs.replace(
            found,
            sources=every,
            resolved=True,
            variables=dict(runner.variables),
            tests=runner.tests,
            runner=runner.source,
            generated=generated,
        )
        if not found.packages.keys() >= set(extra):  # the next run can have more luck
            return environment
        place = place_of(where, self.layout.workspace, strict=self.owner is not None)
        with opened(place) as folder:  # never through a link that a build left there
            folder.write(_COMPLETE, environment.written())
        return environment

    def venv(self, where: Path, request: str, *words: str) -> None:
        """Make an empty environment."""
        python = [f"{_PYTHON}{request}"] if request else []
        self.command("venv", "--no-project", *words, *python, str(where))

    def found(self, python: str, source: str, theirs: Mapping[str, str]) -> Environment:
        """Return the environment of an interpreter; `theirs` are the packages that it had before we added any."""
        listed_now = self._listed(python)
        packages = {entry["name"]: entry["version"] for entry in listed_now}
        return Environment(
            python=python,
            version=self.version_of(python),
            source=source,
            packages=packages,
            added=tuple(name for name in packages if name not in theirs),
            in_place=tuple(entry["name"] for entry in listed_now if "editable_project_location" in entry),
        )

    def _folder(self, dependencies: Dependencies, request: str, extra: Sequence[str]) -> Path:
        facts = (_FORM, dependencies, request, sorted(extra), str(self.layout.root), self.owner)
        digest = sha256(repr(facts).encode())
        for file in dependencies.inputs:  # their current content: code of the project may have run since
            digest.update(read_project_file(file, self.layout.workspace))
        # A cache inside the workspace would put the environment into the source tree.
        outside = self.cache is not None and not self.cache.is_relative_to(self.layout.workspace)
        keeps = outside and dependencies.can_be_kept
        homes = [self.cache, self.tempdir] if keeps and self.cache else [self.tempdir]
        home = first_given([home / "environments" for home in homes], self.owner)
        return home / digest.hexdigest()[:20]

    def _install(self, dependencies: Dependencies, python: str, where: Path) -> None:
        by_uv = dependencies.source == Kind.UV or bool(dependencies.sync)
        exact = ("--no-deps",) if dependencies.locked and not by_uv else ()
        if by_uv:
            self.command("sync", "--locked", *self._again(), *dependencies.sync, project=where)
        if dependencies.requirements:
            self.pip(python, *exact, *self._lines(dependencies.requirements))
        words = [f"--requirements={name}" for name in dependencies.files]
        words += [f"--group={name}" for name in dependencies.groups]
        if words:
            self.pip(python, *words)
        if dependencies.project:
            words = [*exact, *self._in_place(python, where), f"--editable={dependencies.project}"]
            self.pip(python, *words)
        if dependencies.unverified:
            self._verify(dependencies.unverified, python)

    def _in_place(self, python: str, where: Path) -> list[str]:
        """Return the options to build the project in place.

        meson-python builds again whenever the project is imported, with the programs of its build: these must stay. Its
        folder lies with the environment, outside of the source tree.
        """
        build = self.layout.pyproject.get("build-system")
        if not isinstance(build, dict) or build.get("build-backend") != "mesonpy":
            return []
        given = build.get("requires")
        lines = [entry for entry in given if find_requirement(entry)] if isinstance(given, list) else []
        self.pip(python, *self._lines((*lines, "ninja")))
        return ["--no-build-isolation", f"--config-settings=build-dir={where / 'build'}"]

    def _verify(self, extras: Sequence[str], python: str) -> None:
        """Raise `ToolError` for an extra that the built project does not have: pip and uv only warn."""
        there = self._extras_of_project(python)
        known = set(map(canonical, there))
        if missing := [name for name in extras if canonical(name) not in known]:
            available = ", ".join(there) or "none"
            raise ToolError(f"extras = {missing[0]!r}: unknown extra; available: {available}")

    def _lines(self, requirements: Sequence[str]) -> tuple[str, ...]:
        """Write lines of a requirements file and return the option that names it."""
        file = self.tempdir / "requirements.txt"
        file.write_text("\n".join(requirements) + "\n", encoding="utf-8")
        return (f"--requirements={file}",)

    def _complete(
        self, dependencies: Dependencies, python: str, held: Collection[str]
    ) -> tuple[str, dict[str, str]]:
        """Install pytest as the project does if it is not among the packages that are held.

        Returns what decided about the environment, and about the versions of the packages that its runner names.
        """
        decided, runner = dependencies.shown, dependencies.runner
        if "pytest" in held:
            return decided, {}
        if dependencies.hidden_extras and (names := for_tests(self._extras_of_project(python))):
            self.pip(python, f"--editable=.[{','.join(names)}]")
            decided = replace(dependencies, selection=replace(dependencies.selection, extras=names)).shown
        before = self.packages(python)
        if "pytest" in before or not (runner.requirements or runner.files):
            return decided, {}
        words = [f"--requirements={name}" for name in runner.files]
        words += [f"--constraints={name}" for name in runner.constraints]
        self.pip(python, *words, *(self._lines(runner.requirements) if runner.requirements else ()))
        brought = (canonical(name) for name in self.packages(python) if name not in before)
        return f"{decided} and {runner.source}", dict.fromkeys(
            brought, f"the newest that {runner.source} allows"
        )

    def _extras_of_project(self, python: str) -> tuple[str, ...]:
        """Return the extras of the project by its build, which a setup.py may compute."""
        command = Command(
            argv=(python, "-I", "-c", _EXTRAS_OF, self.layout.root.as_uri()),
            cwd=self.layout.root,
            owner=self.owner,
            timeout=60,
            supervised=True,
        )
        names = self.run(command).stdout.decode("utf-8", "replace").split()
        return tuple(name for name in names if re.fullmatch(r"[A-Za-z0-9][\w.-]*", name))

    def minor_of(self, request: str) -> str:
        """Return the version of the interpreter that uv would take, such as `3.12`; empty if there is none here yet."""
        words = ("python", "find", "--show-version", "--no-project", *([request] if request else []))
        found = re.match(r"\d+\.\d+", self.start(words, timeout=60).stdout.decode("utf-8", "replace").strip())
        return found[0] if found else ""

    def add(self, python: str, extra: Sequence[str], *words: str) -> dict[str, str]:
        """Install what is missing without changing other packages; return the packages that were there before.

        Without coverage the tests can run, so a failure to install it is only a warning.
        """
        there = self.packages(python)
        missing = [name for name in extra if name not in there]
        if missing:
            freeze = self.tempdir / "constraints.txt"
            released = (f"{name}=={version}\n" for name, version in there.items() if _RELEASED(version))
            freeze.write_text("".join(released), encoding="utf-8")
            try:
                wanted = (_OPTIONAL.get(name, name) for name in missing)
                self.pip(python, *words, f"--constraints={freeze}", *wanted)
            except ToolError as error:
                needed = [name for name in missing if name not in _OPTIONAL]
                if needed == missing or _is_full(error):
                    raise
                if needed:
                    self.pip(python, *words, f"--constraints={freeze}", *needed)
                self.notes.append(
                    f"could not install {listed(sorted({*missing} - {*needed}))}: {error.reason}"
                )
        return there

    def pip(self, python: str, *words: str) -> Completed:
        """Run `uv pip install` for an interpreter."""
        return self.command("pip", "install", f"--python={python}", *self._again(), *words)

    def _again(self) -> tuple[str, ...]:
        return tuple(f"--reinstall-package={name}" for name in self.rebuilt)

    def packages(self, python: str) -> dict[str, str]:
        """Return the installed packages and their versions."""
        return {entry["name"]: entry["version"] for entry in self._listed(python)}

    def _listed(self, python: str) -> list[dict[str, str]]:
        entries: list[dict[str, str]] = json.loads(
            self.command("pip", "list", "--format=json", f"--python={python}").stdout
        )
        return entries

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
        """Run uv, again without its cache if the disk is full; raises `ToolError` with uv's own reason."""
        done = self.start(words, project)
        if done.returncode != 0 and self.cache is not None and _FULL.search(done.stderr):
            done = self._without_cache().start(words, project)
        if done.returncode != 0:
            raise ToolError(self._reason(words, done), detail=last_lines(done.stderr, 30))
        return done

    def start(self, words: Sequence[str], project: Path | None = None, timeout: float = 0) -> Completed:
        """Run uv with the cache of this builder; returns however it ends."""
        variables = self.variables() | ({"UV_PROJECT_ENVIRONMENT": str(project)} if project else {})
        return self.run(
            Command(
                argv=(str(self.uv), words[0], "--no-progress", "--color=never", *words[1:]),
                cwd=self.layout.root,
                environ=variables,
                timeout=timeout or self.timeout,
                owner=self.owner,
                supervised=True,  # packages are built, and installed code can start with every interpreter
            )
        )

    def _reason(self, words: Sequence[str], done: Completed) -> str:
        if words[0] == "venv":
            return self._missing_python(words, done)
        if words[:2] == ("pip", "compile"):
            return f"could not resolve the dependencies: {_cause(done.stderr)}"
        return f"could not make the environment ({' '.join(words[:2])}): {_cause(done.stderr)}"

    def _missing_python(self, words: Sequence[str], done: Completed) -> str:
        there = self.start(("python", "list", "--only-installed"), timeout=60).stdout.decode(
            "utf-8", "replace"
        )
        names = re.findall(r"^cpython-(\d+\.\d+\.\d+\S*?)-\S+\s", there, re.MULTILINE)
        versions = ", ".join(dict.fromkeys(names)) or "none"
        wanted = next((word.removeprefix(_PYTHON) for word in words if word.startswith(_PYTHON)), "")
        cause = _cause(done.stderr)
        # If no interpreter was found, the list of those that exist is all there is to know.
        why = "" if any(words in cause for words in _NOT_FOUND) else f" ({cause})"
        if not wanted:
            return f"no Python is available{why}"
        return f"Python {wanted}, required by {self.asked_by}, is not available{why}; found: {versions}"

    def variables(self) -> dict[str, str]:
        """Return the variables of uv besides the cleaned environment: folders that its user can write to."""
        homes = [home for home in (self.cache, self.tempdir) if home]
        found = dict(index_variables(self.environ))
        for name, folder in (("UV_CACHE_DIR", "uv"), ("UV_PYTHON_INSTALL_DIR", "python")):
            if name not in self.environ:
                found[name] = str(first_given([home / folder for home in homes], self.owner))
        found["PATH"] = search_path(self.environ)
        if self.owner:
            given, copy = netrc_of(self.environ), self.tempdir / "netrc"
            if os.path.lexists(
                given
            ):  # credentials of indexes: lent while packages are installed, until `forget`
                if not copy.exists():
                    lend(given, copy, self.owner)
                found["NETRC"] = str(copy)
            hand_over(self.tempdir / "home", self.owner)
            found["HOME"] = str(self.tempdir / "home")
        return found

    def forget(self) -> None:
        """Remove the credentials: the project's code runs as the same user."""
        (self.tempdir / "netrc").unlink(missing_ok=True)

    @contextmanager
    def _tidied(self) -> Iterator[None]:
        """Remove what building the project left in the tree: it would be scanned as well."""
        before = self._leftovers()
        try:
            yield
        finally:
            for path in self._leftovers() - before:
                shutil.rmtree(path, ignore_errors=True)

    def _stamps(self) -> Stamps:
        """Return the files of the workspace, without our own."""
        own = {self.tempdir, *([self.cache] if self.cache else [])}
        return stamps_of(self.layout.workspace, own)

    def _leftovers(self) -> set[Path]:
        root = self.layout.root
        return {
            path
            for folder in (root, root / "src")
            for path in (*folder.glob("*.egg-info"), folder / "build")
            if path.exists()
        }


def _kept(file: Path) -> Environment | None:
    """Return the environment that was written to a file; None without one whose interpreter is still there."""
    try:
        kept = Environment.read(file)
        return kept if os.access(kept.python, os.X_OK) else None
    except (OSError, ValueError):
        return None


def _is_full(error: ToolError | OSError) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL_DISK
    return _FULL.search(f"{error.reason}\n{error.detail}") is not None


_RELEASED: Final = re.compile(r"[0-9][0-9A-Za-z.!]*").fullmatch
_MARKED: Final = re.compile(r"^(error|cause|hint|help):\s*|^[×╰├]\S*\s*")


def _cause(stderr: str) -> str:
    """Return the lines that uv marks as its own and those that continue them, or its last ones."""
    lines = [line.strip() for line in last_lines(stderr, 400).splitlines()]
    found: list[str] = []
    belongs = warned = False
    for line in lines:
        if line.startswith(("warning:", "error:")):
            warned = line.startswith("warning:")
            belongs = False
        if warned:  # with its causes, which explain no error
            continue
        if _MARKED.match(line):
            found.append(_MARKED.sub("", line))
            belongs = True
        elif line.startswith("["):  # output of a build
            belongs = False
        elif belongs:
            found[-1] += f" {line}"
    found = [line for line in found if not line.startswith("Build failures usually")]
    if len(found) > _MOST_CAUSES:  # the first two name what failed, the last one why
        found = [*found[: _MOST_CAUSES - 1], found[-1]]
    return "; ".join(found)[:_LONGEST_CAUSE] if found else " ".join(lines[-3:]) or "uv wrote nothing"


def failed(what: str, done: Completed) -> ToolError:
    """Return the error for a program that failed, with the last line that it wrote as the reason."""
    text = last_lines(done.stderr + done.stdout.decode("utf-8", "replace"), 30)
    return ToolError(f"{what}: {text.splitlines()[-1] if text else 'no reason given'}", detail=text)


def python_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the step's variables for Python, except those that are specific to another interpreter."""
    names = {name for name in environ if name.startswith("PYTHON")} - _OF_ONE_PYTHON
    return {name: environ[name] for name in names}


def environment_of_project(command: Command, environ: Mapping[str, str]) -> Command:
    """Return a command of the project's code: without the credentials of package indexes, and supervised."""
    names = frozenset(name for name in environ if re.search(r"(INDEX|FIND_LINKS|TWINE|KEYRING)", name))
    return replace(command, withheld=command.withheld | names, supervised=True)
