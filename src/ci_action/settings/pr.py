"""Inputs of the pull-request stage."""

from pydantic import BaseModel

from ci_action.settings.field import SetBy, setting
from ci_action.settings.types import Areas, DraftTitles, Folder, Globs, Items, Pattern, Patterns, Switch


class PullRequest(BaseModel):
    """What title, size and metadata go by."""

    title_types: Patterns = setting(
        (),
        "Allowed types of a title, one regular expression a line. Each has to match the whole type.",
        stage="pr",
        shown="feat, fix, docs, style, refactor, perf, test, build, ci, chore, revert",
        set_by=SetBy.ANYONE,
    )
    title_scopes: Patterns = setting(
        (),
        "Allowed scopes of a title, one regular expression a line.",
        stage="pr",
        shown="any",
        set_by=SetBy.ANYONE,
    )
    title_disallow_scopes: Patterns = setting(
        (),
        "Forbidden scopes of a title, one regular expression a line.",
        stage="pr",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    title_require_scope: Switch = setting(
        default=False,
        help_text="Require a scope in the title.",
        stage="pr",
        shown="false",
        set_by=SetBy.ANYONE,
    )
    title_subject_pattern: Pattern = setting(
        "",
        "Regular expression that has to match the whole subject, such as `(?![A-Z]).+`.",
        stage="pr",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    title_pattern: Pattern = setting(
        "",
        "Regular expression for the whole title instead of Conventional Commits. Optional groups: `type`,"
        " `scope`, `breaking` and `subject`.",
        stage="pr",
        shown="Conventional Commits",
        set_by=SetBy.ANYONE,
    )
    title_error: Folder = setting(
        "",
        "Message for an invalid title instead of the built-in one. `{title}`, `{type}`, `{scope}`,"
        " `{subject}` and `{proposal}` are replaced.",
        stage="pr",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    draft_titles: DraftTitles = setting(
        DraftTitles.CHECK,
        "Check the titles of drafts and of work in progress: `check` or `skip`.",
        stage="pr",
        shown="check",
        set_by=SetBy.ANYONE,
    )
    ignore_labels: Items = setting(
        (), "Labels that disable the checks of title and size.", stage="pr", shown=" ", set_by=SetBy.ANYONE
    )
    max_files: int = setting(
        50,
        "Maximum number of changed files; 0 for no limit.",
        stage="pr",
        ge=0,
        set_by=SetBy.ANYONE,
    )
    max_lines: int = setting(
        0,
        "Maximum number of changed lines; 0 for no limit.",
        stage="pr",
        shown="no limit",
        ge=0,
        set_by=SetBy.ANYONE,
    )
    size_ignore: Globs = setting(
        (),
        "Files that do not count for the size, as patterns of `.gitignore`. Lock files, generated and"
        " vendored files and pure moves never count.",
        stage="pr",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    size_blocking: Switch = setting(
        default=False,
        help_text="Fail instead of warn if a pull request is too large.",
        stage="pr",
        shown="false",
        set_by=SetBy.ANYONE,
    )
    areas: Areas = setting(
        (),
        "Parts of the project for the output `changed-areas`, one a line: `name: pattern, pattern`, with"
        " patterns of `.gitignore`. In pyproject.toml it is the table `[tool.ci-action.areas]`.",
        stage="pr",
        shown="the top folders",
        set_by=SetBy.ANYONE,
    )
    labels: Switch = setting(
        default=False,
        help_text="Set the labels `size/…` and `type: …` on the pull request. Requires `pull-requests: write`.",
        stage="pr",
        shown="false",
        set_by=SetBy.WORKFLOW,
    )
