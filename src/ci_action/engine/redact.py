"""Redact secrets in a run as data, so that no reporter has to.

Prose loses all secrets. Names (paths, rules, versions, addresses, packages) only lose those of the environment: a secret
that was found in a file may be an ordinary word in them. Our own texts stay.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from operator import is_not
from typing import Any, Final, TypeVar

from ci_action.model.coverage import Coverage
from ci_action.model.finding import Finding
from ci_action.model.result import RunResult
from ci_action.system.redaction import Redactor

Value = TypeVar("Value")

# Our own texts: a secret that equals one of these words hides nothing.
_OURS: Final = frozenset({
    "Finding.tool", "Finding.severity", "Finding.fingerprint", "Hint.name", "ToolResult.tool", "ToolResult.url",
    "StageResult.stage", "RunResult.scope",
})  # fmt: skip
_NAMES: Final = frozenset({
    "rule", "url", "muted", "also", "same_as", "path", "version", "version_source", "commit", "base",
    "name", "advisories", "fixed_in", "parents", "upgrade", "licenses",
})  # fmt: skip
# Names that quote the project: the steps of a Dockerfile, the commands that are run in a container.
_PROSE: Final = frozenset({"BuildStep.name", "Probe.name"})
# The lines of a finding: it notes that secrets in them were replaced.
_LINES: Final = frozenset({"before", "after"})


def redacted_words(result: RunResult, redact: Redactor) -> RunResult:
    """Return a run with `***` for every secret outside the results of its stages."""
    return replace(redacted(replace(result, stages=()), redact), stages=result.stages)


def redacted(value: Value, redact: Redactor) -> Value:
    """Return a run or a part of it with `***` for every secret; the same object without secrets."""
    found: Value = _changed(value, redact, redact) if redact else value
    return found


def _changed(value: Any, redact: Redactor, change: Callable[[str], str]) -> Any:
    """Return a value with changed texts; the same object if nothing changed, as in most of a large run."""
    kind: Any = type(value)
    if kind is str:  # not an enum
        after = change(value)
        return value if after == value else after
    if kind is tuple:
        items = tuple([_changed(one, redact, change) for one in value])
        return items if any(map(is_not, items, value)) else value
    if kind is Coverage:
        return _coverage(value, redact.known)
    if texts := _texts(kind):
        found = {}
        for name, is_name in texts:
            before = getattr(value, name)
            if (
                before
                and (new := _changed(before, redact, redact.known if is_name else redact)) is not before
            ):
                found[name] = new
        if kind is Finding and not found.keys().isdisjoint(_LINES):
            found["redacted"] = True
        return replace(value, **found) if found else value
    if isinstance(value, Mapping):
        return {name: _changed(one, redact, change) for name, one in value.items()}
    return value


@cache
def _texts(kind: type) -> tuple[tuple[str, bool], ...]:
    """Return the fields of a dataclass that are not ours, and whether each is a name; none for another class."""
    if not is_dataclass(kind):
        return ()
    return tuple(
        (one.name, one.name in _NAMES and f"{kind.__name__}.{one.name}" not in _PROSE)
        for one in fields(kind)
        if f"{kind.__name__}.{one.name}" not in _OURS
    )


def _coverage(coverage: Coverage, known: Callable[[str], str]) -> Coverage:
    """Return the coverage with redacted paths; equal paths get numbers, or the totals would change."""
    files = {}
    for path, one in coverage.files.items():
        shown = name = known(path)
        number = 1
        while name in files or (name != path and name in coverage.files):
            number += 1
            name = f"{shown}-{number}"
        files[name] = one if name == path else replace(one, path=name)
    return replace(coverage, files=files)
