"""What a change makes less strict in the options of a tool: pytest's `addopts`, and our inputs `<tool>-args`. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Final

from ci_action.stages.gate_changes.loosened import (
    ADDED_IGNORE,
    Comparison,
    Seen,
    added,
    listed,
    minimum,
    number,
    pattern,
)

_SIMPLE: Final = re.compile(r"not\s+([A-Za-z_]\w*)(?:\s+and\s+not\s+([A-Za-z_]\w*))*\s*")
_NAME: Final = re.compile(r"not\s+([A-Za-z_]\w*)")
_WITHOUT_COVERAGE: Final = frozenset({"no:cov", "no:pytest_cov"})


class _Kind(Enum):
    """How an option excludes something."""

    FLAG = auto()
    """Without a value: the tool checks nothing, or never fails."""
    ENTRY = auto()
    """Each value is one exception."""
    LIST = auto()
    """Each value is a list of exceptions, with commas."""
    PLUGIN = auto()
    EXPRESSION = auto()
    """The last value selects."""
    PATTERN = auto()
    """The last value is a regular expression of what is excluded."""
    MINIMUM = auto()
    VALUE = auto()
    """Excludes nothing by itself."""


_OPTIONS: Final[Mapping[str, Mapping[str, _Kind]]] = {
    "pytest": {
        "--ignore": _Kind.ENTRY,
        "--ignore-glob": _Kind.ENTRY,
        "--deselect": _Kind.ENTRY,
        "-k": _Kind.EXPRESSION,
        "-m": _Kind.EXPRESSION,
        "-p": _Kind.PLUGIN,
        "--cov-fail-under": _Kind.MINIMUM,
        "--no-cov": _Kind.FLAG,
    },
    "black": dict.fromkeys(("--exclude", "--extend-exclude", "--force-exclude"), _Kind.PATTERN),
    "ruff": {
        **dict.fromkeys(("--ignore", "--exclude", "--per-file-ignores"), _Kind.LIST),
        "--exit-zero": _Kind.FLAG,
    },
    "bandit": {
        **dict.fromkeys(("--skip", "--exclude"), _Kind.LIST),
        "--exit-zero": _Kind.FLAG,
        "--baseline": _Kind.VALUE,
    },
}
_ALIASES: Final[Mapping[str, Mapping[str, str]]] = {
    "ruff": {
        "--extend-ignore": "--ignore",
        "--extend-exclude": "--exclude",
        "--extend-per-file-ignores": "--per-file-ignores",
        "-e": "--exit-zero",
    },
    "bandit": {"-s": "--skip", "-x": "--exclude", "-b": "--baseline"},
}


def _narrower(was: str, now: str) -> Iterator[Seen]:
    """Compare expressions that select: a longer one is less strict, as far as the text shows."""
    if now and not was:
        yield ADDED_IGNORE, f" {now!r} is new", now
    elif now.startswith((f"{was} and ", f"({was}) and ")):
        yield ADDED_IGNORE, f" is {now!r}; it is {was!r} at the base commit", now


_BY_LAST: Final[Mapping[_Kind, Comparison]] = {
    _Kind.EXPRESSION: _narrower,
    _Kind.PATTERN: pattern,
    _Kind.MINIMUM: lambda was, now: minimum(number(was), number(now)),
}


def options(tool: str) -> Comparison:
    """Return how two lists of options of a tool are compared."""

    def compare(before: Sequence[str] | None, after: Sequence[str] | None) -> Iterator[Seen]:
        old, new = [*_pairs(tool, before or ())], [*_pairs(tool, after or ())]
        if fresh := added(_exceptions(tool, old), _exceptions(tool, new)):
            yield ADDED_IGNORE, f": new {listed(fresh)}", fresh[0].partition("=")[2] or fresh[0]
        for name, kind in sorted(_OPTIONS[tool].items(), key=lambda one: one[0]):
            if kind in _BY_LAST:
                now = _last(new, name)
                for rule, text, _ in _BY_LAST[kind](_last(old, name), now):
                    yield rule, f": {name}{text}", name if kind is _Kind.MINIMUM else now

    return compare


def deselected(words: Sequence[str]) -> frozenset[str]:
    """Return the markers whose tests pytest does not run: those of a plain `-m "not slow and not network"`."""
    selection = _last([*_pairs("pytest", words)], "-m")
    return frozenset(_NAME.findall(selection)) if _SIMPLE.fullmatch(selection.strip()) else frozenset()


def baseline_of_bandit(words: Sequence[str]) -> str:
    """Return the baseline of bandit; empty if there is none."""
    return _last([*_pairs("bandit", words)], "--baseline")


def _pairs(tool: str, words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the known options with their values; flags have none."""
    known, aliases = _OPTIONS[tool], _ALIASES.get(tool, {})
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        name = aliases.get(name, name)
        short = aliases.get(word[:2], word[:2])
        if name in known:
            if known[name] is not _Kind.FLAG:
                yield name, value if equals else next(rest, "")
            elif not equals:
                yield name, ""
        elif known.get(short, _Kind.FLAG) is not _Kind.FLAG and not word.startswith("--"):
            yield short, word[2:]


def _exceptions(tool: str, pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, value in pairs:
        match _OPTIONS[tool][name]:
            case _Kind.FLAG:
                yield name
            case _Kind.ENTRY:
                yield f"{name}={value}"
            case _Kind.LIST:
                yield from (f"{name}={item.strip()}" for item in value.split(",") if item.strip())
            case _Kind.PLUGIN if value in _WITHOUT_COVERAGE:
                yield f"{name} {value}"


def _last(pairs: Sequence[tuple[str, str]], wanted: str) -> str:
    return next((value for name, value in reversed(pairs) if name == wanted), "")
