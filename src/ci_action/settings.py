"""The definition of every input.

One field of `Settings` is an input of the action, an `INPUT_*` variable, a flag, a `[tool.ci-action]` key, a row of
action.yml and of the README, and a property of the JSON schema.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
)

from ci_action.text import kebab
from ci_action.values import (
    FailOn,
    Folder,
    IgnoredVulnerabilities,
    Items,
    Lines,
    Percent,
    PythonVersion,
    RunAs,
    Scope,
    Seconds,
    Shard,
    Switch,
    ToolVersions,
    Words,
    Workers,
)


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
        "What to run: `quality`, `test`, `security`, or `all` for what applies. `merge` joins shards in `paths`.",
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
        "`project` runs the version of Black, Ruff and bandit that the project pins; `bundled` runs ours.",
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
    fail_on: FailOn = setting(
        FailOn.NEVER,
        "What turns the security stage red: findings from `low`, `medium`, `high` or `critical` on, or those that the change"
        " brought (`new`); `never` warns. A severity that nobody has rated counts as `high`.",
        stage="security",
        shown="never",
    )
    secrets_baseline: Folder = setting(
        "",
        "The file of accepted secrets, relative to `working-directory`; `ci-action secrets baseline` writes it.",
        stage="security",
        shown=".secrets.baseline, where there is one",
    )
    secrets_verify: Switch = setting(
        default=False,
        help_text="Whether detect-secrets may try out what it finds over the network; what is found not to work is left out.",
        stage="security",
        shown="false",
    )
    bandit_args: Words = setting(
        (), "Further options for bandit, as in a shell.", stage="security", shown=" "
    )
    pip_audit_args: Words = setting(
        (), "Further options for pip-audit: `--timeout=SECONDS` and `--verbose`.", stage="security", shown=" "
    )
    advisory_url: Folder = setting(
        "",
        "The OSV service, or a mirror of one, that is asked for advisories. It is told the names and versions of the"
        " dependencies.",
        stage="security",
        shown="https://api.osv.dev",
    )
    ignore_vulnerabilities: IgnoredVulnerabilities = setting(
        (),
        "Vulnerabilities that are accepted for a time, one a line: package, advisory, last day, reason"
        " (`urllib3 CVE-2021-33503 2026-12-31 no proxy is used`).",
        stage="security",
        shown=" ",
    )
    licenses_allow: Items = setting(
        (),
        "The only licences that dependencies may have, as SPDX identifiers (`MIT`, `BSD-*`).",
        stage="security",
        shown=" ",
    )
    licenses_deny: Items = setting(
        (),
        "Licences that no dependency may have, as SPDX identifiers (`AGPL-*`).",
        stage="security",
        shown=" ",
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
