"""How the text of a setting becomes a value: lists, words, patterns, versions, seconds."""

import re
import shlex
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Final

from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidName, canonicalize_name
from pathspec import GitIgnoreSpec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ci_action.system.patterns import gitignore

_VERSION: Final = re.compile(r"3\.\d{1,3}(\.\d{1,3})?")
_IGNORED: Final = re.compile(
    r"(?P<package>\S+)\s+(?P<id>\S+)\s+(?P<expires>\d{4}-\d\d-\d\d)\s+(?P<reason>\S.*)", re.DOTALL
)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
# Several words in a line are meant as a list, which these settings do not have.
_SEVERAL_WORDS: Final = re.compile(r"[\w.-]+(?:\s*,\s*[\w.-]+)+")
_MOST_WORKERS: Final = 512
# What YAML makes of an unquoted 3.10; 3.11 and later survive it.
_YAML_VICTIMS: Final = frozenset({"3.0", "3.1", "3.2"})


def _lines(value: object) -> object:
    if isinstance(value, str):
        return [line.strip() for line in value.splitlines() if line.strip()]
    return value


def _items(value: object) -> object:
    if isinstance(value, str):
        return [item.strip() for item in re.split(r"[,\n\r]", value) if item.strip()]
    return value


def _words(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return shlex.split(value)
    except ValueError as error:
        raise ValueError(f"the quotes do not match ({error}); write it as in a shell") from error


def _commands(value: object) -> object:
    lines = _lines(value)
    for line in lines if isinstance(lines, list) else ():
        try:
            shlex.split(line)
        except ValueError as error:
            raise ValueError(
                f"the quotes of {line!r} do not match ({error}); write it as in a shell"
            ) from error
        except (AttributeError, TypeError):  # no text, which pydantic says
            break
    return lines


def _is_range(text: str) -> bool:
    SpecifierSet(text).contains("3")  # it reads the numbers only now
    return bool(text)


def _python_version(value: object) -> object:
    if isinstance(value, float | int):
        raise ValueError(  # noqa: TRY004 - pydantic makes a mistake of the user out of ValueError alone
            "write it in quotes: a number cannot tell 3.10 from 3.1"
        )
    if not isinstance(value, str) or not value:
        return value
    if value in _YAML_VICTIMS:
        raise ValueError("no such Python is supported; in YAML, write '3.10' in quotes")
    try:
        if _VERSION.fullmatch(value) or (value[0] in "<>=!~" and _is_range(value)):
            return value
    except ValueError:
        pass
    raise ValueError("write a version such as '3.12', or a range such as '>=3.11'")


def _seconds(value: object) -> object:
    if isinstance(value, bool | float) or (isinstance(value, str) and not value.strip().isdecimal()):
        raise ValueError("write a whole number of seconds, such as 600")
    return value


def _percent(value: object) -> object:
    """Read a percentage exactly: 89.996 is not 90."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("write a percentage from 0 to 100, such as 90 or 87.5")  # noqa: TRY004 - as above
    try:
        number = Decimal(str(value).strip().removesuffix("%").strip())
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or not 0 <= number <= 100:  # noqa: PLR2004 - a percentage
        raise ValueError("write a percentage from 0 to 100, such as 90 or 87.5")
    return number


def _workers(value: object) -> object:
    text = str(value).strip()
    if text not in {"", "auto"} and not (text.isdecimal() and 1 <= int(text) <= _MOST_WORKERS):
        raise ValueError("write 'auto' or a number of processes, such as 4")
    return text


def _shard(value: object) -> object:
    text = str(value).strip()
    match = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
    if text and (match is None or int(match[1]) > int(match[2])):
        raise ValueError("write which part of how many, such as '2/4'")
    return text


def _folder(value: object) -> object:
    if isinstance(value, str) and "\0" in value:
        raise ValueError("a path cannot hold a NUL character")
    return value


def _switch(value: object) -> object:
    words = {"true": True, "false": False, "yes": True, "no": False, "on": True, "off": False}
    found = words.get(str(value).strip().lower())
    if found is None:
        raise ValueError("write 'true' or 'false'")
    return found


def _ignored_entry(entry: object) -> object:
    if not isinstance(entry, str):
        return entry
    match = _IGNORED.fullmatch(entry.strip())
    if match is None:
        raise ValueError(
            "write package, advisory, last day and reason,"
            " such as 'urllib3 CVE-2021-33503 2026-12-31 no proxy is used'"
        )
    return match.groupdict()


def _day(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("write the last day as year-month-day, such as 2026-12-31")


def _package(value: object) -> object:
    try:
        return value if not isinstance(value, str) else canonicalize_name(value, validate=True)
    except InvalidName:
        raise ValueError("that is no name of a package") from None


def _advisory(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"\S+", value):
        raise ValueError("write the name of an advisory, such as CVE-2021-33503")
    return value


def _reason(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not value.strip():
        raise ValueError("say why it is accepted")
    return " ".join(value.split())


class IgnoredVulnerability(BaseModel):
    """A vulnerability that is accepted for a time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    package: Annotated[str, BeforeValidator(_package)] = Field(min_length=1)
    id: Annotated[str, BeforeValidator(_advisory)] = Field(description="The advisory, or one of its aliases.")
    expires: Annotated[date, BeforeValidator(_day)] = Field(
        description="The last day on which it is accepted."
    )
    reason: Annotated[str, BeforeValidator(_reason)] = Field(min_length=1)

    def matches(self, package: str, advisories: Iterable[str]) -> bool:
        """Whether it is about one of these advisories of a package."""
        known = {advisory.casefold() for advisory in advisories}
        return self.package == canonicalize_name(package) and self.id.casefold() in known

    def __str__(self) -> str:
        """Render as the input takes it."""
        return f"{self.package} {self.id} {self.expires.isoformat()} {self.reason}"


class Area(BaseModel):
    """A part of the project: a name, and the patterns of its files as in `.gitignore`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    patterns: tuple[str, ...]

    def __str__(self) -> str:
        """Render as the input takes it."""
        return f"{self.name}: {', '.join(self.patterns)}"

    @property
    def spec(self) -> GitIgnoreSpec:
        """The patterns, ready to match."""
        return gitignore(self.patterns)


def _expression(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"{value!r} is no regular expression: {error}") from error
    return value


def _expressions(value: object) -> object:
    given = value.splitlines() if isinstance(value, str) else value
    if not isinstance(given, list | tuple):
        return given
    lines = [entry.strip() if isinstance(entry, str) else entry for entry in given]
    for line in lines:
        if isinstance(line, str) and _SEVERAL_WORDS.fullmatch(line):
            raise ValueError(f"{line!r}: write one expression a line, since a comma may be a part of it")
    return [_expression(line) for line in lines if line != ""]


def _glob(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        gitignore([value])
    except (ValueError, re.error) as error:
        raise ValueError(f"{value!r} is no pattern of .gitignore") from error
    return value


def _globs(value: object) -> object:
    given = re.split(r"[,\n\r]", value) if isinstance(value, str) else value
    if not isinstance(given, list | tuple):
        return given
    entries = [entry.strip() if isinstance(entry, str) else entry for entry in given]
    return [_glob(entry) for entry in entries if entry != ""]


def _areas(value: object) -> object:
    if isinstance(value, dict):
        return [_area(str(name), patterns) for name, patterns in value.items()]
    if isinstance(value, str):
        value = [line for line in value.splitlines() if line.strip()]
    return [_area_of(entry) for entry in value] if isinstance(value, list | tuple) else value


def _area_of(entry: object) -> object:
    if not isinstance(entry, str):
        return entry
    name, separator, patterns = entry.partition(":")
    if not separator or not name.strip() or not patterns.strip():
        raise ValueError(f"{entry!r}: write 'name: pattern, pattern', such as 'api: src/api/, tests/api/'")
    return _area(name, patterns)


def _area(name: str, patterns: object) -> object:
    given = patterns.split(",") if isinstance(patterns, str) else patterns
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
        raise ValueError(f"{name!r}: write its patterns as a list of texts")
    known = _globs(given)
    if not name.strip() or not known:
        raise ValueError(f"{name!r}: an area needs a name, and a pattern at least")
    return {"name": name.strip(), "patterns": known}


class ToolVersions(StrEnum):
    """Whose versions of the tools run."""

    PROJECT = "project"
    BUNDLED = "bundled"


class Scope(StrEnum):
    """Which findings count: all, or those on lines that the change touched."""

    ALL = "all"
    CHANGED = "changed"


class FailOn(StrEnum):
    """What turns the security stage red."""

    NEVER = "never"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"
    NEW = "new"


class GateChanges(StrEnum):
    """What becomes of a change that makes the checks less strict."""

    OFF = "off"
    WARN = "warn"
    FAIL = "fail"


class CommentWhen(StrEnum):
    """When the pull request gets a comment."""

    NEVER = "never"
    ON_FAILURE = "on-failure"
    ALWAYS = "always"


class DraftTitles(StrEnum):
    """Whether the titles of drafts are checked."""

    CHECK = "check"
    SKIP = "skip"


class RunAs(StrEnum):
    """Who runs the project's code in the container."""

    OWNER = "owner"
    ROOT = "root"


Switch = Annotated[bool, BeforeValidator(_switch)]
IgnoredVulnerabilities = Annotated[
    tuple[Annotated[IgnoredVulnerability, BeforeValidator(_ignored_entry)], ...], BeforeValidator(_lines)
]
Commands = Annotated[tuple[str, ...], BeforeValidator(_commands)]
Lines = Annotated[tuple[str, ...], BeforeValidator(_lines)]
Items = Annotated[tuple[str, ...], BeforeValidator(_items)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Folder = Annotated[str, BeforeValidator(_folder)]
Percent = Annotated[Decimal | None, BeforeValidator(_percent)]
Workers = Annotated[str, BeforeValidator(_workers)]
Shard = Annotated[str, BeforeValidator(_shard)]
PythonVersion = Annotated[str, BeforeValidator(_python_version)]
Seconds = Annotated[int, BeforeValidator(_seconds)]
Pattern = Annotated[str, BeforeValidator(_expression)]
Patterns = Annotated[tuple[str, ...], BeforeValidator(_expressions)]
Globs = Annotated[tuple[str, ...], BeforeValidator(_globs)]
Areas = Annotated[tuple[Area, ...], BeforeValidator(_areas)]
