"""The stage `pr`: title, size and metadata of the pull request."""

from collections.abc import Callable, Mapping
from typing import Final

from ci_action.engine.stage import Output
from ci_action.model.result import StageResult
from ci_action.model.totals import told_by
from ci_action.stages.pr import section

# The tools fill them in themselves.
_TOLD: Final[Mapping[str, str]] = {
    "pr-number": "Number of the pull request. This and all that follow are empty without a pull request, or if the"
    " stage `pr` was not run.",
    "pr-title-valid": "`true` if the title is valid, else `false`; empty if it was not checked.",
    "pr-type": "Type in the title, such as `feat`.",
    "pr-scope": "Scope in the title.",
    "pr-breaking": "`true` if the title or body marks a breaking change, else `false`.",
    "pr-author": "Author of the pull request.",
    "pr-base": "Base branch.",
    "pr-head": "Head branch. Its name is chosen by the author: never put it into a script.",
    "pr-labels": "Labels, a JSON list of at most 200.",
    "pr-draft": "`true` for a draft, else `false`.",
    "pr-size": "Size by counted lines: `XS` below 10, `S` below 30, `M` below 100, `L` below 500, `XL` below 1,000,"
    " else `XXL`.",
    "pr-issues": 'Issues that the pull request closes, by the keywords in its text, a JSON list such as `["#12",'
    ' "owner/name#3"]`.',
    "is-fork": "`true` if the pull request comes from another repository, else `false`.",
    "is-bot": "`true` if a bot opened it, else `false`.",
    "changed-files": "Number of changed files, all counted.",
    "changed-lines": "Number of added and removed lines, all counted.",
    "changed-areas": "Changed areas, a JSON list of at most 200: names of `areas`, else the top folders, `.` for files at"
    " the top.",
    "has-migrations": "`true` if database migrations changed (Alembic, Django, Flyway), else `false`.",
    "has-docs": "`true` if documentation changed, else `false`.",
    "has-dependencies": "`true` if lock files, requirements or `pyproject.toml` changed, else `false`.",
}


def _told(name: str) -> Callable[[StageResult], str]:
    return lambda stage: told_by(stage.tools, name)


OUTPUTS: Final = tuple(Output(name, text, _told(name)) for name, text in _TOLD.items())
SECTIONS: Final = section.of
