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
        f"What to run: {', '.join(f'`{name}`' for name in STAGES)}, or `all`, every stage that applies. `merge` joins the"
        " shards in `paths`; `comment` posts the report of a read-only run in `paths`.",
        shown="all",
        set_by=SetBy.ANYONE,
    )
    working_directory: Folder = setting(
        ".",
        "Folder of the project, relative to the workspace. It contains the `pyproject.toml`.",
        set_by=SetBy.ANYONE,
    )
    paths: Lines = setting(
        (".",),
        "Files and folders to check, one a line, relative to `working-directory`. `merge` and `comment` read"
        " report folders below them.",
        shown=".",
        set_by=SetBy.ANYONE,
    )
    python_version: PythonVersion = setting(
        "",
        "Python version of the project, such as `3.12` or `>=3.11`. It is the target version of Black and"
        " Ruff if the project sets neither a target nor `requires-python`.",
        shown="from the project's files",
        set_by=SetBy.ANYONE,
    )
    scope: Scope = setting(
        Scope.ALL,
        "`all` counts every finding. `changed` counts findings on changed lines and ignores older ones. If"
        " the base commit is unknown, all findings count and a warning is shown.",
        shown="all",
        set_by=SetBy.ANYONE,
    )
    ignore: Items = setting(
        (),
        "Findings that do not count, as `tool`, `tool:rule` or `tool:rule@pattern`. Names may contain `*`;"
        " patterns are those of `.gitignore`, relative to `working-directory`. Ignored findings stay in the"
        " reports with the reason.",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    tool_versions: ToolVersions = setting(
        ToolVersions.PROJECT,
        "`project` runs the versions of Black, Ruff and bandit that the project pins; `bundled` runs the ones"
        " of ci-action.",
        shown="project",
        set_by=SetBy.ANYONE,
    )
    timeout: Seconds = setting(600, "Timeout of each tool in seconds.", ge=1, le=86_400, set_by=SetBy.ANYONE)
    report_dir: Folder = setting(
        "ci-action-report",
        "Folder for the report files, relative to the workspace; created if missing. It must not be a link"
        " and must not contain files of the project.",
        set_by=SetBy.WORKFLOW,
    )
    cache_dir: Folder = setting(
        "",
        "Folder for cached results and environments, relative to the workspace; `none` disables it. A link,"
        " or a folder with files of the project, is ignored.",
        shown="~/.cache/ci-action",
        set_by=SetBy.WORKFLOW,
    )
    github_token: SecretStr = setting(
        SecretStr(""),
        "GitHub token. It reads the pull request, writes comments and the like, and fetches a missing base"
        " commit. It is hidden from every tool and masked in all output.",
        shown="${{ github.token }}",
        set_by=SetBy.WORKFLOW,
    )
    comment: CommentWhen = setting(
        CommentWhen.NEVER,
        "Comment on the pull request: `never`, `on-failure` or `always`. There is one comment for all stages,"
        " edited in place. Requires `pull-requests: write`.",
        shown="never",
        set_by=SetBy.WORKFLOW,
    )
    check_run: Switch = setting(
        default=False,
        help_text="Publish findings as a check run, which is not limited to ten annotations. Requires `checks: write`.",
        shown="false",
        set_by=SetBy.WORKFLOW,
    )
    suggestions: Switch = setting(
        default=False,
        help_text="Suggest fixes of Black and Ruff on changed lines as review suggestions. Requires `pull-requests:"
        " write`.",
        shown="false",
        set_by=SetBy.WORKFLOW,
    )
    allow_privileged: Switch = setting(
        default=False,
        help_text="Allow code of a pull request to run under `pull_request_target`, `workflow_run` and `issue_comment`."
        " That code could take the token.",
        shown="false",
        set_by=SetBy.WORKFLOW,
    )
    gate_changes: GateChanges = setting(
        GateChanges.WARN,
        "What happens if a change makes the checks less strict, such as a lower minimum, new exceptions or"
        " removed tests: `warn`, `fail` or `off`. `fail` fetches a missing base commit, and is `broken`"
        " without one.",
        shown="warn",
        set_by=SetBy.WORKFLOW,
    )
