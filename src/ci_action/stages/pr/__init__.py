"""The stage `pr`: title, size and metadata of the pull request."""

from collections.abc import Callable, Mapping
from typing import Final

from ci_action.engine.stage import Output
from ci_action.model.result import StageResult
from ci_action.model.totals import told_by

# The tools fill them in themselves.
_TOLD: Final[Mapping[str, str]] = {
    "pr-number": "The number of the pull request; as all that follow empty where there is none, or the stage `pr` was not run.",
    "pr-title-valid": "Whether the title is right: `true` or `false`; empty where it was not checked.",
    "pr-type": "The type that the title names, such as `feat`.",
    "pr-scope": "The scope that the title names.",
    "pr-breaking": "Whether the title says that the change breaks something: `true` or `false`.",
    "pr-author": "Who opened the pull request.",
    "pr-base": "The branch that it is for.",
    "pr-head": "The branch that it comes from: chosen by its author, so never a part of a script.",
    "pr-labels": "Its labels, a JSON list of at most 200.",
    "pr-draft": "Whether it is a draft: `true` or `false`.",
    "pr-size": "Its size by the changed lines that count: `XS` below 10, `S` below 30, `M` below 100, `L` below 500, `XL` below"
    " 1,000, `XXL`.",
    "pr-issues": 'The issues that it closes, by the keywords in its text, a JSON list such as `["#12", "owner/name#3"]`.',
    "is-fork": "Whether it comes from another repository: `true` or `false`.",
    "is-bot": "Whether a bot opened it: `true` or `false`.",
    "changed-files": "How many files it changes, all counted.",
    "changed-lines": "How many lines it adds and takes away, all counted.",
    "changed-areas": "The areas that it touches, a JSON list of at most 200: names of `areas`, else the top folders, `.` for files"
    " at the top.",
    "has-migrations": "Whether it changes migrations of a database (Alembic, Django, Flyway): `true` or `false`.",
    "has-docs": "Whether it changes documentation: `true` or `false`.",
    "has-dependencies": "Whether it changes lock files, requirements or `pyproject.toml`: `true` or `false`.",
}


def _told(name: str) -> Callable[[StageResult], str]:
    return lambda stage: told_by(stage.tools, name)


OUTPUTS: Final = tuple(Output(name, text, _told(name)) for name, text in _TOLD.items())
