"""Inputs of the pull-request stage."""

from pydantic import BaseModel

from ci_action.settings.field import SetBy, setting
from ci_action.settings.types import Areas, DraftTitles, Folder, Globs, Items, Pattern, Patterns, Switch


class PullRequest(BaseModel):
    """What title, size and metadata go by."""

    title_types: Patterns = setting(
        (),
        "The types that a title may have, one regular expression a line; each has to match the whole type.",
        stage="pr",
        shown="feat, fix, docs, style, refactor, perf, test, build, ci, chore, revert",
        set_by=SetBy.ANYONE,
    )
    title_scopes: Patterns = setting(
        (),
        "The scopes that a title may have, one regular expression a line.",
        stage="pr",
        shown="any",
        set_by=SetBy.ANYONE,
    )
    title_disallow_scopes: Patterns = setting(
        (),
        "The scopes that a title may not have, one regular expression a line.",
        stage="pr",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    title_require_scope: Switch = setting(
        default=False,
        help_text="Whether a title needs a scope.",
        stage="pr",
        shown="false",
        set_by=SetBy.ANYONE,
    )
    title_subject_pattern: Pattern = setting(
        "",
        "A regular expression that has to match the whole subject, such as `(?![A-Z]).+`.",
        stage="pr",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    title_pattern: Pattern = setting(
        "",
        "A regular expression for the whole title instead of Conventional Commits, with the groups `type`, `scope`,"
        " `breaking` and `subject` where it has them.",
        stage="pr",
        shown="Conventional Commits",
        set_by=SetBy.ANYONE,
    )
    title_error: Folder = setting(
        "",
        "What to say of a wrong title instead of our words; `{title}`, `{type}`, `{scope}`, `{subject}` and `{proposal}` are"
        " filled in.",
        stage="pr",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    draft_titles: DraftTitles = setting(
        DraftTitles.CHECK,
        "Whether the titles of drafts and of work in progress are checked: `check` or `skip`.",
        stage="pr",
        shown="check",
        set_by=SetBy.ANYONE,
    )
    ignore_labels: Items = setting(
        (), "Labels with which title and size are not checked.", stage="pr", shown=" ", set_by=SetBy.ANYONE
    )
    max_files: int = setting(
        50,
        "More changed files than these are a finding; 0 for no limit.",
        stage="pr",
        ge=0,
        set_by=SetBy.ANYONE,
    )
    max_lines: int = setting(
        0,
        "More changed lines than these are a finding; 0 for no limit.",
        stage="pr",
        shown="no limit",
        ge=0,
        set_by=SetBy.ANYONE,
    )
    size_ignore: Globs = setting(
        (),
        "Files that do not count for the size, as patterns of `.gitignore`, beside lock files, generated and vendored files"
        " and pure moves.",
        stage="pr",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    size_blocking: Switch = setting(
        default=False,
        help_text="Whether a pull request that is too large fails instead of warning.",
        stage="pr",
        shown="false",
        set_by=SetBy.ANYONE,
    )
    areas: Areas = setting(
        (),
        "The parts of the project for the output `changed-areas`, one a line: `name: pattern, pattern`, patterns as in"
        " `.gitignore`; in pyproject.toml the table `[tool.ci-action.areas]`.",
        stage="pr",
        shown="the top folders",
        set_by=SetBy.ANYONE,
    )
    labels: Switch = setting(
        default=False,
        help_text="Whether the pull request gets the labels `size/…` and `type: …`; it takes `pull-requests: write`.",
        stage="pr",
        shown="false",
        set_by=SetBy.WORKFLOW,
    )
