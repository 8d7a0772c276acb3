"""What a change makes less strict in our settings: `[tool.ci-action]`, and `with:` of our steps in workflows. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ci_action.project import workflows
from ci_action.project.workflows import Step
from ci_action.settings import SETTINGS, Settings
from ci_action.settings.resolve import from_pyproject
from ci_action.settings.types import (
    FailOn,
    Formatter,
    GateChanges,
    IgnoredVulnerability,
    Linter,
    MigrationDanger,
    MigrationDepth,
    Scope,
    TypeChecker,
)
from ci_action.stages.gate_changes.configs import PYPROJECT, Config, Where, place_in
from ci_action.stages.gate_changes.loosened import (
    ADDED_IGNORE,
    LOWER_MINIMUM,
    NARROWER_PATHS,
    Changed,
    Comparison,
    Loosened,
    Seen,
    added,
    below,
    fewer,
    listed,
    loosened,
    minimum,
    more,
    softer,
)
from ci_action.stages.gate_changes.options import options
from ci_action.system.errors import ToolError

_OURS: Final = re.compile(r"[^/@\s]+/ci-action(/[^@\s]*)?@\S+")


def _scope(_before: Scope, after: Scope) -> Iterator[Seen]:
    if after is Scope.CHANGED:
        yield NARROWER_PATHS, " is 'changed': findings outside of the changed lines no longer count", ""


def _paths(before: Sequence[str], after: Sequence[str]) -> Iterator[Seen]:
    yield from fewer(below)(before or (".",), after or (".",))


def _sources(before: Sequence[str], after: Sequence[str]) -> Iterator[Seen]:
    if before and after:  # without it the project decides
        yield from fewer(below)(before, after)


def _vulnerabilities(
    before: Sequence[IgnoredVulnerability], after: Sequence[IgnoredVulnerability]
) -> Iterator[Seen]:
    known = {(one.package, one.id): one.expires for one in before}
    fresh = [one for one in after if (day := known.get((one.package, one.id))) is None or one.expires > day]
    shown = [f"{one.package} {one.id} until {one.expires.isoformat()}" for one in fresh]
    for rule, text, _ in more((), shown):
        yield rule, text, fresh[0].id


def _allowed(before: Sequence[str], after: Sequence[str]) -> Iterator[Seen]:
    if before:  # without it every licence is allowed
        yield from more(before, after or ("*",))


def _denied(before: Sequence[str], after: Sequence[str]) -> Iterator[Seen]:
    if gone := added(after, before):
        yield ADDED_IGNORE, f" no longer has {', '.join(gone[:5])}", ""


def _downgraded(before: str, after: str) -> Iterator[Seen]:
    if after and after != before:  # which of two is the older one is not known here
        then = f"{before!r}" if before else "not set"
        yield NARROWER_PATHS, f" is {after!r}; it is {then} at the base commit", ""


def _limit(before: int | None, after: int | None) -> Iterator[Seen]:
    if before is not None and (after is None or after > before):
        now = f"is {after:,} bytes" if after is not None else "was removed"
        yield LOWER_MINIMUM, f" {now}; it is {before:,} bytes at the base commit", ""


def _address(before: str, after: str) -> Iterator[Seen]:
    if before and not after:  # which of two is checked better is not known here
        yield NARROWER_PATHS, f" was removed; it is {before!r} at the base commit", ""


def _commands(before: Sequence[str], after: Sequence[str]) -> Iterator[Seen]:
    if len(after) < len(before):
        yield NARROWER_PATHS, f" no longer has {listed(added(after, before))}", ""


COMPARED: Final[Mapping[str, Comparison]] = {
    "coverage-min": minimum,
    "patch-coverage-min": minimum,
    # `new` blocks less than `low`, and cannot be compared with the others.
    "fail-on": softer(
        (FailOn.NEVER, FailOn.CRITICAL, FailOn.HIGH, FailOn.MEDIUM, FailOn.LOW),
        (FailOn.NEVER, FailOn.NEW, FailOn.LOW),
    ),
    "formatter": softer(*((Formatter.NONE, one) for one in Formatter if one is not Formatter.NONE)),
    "linter": softer((Linter.NONE, Linter.AUTO, Linter.RUFF)),
    "type-checker": softer(*((TypeChecker.NONE, one) for one in TypeChecker if one is not TypeChecker.NONE)),
    "gate-changes": softer((GateChanges.OFF, GateChanges.WARN, GateChanges.FAIL)),
    "migration-danger": softer((MigrationDanger.OFF, MigrationDanger.WARN, MigrationDanger.FAIL)),
    "migration-depth": softer((MigrationDepth.NEW, MigrationDepth.ALL)),
    "downgrade-from": _downgraded,
    "scope": _scope,
    "ignore": more,
    "max-image-size": _limit,
    "smoke-url": _address,
    "smoke-command": _commands,
    "paths": _paths,
    "coverage-source": _sources,
    "ignore-vulnerabilities": _vulnerabilities,
    "licenses-allow": _allowed,
    "licenses-deny": _denied,
    **{f"{tool}-args": options(tool) for tool in ("pytest", "black", "ruff", "bandit")},
}


def of_table(config: Config | None) -> dict[str, Any]:
    """Return the compared settings of `[tool.ci-action]` as values; invalid ones are not among them."""
    table, _ = from_pyproject({"tool": {"ci-action": config.table}} if config else {}, PYPROJECT)
    return _values(table)


def _values(given: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name in COMPARED:
        if name in given:
            try:
                found[name] = SETTINGS[name].kind.read(given[name])
            except ValueError:
                continue
    return found


def _default(name: str) -> Any:
    return SETTINGS[name].default


def is_set(settings: Settings, name: str) -> bool:
    """Whether a setting differs from its default."""
    return bool(getattr(settings, SETTINGS[name].attribute) != _default(name))


def of_keys(old: Config | None, new: Config | None, fixed: frozenset[str]) -> Iterator[Loosened]:
    """Yield what is less strict in the keys, except those in `fixed`, which the workflow sets."""
    before, after = of_table(old), of_table(new)
    for name in COMPARED:
        if name not in fixed:
            yield from _of_setting(name, before, after, place_in(old, new, (name,)))


def _of_setting(
    name: str, before: Mapping[str, Any], after: Mapping[str, Any], where: Where
) -> Iterator[Loosened]:
    was, now = (values.get(name, _default(name)) for values in (before, after))
    if was != now:
        yield from loosened(f"`{name}`", COMPARED[name], was, now, where)


def of_workflow(file: Changed, keys: Sequence[Mapping[str, Any]], action: str = "") -> Iterator[Loosened]:
    """Yield what is less strict in our steps of a workflow; raises `ToolError`.

    `keys` are the values of `[tool.ci-action]` before and after, `action` is one more name of this action.
    """
    try:
        steps = [steps_of(text or "", action) for text in (file.before, file.after)]
    except (ValueError, RecursionError) as error:
        raise ToolError(f"{file.path} cannot be read: {' '.join(str(error).split())[:200]}") from error
    for pair in _paired(*steps):
        for name in COMPARED:
            was, now = (_text(step, name) for step in pair)
            if was != now and "${{" not in was + now:
                given = ({name: text} if text else {} for text in (was, now))
                values = [{**of_keys_, **_values(one)} for of_keys_, one in zip(keys, given, strict=True)]
                yield from _of_setting(name, values[0], values[1], _where(file.path, pair[1], name))


def steps_of(text: str, action: str = "") -> list[Step]:
    """Return our steps in a workflow; raises `ValueError` and `RecursionError`."""
    return [
        step
        for step in workflows.workflow_of(text).steps
        if _OURS.fullmatch(step.uses) or (action and step.uses.partition("@")[0] == action)
    ]


def _where(path: str, step: Step, name: str) -> Where:
    def place(entry: str) -> tuple[str, int | None]:
        given = step.inputs.get(name)
        return path, given.line_of(entry) if given else next((one.line for one in step.inputs.values()), None)

    return place


def _text(step: Step, name: str) -> str:
    return step.inputs[name].text.strip() if name in step.inputs else ""


def _paired(before: Sequence[Step], after: Sequence[Step]) -> Iterator[tuple[Step, Step]]:
    """Pair the steps of each job: by their names, else by their order if their number is the same."""
    for job in dict.fromkeys(step.job for step in after):
        old, new = ([step for step in steps if step.job == job] for steps in (before, after))
        names = [[step.name for step in steps] for steps in (old, new)]
        if all(all(one) and len(set(one)) == len(one) for one in names):
            known = {step.name: step for step in old}
            yield from ((known[step.name], step) for step in new if step.name in known)
        elif len(old) == len(new):
            yield from zip(old, new, strict=True)
