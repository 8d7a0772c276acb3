"""The configuration of tox as a value: its environments, and the lines of each key that apply to one. tox is never run.

Of https://tox.wiki: `tox.ini`, `setup.cfg`, `tox.toml` and both tables of pyproject.toml; lists of names with braces,
factors, `base`, references to other sections, and those substitutions that depend on no machine.
"""

import re
import shlex
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from ci_action.project.config_files import tool_table
from ci_action.project.layout import Layout
from ci_action.system.project_files import find_project_text

FILES: Final = ("tox.ini", "setup.cfg", "pyproject.toml", "tox.toml")
"""The files that can have it, in the order of tox."""
BASE: Final = "testenv"
"""The environment that all others inherit from."""
_TOML_BASE: Final = "env_run_base"
_CONDITION: Final = re.compile(r"((?:[\w.!-]|\{[^{}]*\}|,\s*)+):(?:\s+(.*)|$)")
_INNERMOST: Final = re.compile(r"\{([^{}]*)\}")
_REFERENCE: Final = re.compile(r"\{\[([^\[\]{}]+)\](\w+)\}")
_RANGE: Final = re.compile(r"(\d{1,4})-(\d{1,4})")
_COMMENT: Final = re.compile(r"(?:^|\s)#.*$")
_CONTINUED: Final = re.compile(r"\\\r?\n\s*")
_NO_ARGUMENTS: Final = re.compile(r"(?:^|\s)\[\](?=\s|$)")
_MOST_NAMES: Final = 2_000
_MOST_STEPS: Final = 10_000
_LONGEST: Final = 200_000
_DEEPEST: Final = 8
# The names of tox 3.
_NEW_NAMES: Final = {
    "basepython": "base_python", "setenv": "set_env", "changedir": "change_dir", "envlist": "env_list",
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A line of a key, and the condition before it: `py312,!windows`."""

    text: str
    condition: str = ""


@dataclass(frozen=True)
class Section:
    """A section, or a table of TOML."""

    title: str
    """As it is written: `testenv:py{310,311}`, `env_run_base`, `lint`."""
    names: tuple[str, ...] = ()
    """The environments that it configures; none for a section that others only refer to."""
    keys: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Tox:
    """The configuration in one file."""

    file: str
    here: str
    """The text that replaces the folder of the file."""
    listed: tuple[str, ...]
    """The environments that tox runs by default."""
    sections: Mapping[str, Section]
    """Those of environments in their order, and all others, by title."""
    in_toml: bool = False
    """Whether it is written as TOML, and not in the format of `tox.ini`."""

    @property
    def environments(self) -> list[Section]:
        """The sections of environments, with that of the base."""
        return [section for section in self.sections.values() if section.names]

    @property
    def others(self) -> list[str]:
        """The environments that tox does not run by default; none of those in which it builds packages."""
        names = chain.from_iterable(section.names for section in self.environments)
        return [name for name in dict.fromkeys(names) if name not in {*self.listed, BASE} and name[0] != "."]

    def place_of(self, environment: str) -> str:
        """Return the file, and the section that configures an environment: its own, else the base of all."""
        own = any(environment in section.names for section in self.environments)
        if self.in_toml:
            return f"{self.file} [{f'env.{environment}' if own else _TOML_BASE}]"
        legacy = " legacy_tox_ini" if self.file.endswith(".toml") else ""
        return f"{self.file}{legacy} [{f'{BASE}:{environment}' if own else BASE}]"

    def lines(self, environment: str, *keys: str, factors: Collection[str] | None = None) -> list[str]:
        """Return the lines of keys that apply to an environment; `factors` are by default those of its name.

        The first section that has one of the keys decides: its own, that which it names as its base, `testenv`.
        """
        name, seen = environment, set[str]()
        own = factors if factors is not None else {*environment.split("-"), environment}
        while name not in seen:
            seen.add(name)
            sections = [section for section in self.environments if name in section.names]
            for section in sections:
                if given := [line for key in keys for line in section.keys.get(key, ())]:
                    return self._resolved(given, environment, own)
                if not section.keys.keys().isdisjoint(keys):
                    return []
            base = (line.text for section in sections for line in section.keys.get("base", ()))
            name = next(base, BASE)
        return []

    def every_line(self, section: Section, key: str) -> list[str]:
        """Return the lines of a key, whatever their conditions are."""
        return self._resolved(section.keys.get(key, ()), "", None)

    def _resolved(
        self, lines: Iterable[Line], environment: str, factors: Collection[str] | None
    ) -> list[str]:
        found = self._referred(lines, factors, iter(range(_MOST_STEPS)), 0)
        texts = (substituted(text, environment, self.here).strip() for text in found)
        return [text for text in texts if text]

    def _referred(
        self, lines: Iterable[Line], factors: Collection[str] | None, steps: Iterator[int], depth: int
    ) -> Iterator[str]:
        """Yield the lines that apply, with those of other sections to which they refer."""
        for line in lines:
            if next(steps, None) is None:
                return
            if line.condition and factors is not None and not applies(line.condition, factors):
                continue
            reference = _REFERENCE.fullmatch(line.text)
            if reference is None:
                yield self._inlined(line.text)
            elif depth < _DEEPEST:
                yield from self._referred(self._lines_of(reference), factors, steps, depth + 1)

    def _inlined(self, text: str) -> str:
        for _ in range(_DEEPEST):
            fuller = _REFERENCE.sub(
                lambda match: " ".join(line.text for line in self._lines_of(match)) or match[0], text
            )
            if fuller == text or len(fuller) > _LONGEST:
                break
            text = fuller
        return text

    def _lines_of(self, reference: re.Match[str]) -> tuple[Line, ...]:
        section = self.sections.get(reference[1])
        return section.keys.get(_key(reference[2]), ()) if section else ()


def configurations(layout: Layout) -> Iterator[Tox]:
    """Yield the configurations of a project, that which tox uses first; raises `ValueError` and `RecursionError`."""
    for name in FILES:
        if text := find_project_text(layout.root / name, layout.workspace):
            conf = read(name, text, str(layout.root))
            yield from [conf] if conf else []


def read(name: str, text: str, here: str) -> Tox | None:
    """Return the configuration in a file, None if it has none; raises `ValueError` and `RecursionError`."""
    if not name.endswith(".toml"):
        return of_ini(text, name, here) if BASE in text or "[tox" in text else None
    document = tomllib.loads(text)
    table = document if name.endswith("tox.toml") else tool_table(document).get("tox")
    if not isinstance(table, dict):
        return None
    legacy = table.get("legacy_tox_ini")
    return of_ini(legacy, name, here) if isinstance(legacy, str) else of_table(table, name, here)


def of_ini(text: str, file: str, here: str) -> Tox:
    """Read a configuration in the format of `tox.ini`; raises `ValueError` if it is not one."""
    import configparser  # most projects of today have none

    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ValueError(str(error).splitlines()[0]) from error
    sections: dict[str, Section] = {}
    for title in parser.sections():
        kind, colon, name = title.partition(":")
        names = (tuple(expanded(name)) if colon else (BASE,)) if kind == BASE else ()
        values = {_key(key): tuple(_lines(value)) for key, value in parser.items(title)}
        sections[title] = Section(title, names, values)
    main = sections.get("tox:tox") or sections.get("tox") or Section("tox")
    listed = "\n".join(line.text for line in main.keys.get("env_list", ()))
    return Tox(file=file, here=here, listed=tuple(expanded(listed)), sections=sections)


def _key(name: str) -> str:
    name = name.lower().replace("-", "_")
    return _NEW_NAMES.get(name, name)


def _lines(value: str) -> Iterator[Line]:
    for row in _CONTINUED.sub(" ", value[:_LONGEST]).splitlines():
        text = _COMMENT.sub("", row).strip()
        condition = _CONDITION.fullmatch(text)
        if condition and condition[2]:
            yield Line(condition[2].strip(), condition[1])
        elif text and not condition:
            yield Line(text)


def of_table(document: Mapping[str, Any], file: str, here: str) -> Tox:
    """Read a configuration in TOML."""
    environments = document.get("env")
    tables = {_TOML_BASE: document.get(_TOML_BASE)}
    tables.update(environments if isinstance(environments, dict) else {})
    sections = {
        title: Section(
            title,
            (BASE if title == _TOML_BASE else title,),
            {key: tuple(map(Line, _entries(value, document, 0))) for key, value in table.items()},
        )
        for title, table in tables.items()
        if isinstance(table, dict)
    }
    listed = document.get("env_list")
    names = (name for name in listed if isinstance(name, str)) if isinstance(listed, list) else ()
    known = tuple(chain.from_iterable(map(expanded, names)))
    return Tox(file=file, here=here, listed=known, sections=sections, in_toml=True)


def _entries(value: object, document: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Yield the texts of a value; those of a command are one line."""
    match value:
        case bool():
            yield str(value).lower()
        case str():
            yield from value.splitlines()
        case {"replace": "ref", "of": [*path]} if depth < _DEEPEST:
            found: Any = document
            for name in path:
                found = found.get(name) if isinstance(found, dict) else None
            yield from _entries(found, document, depth + 1)
        case [*parts]:
            for part in parts:
                if isinstance(part, list):
                    yield shlex.join(_words(part))
                else:
                    yield from _entries(part, document, depth)
        case dict() if "replace" not in value:
            yield from (f"{name}={one}" for name, one in value.items() if isinstance(one, str))
        case _:
            return


def _words(parts: Iterable[object]) -> Iterator[str]:
    """Yield the words of a command; of a replacement its default."""
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict) and isinstance(default := part.get("default"), list):
            yield from (one for one in default if isinstance(one, str))


def expanded(text: str) -> list[str]:
    """Return the names of a list with braces: `py{310,311}-{a,b}, py3{12-14}`; none if it is far too long."""
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


def applies(condition: str, factors: Collection[str]) -> bool:
    """Whether the condition of a line, such as `py310,!mypy`, holds for an environment with these factors."""
    return any(
        all((factor.lstrip("!") in factors) is not factor.startswith("!") for factor in one.split("-"))
        for one in expanded(condition)
    )


def substituted(text: str, environment: str, here: str) -> str:
    """Replace the substitutions that depend on no machine; arguments of the user have their default."""
    text = text.replace("{/}", "/").replace("{:}", ":")
    known = dict.fromkeys(("toxinidir", "tox_root", "package_root", "setupdir"), here)
    if environment:
        known.update(dict.fromkeys(("envname", "env_name"), environment))
        known.update(dict.fromkeys(("envpython", "env_python"), "python"))

    def value(match: re.Match[str]) -> str:
        name, _, default = match[1].partition(":")
        if name == "posargs":
            return default
        if name == "env" and ":" in default:
            return default.partition(":")[2]
        return known.get(name, match[0])

    for _ in range(_DEEPEST):
        fuller = _INNERMOST.sub(value, text)
        if fuller == text:
            break
        text = fuller
    return _NO_ARGUMENTS.sub("", text)
