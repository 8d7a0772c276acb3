"""How the project's own commands measure coverage, read as text: nothing in them is started.

The first of these files that has such a command decides: tox.ini, tox.toml, pyproject.toml, noxfile.py, Makefile, justfile,
scripts, workflows. Of its options only those that change the figures are used, and only with values that are plain.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from configparser import ConfigParser
from configparser import Error as ConfigError
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from ci_action.project.config_files import load_toml
from ci_action.project.layout import Layout
from ci_action.system.errors import ProjectFileError, SettingsError
from ci_action.system.project_files import find_project_file, find_project_text

_FILES: Final = (
    "tox.ini", "tox.toml", "pyproject.toml", "hatch.toml", "noxfile.py", "GNUmakefile", "makefile", "Makefile",
    "justfile", "Justfile", ".justfile", "scripts/*", "script/*", "bin/*", "ci/*", "*.sh",
    ".github/workflows/*.yml", ".github/workflows/*.yaml",
)  # fmt: skip
_MOST_FILES: Final = 100
_LARGEST: Final = 1_000_000
_COMMENT: Final = re.compile(r"^\s*#.*$", re.MULTILINE)
_CONTINUED: Final = re.compile(r"\\\n\s*")
# `"coverage", "run"` of Python and TOML: the words of one command.
_ITEMS: Final = re.compile(r"""["']\s*,\s*["']""")
_RUN: Final = re.compile(
    r"(?<![\w.-])coverage\s+run\s(?P<options>[^&;|\n]*?)-m\s*(?:pytest|py\.test)(?![\w.-])"
)
HATCH: Final = re.compile(r"\bhatch\s+test\s(?:[^&;|\n]*\s)?(?:--cover|-c)(?![\w-])")
"""The command of Hatch that measures coverage, and reports it too."""
_COV: Final = re.compile(r"(?<![\w-])--cov(?=[\s=\"']|$)[^&;|\n]*")
_DISABLED: Final = re.compile(r"(?<![\w-])-p[\s=]*(no:[\w.-]+)")
# What tox, make and GitHub put before the paths of the project.
_HERE: Final = re.compile(
    r"(?:\{toxinidir\}|\{tox_root\}|\{envsitepackagesdir\}|\{env_site_packages_dir\}|\$\(CURDIR\)|\$\{?PWD\}?"
    r"|\$\{\{\s*github\.workspace\s*\}\})/+"
)
_PLAIN: Final = re.compile(r"[\w./*,+-]+")
_NUMBER: Final = re.compile(r"\d{1,3}(?:\.\d{1,6})?")
_OF_RUN: Final = frozenset(
    {"--source", "--source-pkgs", "--source-dirs", "--omit", "--include", "--concurrency"}
)
_OWN_FILES: Final = (
    ("pytest.ini", "pytest"), (".pytest.ini", "pytest"), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest"),
)  # fmt: skip


class Starter(StrEnum):
    """What starts coverage."""

    NONE = ""
    PYTEST_COV = "pytest-cov"
    COVERAGE = "coverage"
    """`coverage run`, which measures from the start of the interpreter."""


@dataclass(frozen=True, kw_only=True)
class CoverageCommand:
    """A command of the project that measures the coverage of its tests."""

    starter: Starter
    origin: str
    """The file that has it."""
    source: tuple[str, ...] = ()
    config: str = ""
    branch: bool = False
    fail_under: str = ""
    options: tuple[str, ...] = ()
    """Further options of `coverage run`."""
    disabled: tuple[str, ...] = ()
    """The plugins that it disables, as pytest writes them: `no:name`."""


def coverage_command(layout: Layout) -> CoverageCommand | None:
    """Return the first command of the project that measures the coverage of its tests."""
    for name, text in texts_of(layout):
        for found in commands_in(text):
            config = found.config if found.config and (layout.root / found.config).is_file() else ""
            return replace(found, origin=name, config=config)
    return None


def texts_of(layout: Layout) -> Iterator[tuple[str, str]]:
    """Yield the files that can have commands, and their texts."""
    for pattern in _FILES:
        for path in sorted(layout.root.glob(pattern))[:_MOST_FILES]:
            with suppress(ProjectFileError):
                raw = find_project_file(path, layout.workspace, largest=_LARGEST) or b""
                yield layout.relative(path), raw.decode("utf-8", "replace")


def commands_in(text: str) -> Iterator[CoverageCommand]:
    """Yield the commands in a text that measure the coverage of tests."""
    for line in commands_as_lines(text).splitlines():
        disabled = tuple(dict.fromkeys(_DISABLED.findall(line)))
        if match := _RUN.search(line):
            yield replace(_of_coverage(_words(match["options"])), disabled=disabled)
        elif HATCH.search(line):
            yield CoverageCommand(starter=Starter.COVERAGE, origin="")
        elif match := _COV.search(line):
            yield replace(_of_pytest_cov(_words(match[0])), disabled=disabled)


def commands_as_lines(text: str) -> str:
    """Return a text without comments, each command on one line and its words divided by spaces."""
    return _ITEMS.sub(" ", _CONTINUED.sub(" ", _COMMENT.sub("", text)))


def _words(text: str) -> list[str]:
    return [word for part in text.split() if (word := _HERE.sub("", part).strip("\"'`,[]()"))]


def _of_coverage(words: Sequence[str]) -> CoverageCommand:
    source: list[str] = []
    options: list[str] = []
    config = ""
    for name, value in _pairs(words):
        if name == "--source" and _PLAIN.fullmatch(value):
            source += value.split(",")
        elif name in _OF_RUN and _PLAIN.fullmatch(value):
            options.append(f"{name}={value}")
        elif name == "--rcfile":
            config = value
    return CoverageCommand(
        starter=Starter.COVERAGE,
        origin="",
        source=tuple(source),
        config=config,
        branch="--branch" in words,
        options=tuple(options),
    )


def _of_pytest_cov(words: Sequence[str]) -> CoverageCommand:
    pairs = list(_pairs(words))
    named = dict(pairs)
    sources = [value for name, value in pairs if name == "--cov"]
    # One `--cov` without a value, or with one that is unknown here, leaves the choice to the configuration.
    plain = all(_PLAIN.fullmatch(value) for value in sources)
    minimum = named.get("--cov-fail-under", "")
    return CoverageCommand(
        starter=Starter.PYTEST_COV,
        origin="",
        source=tuple(sources) if plain else (),
        config=named.get("--cov-config", ""),
        branch="--cov-branch" in words,
        fail_under=minimum if _NUMBER.fullmatch(minimum) else "",
    )


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the options with their values, which are a part of the word or the next one."""
    for word, following in zip(words, (*words[1:], ""), strict=False):
        name, equals, value = word.partition("=")
        if name.startswith("--"):
            yield name, value if equals or following.startswith("-") else following


@dataclass(frozen=True)
class PytestOptions:
    """The options of pytest that its configuration sets."""

    words: tuple[str, ...] = ()
    """`addopts`."""
    filters: tuple[str, ...] = field(default=())
    """`filterwarnings`."""

    @property
    def covers(self) -> bool:
        """Whether every run of pytest measures coverage, by pytest-cov."""
        return any(word == "--cov" or word.startswith("--cov=") for word in self.words)

    @property
    def need_pytest_cov(self) -> bool:
        """Whether pytest cannot start without pytest-cov."""
        return any(word.startswith(("--cov", "--no-cov")) for word in self.words)

    @property
    def spread(self) -> bool:
        """Whether pytest-xdist runs the tests in several processes."""
        return any(re.match(r"-n\b|-n\d|--numprocesses|--dist\b|--tx\b", word) for word in self.words)


def pytest_options(layout: Layout, environ: Mapping[str, str]) -> PytestOptions:
    """Return the options of pytest from PYTEST_ADDOPTS and its configuration; what cannot be read is left out."""
    table = _pytest_table(layout)
    addopts, filters = table.get("addopts", ()), table.get("filterwarnings", ())
    words = [*_split(environ.get("PYTEST_ADDOPTS", "")), *_split(addopts)]
    lines = filters.splitlines() if isinstance(filters, str) else filters
    return PytestOptions(tuple(words), tuple(map(str, lines)) if isinstance(lines, list) else ())


def _split(value: object) -> list[str]:
    if isinstance(value, list):
        return [str(word) for word in value]
    with suppress(ValueError):
        return shlex.split(value) if isinstance(value, str) else []
    return []


def _pytest_table(layout: Layout) -> Mapping[str, Any]:
    for folder in layout.folders:
        for name in ("pytest.toml", ".pytest.toml"):
            with suppress(SettingsError):
                if table := load_toml(folder / name, layout.workspace).get("pytest"):
                    return table if isinstance(table, dict) else {}
        with suppress(SettingsError):
            tool = load_toml(folder / "pyproject.toml", layout.workspace).get("tool")
            own = tool.get("pytest") if isinstance(tool, dict) else None
            if isinstance(own, dict):
                inner = own.get("ini_options")
                return inner if isinstance(inner, dict) else own
        for name, section in _OWN_FILES:
            parser = ConfigParser(interpolation=None, allow_no_value=True)
            with suppress(ProjectFileError, ConfigError):
                parser.read_string(find_project_text(folder / name, layout.workspace))
                if parser.has_section(section):
                    return dict(parser.items(section))
    return {}


def loaded_early(layout: Layout, options: PytestOptions) -> str:
    """Return why pytest imports code of the project before pytest-cov starts; empty if it does not."""
    text = "\n".join(
        find_project_text(layout.root / name, layout.workspace) for name in ("setup.cfg", "setup.py")
    )
    project, tool = (layout.pyproject.get(name) for name in ("project", "tool"))
    tables = (_at(project, "entry-points", "pytest11"), _at(tool, "poetry", "plugins", "pytest11"))
    if any(tables) or re.search(r"\bpytest11\b", text):
        return "the entry point pytest11"
    words = options.words
    for word, following in zip(words, (*words[1:], ""), strict=False):
        name = following if word == "-p" else word.removeprefix("-p") if word.startswith("-p") else ""
        if _is_own(layout, name):
            return f"`-p {name}` in the options of pytest"
    for entry in options.filters:
        name = entry.split(":")[2].strip() if entry.count(":") > 1 else ""
        if "." in name and _is_own(layout, name):
            return f"{name} in the warning filters of pytest"
    return ""


def _at(table: object, *names: str) -> object:
    for name in names:
        table = table.get(name) if isinstance(table, dict) else None
    return table


def _is_own(layout: Layout, name: str) -> bool:
    """Whether a module is in the folder of the project."""
    first = name.strip().partition(".")[0]
    if not first.isidentifier():
        return False
    places = (layout.root, layout.root / "src")
    return any(Path(place, one).exists() for place in places for one in (first, f"{first}.py"))
