"""The definition of every input, and how a value is chosen among its sources.

One field of `Settings` is an input of the action, an `INPUT_*` variable, a flag, a `[tool.ci-action]` key, a row of
action.yml and of the README, and a property of the JSON schema.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any, Final

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    ValidationError,
)
from pydantic_core import ErrorDetails

from ci_action.errors import SettingsError
from ci_action.redaction import without_password
from ci_action.text import did_you_mean, kebab
from ci_action.values import (
    Folder,
    Items,
    Lines,
    Percent,
    PythonVersion,
    RunAs,
    Scope,
    Seconds,
    Shard,
    ToolVersions,
    Words,
    Workers,
)

# Names that the runner itself puts beside the inputs of a Docker action.
_RUNNER_INPUTS: Final = frozenset({"args", "entrypoint"})


def setting(  # noqa: PLR0913 - what a definition says
    default: object,
    help_text: str,
    *,
    stage: str = "all",
    shown: str = "",
    in_pyproject: bool = True,
    ge: int | None = None,
    le: int | None = None,
) -> Any:
    """Declare one input: default, help, the stage it is for, and how the default is shown to people."""
    facts: dict[str, JsonValue] = {
        "x-stage": stage,
        "x-default": shown or str(default),
        "x-pyproject": in_pyproject,
    }
    return Field(default=default, description=help_text, json_schema_extra=facts, ge=ge, le=le)


class Settings(BaseModel):
    """Everything that the user chose, resolved and typed."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=kebab,
        hide_input_in_errors=True,
        populate_by_name=False,
    )

    stage: Items = setting(
        (),
        "What to run: `quality`, `test`, or `all` for what applies. `merge` joins shards in `paths`.",
        shown=" ",
    )
    working_directory: Folder = setting(
        ".", "The project's folder, relative to the workspace; it holds the `pyproject.toml`."
    )
    paths: Lines = setting(
        (".",), "What to look at, one path a line, relative to `working-directory`.", shown="."
    )
    python_version: PythonVersion = setting(
        "",
        "The project's Python, such as `3.12` or `>=3.11`. It becomes the target version of Black and Ruff"
        " where the project sets neither a target nor `requires-python`.",
        shown="what the project says",
    )
    scope: Scope = setting(
        Scope.ALL,
        "`all` counts every finding; `changed` counts those that touch a line of the change and mutes the older"
        " ones. Where the base is not known the whole project counts, and that is said.",
        shown="all",
    )
    ignore: Items = setting(
        (),
        "Findings that do not count, as `tool`, `tool:rule` or `tool:rule@path-pattern`; names may hold `*`,"
        " the pattern is that of `.gitignore`, relative to `working-directory`. They stay in the reports with the reason.",
        shown=" ",
    )
    tool_versions: ToolVersions = setting(
        ToolVersions.PROJECT,
        "`project` runs the version of Black and Ruff that the project pins; `bundled` runs ours.",
        shown="project",
    )
    timeout: Seconds = setting(600, "Seconds that one tool may take.", ge=1, le=86_400)
    report_dir: Folder = setting(
        "ci-action-report",
        "Where the report files go, relative to the workspace; created where absent.",
    )
    cache_dir: Folder = setting(
        "",
        "Where results of unchanged files are kept, relative to the workspace; `none` keeps nothing.",
        shown="~/.cache/ci-action",
    )
    github_token: SecretStr = setting(
        SecretStr(""),
        "Token for GitHub, to fetch the base of the change where the clone lacks it and kept no credentials. It is kept from"
        " every tool and hidden in all output.",
        shown="${{ github.token }}",
        in_pyproject=False,
    )
    black_args: Words = setting((), "Further options for Black, as in a shell.", stage="quality", shown=" ")
    ruff_args: Words = setting(
        (), "Further options for `ruff check`, as in a shell.", stage="quality", shown=" "
    )
    coverage_min: Percent = setting(
        None,
        "The least coverage in percent, exact: 89.996 is below 90.",
        stage="test",
        shown="the project's `fail_under`",
    )
    patch_coverage_min: Percent = setting(
        None, "The least coverage of the lines that the change touched, in percent.", stage="test", shown=" "
    )
    coverage_source: Items = setting(
        (),
        "Folders or packages whose coverage is measured.",
        stage="test",
        shown="what the project configures, else its packages",
    )
    install: Lines = setting(
        (),
        "How the environment is made, one command a line (`python` is its interpreter); `none` uses the current"
        " environment as it is.",
        stage="test",
        shown="what the project's files say",
    )
    system_packages: Items = setting(
        (), "Debian packages to install first, in the container.", stage="test", shown=" "
    )
    run_as: RunAs = setting(
        RunAs.OWNER,
        "Who runs the project's code in the container: `owner` of the workspace, or `root`, who can read our"
        " tokens and drive the Docker socket.",
        stage="test",
        shown="owner",
    )
    pytest_args: Words = setting((), "Further options for pytest, as in a shell.", stage="test", shown=" ")
    workers: Workers = setting(
        "", "Processes for the tests, by pytest-xdist: a number, or `auto`.", stage="test", shown=" "
    )
    shard: Shard = setting(
        "", "The part of the tests to run, such as `2/4`; `merge` joins the parts.", stage="test", shown=" "
    )
    wait_for: Items = setting(
        (),
        "Services to wait for before the tests: `postgres://`, `redis://`, `mysql://`, `amqp://`, `memcached://`, `http://`, `https://`, `tcp://`.",
        stage="test",
        shown=" ",
    )
    reruns: int = setting(
        0,
        "How often failed tests are run again; those that pass then are flaky, and told apart.",
        stage="test",
        ge=0,
        le=10,
    )


def names() -> tuple[str, ...]:
    """Return the names of all inputs, in the order of their definition."""
    return tuple(kebab(name) for name in Settings.model_fields)


def about(name: str) -> Mapping[str, Any]:
    """Return what the definition says of an input beside its type: `x-stage`, `x-default`, `x-pyproject`."""
    extra = Settings.model_fields[name.replace("-", "_")].json_schema_extra
    return extra if isinstance(extra, dict) else MappingProxyType({})


def is_list(name: str) -> bool:
    """Whether an input takes several values."""
    return isinstance(Settings.model_fields[name.replace("-", "_")].default, tuple)


@dataclass(frozen=True)
class Resolved:
    """The settings, and for each name where its value came from: `flag`, `input`, a file, or `default`."""

    settings: Settings
    sources: Mapping[str, str]

    def chosen(self) -> dict[str, Any]:
        """Return every value that is not the default by its name, in a form that prints; never the token or a password."""
        values = self.settings.model_dump(mode="json", by_alias=True, exclude={"github_token"})
        values["wait-for"] = [without_password(item) for item in values["wait-for"]]
        return {name: value for name, value in values.items() if self.sources[name] != "default"}


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
    known = [name for name in names() if about(name).get("x-pyproject", True)]
    mistakes = [
        f"{file}: unknown key {key!r} in [tool.ci-action]{did_you_mean(key, known)}"
        for key in table
        if key not in known
    ]
    return {key: value for key, value in table.items() if key in known and value != ""}, mistakes


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
    message = problem["msg"].removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    if problem["type"] == "enum" and isinstance(value, str):
        message = message.removeprefix("input should be ")
        message = "must be " + message + _nearest(value, message)
    source = sources.get(name, "default")
    shown = "" if name in {"github-token", "wait-for"} else f" = {str(value)!r}"
    return f"{name}{shown} (from {source}): {message}"


def _nearest(value: str, message: str) -> str:
    near = get_close_matches(value, re.findall(r"'([^']*)'", message), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
