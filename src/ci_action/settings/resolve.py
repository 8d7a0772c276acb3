"""How a value is chosen among its sources: flag, input, `[tool.ci-action]`, default; every mistake at once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from ci_action.settings import SETTINGS, Settings
from ci_action.settings.field import EntryError, Setting
from ci_action.settings.types import Assignment, Secret
from ci_action.system.errors import SettingsError
from ci_action.system.redaction import HIDDEN, Redact, sounds_secret, without_password
from ci_action.system.text import did_you_mean, near

# Names that the runner itself puts beside the inputs of a Docker action.
_RUNNER_INPUTS: Final = frozenset({"args", "entrypoint"})
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
        values = {
            name: (setting, getattr(self.settings, setting.attribute))
            for name, setting in SETTINGS.items()
            if self.sources[name] != "default"
        }
        return {
            name: self._shown(value, setting)
            for name, (setting, value) in values.items()
            if not isinstance(value, Secret)
        }

    def _shown(self, value: Any, setting: Setting[Any]) -> Any:
        if isinstance(value, Assignment):
            hidden = setting.kind.private or sounds_secret(value.name)
            return f"{value.name}={HIDDEN}" if hidden else self.redact(without_password(str(value)))
        if isinstance(value, tuple):
            return [self._shown(item, setting) for item in value]
        if value is None or isinstance(value, int):
            return value
        return self.redact(without_password(value) if setting.kind.private else str(value))


Check = Callable[[Settings], Iterable[str]]


def from_inputs(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    """Read the `INPUT_*` variables; return the values that are set, and the mistakes in their names.

    The runner passes every declared input, empty when it is not set, and upper-cases names but keeps hyphens.
    Outside Actions an unknown name counts only if it is similar to an input: desktops set `INPUT_METHOD`.
    """
    values, mistakes = {}, []
    strict = environ.get("GITHUB_ACTIONS") == "true"
    for variable, text in environ.items():
        if not variable.startswith("INPUT_") or not text.strip():
            continue
        name = variable.removeprefix("INPUT_").lower()
        if name in SETTINGS:
            values[name] = text.strip()
        elif name not in _RUNNER_INPUTS and (strict or near(name, SETTINGS)):
            mistakes.append(f"unknown input {name!r}{did_you_mean(name, SETTINGS)}")
    return values, mistakes


def from_pyproject(document: Mapping[str, Any], file: str) -> tuple[dict[str, Any], list[str]]:
    """Read `[tool.ci-action]` of a parsed pyproject.toml; return the values and the mistakes in the keys."""
    tool = document.get("tool")
    table = tool.get("ci-action", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        return {}, [f"{file}: tool.ci-action is not a table; write [tool.ci-action] above its keys"]
    known = [name for name, setting in SETTINGS.items() if setting.is_key]
    mistakes = [f"{file}: {_no_key(key, known)}" for key in table if key not in known]
    return {key: value for key, value in table.items() if key in known and value != ""}, mistakes


def _no_key(key: str, known: Iterable[str]) -> str:
    """Explain why a key cannot be in `[tool.ci-action]`."""
    if key in SETTINGS:
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

    Raises `SettingsError` with every mistake at once: those given, wrong values, and the results of the checks
    of the values that are right.
    """
    found = list(mistakes)
    merged = {name: (value, source) for source, values in layers for name, value in values.items()}
    chosen = {}
    for name, setting in SETTINGS.items():
        if name in merged:
            value, source = merged[name]
            try:
                chosen[setting.attribute] = setting.kind.read(value)
            except EntryError as error:
                found += [f"{name} (from {source}): {mistake}" for mistake in error.args]
            except ValueError as error:
                shown = "" if setting.kind.private else f" = {str(value)!r}"
                found.append(f"{name}{shown} (from {source}): {error}")
    settings = Settings(**chosen)
    found += [mistake for check in checks for mistake in check(settings)]
    if found:
        raise SettingsError(found)
    sources = {name: source for name, (_, source) in merged.items()}
    return Resolved(settings, MappingProxyType(dict.fromkeys(SETTINGS, "default") | sources))
