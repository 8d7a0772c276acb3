"""What inputs accept: text, lists, words, patterns, versions, percentages, tables; each a `Kind`."""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from ci_action.settings.field import EntryError, Kind, mistakes_of
from ci_action.settings.types import Area, Assignment, IgnoredVulnerability, Secret
from ci_action.system.patterns import gitignore
from ci_action.system.text import did_you_mean

T = TypeVar("T")
Choice = TypeVar("Choice", bound=StrEnum)

_TEXT: Final = {"type": "string"}
_VERSION: Final = re.compile(r"3\.\d{1,3}(\.\d{1,3})?")
# What YAML makes of an unquoted 3.10; 3.11 and later survive it.
_YAML_VICTIMS: Final = frozenset({"3.0", "3.1", "3.2"})
# Several words in a line are meant as a list, which lists of expressions do not have.
_SEVERAL_WORDS: Final = re.compile(r"[\w.-]+(?:\s*,\s*[\w.-]+)+")
_SHARD: Final = "write a part and the number of parts, such as '2/4'"
_ASSIGNMENT: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)
_SIZE: Final = re.compile(r"\s*(\d{1,9}(?:\.\d{1,3})?)\s*([KMGT]?)(I?)B?\s*", re.IGNORECASE)
_ORDERS: Final = "KMGT"


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("write text")
    return value


def _without_nul(value: object) -> str:
    if "\0" in (given := _text(value)):
        raise ValueError("contains a NUL character")
    return given


def _checked(check: Callable[[str], object], problem: str) -> Callable[[object], str]:
    """Return a reader of text that passes a check; the check raises `ValueError` or `re.error`."""

    def read(value: object) -> str:
        given = _text(value)
        try:
            check(given)
        except (ValueError, re.error) as error:
            raise ValueError(f"{problem} ({error})") from error
        return given

    return read


def _matching(expression: str, remedy: str) -> Callable[[object], str]:
    """Return a reader of text and numbers that match an expression."""

    def read(value: object) -> str:
        given = " ".join(_text(str(value) if isinstance(value, int) else value).split())
        if re.fullmatch(expression, given):
            return given
        raise ValueError(remedy)

    return read


def _python_version(value: object) -> str:
    if isinstance(value, float | int):
        raise ValueError("write it in quotes: as a number, 3.10 is the same as 3.1")
    version = _text(value)
    if version in _YAML_VICTIMS:
        raise ValueError("this Python version is not supported; in YAML, write '3.10' in quotes")
    if not version or _VERSION.fullmatch(version) or (version[0] in "<>=!~" and _is_range(version)):
        return version
    raise ValueError("write a version such as '3.12', or a range such as '>=3.11'")


def _is_range(version: str) -> bool:
    from packaging.specifiers import SpecifierSet  # 35 ms that most runs do not need

    try:
        SpecifierSet(version).contains("3")  # it reads the numbers only now
    except ValueError:
        return False
    return True


def _shard(value: object) -> str:
    shard = _matching(r"(?:[1-9]\d{0,3}/[1-9]\d{0,3})?", _SHARD)(value)
    part, _, parts = shard.partition("/")
    if shard and int(part) > int(parts):
        raise ValueError(_SHARD)
    return shard


_command: Final = _checked(shlex.split, "the quotes do not match; write it as in a shell")
_expression: Final = _checked(re.compile, "not a regular expression")


def _only_expression(value: object) -> str:
    if isinstance(value, str) and _SEVERAL_WORDS.fullmatch(value):
        raise ValueError("write one expression a line: a comma may be a part of it")
    return _expression(value)


SWITCH_VALUES: Final[Mapping[str, bool]] = {
    "true": True, "false": False, "yes": True, "no": False, "on": True, "off": False,
}  # fmt: skip
"""What a switch accepts."""


def _switch(value: object) -> bool:
    try:
        return SWITCH_VALUES[str(value).strip().lower()]
    except KeyError:
        raise ValueError("write 'true' or 'false'") from None


_ALL: Final = 100


def _percent(value: object) -> Decimal | None:
    """Read a percentage exactly: 89.996 is not 90."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value).strip().removesuffix("%").strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_finite() and 0 <= number <= _ALL:
        return number
    raise ValueError("write a percentage from 0 to 100, such as 90 or 87.5")


def _assignment(value: object) -> Assignment:
    found = _ASSIGNMENT.fullmatch(_without_nul(value))
    if not found or "\n" in found[2] or "\r" in found[2]:
        raise ValueError("write NAME=value on one line")
    return Assignment(found[1], found[2])


def _size(value: object) -> int | None:
    if value is None or value == "":
        return None
    found = None if isinstance(value, bool) else _SIZE.fullmatch(str(value))
    number = int(Decimal(found[1]) * _unit(found[2], found[3])) if found else 0
    if not number:
        raise ValueError("write a size such as '300MB' or '300MiB'")
    return number


def _unit(order: str, binary: str) -> int:
    base = 1024 if binary else 1000
    return base ** (_ORDERS.index(order.upper()) + 1) if order else 1


def _web_address(value: object) -> str:
    given = _without_nul(value)
    try:
        parts = urlsplit(given)
        sound = not given or (parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0)
    except ValueError:
        sound = False
    if not sound or re.search(r"[\s\x00-\x1f\x7f]", given):
        raise ValueError("write an address such as 'http://localhost:8000/health'")
    return given


text: Final = Kind(_without_nul, _TEXT)
web_address: Final = Kind(_web_address, _TEXT, private=True)
size: Final = Kind(
    _size, {"anyOf": [_TEXT, {"type": "integer", "minimum": 1}, {"type": "null"}]}, default=None
)
"""A number of bytes: `300MB` is decimal, `300MiB` binary."""
platform: Final = Kind(
    _matching(
        r"(?:[a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9.]+)?)?",
        "write one platform, such as 'linux/amd64'; docs/stages/docker.md shows how to build for several",
    ),
    _TEXT,
)
address: Final = Kind(_without_nul, _TEXT, private=True)
secret: Final = Kind(lambda value: Secret(_text(value)), _TEXT, Secret(), private=True)
pattern: Final = Kind(_expression, _TEXT)
workers: Final = Kind(
    _matching(
        r"|auto|[1-9]\d?|[1-4]\d\d|50\d|51[0-2]", "write 'auto' or a number of processes from 1 to 512"
    ),
    _TEXT,
)
shard: Final = Kind(_shard, _TEXT)
switch: Final = Kind(_switch, {"type": "boolean"}, default=False)
percent: Final = Kind(_percent, {"anyOf": [{"type": "number"}, _TEXT, {"type": "null"}]}, default=None)
python_version: Final = Kind(
    _python_version, {**_TEXT, "pattern": r"^(3\.([3-9]|[1-9][0-9])(\.[0-9]+)?|[<>=!~].*)?$"}
)


def whole(least: int, most: int | None = None) -> Kind[int]:
    """Return the kind of whole numbers in a range."""

    def read(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"\s*\d{1,9}\s*", value):
            value = int(value)
        if type(value) is int and least <= value <= (value if most is None else most):
            return value
        limits = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"write a whole number {limits}")

    maximum = {} if most is None else {"maximum": most}
    return Kind(read, {"type": "integer", "minimum": least, **maximum}, least)


def choice(default: Choice) -> Kind[Choice]:
    """Return the kind of an enumeration, by its default."""
    members, values = type(default), [str(member) for member in type(default)]

    def read(value: object) -> Choice:
        if value in values:
            return members(value)
        raise ValueError(f"must be {', '.join(map(repr, values[:-1]))} or {values[-1]!r}")

    return Kind(read, {**_TEXT, "enum": values}, default)


# Lists and tables.


def many(
    entry: Kind[T], split: Callable[[object], object], remedy: str = "write text, or a list of texts"
) -> Kind[tuple[T, ...]]:
    """Return the kind of a list, which may be written as one text too."""

    def read(value: object) -> tuple[T, ...]:
        given = split(value)
        if not isinstance(given, list | tuple):
            raise ValueError(remedy)
        found, mistakes = [], []
        for number, one in enumerate(given, 1):
            try:
                found.append(entry.read(one))
            except ValueError as error:
                mistakes += mistakes_of(f"entry {number}", one, error, private=entry.private)
        if mistakes:
            raise EntryError(mistakes)
        return tuple(found)

    schema = {"anyOf": [{"type": "array", "items": entry.schema}, _TEXT]}
    return Kind(read, schema, (), private=entry.private)


def _separated(separator: str) -> Callable[[object], object]:
    """Return a function that splits text, drops what is blank, and strips the entries of text and lists."""

    def split(value: object) -> object:
        if isinstance(value, str):
            value = list(filter(str.strip, re.split(separator, value)))
        if not isinstance(value, list | tuple):
            return value
        return [entry.strip() if isinstance(entry, str) else entry for entry in value]

    return split


_by_line: Final = _separated(r"[\n\r]")
_by_comma: Final = _separated(r"[,\n\r]")

_entry: Final = Kind(_text, _TEXT)
lines: Final = many(_entry, _by_line)
items: Final = many(_entry, _by_comma)
addresses: Final = many(address, _by_comma)
assignments: Final = many(Kind(_assignment, _TEXT), _by_line, "write text, or a list of NAME=value")
private_assignments: Final = many(
    Kind(_assignment, _TEXT, private=True), _by_line, "write text, or a list of NAME=value"
)
words: Final = many(_entry, lambda value: shlex.split(_command(value)) if isinstance(value, str) else value)
commands: Final = many(Kind(_command, _TEXT), _by_line)
patterns: Final = many(Kind(_only_expression, _TEXT), _by_line)
globs: Final = many(
    Kind(_checked(lambda glob: gitignore([glob]), "not a pattern of .gitignore"), _TEXT), _by_comma
)


def table(
    keys: Mapping[str, Kind[Any]], make: Callable[..., T], parse: Callable[[str], object], remedy: str
) -> Kind[T]:
    """Return the kind of a table that has all keys, which may be written as a line of text too."""

    def read(value: object) -> T:
        given = parse(value) if isinstance(value, str) else value
        if not isinstance(given, dict):
            needed = (
                remedy if isinstance(value, str) else f"a line of text, or a table with {', '.join(keys)}"
            )
            raise ValueError(f"write {needed}")
        mistakes = [f"{key!r} is missing" for key in keys if key not in given]
        mistakes += [f"unknown key {key!r}{did_you_mean(str(key), keys)}" for key in given if key not in keys]
        found = {}
        for key in (key for key in keys if key in given):
            try:
                found[key] = keys[key].read(given[key])
            except ValueError as error:
                mistakes += mistakes_of(key, given[key], error)
        if mistakes:
            raise EntryError(mistakes)
        return make(**found)

    properties = {name: key.schema for name, key in keys.items()}
    schema = {"type": "object", "properties": properties, "required": list(keys)}
    return Kind(read, {"anyOf": [{**schema, "additionalProperties": False}, _TEXT]})


def _package(value: object) -> str:
    from packaging.utils import InvalidName, canonicalize_name  # 20 ms that few runs need

    try:
        return canonicalize_name(_text(value), validate=True)
    except InvalidName:
        raise ValueError("not the name of a package") from None


def _day(value: object) -> date:
    if type(value) is date:
        return value
    try:
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("write the last day as year-month-day, such as 2026-12-31")


_IGNORED: Final = re.compile(
    r"(?P<package>\S+)\s+(?P<id>\S+)\s+(?P<expires>\d{4}-\d\d-\d\d)\s+(?P<reason>\S.*)", re.DOTALL
)


def _ignored(line: str) -> object:
    match = _IGNORED.fullmatch(line.strip())
    return match and match.groupdict()


ignored_vulnerabilities: Final = many(
    table(
        {
            "package": Kind(_package, {**_TEXT, "minLength": 1}),
            "id": Kind(
                _matching(r"\S+", "write the name of an advisory, such as CVE-2021-33503"),
                {**_TEXT, "description": "The advisory, or one of its aliases."},
            ),
            "expires": Kind(
                _day, {**_TEXT, "format": "date", "description": "The last day on which it is accepted."}
            ),
            "reason": Kind(_matching(r".+", "write why it is accepted"), {**_TEXT, "minLength": 1}),
        },
        IgnoredVulnerability,
        _ignored,
        "package, advisory, last day and reason, such as 'urllib3 CVE-2021-33503 2026-12-31 no proxy is used'",
    ),
    _by_line,
    "write one entry a line, or a list of tables",
)


def _area_patterns(value: object) -> tuple[str, ...]:
    if found := globs.read(value):
        return found
    raise ValueError("write at least one pattern")


def _area(line: str) -> object:
    name, separator, patterns = line.partition(":")
    return {"name": name, "patterns": patterns} if separator else None


_areas: Final = many(
    table(
        {
            "name": Kind(_matching(r".+", "write a name"), _TEXT),
            "patterns": Kind(_area_patterns, globs.schema),
        },
        Area,
        _area,
        "'name: pattern, pattern', such as 'api: src/api/, tests/api/'",
    ),
    lambda value: (
        [{"name": str(name), "patterns": given} for name, given in value.items()]
        if isinstance(value, dict)
        else _by_line(value)
    ),
)
# The table that TOML writes best: names of areas to their patterns.
_TABLE_OF_AREAS: Final = {"type": "object", "additionalProperties": globs.schema}
areas: Final = replace(_areas, schema={"anyOf": [_TABLE_OF_AREAS, *_areas.schema["anyOf"]]})
