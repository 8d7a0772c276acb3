"""What pip-audit prints with `--format=json`: each package that it was given, audited or passed over."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ci_action.project.dependencies.inventory import key_of
from ci_action.system.errors import ToolError
from ci_action.system.process import last_lines
from ci_action.system.text import one_line

_LONGEST_SUMMARY: Final = 240
_LONGEST_NAME: Final = 80
# What it says of an advisory that it could not read and left out.
_PASSED_OVER: Final = ("Unsupported OSV schema version", "is missing 'affected' list")
_REMARK: Final = "WARNING:pip_audit._service.osv:"
_AUDITED: Final = "DEBUG:pip_audit._cli:Auditing "


@dataclass(frozen=True, kw_only=True)
class Advisory:
    """An advisory about one version of a package."""

    id: str
    aliases: tuple[str, ...] = ()
    fixed_in: tuple[str, ...] = ()
    summary: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one run of pip-audit has found, by name and version of the package."""

    audited: Mapping[tuple[str, str], tuple[Advisory, ...]]
    skipped: Mapping[str, str]
    """By name: why it could not be audited."""
    doubts: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """What was found of a package may not be all: pip-audit left out an advisory that it could not read."""


def parse(stdout: bytes) -> Answer:
    """Read the JSON; raises `ToolError` where there is none, or of another shape."""
    if not stdout.strip():
        raise ToolError("pip-audit printed nothing where its JSON should be")
    try:
        document = json.loads(stdout)
        audited, skipped = {}, {}
        for entry in document["dependencies"]:
            if "skip_reason" in entry:
                skipped[key_of(_text(entry["name"]), "")[0]] = _short(entry["skip_reason"])
                continue
            key = key_of(_text(entry["name"]), _text(entry["version"]))
            audited[key] = tuple(_advisory(one) for one in entry["vulns"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ToolError(f"pip-audit did not print its JSON: {one_line(repr(error))[:200]}") from error
    return Answer(audited=audited, skipped=skipped)


def _advisory(entry: Mapping[str, Any]) -> Advisory:
    name = _name(entry["id"])
    aliases = dict.fromkeys(_name(one) for one in entry.get("aliases", ()))
    return Advisory(
        id=name,
        aliases=tuple(sorted(alias for alias in aliases if alias != name)),
        fixed_in=tuple(_text(one) for one in entry.get("fix_versions", ())),
        summary=_short(entry.get("description", "")),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"a text was expected, not {type(value).__name__}")
    return value


def _name(value: object) -> str:
    return one_line(_text(value))[:_LONGEST_NAME]


def _short(value: object) -> str:
    """Return text on one line, cut where it is long: a summary may be the whole description of the advisory."""
    text = " ".join(one_line(_text(value)[: 4 * _LONGEST_SUMMARY]).split())
    text = "" if text == "N/A" else text
    return text if len(text) <= _LONGEST_SUMMARY else f"{text[: _LONGEST_SUMMARY - 2].rstrip()} …"


def audited_before_it_failed(stderr: str) -> int:
    """Say how many packages, in the order in which they were given, were answered before pip-audit ended."""
    return sum(line.startswith(_AUDITED) for line in stderr.splitlines())


def passed_over(stderr: str) -> dict[int, str]:
    """Return what pip-audit says of advisories that it could not read, by the place of the package in what was given."""
    found: dict[int, str] = {}
    place = 0
    for line in stderr.splitlines():
        if line.startswith(_AUDITED):
            place += 1
        elif line.startswith(_REMARK) and any(words in line for words in _PASSED_OVER):
            found[place] = _short(line.removeprefix(_REMARK))
    return found


def failure_of(stderr: str) -> str:
    """Return the last thing that pip-audit says about why it ended: the line of the exception, or its error."""
    lines = last_lines(stderr, 400).splitlines()
    told = [line for line in lines if not line.startswith(("DEBUG:", " ", "WARNING:"))]
    return one_line((told or lines or ["it wrote nothing"])[-1])[:600]
