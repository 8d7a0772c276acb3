"""Inputs for every stage."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from ci_action.settings import kinds
from ci_action.settings.field import SetBy, Setting
from ci_action.settings.types import CommentWhen, GateChanges, Scope, ToolVersions

STAGES: Final = ("quality", "types", "test", "security", "migrations", "docker", "pr")
"""The stages, in the order of the pipeline: each is a package in `ci_action.stages`."""
ALL: Final = "all"
"""Every stage that applies to the project."""
MERGE: Final = "merge"
"""Not a stage: joins the results of shards."""
COMMENT: Final = "comment"
"""Not a stage: posts the report of a read-only run."""
WORDS: Final = (*STAGES, ALL, MERGE, COMMENT)
"""All values of `stage`."""
_STAGE: Final = {"type": "string", "enum": list(WORDS)}


def name_of_run(names: Iterable[str]) -> str:
    """Return a name for a run of stages: `all`, or theirs in the order of the pipeline, such as `quality-test`."""
    asked = {*names} or {ALL}
    return ALL if ALL in asked else "-".join(name for name in WORDS if name in asked)


class General:
    """Settings of every run."""

    stage = Setting(
        replace(kinds.items, schema={"anyOf": [{"type": "array", "items": _STAGE}, _STAGE]}),
        SetBy.ANYONE,
        f"What to run: {', '.join(f'`{name}`' for name in STAGES)}, or `all`, every stage that applies. `merge` joins the"
        " shards in `paths`; `comment` posts the report of a read-only run in `paths`.",
        shown="all",
    )
    working_directory = Setting(
        kinds.text,
        SetBy.ANYONE,
        "Folder of the project, relative to the workspace. It contains the `pyproject.toml`. In a subfolder of a"
        " repository, a shell uses the current folder.",
        default=".",
    )
    paths = Setting(
        kinds.lines,
        SetBy.ANYONE,
        "Files and folders to check, one a line, relative to `working-directory`. `merge` and `comment` read"
        " report folders below them.",
        default=(".",),
    )
    python_version = Setting(
        kinds.python_version,
        SetBy.ANYONE,
        "Python version of the project, such as `3.12` or `>=3.11`. It is the target version of Black and"
        " Ruff if the project sets neither a target nor `requires-python`.",
        shown="from the project's files",
    )
    scope = Setting(
        kinds.choice(Scope.ALL),
        SetBy.ANYONE,
        "`all` counts every finding. `changed` counts findings on changed lines and ignores older ones. If"
        " the base commit is unknown, all findings count and a warning is shown.",
    )
    ignore = Setting(
        kinds.items,
        SetBy.ANYONE,
        "Findings that do not count, as `tool`, `tool:rule` or `tool:rule@pattern`. Names may contain `*`;"
        " patterns are those of `.gitignore`, relative to `working-directory`. Ignored findings stay in the"
        " reports with the reason.",
    )
    tool_versions = Setting(
        kinds.choice(ToolVersions.PROJECT),
        SetBy.ANYONE,
        "`project` runs the versions of tools that the project pins; `bundled` runs the ones of ci-action.",
    )
    timeout = Setting(kinds.whole(1, 86_400), SetBy.ANYONE, "Timeout of each tool in seconds.", default=600)
    report_dir = Setting(
        kinds.text,
        SetBy.WORKFLOW,
        "Folder for the report files, relative to the workspace, in a shell to the current folder; created if"
        " missing. It must not be a link and must not contain files of the project.",
        shown="ci-action-report/<stages>",
    )
    cache_dir = Setting(
        kinds.text,
        SetBy.WORKFLOW,
        "Folder for cached results and environments, relative to the workspace, in a shell to the current"
        " folder; `none` disables it. A link, or a folder with files of the project, is ignored.",
        shown="~/.cache/ci-action",
    )
    github_token = Setting(
        kinds.secret,
        SetBy.WORKFLOW,
        "GitHub token. It reads the pull request, writes comments and the like, and fetches a missing base"
        " commit. It is hidden from every tool and masked in all output.",
        shown="${{ github.token }}",
    )
    comment = Setting(
        kinds.choice(CommentWhen.NEVER),
        SetBy.WORKFLOW,
        "Comment on the pull request: `never`, `on-failure` or `always`. There is one comment for all stages,"
        " edited in place. Requires `pull-requests: write`.",
    )
    check_run = Setting(
        kinds.switch,
        SetBy.WORKFLOW,
        "Publish findings as a check run, which is not limited to ten annotations. Requires `checks: write`.",
    )
    suggestions = Setting(
        kinds.switch,
        SetBy.WORKFLOW,
        "Suggest fixes of Black and Ruff on changed lines as review suggestions. Requires `pull-requests:"
        " write`.",
    )
    allow_privileged = Setting(
        kinds.switch,
        SetBy.WORKFLOW,
        "Allow code of a pull request to run under `pull_request_target`, `workflow_run` and `issue_comment`."
        " That code could take the token.",
    )
    fail_fast = Setting(
        kinds.switch,
        SetBy.WORKFLOW,
        "Whether `all` runs no further stage if `quality` fails. `false` runs every stage.",
        default=True,
    )
    gate_changes = Setting(
        kinds.choice(GateChanges.WARN),
        SetBy.WORKFLOW,
        "What happens if a change makes the checks less strict, such as a lower minimum, new exceptions or"
        " removed tests: `warn`, `fail` or `off`. `fail` fetches a missing base commit, and is `broken`"
        " without one.",
    )
