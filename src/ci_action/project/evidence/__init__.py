"""The evidence for which formatter, linter and type checker a project means.

It is read as text, in this order; nothing is started:

1. requirements: groups, extras, requirements files, `deps` of tox
2. configurations of the tools
3. hooks of pre-commit
4. commands of tox, nox, make, just, scripts and tasks
5. commands of the continuous integration

A lock file alone does not count, because it also contains what other packages need.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ci_action.project.evidence import commands, requirements, tables
from ci_action.project.evidence.calls import HOOKS, Exists, call_of_hook
from ci_action.project.evidence.model import Evidence, Gathered, Kind
from ci_action.project.file_kinds import PRE_COMMIT_FILES, RUFF_FILES
from ci_action.project.layout import Layout
from ci_action.project.tool_names import SPELLINGS, Named
from ci_action.system.errors import ProjectFileError
from ci_action.system.project_files import read_project_file

if TYPE_CHECKING:
    from ci_action.project.tox import Tox

__all__ = ["Evidence", "Gathered", "Kind", "gather"]

_LARGEST: Final = 1_000_000
_MOST_SCRIPTS: Final = 200
# Only files that contain the name of a tool are parsed.
_MENTION: Final = re.compile(
    rf"\b(?:{'|'.join(name for one in SPELLINGS for name in (*one.programs, *one.packages))}|hatch fmt)\b"
)
_SCRIPT_FOLDERS: Final = ("scripts", "script", "bin", "ci", ".ci", "tools", "dev", ".github/scripts")
_MAKEFILES: Final = ("GNUmakefile", "makefile", "Makefile")
_JUSTFILES: Final = ("justfile", ".justfile", "Justfile")
_PYTHON_TASKS: Final = ("noxfile.py", "tasks.py", "duties.py")
_TASKFILES: Final = ("Taskfile.yml", "Taskfile.yaml", "lefthook.yml", "lefthook.yaml")
_PIPELINES: Final = (
    ".gitlab-ci.yml", ".travis.yml", "azure-pipelines.yml", ".circleci/config.yml", ".cirrus.yml", "appveyor.yml",
)  # fmt: skip
_PYTEST: Final = re.compile(r"\bpy\.?test\b")
_PYTEST_FILES: Final = ("conftest.py", "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml")
_OTHER_TESTS: Final = re.compile(
    r"^[^#\n]*?(manage\.py +test\b|django-admin +test\b|-m +[\w.]+\.(?:tests?|runtests)\b|\brun_?tests?\.py\b"
    r"|-m +(?:nose2|twisted\.trial)\b|\b(?:nose2|nosetests|stestr|zope-testrunner|trial) +\w)",
    re.MULTILINE,
)
_SHELL: Final = re.compile(r"#!.*\b(?:ba|da|z|k)?sh\b")


@dataclass(frozen=True)
class _File:
    """A file that may name tools."""

    name: str
    text: str
    folder: str
    exists: Exists

    def found(self, kind: Kind, tool: Named, place: str = "") -> Evidence:
        source = f"{self.name}: {place}" if place else self.name
        return Evidence(tool=tool, kind=kind, source=source, folder=self.folder)

    @property
    def toml(self) -> dict[str, Any]:
        return tomllib.loads(self.text)


_Reader = Callable[[_File], Iterator[Evidence]]


def gather(layout: Layout) -> Gathered:
    """Return the evidence of a project, from its folder and those above it in the workspace."""
    evidence: list[Evidence] = []
    problems: list[str] = []
    checks: list[str] = []
    texts: dict[str, str] = {}
    for read, patterns in _READERS:
        for folder in layout.folders:
            for path in _matching(folder, patterns):
                file = _file(path, folder, layout, problems)
                if file is None:
                    continue
                texts[file.name] = file.text
                if read in _AUTOMATED and (read is not _workflow or _ON_CHANGES.search(file.text)):
                    checks.append(file.text)
                if path.name not in _UNCONDITIONAL and not _MENTION.search(file.text):
                    continue
                try:
                    evidence += read(file)
                except (
                    ValueError,
                    TypeError,
                    AttributeError,
                    RecursionError,
                    SyntaxError,
                    MemoryError,
                ) as error:
                    cause = str(error).splitlines()[0] if str(error) else type(error).__name__
                    problems.append(f"could not read the tools in {file.name}: {cause}")
    return Gathered(
        evidence=tuple(dict.fromkeys(evidence)),
        problems=tuple(dict.fromkeys(problems)),
        automated=bool(checks) and not any(map(_OURS.search, checks)),
        other_tests=_other_tests(texts, layout),
    )


def _other_tests(texts: Mapping[str, str], layout: Layout) -> str:
    """Return what runs the tests of a project in which nothing names pytest, and where; else an empty text.

    Tests of unittest are not meant: pytest runs these as well.
    """
    files = (folder / name for folder in layout.folders for name in _PYTEST_FILES)
    if any(map(_PYTEST.search, texts.values())) or any(map(os.path.lexists, files)):
        return ""
    found = ((name, match[1]) for name, text in texts.items() if (match := _OTHER_TESTS.search(text)))
    return next((f"{command.replace('-m', 'python -m', 1)}, from {name}" for name, command in found), "")


def _matching(folder: Path, patterns: Sequence[str]) -> list[Path]:
    found = (path for pattern in patterns for path in sorted(folder.glob(pattern))[:_MOST_SCRIPTS])
    return list(dict.fromkeys(found))


def _file(path: Path, folder: Path, layout: Layout, problems: list[str]) -> _File | None:
    """Return a file of the project; None if it cannot be read."""
    if not path.is_file():
        return None
    name = layout.relative(path)
    try:
        text = read_project_file(path, layout.workspace, largest=_LARGEST).decode("utf-8", "replace")
    except ProjectFileError as error:
        problems.append(f"could not read the tools in {name}: {error.problem}")
        return None

    def exists(word: str) -> bool:
        try:
            return os.path.lexists(folder / word)
        except (OSError, ValueError):  # a name that no file can have
            return False

    return _File(name, text, layout.relative(folder), exists)


def _requirements(file: _File) -> Iterator[Evidence]:
    last = file.name.rpartition("/")[2]
    if last == "pyproject.toml":
        found = requirements.in_pyproject(file.toml)
    elif last == "tox.ini":
        found = (
            (named, place)
            for conf in _configuration_of_tox(file)
            for text, place in commands.tox_requirements(conf)
            for named, _ in requirements.in_requirements(text)
        )
    else:
        found = requirements.READERS.get(last, requirements.in_requirements)(file.text)
    yield from (file.found(Kind.DEPENDENCY, named, place) for named, place in found)


def _tables(file: _File) -> Iterator[Evidence]:
    last = file.name.rpartition("/")[2]
    if named := tables.FILES.get(last):
        yield file.found(Kind.TABLE, named)
    elif last == "pyproject.toml":
        yield from (file.found(Kind.TABLE, *found) for found in tables.in_pyproject(file.toml))
    elif last in RUFF_FILES:
        yield from (file.found(Kind.TABLE, *found) for found in tables.of_ruff(file.toml))
    else:
        yield from (file.found(Kind.TABLE, *found) for found in tables.in_ini(last, file.text))


def _hooks(file: _File) -> Iterator[Evidence]:
    from ci_action.project.pre_commit import hooks_in  # many projects do without

    for hook in hooks_in(file.text):
        call = call_of_hook(hook, file.exists)
        tool, words = (call.tool, call.words) if call else (HOOKS.get(hook.id), hook.args or ())
        if tool is None:
            continue
        yield Evidence(
            tool=tool,
            kind=Kind.HOOK,
            source=f"{file.name}: {hook.id}" if hook.id not in {tool, "ruff-format"} else file.name,
            folder=file.folder,
            words=words,
            advisory=hook.manual or _NEVER_FAILS in words,
            gets_files=hook.gets_files,
            files=hook.files,
            exclude=hook.exclude,
        )


def _run(file: _File, found: Iterator[commands.Command], kind: Kind = Kind.COMMAND) -> Iterator[Evidence]:
    for one in found:
        yield Evidence(
            tool=one.call.tool,
            kind=kind,
            source=f"{file.name}: {one.place}" if one.place else file.name,
            folder=os.path.normpath(os.path.join(file.folder, one.folder)),
            words=one.call.words,
            advisory=one.advisory or _NEVER_FAILS in one.call.words,
        )


def _configuration_of_tox(file: _File) -> "Iterator[Tox]":
    if "tox" in f"{file.name}{file.text}":
        from ci_action.project.tox import read  # many projects do without

        conf = read(file.name.rpartition("/")[2], file.text, ".")
        yield from [conf] if conf else []


def _tox(file: _File) -> Iterator[Evidence]:
    for conf in _configuration_of_tox(file):
        yield from _run(file, commands.commands_of(commands.in_tox(conf), file.exists))


def _toml_tasks(file: _File) -> Iterator[Evidence]:
    readers = {
        "pyproject.toml": commands.in_pyproject,
        "hatch.toml": commands.in_hatch_toml,
        "pixi.toml": commands.in_pixi_toml,
    }
    if read := readers.get(file.name.rpartition("/")[2]):
        yield from _run(file, commands.commands_of(read(file.toml), file.exists))
    yield from _tox(file)


def _python(file: _File) -> Iterator[Evidence]:
    yield from _run(file, commands.in_python(file.text, file.exists))


def _make(file: _File) -> Iterator[Evidence]:
    scripts, variables = commands.in_makefile(file.text)
    yield from _run(file, commands.commands_of(iter(scripts), file.exists, variables))


def _just(file: _File) -> Iterator[Evidence]:
    scripts, variables = commands.in_justfile(file.text)
    yield from _run(file, commands.commands_of(iter(scripts), file.exists, variables))


def _scripts(file: _File) -> Iterator[Evidence]:
    last = file.name.rpartition("/")[2]
    if last.endswith(".py"):
        unknown = {"$", "-"}  # what it formats is not a file of the project
        with suppress(SyntaxError):  # a script of another Python
            yield from (one for one in _python(file) if not unknown.issuperset(one.words))
    elif last.endswith((".sh", ".bash")) or _SHELL.match(file.text):
        yield from _run(file, commands.commands_of(iter([commands.Script(file.text)]), file.exists))


def _task_file(file: _File) -> Iterator[Evidence]:
    yield from _run(file, commands.in_pipeline(file.text, file.exists))


def _pipeline(file: _File) -> Iterator[Evidence]:
    yield from _run(file, commands.in_pipeline(file.text, file.exists), Kind.WORKFLOW)


def _workflow(file: _File) -> Iterator[Evidence]:
    yield from _run(file, commands.in_workflow(file.text, file.exists), Kind.WORKFLOW)


_READERS: Final[tuple[tuple[_Reader, tuple[str, ...]], ...]] = (
    (
        _requirements,
        ("pyproject.toml", "Pipfile", *requirements.PATTERNS, "setup.cfg", "setup.py", "tox.ini"),
    ),
    (_tables, ("pyproject.toml", *RUFF_FILES, *tables.FILES, "setup.cfg", "tox.ini")),
    (_hooks, PRE_COMMIT_FILES),
    (_tox, ("tox.ini", "setup.cfg")),
    (_toml_tasks, ("tox.toml", "pyproject.toml", "hatch.toml", "pixi.toml")),
    (_python, _PYTHON_TASKS),
    (_make, _MAKEFILES),
    (_just, _JUSTFILES),
    (_task_file, _TASKFILES),
    (_scripts, (*(f"{folder}/*" for folder in _SCRIPT_FOLDERS), "*.sh")),
    (_workflow, (".github/workflows/*.yml", ".github/workflows/*.yaml", ".github/actions/*/action.y*ml")),
    (_pipeline, _PIPELINES),
)
_AUTOMATED: Final = (_hooks, _workflow, _pipeline)
_ON_CHANGES: Final = re.compile(r"\b(?:push|pull_request)\b")
_NEVER_FAILS: Final = "--exit-zero"
_OURS: Final = re.compile(r"\bci-action\b")
# Files that configure a tool without naming it.
_UNCONDITIONAL: Final = frozenset({*RUFF_FILES, *tables.FILES, "pyproject.toml"})
