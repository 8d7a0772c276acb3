"""The configuration of tox: which environment runs pytest, and what it installs. It is read, tox is never run.

Of https://tox.wiki: `tox.ini`, `setup.cfg`, `tox.toml` and both tables of pyproject.toml; factors, references to other
sections, `base`, and lists of environments with braces. A line with a substitution that only tox knows is not used.
"""

import configparser
import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from ci_action.project.dependencies.asked import Asked, Word, joined, of_words, tests_of, variables_of
from ci_action.project.layout import Layout
from ci_action.system.project_files import find_project_text

RUNS_PYTEST: Final = re.compile(r"(?<![\w./-])py\.?test(?![\w/-])(?!\.\w)")
_BASE: Final = "testenv"
_FACTORS: Final = re.compile(r"([\w {}.!,-]+):\s+(.+)")
_PLACE: Final = re.compile(r"\{([^{}]*)\}")
_REFERENCE: Final = re.compile(r"\[([^\[\]]+)\](\w+)")
_INNERMOST: Final = re.compile(r"\{([^{}]*)\}")
_RANGE: Final = re.compile(r"(\d{1,4})-(\d{1,4})")
_VERSION: Final = re.compile(r"(?:py|python)?([23])\.?(\d{0,2})t?")
# Factors of environments with other versions than a user gets.
_UNUSUAL: Final = frozenset({
    "main", "master", "dev", "nightly", "pre", "prerelease", "latest", "min", "minimum", "lowest", "oldest", "mindeps",
    "djmain", "djangomain", "djangodev", "pytestmain", "pytestdev",
})  # fmt: skip
_COMMENT: Final = re.compile(r"(?:^|\s)#.*$")
_MOST_NAMES: Final = 2_000
_LONGEST: Final = 200_000
_DEEPEST: Final = 5
# The keys of the two spellings that tox knows.
_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "env_list": ("env_list", "envlist"),
    "deps": ("deps",),
    "extras": ("extras",),
    "dependency_groups": ("dependency_groups",),
    "commands": ("commands", "commands_pre"),
    "set_env": ("set_env", "setenv"),
}


@dataclass(frozen=True)
class Tox:
    """A configuration: the lines of each key of each section."""

    file: str
    environments: tuple[str, ...] = ()
    """The names in its list of environments."""
    sections: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    """Sections by environment; the base of all has the name `testenv`."""

    def names(self) -> Iterator[str]:
        """Yield all environments, those of the list first."""
        others = (name for name in self.sections if name != _BASE)
        yield from dict.fromkeys((*(self.environments or ("py",)), *others))

    def lines(self, environment: str, key: str, factors: frozenset[str]) -> Iterator[str]:
        """Yield the lines of a key that apply to an environment with these factors."""
        name, seen = environment, set[str]()
        while name not in seen:
            seen.add(name)
            section = self.sections.get(name, {})
            given = [lines for spelled in _KEYS[key] if (lines := section.get(spelled)) is not None]
            if given:
                for line in (line for lines in given for line in lines):
                    yield from _applying(line, factors)
                return
            name = next(iter(section.get("base", ())), _BASE)


def of_tox(layout: Layout, python: str) -> Asked | None:
    """Return what the environment of tox that runs pytest installs, for a Python such as `3.12`; None if there is none."""
    conf = _configuration(layout)
    if conf is None or (environment := chosen(conf, python)) is None:
        return None
    factors = _factors(environment, python)

    def lines(key: str) -> list[str]:
        return list(conf.lines(environment, key, factors))

    named = [of_words(_words(line), layout.root) for line in lines("deps")]
    names = {
        key: [one for line in lines(key) for one in re.split(r"[,\s]+", line) if one]
        for key in ("extras", "dependency_groups")
    }
    options = [f"--extra={name}" for name in names["extras"]]
    options += [f"--group={name}" for name in names["dependency_groups"]]
    section = _BASE if environment not in conf.sections else f"{_BASE}:{environment}"
    if conf.file.endswith(".toml"):
        section = "env_run_base" if environment not in conf.sections else f"env.{environment}"
    assigned = (line.partition("=") for line in lines("set_env"))
    variables = variables_of((name.strip(), value.strip()) for name, _, value in assigned)
    asked = joined([*named, of_words(options, layout.root)], f"{conf.file} [{section}]")
    tests = (path for line in lines("commands") for path in tests_of(_shell_words(line), layout.root))
    return replace(asked, variables=variables, tests=tuple(dict.fromkeys(tests)))


def chosen(conf: Tox, python: str) -> str | None:
    """Return the environment that runs pytest: for this Python if there is one, of those the one with fewest factors."""

    def rank(name: str) -> tuple[int, int, int]:
        parts = name.split("-")
        minors = {int(match[2]) for one in parts if (match := _VERSION.fullmatch(one)) and match[2]}
        other = any(one.startswith("pypy") for one in parts)
        ours = int(python.rpartition(".")[2] or 0)
        distance = min((2 * abs(minor - ours) for minor in minors), default=1)
        return distance + _MOST_NAMES * other, len(_UNUSUAL.intersection(parts)), name.count("-")

    names = list(conf.names())
    for key in ("commands", "deps"):
        running = [
            name
            for name in names
            if any(RUNS_PYTEST.search(line) for line in conf.lines(name, key, _factors(name, python)))
        ]
        if running:
            return min(running, key=rank)
    return None


def _factors(environment: str, python: str) -> frozenset[str]:
    """Return the factors of an environment, as if it ran on this Python."""
    own = {one for one in environment.split("-") if not python or not _VERSION.fullmatch(one)}
    plain = python.replace(".", "")
    return frozenset({*own, "py", *((f"py{plain}", f"py{python}", python, plain) if python else ())})


def _applying(line: str, factors: frozenset[str]) -> Iterator[str]:
    """Yield the content of a line if its factors apply: `py312,pypy: x`, `!windows-py312: x`."""
    match = _FACTORS.fullmatch(line)
    if match is None:
        yield line
        return
    for condition in expanded(match[1]):
        parts = filter(None, condition.split("-"))
        if all((part.lstrip("!") in factors) is not part.startswith("!") for part in parts):
            yield match[2].strip()
            return


def expanded(text: str) -> list[str]:
    """Return the names of a list with braces: `py{310,311}-{a,b}, lint`; none if it is far too long."""
    waiting, found = list(_split(text)), dict[str, None]()
    while waiting and len(waiting) + len(found) <= _MOST_NAMES:
        name = waiting.pop(0)
        match = _INNERMOST.search(name)
        if match is None:
            found["".join(name.split())] = None
            continue
        choices: list[str] = []
        for choice in match[1].split(","):
            if numbers := _RANGE.fullmatch(choice.strip()):
                first, last = int(numbers[1]), int(numbers[2])
                choices += map(str, range(first, min(last, first + _MOST_NAMES) + 1))
            else:
                choices.append(choice.strip())
        waiting[:0] = [name[: match.start()] + choice + name[match.end() :] for choice in choices]
    return [name for name in found if name] if not waiting else []


def _split(text: str) -> Iterator[str]:
    """Yield the parts between commas and line breaks that are in no braces."""
    depth, part = 0, ""
    for letter in text[:_LONGEST]:
        depth += (letter == "{") - (letter == "}")
        if letter in ",\n" and depth <= 0:
            yield part.strip()
            part = ""
        else:
            part += letter
    yield part.strip()


def _words(line: str) -> list[Word]:
    """Return a line of `deps` as words: an option and its value, or one requirement."""
    if "{" in line:
        return [None]
    if match := re.fullmatch(r"(--?[a-z][a-z-]*)(?:[=\s]\s*)(.*)", line):
        return [match[1], match[2]]
    return [line]


def _shell_words(line: str) -> list[Word]:
    """Return a line of `commands` as words; `None` for one with a substitution that only tox knows."""
    try:
        return [None if "{" in word else word for word in shlex.split(line)]
    except ValueError:  # its quotes do not match
        return []


def _configuration(layout: Layout) -> Tox | None:
    def text(name: str) -> str:
        return find_project_text(layout.root / name, layout.workspace)

    with suppress(ValueError, RecursionError):
        if ini := text("tox.ini"):
            return of_ini(ini, "tox.ini", layout.root)
        if "[tox:tox]" in (ini := text("setup.cfg")):
            return of_ini(ini, "setup.cfg", layout.root)
        table = layout.pyproject.get("tool", {})
        table = table.get("tox") if isinstance(table, dict) else None
        if isinstance(table, dict):
            legacy = table.get("legacy_tox_ini")
            name = "pyproject.toml"
            return (
                of_ini(legacy, f"{name} legacy_tox_ini", layout.root)
                if isinstance(legacy, str)
                else of_table(table, name)
            )
        if toml := text("tox.toml"):
            return of_table(tomllib.loads(toml), "tox.toml")
    return None


def of_ini(text: str, file: str, root: Path) -> Tox:
    """Read a configuration in the format of `tox.ini`; raises `ValueError` if it is not one."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ValueError(str(error)) from error

    def value(section: str, key: str, depth: int = 0) -> str:
        given = parser.get(section, key, fallback="")
        return _PLACE.sub(lambda match: _substitute(match, depth), given)[:_LONGEST]

    def _substitute(match: re.Match[str], depth: int) -> str:
        name = match[1]
        reference = _REFERENCE.fullmatch(name)
        if reference and depth < _DEEPEST:
            return value(reference[1], reference[2], depth + 1)
        if name.startswith("posargs"):
            return name.partition(":")[2]
        if name.startswith("env:"):
            return name.partition(":")[2].partition(":")[2]
        return {"toxinidir": str(root), "tox_root": str(root), "/": "/", ":": ":"}.get(name, match[0])

    sections: dict[str, Mapping[str, tuple[str, ...]]] = {}
    for section in parser.sections():
        kind, _, name = section.partition(":")
        if kind == _BASE:
            lines = {key: tuple(_lines(value(section, key))) for key in parser.options(section)}
            for one in expanded(name) if name else [_BASE]:
                sections.setdefault(one, lines)
    main = "tox:tox" if parser.has_section("tox:tox") else "tox"
    listed = next((given for key in _KEYS["env_list"] if (given := value(main, key))), "")
    return Tox(file, tuple(expanded("\n".join(_lines(listed)))), sections)


def _lines(value: str) -> Iterator[str]:
    joined_lines = re.sub(r"\\\n\s*", " ", value)
    for line in joined_lines.split("\n"):
        if text := _COMMENT.sub("", line).strip():
            yield text


def of_table(document: Mapping[str, Any], file: str) -> Tox:
    """Read a configuration in TOML."""
    environments = document.get("env")
    tables = dict(environments) if isinstance(environments, dict) else {}
    tables[_BASE] = document.get("env_run_base")
    sections = {
        name: {key: tuple(_entries(value, document, 0)) for key, value in table.items()}
        for name, table in tables.items()
        if isinstance(table, dict)
    }
    listed = document.get("env_list", ())
    names = tuple(name for name in listed if isinstance(name, str)) if isinstance(listed, list) else ()
    return Tox(file, names, sections)


def _entries(value: object, document: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Yield the texts of a value; those of a command are one line."""
    match value:
        case str():
            yield value
        case {"replace": "ref", "of": [*path]} if depth < _DEEPEST:
            found: Any = document
            for name in path:
                found = found.get(name) if isinstance(found, dict) else None
            yield from _entries(found, document, depth + 1)
        case [*parts]:
            for part in parts:
                if isinstance(part, list):
                    yield " ".join(_command(part))
                else:
                    yield from _entries(part, document, depth)
        case dict() if "replace" not in value:
            yield from (f"{name}={one}" for name, one in value.items() if isinstance(one, str))
        case _:
            return


def _command(parts: Iterable[object]) -> Iterator[str]:
    """Yield the words of a command; of a replacement its default."""
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict) and isinstance(default := part.get("default"), list):
            yield from (one for one in default if isinstance(one, str))
