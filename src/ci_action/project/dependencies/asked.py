"""What a command that installs packages asks for: words of pip, uv, Poetry and PDM, read and never run.

Such commands stand in tox.ini, noxfile.py and workflow files. A word that is only known when they run is `None`.
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from ci_action.project.dependencies.pyproject import find_requirement

Word: TypeAlias = str | None

_GROUPS: Final = frozenset({"--group", "--only-group", "--with", "-G", "-dG"})
_EXTRAS: Final = frozenset({"--extra", "--extras", "-E"})
_FILES: Final = frozenset({"-r", "--requirement", "--requirements"})
_CONSTRAINTS: Final = frozenset({"-c", "--constraint", "--constraints"})
_EDITABLE: Final = frozenset({"-e", "--editable"})
# Options with a value that decides nothing about the packages themselves.
_VALUED: Final = frozenset({
    "-i", "--index-url", "--extra-index-url", "--index", "--default-index", "-f", "--find-links", "-t", "--target",
    "--prefix", "--root", "-p", "--python", "--no-binary", "--only-binary", "--platform", "--python-version",
    "-C", "--config-setting", "--config-settings", "--global-option", "--upgrade-strategy", "--progress-bar",
    "--report", "--cache-dir", "--proxy", "--retries", "--timeout", "--trusted-host", "--cert", "--src", "--resolution",
    "--prerelease", "--index-strategy", "--exclude-newer", "--use-feature", "--torch-backend", "--directory",
    "--project", "--package", "--no-group", "--without", "--no-extra", "--log",
})  # fmt: skip
_SHORT: Final = re.compile(r"(-[rcefiGEC])=?(.+)", re.DOTALL)
_OWN: Final = re.compile(r"\.?/?(?:\[([\w\s,.-]+)\])?")
_ORIGIN: Final = re.compile(r"(git|hg|svn|bzr)\+[a-z]+://\S+|https?://\S+", re.IGNORECASE)
_PIP: Final = re.compile(r"pip3?(\.\d+)?")
_PYTHON: Final = re.compile(r"(.*/)?(python[\d.]*|py|pypy\d*)(\.exe)?")
_NAME: Final = re.compile(r"[A-Za-z_]\w{0,99}", re.ASCII)
_ASSIGNED: Final = re.compile(r"[A-Za-z_]\w*=\S*")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The packages that commands ask for."""

    source: str = ""
    """The file and the part of it that was read, for people."""
    requirements: tuple[str, ...] = ()
    """Lines of a requirements file."""
    files: tuple[str, ...] = ()
    """Requirements files, relative to the root."""
    constraints: tuple[str, ...] = ()
    """Files with constraints, relative to the root."""
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    """Extras of the project."""
    variables: tuple[tuple[str, str], ...] = ()
    """The variables of the tests, with literal values."""
    tests: tuple[str, ...] = ()
    """The files and folders that pytest is started with, relative to the root."""
    unread: tuple[str, ...] = ()
    """Words that are not understood."""

    def __bool__(self) -> bool:
        """Whether they ask for anything besides the project itself."""
        return bool(
            self.requirements or self.files or self.groups or self.extras or self.variables or self.tests
        )


# Options of pytest and its plugins with a value in the next word, which may be the name of a folder.
_PYTEST_VALUED: Final = frozenset({
    "-c", "-k", "-m", "-n", "-o", "-p", "-W", "--cov", "--cov-report", "--cov-config", "--junitxml", "--junit-xml",
    "--rootdir", "--basetemp", "--durations", "--maxfail", "--timeout", "--dist", "--tb", "--ignore", "--ignore-glob",
    "--deselect", "--confcutdir", "--log-level", "--color", "--numprocesses", "--import-mode", "--ds", "--html",
})  # fmt: skip
_PYTEST: Final = frozenset({"pytest", "py.test"})


def tests_of(words: Iterable[Word], root: Path) -> tuple[str, ...]:
    """Return the files and folders in a command that starts pytest; none if it names none, or the whole project."""
    rest = iter(words)
    found: dict[str, None] = {}
    if not any(word is not None and word.rpartition("/")[2] in _PYTEST for word in rest):
        return ()
    for word in rest:
        if word in _PYTEST_VALUED:
            next(rest, None)
        elif word and _is_plain(word) and not word.startswith("-"):
            path = os.path.normpath(os.path.relpath(root / word, root))
            if not path.startswith("..") and (root / path).exists():
                found[path] = None
    return () if "." in found else tuple(found)


# What belongs to the runner, to pip, or to us.
_RESERVED: Final = re.compile(
    r"(COV|COVERAGE|PIP|UV|TOX|NOX|HATCH|VIRTUALENV|GITHUB|ACTIONS|RUNNER|INPUT|CI_ACTION|LD)_\w*"
    r"|PATH|HOME|VIRTUAL_ENV|PYTEST_ADDOPTS|PYTHONHOME|PYTHONHASHSEED"
)


def variables_of(given: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the variables that tests may get: with a name of a shell, a literal value, and not reserved."""
    return tuple(
        (name, value)
        for name, value in dict(given).items()
        if _NAME.fullmatch(name) and not _RESERVED.fullmatch(name) and not re.search(r"[{}$\0\n\r]", value)
    )


def joined(parts: Iterable[Asked], source: str) -> Asked:
    """Return what several commands ask for together."""
    every = list(parts)

    def of(name: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(value for part in every for value in getattr(part, name)))

    return Asked(
        source=source,
        requirements=of("requirements"),
        files=of("files"),
        constraints=of("constraints"),
        groups=of("groups"),
        extras=of("extras"),
        unread=of("unread"),
    )


def of_command(words: Sequence[Word], root: Path) -> Asked | None:
    """Return what a whole command asks for; None if it installs nothing."""
    rest = list(words)
    while (
        rest
        and isinstance(rest[0], str)
        and (_ASSIGNED.fullmatch(rest[0]) or rest[0] in {"sudo", "-", "env"})
    ):
        rest.pop(0)
    if len(rest) > 1 and isinstance(rest[0], str) and _PYTHON.fullmatch(rest[0]) and rest[1] == "-m":
        rest = rest[2:]
    while rest and rest[0] in {"uv", "uvx"} and len(rest) > 1 and rest[1] == "pip":
        rest.pop(0)
    match rest:
        case [str(program), "install", *given] if _PIP.fullmatch(program.rpartition("/")[2]):
            return of_words(given, root)
        case ["uv", "sync", *given] | ["poetry" | "pdm", "install" | "sync", *given]:
            return of_words(_commas(given), root)
        case ["uv", "run", *given]:
            return of_words(_options_only(given), root)
        case _:
            return None


def _commas(words: Sequence[Word]) -> Iterator[Word]:
    """Yield the words of Poetry and PDM, whose options accept several names in a value."""
    option = ""
    for word in words:
        name, equals, value = (word or "").partition("=")
        if option in _GROUPS | _EXTRAS and word:
            for number, part in enumerate(filter(None, re.split(r"[,\s]+", word))):
                yield from ([option] if number else [])
                yield part
        elif equals and name in _GROUPS | _EXTRAS:
            for part in filter(None, re.split(r"[,\s]+", value)):
                yield f"{name}={part}"
        else:
            yield word
        option = word or ""


def _options_only(words: Sequence[Word]) -> Iterator[Word]:
    """Yield the options of `uv run` that precede the program."""
    rest = iter(words)
    for word in rest:
        if word is None or not word.startswith("-") or word == "--":
            return
        value = next(rest, None) if word in _VALUED | _GROUPS | _EXTRAS else ""
        if word != "--with":  # a package, and no group as for Poetry
            yield from [word, value] if value != "" else [word]


def of_words(words: Iterable[Word], root: Path) -> Asked:
    """Return what the words behind `pip install` ask for."""
    found = _Found(root)
    rest = iter(words)
    for word in rest:
        if word is None:
            found.unread.append("one word, only known at run time")
            continue
        text = word.strip()
        if not text.startswith("-"):
            found.take(text, "")
            continue
        name, equals, value = text.partition("=")
        if (
            not equals
            and (short := _SHORT.fullmatch(text))
            and not text.startswith("--")
            and text not in _GROUPS
        ):
            name, equals, value = short[1], "=", short[2].strip()
        if name in _GROUPS | _EXTRAS | _FILES | _CONSTRAINTS | _EDITABLE | _VALUED:
            given = value if equals else next(rest, None)
            if given is not None:
                found.take(given.strip(), name)
            elif name not in _VALUED | _CONSTRAINTS:
                found.unread.append(f"the value of {name}, which is only known at run time")
    return found.asked()


class _Found:
    """What was read until now."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lists: dict[str, list[str]] = {}
        self.unread: list[str] = []

    def take(self, text: str, option: str) -> None:
        """Add a word, or the value of an option."""
        if option in _GROUPS:
            self._add("groups", text.rpartition(":")[2])
        elif option in _EXTRAS:
            self._add("extras", text)
        elif option in _FILES | _CONSTRAINTS:
            self._file("files" if option in _FILES else "constraints", text)
        elif option in _VALUED:
            return
        else:
            self._requirement(text, editable=option in _EDITABLE)

    def _add(self, name: str, value: str) -> None:
        if re.fullmatch(r"[A-Za-z0-9][\w.-]*", value):
            self.lists.setdefault(name, []).append(value)
        else:
            self.unread.append(repr(value))

    def _file(self, name: str, text: str) -> None:
        relative = os.path.relpath(self.root / text, self.root) if _is_plain(text) else ""
        if relative and (self.root / relative).is_file():
            self.lists.setdefault(name, []).append(relative)
        elif name == "files":
            self.unread.append(f"file {text!r}")

    def _requirement(self, text: str, *, editable: bool) -> None:
        own = text.removeprefix(str(self.root))
        if match := _OWN.fullmatch(own):
            for extra in filter(None, map(str.strip, (match[1] or "").split(","))):
                self._add("extras", extra)
        elif _ORIGIN.fullmatch(text) or (not editable and "\n" not in text and find_requirement(text)):
            self.lists.setdefault("requirements", []).append(text)
        elif (folder := self._folder(text)) is not None:
            self.lists.setdefault("requirements", []).append(f"{'-e ' if editable else ''}{folder}")
        else:
            self.unread.append(repr(text))

    def _folder(self, text: str) -> str | None:
        """Return a folder of the project, with the extras behind it."""
        path, bracket, extras = text.partition("[")
        if not _is_plain(path) or not (self.root / path).is_dir():
            return None
        real = os.path.realpath(self.root / path)
        return f"{real}{bracket}{extras}" if _is_plain(real) and re.fullmatch(r"[\w,.\]-]*", extras) else None

    def asked(self) -> Asked:
        """Return all of it."""
        one = {name: tuple(dict.fromkeys(values)) for name, values in self.lists.items()}
        return Asked(
            requirements=one.get("requirements", ()),
            files=one.get("files", ()),
            constraints=one.get("constraints", ()),
            groups=one.get("groups", ()),
            extras=one.get("extras", ()),
            unread=tuple(dict.fromkeys(self.unread)),
        )


def _is_plain(path: str) -> bool:
    """Whether a path is safe as a line of a requirements file."""
    return re.fullmatch(r"[^\s{}$#;\0][^\n\r{}$#;\0]*", path) is not None and " -" not in path
