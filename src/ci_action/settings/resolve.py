"""How a value is chosen among its sources: flag, input, `[tool.ci-action]`, default; every mistake at once."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ci_action.settings import Settings, may_be_a_key, names
from ci_action.settings.types import IgnoredVulnerability
from ci_action.system.errors import SettingsError
from ci_action.system.redaction import Redact, without_password
from ci_action.system.text import did_you_mean

# Names that the runner itself puts beside the inputs of a Docker action.
_RUNNER_INPUTS: Final = frozenset({"args", "entrypoint"})
# Their values may hold a password.
_ADDRESSES: Final = ("wait-for", "advisory-url")
# Settings that are lists of tables.
_TABLES: Final = {"ignore-vulnerabilities": IgnoredVulnerability}
_LONGEST_SHOWN: Final = 200
# The source that the author of a pull request writes.
PROJECT: Final = "pyproject.toml"


@dataclass(frozen=True)
class Resolved:
    """The settings, and for each name where its value came from: `flag`, `input`, a file, or `default`."""

    settings: Settings
    sources: Mapping[str, str]
    redact: Redact = str
    """Takes secrets out of the values that are shown."""

    @property
    def of_project(self) -> frozenset[str]:
        """The settings whose value comes from `[tool.ci-action]`."""
        return frozenset(name for name, source in self.sources.items() if source == PROJECT)

    def chosen(self) -> dict[str, Any]:
        """Return every value that is not the default by its name, in a form that prints; never a secret."""
        values = self.settings.model_dump(mode="json", by_alias=True, exclude={"github_token"})
        values["wait-for"] = [without_password(item) for item in values["wait-for"]]
        values["ignore-vulnerabilities"] = [str(item) for item in self.settings.ignore_vulnerabilities]
        values["areas"] = [str(item) for item in self.settings.areas]
        values["advisory-url"] = without_password(values["advisory-url"])
        return {name: self._shown(value) for name, value in values.items() if self.sources[name] != "default"}

    def _shown(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._shown(item) for item in value]
        return self.redact(value) if isinstance(value, str) else value


Check = Callable[[Settings], Iterable[str]]


def from_inputs(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Read the `INPUT_*` variables; return the values that are set, and the mistakes in their names.

    The runner hands over every declared input, empty when it is not set, and upper-cases names but keeps hyphens.
    Outside Actions an unknown name counts only if it looks like one of ours: desktops set `INPUT_METHOD`.
    """
    known, values, mistakes = set(names()), {}, []
    strict = environ.get("GITHUB_ACTIONS") == "true"
    for variable, text in environ.items():
        if not variable.startswith("INPUT_") or not text.strip():
            continue
        name = variable.removeprefix("INPUT_").lower()
        if name in known:
            values[name] = text.strip()
        elif name not in _RUNNER_INPUTS and (strict or get_close_matches(name, known, n=1)):
            mistakes.append(f"unknown input {name!r}{did_you_mean(name, known)}")
    return values, mistakes


def from_pyproject(document: Mapping[str, Any], file: str) -> tuple[dict[str, Any], list[str]]:
    """Read `[tool.ci-action]` of a parsed pyproject.toml; return the values and the mistakes in the keys."""
    tool = document.get("tool")
    table = tool.get("ci-action", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        return {}, [f"{file}: tool.ci-action is no table; write [tool.ci-action] above its keys"]
    known = [name for name in names() if may_be_a_key(name)]
    mistakes = [f"{file}: {_no_key(key, known)}" for key in table if key not in known]
    return {key: value for key, value in table.items() if key in known and value != ""}, mistakes


def _no_key(key: str, known: Iterable[str]) -> str:
    """Explain why a key cannot be in `[tool.ci-action]`."""
    if key in names():
        return (
            f"{key!r} cannot be set in [tool.ci-action], which a pull request can change:"
            f" set the input {key!r} in the workflow, or pass --{key}"
        )
    return f"unknown key {key!r} in [tool.ci-action]{did_you_mean(key, known)}"


def resolve(
    *layers: tuple[str, Mapping[str, Any]],
    mistakes: Iterable[str] = (),
    checks: Iterable[Check] = (),
) -> Resolved:
    """Merge the layers, the strongest last, and check them; each layer is (source, values).

    Raises `SettingsError` with every mistake at once: those given, wrong values, and what the checks say of
    the values that are right.
    """
    found = list(mistakes)
    merged: dict[str, Any] = {}
    sources = dict.fromkeys(names(), "default")
    for source, values in layers:
        merged.update(values)
        sources.update(dict.fromkeys(values, source))
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        found += [_explain(problem, merged, sources) for problem in problems]
        for name in {str(problem["loc"][0]) for problem in problems}:
            merged.pop(name, None)
        settings = Settings.model_validate(merged)
    found += [mistake for check in checks for mistake in check(settings)]
    if found:
        raise SettingsError(found)
    return Resolved(settings, MappingProxyType(sources))


def _explain(problem: ErrorDetails, values: Mapping[str, Any], sources: Mapping[str, str]) -> str:
    name = str(problem["loc"][0])
    value = values.get(name)
    if name in _TABLES:
        return f"{name} (from {sources.get(name, 'default')}): {_explain_table(problem, _TABLES[name])}"
    message = problem["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if problem["type"] == "enum" and isinstance(value, str):
        message = message.removeprefix("input should be ")
        message = "must be " + message + _nearest(value, message)
    source = sources.get(name, "default")
    shown = "" if name in {"github-token", *_ADDRESSES} else f" = {str(value)!r}"
    return f"{name}{shown} (from {source}): {message}"


def _explain_table(problem: ErrorDetails, table: type[BaseModel]) -> str:
    """Explain a mistake in a list of tables: the entry, the key in it, its value, and what to write instead."""
    _, *place = problem["loc"]
    if not place:
        return "write one entry a line, or a list of tables"
    entry, key = f"entry {int(place[0]) + 1}", str(place[-1])
    shown = repr(problem["input"])[:_LONGEST_SHOWN]
    if problem["type"] == "missing":
        return f"{entry}: {key!r} is missing"
    if problem["type"] == "extra_forbidden":
        return f"{entry}: unknown key {key!r}{did_you_mean(key, table.model_fields)}"
    if problem["type"] == "model_type":
        return f"{entry} = {shown}: write a line of text, or a table with {', '.join(table.model_fields)}"
    message = problem["msg"].removeprefix("Value error, ")
    where = entry if len(place) == 1 else f"{entry}, {key}"
    return f"{where} = {shown}: {message[:1].lower()}{message[1:]}"


def _nearest(value: str, message: str) -> str:
    near = get_close_matches(value, re.findall(r"'([^']*)'", message), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
