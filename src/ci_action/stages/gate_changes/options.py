"""What a change loosens in the options that a tool is given: pytest's `addopts`, and `<tool>-args` of ours."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ci_action.stages.gate_changes.loosened import (
    ADDED_IGNORE,
    LOWER_MINIMUM,
    added,
    grown,
    listed,
    lower,
    number,
)

_SIMPLE: Final = re.compile(r"not\s+([A-Za-z_]\w*)(?:\s+and\s+not\s+([A-Za-z_]\w*))*\s*")
_NAME: Final = re.compile(r"not\s+([A-Za-z_]\w*)")


@dataclass(frozen=True, kw_only=True)
class _Spec:
    """The options of one tool that take something out."""

    single: frozenset[str] = frozenset()
    """Each value is one exception."""
    commas: frozenset[str] = frozenset()
    """Each value is a list of exceptions, with commas."""
    expressions: frozenset[str] = frozenset()
    """The last one counts: it selects."""
    patterns: frozenset[str] = frozenset()
    """Regular expressions; the last one counts."""
    minima: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    """Without a value: the tool looks at nothing, or fails for nothing."""
    words: frozenset[tuple[str, str]] = frozenset()
    """An option with this value is one exception."""
    same: Mapping[str, str] = field(default_factory=dict)
    """Short names and other names of the options above."""

    @property
    def valued(self) -> frozenset[str]:
        """All options that take a value."""
        pairs = frozenset(name for name, _ in self.words)
        return self.single | self.commas | self.expressions | self.patterns | self.minima | pairs


_SPECS: Final[Mapping[str, _Spec]] = {
    "pytest": _Spec(
        single=frozenset({"--ignore", "--ignore-glob", "--deselect"}),
        expressions=frozenset({"-k", "-m"}),
        minima=frozenset({"--cov-fail-under"}),
        flags=frozenset({"--no-cov"}),
        words=frozenset({("-p", "no:cov"), ("-p", "no:pytest_cov")}),
    ),
    "black": _Spec(patterns=frozenset({"--exclude", "--extend-exclude", "--force-exclude"})),
    "ruff": _Spec(
        commas=frozenset({"--ignore", "--exclude", "--per-file-ignores"}),
        flags=frozenset({"--exit-zero"}),
        same={
            "--extend-ignore": "--ignore",
            "--extend-exclude": "--exclude",
            "--extend-per-file-ignores": "--per-file-ignores",
            "-e": "--exit-zero",
        },
    ),
    "bandit": _Spec(
        commas=frozenset({"--skip", "--exclude"}),
        flags=frozenset({"--exit-zero"}),
        same={"-s": "--skip", "-x": "--exclude"},
    ),
}


def compare(tool: str, before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yield each loosening as its rule, its message and the word that it is about."""
    spec = _SPECS[tool]
    old, new = [*_pairs(spec, before)], [*_pairs(spec, after)]
    fresh = added(_exceptions(spec, old), _exceptions(spec, new))
    if fresh:
        yield ADDED_IGNORE, f"new {listed(fresh)}", fresh[0].partition("=")[2] or fresh[0]
    for name in sorted(spec.expressions | spec.patterns):
        was, now = (_last(pairs, name) for pairs in (old, new))
        if name in spec.expressions and _narrower(was, now):
            yield ADDED_IGNORE, (
                f"{name} is {now!r}; it is {was!r} at the base commit" if was else f"new {name} {now!r}"
            ), now
        if name in spec.patterns and now != was and (found := grown(was, now)):
            yield ADDED_IGNORE, f"{name} also excludes {found[:200]!r}", now
    for name in sorted(spec.minima):
        if text := lower(name, number(_last(old, name)), number(_last(new, name))):
            yield LOWER_MINIMUM, text, name


def deselected(words: Sequence[str]) -> frozenset[str]:
    """Return the markers whose tests pytest leaves out: those of a plain `-m "not slow and not network"`."""
    selection = _last([*_pairs(_SPECS["pytest"], words)], "-m")
    return frozenset(_NAME.findall(selection)) if _SIMPLE.fullmatch(selection.strip()) else frozenset()


def baseline_of_bandit(words: Sequence[str]) -> list[str]:
    """Return the baseline that bandit is given."""
    spec = _Spec(single=frozenset({"--baseline"}), same={"-b": "--baseline"})
    return [value for _, value in _pairs(spec, words)][-1:]


def _pairs(spec: _Spec, words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the options that matter with their values; flags have none."""
    rest = iter(words)
    for word in rest:
        name, equals, value = word.partition("=")
        name = spec.same.get(name, name)
        if not equals and name in spec.flags:
            yield name, ""
        elif name in spec.valued:
            yield name, value if equals else next(rest, "")
        elif (short := spec.same.get(word[:2], word[:2])) in spec.valued and not word.startswith("--"):
            yield short, word[2:]


def _exceptions(spec: _Spec, pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, value in pairs:
        if name in spec.single or (name, value) in spec.words:
            yield f"{name}={value}" if name.startswith("--") else f"{name} {value}"
        elif name in spec.commas:
            yield from (f"{name}={item.strip()}" for item in value.split(",") if item.strip())
        elif name in spec.flags:
            yield name


def _last(pairs: Sequence[tuple[str, str]], wanted: str) -> str:
    return next((value for name, value in reversed(pairs) if name == wanted), "")


def _narrower(was: str, now: str) -> bool:
    """Whether an expression selects less than one before, as far as its text shows."""
    return bool(now) and (not was or now.startswith((f"{was} and ", f"({was}) and ")))
