"""What a change loosens in our own settings: `[tool.ci-action]`, and `with:` of our steps in workflows. Nothing is read here."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from ci_action.project import workflows
from ci_action.project.workflows import Step
from ci_action.settings import Settings
from ci_action.settings.resolve import from_pyproject
from ci_action.settings.types import FailOn, GateChanges, IgnoredVulnerability, Scope
from ci_action.stages.gate_changes import options
from ci_action.stages.gate_changes.configs import PYPROJECT, Config
from ci_action.stages.gate_changes.loosened import (
    ADDED_IGNORE,
    LOWER_MINIMUM,
    NARROWER_PATHS,
    SOFTER_FAIL_ON,
    Loosened,
    added,
    below,
    lower,
    softer,
)
from ci_action.stages.gate_changes.settings_of_tools import Where, fewer, more

_MINIMA: Final = ("coverage-min", "patch-coverage-min")
# From soft to strict; `new` blocks less than `low`, and cannot be compared with the others.
_ORDERS: Final[Mapping[str, Sequence[Sequence[str]]]] = {
    "fail-on": (
        (FailOn.NEVER, FailOn.CRITICAL, FailOn.HIGH, FailOn.MEDIUM, FailOn.LOW),
        (FailOn.NEVER, FailOn.NEW, FailOn.LOW),
    ),
    "gate-changes": ((GateChanges.OFF, GateChanges.WARN, GateChanges.FAIL),),
}
_ARGUMENTS: Final = {
    "pytest-args": "pytest",
    "black-args": "black",
    "ruff-args": "ruff",
    "bandit-args": "bandit",
}
COMPARED: Final = (
    *_MINIMA, *_ORDERS, "scope", "ignore", "paths", "coverage-source", "ignore-vulnerabilities", "licenses-allow",
    "licenses-deny", *_ARGUMENTS,
)  # fmt: skip
_EVERYTHING: Final = ("*",)
_OURS: Final = re.compile(r"[^/@\s]+/ci-action(/[^@\s]*)?@\S+")


def of_table(config: Config | None) -> dict[str, Any]:
    """Return the compared settings that `[tool.ci-action]` sets, as values; wrong ones are left out."""
    table, _ = from_pyproject({"tool": {"ci-action": config.table}} if config else {}, PYPROJECT)
    return _values(table)


def _values(given: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name in COMPARED:
        if name in given:
            try:
                found[name] = getattr(Settings.model_validate({name: given[name]}), _field(name))
            except ValidationError:
                continue
    return found


def _field(name: str) -> str:
    return name.replace("-", "_")


def _default(name: str) -> Any:
    return Settings.model_fields[_field(name)].get_default()


def is_set(settings: Settings, name: str) -> bool:
    """Whether a setting differs from its default."""
    return bool(getattr(settings, _field(name)) != _default(name))


def of_keys(old: Config | None, new: Config | None, fixed: frozenset[str]) -> Iterator[Loosened]:
    """Yield what is less strict by the keys; those in `fixed` are set by the workflow, whatever the keys say."""

    def where(name: str) -> Where:
        def place(entry: str) -> tuple[str, int | None]:
            if new:
                return new.path, new.line((name,), entry)
            return (old.path, None) if old else ("", None)

        return place

    before, after = of_table(old), of_table(new)
    for name in COMPARED:
        if name not in fixed:
            yield from _of_setting(
                name, before.get(name, _default(name)), after.get(name, _default(name)), where(name)
            )


def _of_setting(name: str, before: Any, after: Any, where: Where) -> Iterator[Loosened]:
    """Yield what is less strict in the value of one setting."""
    label = f"`{name}`"
    if before == after:
        return
    if name in _MINIMA:
        if text := lower(label, before, after):
            yield _at(LOWER_MINIMUM, text, where)
    elif name in _ORDERS:
        if any(softer(order, before, after) for order in _ORDERS[name]):
            yield _at(
                SOFTER_FAIL_ON,
                f"{label} is {after.value!r}; it is {before.value!r} at the base commit",
                where,
            )
    elif name == "scope":
        if after is Scope.CHANGED:
            text = f"{label} is 'changed': findings outside of the changed lines no longer count"
            yield _at(NARROWER_PATHS, text, where)
    elif name in _ARGUMENTS:
        for rule, text, word in options.compare(_ARGUMENTS[name], before, after):
            yield _at(rule, f"{label}: {text}", where, word)
    else:
        yield from _LISTS[name](label, before, after, where)


def _at(rule: str, message: str, where: Where, entry: str = "") -> Loosened:
    path, line = where(entry)
    return Loosened(rule=rule, message=message, path=path, line=line)


_Comparison = Callable[[str, Any, Any, Where], Iterator[Loosened]]


def _exceptions(label: str, before: Sequence[str], after: Sequence[str], where: Where) -> Iterator[Loosened]:
    return more(label, added(before, after), where)


def _places(label: str, before: Sequence[str], after: Sequence[str], where: Where) -> Iterator[Loosened]:
    return fewer(label, before or (".",), after or (".",), below, where)


def _sources(label: str, before: Sequence[str], after: Sequence[str], where: Where) -> Iterator[Loosened]:
    if before and after:  # what is measured without it is up to the project
        yield from fewer(label, before, after, below, where)


def _vulnerabilities(
    label: str, before: Sequence[IgnoredVulnerability], after: Sequence[IgnoredVulnerability], where: Where
) -> Iterator[Loosened]:
    known = {(one.package, one.id): one.expires for one in before}
    fresh = [one for one in after if (day := known.get((one.package, one.id))) is None or one.expires > day]
    shown = [f"{one.package} {one.id} until {one.expires.isoformat()}" for one in fresh]
    at = fresh[0].id if fresh else ""
    return more(label, shown, lambda _: where(at))


def _allowed(label: str, before: Sequence[str], after: Sequence[str], where: Where) -> Iterator[Loosened]:
    if before:  # without it every licence is allowed
        yield from more(label, added(before, after or _EVERYTHING), where)


def _denied(label: str, before: Sequence[str], after: Sequence[str], where: Where) -> Iterator[Loosened]:
    gone = added(after, before)
    if gone:
        from_list = ", ".join(gone[:5])
        yield _at(ADDED_IGNORE, f"{label} no longer has {from_list}", where)


_LISTS: Final[Mapping[str, _Comparison]] = {
    "ignore": _exceptions,
    "paths": _places,
    "coverage-source": _sources,
    "ignore-vulnerabilities": _vulnerabilities,
    "licenses-allow": _allowed,
    "licenses-deny": _denied,
}


def steps_of(text: str, action: str = "") -> list[Step]:
    """Return our steps in a workflow; `action` is one more name of us. Raises `ValueError` and `RecursionError`."""
    return [
        step
        for step in workflows.steps_of(text)
        if _OURS.fullmatch(step.uses) or (action and step.uses.partition("@")[0] == action)
    ]


def of_workflow(
    path: str,
    before: Sequence[Step],
    after: Sequence[Step],
    keys: tuple[Mapping[str, Any], Mapping[str, Any]],
) -> Iterator[Loosened]:
    """Yield what is less strict in the steps of a workflow; `keys` are those of `[tool.ci-action]` before and after."""
    for old, new in _paired(before, after):
        literal = [name for name in COMPARED if _is_literal(old, name) and _is_literal(new, name)]
        changed = [name for name in literal if _text(old, name) != _text(new, name)]
        values = tuple(
            {**of_keys_, **_values({name: _text(step, name) for name in changed if _text(step, name)})}
            for step, of_keys_ in zip((old, new), keys, strict=True)
        )
        for name in changed:
            was, now = (one.get(name, _default(name)) for one in values)
            yield from _of_setting(name, was, now, _where(path, new, name))


def _where(path: str, step: Step, name: str) -> Where:
    def place(entry: str) -> tuple[str, int | None]:
        given = step.inputs.get(name)
        return path, given.line_of(entry) if given else next((one.line for one in step.inputs.values()), None)

    return place


def _text(step: Step, name: str) -> str:
    return step.inputs[name].text.strip() if name in step.inputs else ""


def _is_literal(step: Step, name: str) -> bool:
    return "${{" not in _text(step, name)


def _paired(before: Sequence[Step], after: Sequence[Step]) -> Iterator[tuple[Step, Step]]:
    """Pair the steps of each job: by their names, else by their order where there are as many as before."""
    for job in dict.fromkeys(step.job for step in after):
        old, new = ([step for step in steps if step.job == job] for steps in (before, after))
        names = [[step.name for step in steps] for steps in (old, new)]
        if all(all(one) and len(set(one)) == len(one) for one in names):
            known = {step.name: step for step in old}
            yield from ((known[step.name], step) for step in new if step.name in known)
        elif len(old) == len(new):
            yield from zip(old, new, strict=True)
