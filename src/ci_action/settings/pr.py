"""Inputs of the pull-request stage."""

from ci_action.settings import kinds
from ci_action.settings.field import SetBy, Setting
from ci_action.settings.types import DraftTitles


class PullRequest:
    """Settings of title, size and metadata."""

    title_types = Setting(
        kinds.patterns,
        SetBy.ANYONE,
        "Allowed types of a title, one regular expression a line. Each has to match the whole type.",
        shown="feat, fix, docs, style, refactor, perf, test, build, ci, chore, revert",
    )
    title_scopes = Setting(
        kinds.patterns, SetBy.ANYONE, "Allowed scopes of a title, one regular expression a line.", shown="any"
    )
    title_disallow_scopes = Setting(
        kinds.patterns, SetBy.ANYONE, "Forbidden scopes of a title, one regular expression a line."
    )
    title_require_scope = Setting(kinds.switch, SetBy.ANYONE, "Require a scope in the title.")
    title_subject_pattern = Setting(
        kinds.pattern,
        SetBy.ANYONE,
        "Regular expression that has to match the whole subject, such as `(?![A-Z]).+`.",
    )
    title_pattern = Setting(
        kinds.pattern,
        SetBy.ANYONE,
        "Regular expression for the whole title instead of Conventional Commits. Optional groups: `type`,"
        " `scope`, `breaking` and `subject`.",
        shown="Conventional Commits",
    )
    title_error = Setting(
        kinds.text,
        SetBy.ANYONE,
        "Message for an invalid title instead of the built-in one. `{title}`, `{type}`, `{scope}`,"
        " `{subject}` and `{proposal}` are replaced.",
    )
    draft_titles = Setting(
        kinds.choice(DraftTitles.CHECK),
        SetBy.ANYONE,
        "Check the titles of drafts and of work in progress: `check` or `skip`.",
    )
    ignore_labels = Setting(kinds.items, SetBy.ANYONE, "Labels that disable the checks of title and size.")
    max_files = Setting(
        kinds.whole(0), SetBy.ANYONE, "Maximum number of changed files; 0 for no limit.", default=50
    )
    max_lines = Setting(
        kinds.whole(0),
        SetBy.ANYONE,
        "Maximum number of changed lines; 0 for no limit.",
        shown="no limit",
    )
    size_ignore = Setting(
        kinds.globs,
        SetBy.ANYONE,
        "Files that do not count for the size, as patterns of `.gitignore`. Lock files, generated and"
        " vendored files and pure moves never count.",
    )
    size_blocking = Setting(
        kinds.switch, SetBy.ANYONE, "Fail instead of warn if a pull request is too large."
    )
    areas = Setting(
        kinds.areas,
        SetBy.ANYONE,
        "Parts of the project for the output `changed-areas`, one a line: `name: pattern, pattern`, with"
        " patterns of `.gitignore`. In pyproject.toml it is the table `[tool.ci-action.areas]`.",
        shown="the top folders",
    )
    labels = Setting(
        kinds.switch,
        SetBy.WORKFLOW,
        "Set the labels `size/…` and `type: …` on the pull request. Requires `pull-requests: write`.",
    )
