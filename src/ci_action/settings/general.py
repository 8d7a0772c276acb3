"""Inputs for every stage."""

from typing import Final

from pydantic import BaseModel, SecretStr

from ci_action.settings.field import SetBy, setting
from ci_action.settings.types import (
    CommentWhen,
    Folder,
    GateChanges,
    Items,
    Lines,
    PythonVersion,
    Scope,
    Seconds,
    Switch,
    ToolVersions,
)

STAGES: Final = ("quality", "test", "security", "pr")
"""The stages, in the order of the pipeline: each is a package in `ci_action.stages`."""
ALL: Final = "all"
"""Every stage that applies to the project."""
MERGE: Final = "merge"
"""No stage: the word that joins the results of shards."""
COMMENT: Final = "comment"
"""No stage: the word that posts what a read-only run has left."""
WORDS: Final = (*STAGES, ALL, MERGE, COMMENT)
"""All that `stage` may name."""


class General(BaseModel):
    """What every stage goes by."""

    stage: Items = setting(
        (),
        f"What to run: {', '.join(f'`{name}`' for name in STAGES)}, or `all`, every stage that applies to the project. `merge` joins shards in `paths`,"
        " `comment` posts what a read-only run has left there.",
        shown="all",
        set_by=SetBy.ANYONE,
    )
    working_directory: Folder = setting(
        ".",
        "The project's folder, relative to the workspace; it holds the `pyproject.toml`.",
        set_by=SetBy.ANYONE,
    )
    paths: Lines = setting(
        (".",),
        "What to look at, one path a line, relative to `working-directory`.",
        shown=".",
        set_by=SetBy.ANYONE,
    )
    python_version: PythonVersion = setting(
        "",
        "The project's Python, such as `3.12` or `>=3.11`. It becomes the target version of Black and Ruff"
        " where the project sets neither a target nor `requires-python`.",
        shown="what the project says",
        set_by=SetBy.ANYONE,
    )
    scope: Scope = setting(
        Scope.ALL,
        "`all` counts every finding; `changed` counts those that touch a line of the change and mutes the older"
        " ones. Where the base is not known the whole project counts, and that is said.",
        shown="all",
        set_by=SetBy.ANYONE,
    )
    ignore: Items = setting(
        (),
        "Findings that do not count, as `tool`, `tool:rule` or `tool:rule@path-pattern`; names may hold `*`,"
        " the pattern is that of `.gitignore`, relative to `working-directory`. They stay in the reports with the reason.",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    tool_versions: ToolVersions = setting(
        ToolVersions.PROJECT,
        "`project` runs the version of Black, Ruff and bandit that the project pins; `bundled` runs ours.",
        shown="project",
        set_by=SetBy.ANYONE,
    )
    timeout: Seconds = setting(600, "Seconds that one tool may take.", ge=1, le=86_400, set_by=SetBy.ANYONE)
    report_dir: Folder = setting(
        "ci-action-report",
        "Folder for the report files, relative to the workspace; created if absent. It must not be a link, and must not"
        " hold files of the project.",
        set_by=SetBy.WORKFLOW,
    )
    cache_dir: Folder = setting(
        "",
        "Folder in which results of unchanged files and environments are kept, relative to the workspace; `none` keeps"
        " nothing. A link, or a folder with files of the project, is ignored.",
        shown="~/.cache/ci-action",
        set_by=SetBy.WORKFLOW,
    )
    github_token: SecretStr = setting(
        SecretStr(""),
        "Token for GitHub: for the pull request as it is now, for what is written to it, and to fetch the base of the change where"
        " the clone lacks it and kept no credentials. It is kept from"
        " every tool and hidden in all output.",
        shown="${{ github.token }}",
        set_by=SetBy.WORKFLOW,
    )
    comment: CommentWhen = setting(
        CommentWhen.NEVER,
        "Whether the pull request gets a comment of ours: `never`, `on-failure`, `always`; one for all stages, edited in"
        " place. It takes `pull-requests: write`; a token that may not is told in a warning.",
        shown="never",
        set_by=SetBy.WORKFLOW,
    )
    check_run: Switch = setting(
        default=False,
        help_text="Whether findings become a check run, which has room for more than ten annotations; it takes `checks: write`.",
        shown="false",
        set_by=SetBy.WORKFLOW,
    )
    suggestions: Switch = setting(
        default=False,
        help_text="Whether fixes of Black and Ruff on changed lines become suggested changes of a review; it takes"
        " `pull-requests: write`.",
        shown="false",
        set_by=SetBy.WORKFLOW,
    )
    allow_privileged: Switch = setting(
        default=False,
        help_text="Whether stages that run the project's code may do so under `pull_request_target`, `workflow_run` and"
        " `issue_comment` with the code of a pull request, which could take the token.",
        shown="false",
        set_by=SetBy.WORKFLOW,
    )
    gate_changes: GateChanges = setting(
        GateChanges.WARN,
        "What happens if a change makes the checks less strict (a lower minimum, new exceptions or suppressions, removed"
        " tests): `warn`, `fail` or `off`. `fail` fetches a missing base commit, and is `broken` without one.",
        shown="warn",
        set_by=SetBy.WORKFLOW,
    )
