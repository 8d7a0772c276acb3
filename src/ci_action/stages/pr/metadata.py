"""Outputs about the pull request for later jobs: author, branches, what it changes. It judges nothing."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.tool import Checked
from ci_action.github.pull_request import Pull
from ci_action.model.result import Broken, Counted, Report
from ci_action.project.file_kinds import is_docs, is_migration, names_dependencies
from ci_action.settings.types import Area
from ci_action.stages.pr.changed_files import ChangedFile, PullFiles
from ci_action.stages.pr.changed_files_source import files_of
from ci_action.stages.pr.linked_issues import linked_issues
from ci_action.stages.pr.size import measure
from ci_action.stages.pr.tool import tool_of_pull
from ci_action.system.errors import UNDONE
from ci_action.system.text import counted, one_line

_DOCUMENTATION: Final = (
    "https://docs.github.com/actions/how-tos/write-workflows/choose-what-workflows-do/pass-job-outputs"
)
# All outputs of a job share 1 MB: a longer list is cut, with a warning.
MOST_ENTRIES: Final = 200
LONGEST_ENTRY: Final = 250


def _judge(ctx: Context, pull: Pull) -> Checked:
    """Gather the outputs; those from the event are kept if the changed files are unknown."""
    notes: list[str] = []
    outputs = _of_pull(ctx, pull, notes)
    try:
        files = files_of(ctx, pull)
    except UNDONE as error:
        return Checked(outcome=Broken(error.reason, error.detail, outputs=outputs), warnings=tuple(notes))
    outputs |= _of_files(ctx, files, notes)
    report = Report(examined={Counted.FILES: files.total}, outputs=outputs)
    return Checked(outcome=report, warnings=tuple(notes))


def _of_pull(ctx: Context, pull: Pull, notes: list[str]) -> dict[str, str]:
    issues = linked_issues(pull.body, ctx.event.repository, ctx.event.server_url)
    return {
        "pr-number": str(pull.number),
        "pr-author": _line(pull.author),
        "pr-base": _line(pull.base),
        "pr-head": _line(pull.head),
        "pr-labels": _list("pr-labels", pull.labels, notes),
        "pr-draft": _word(pull.is_draft),
        "pr-issues": _list("pr-issues", issues, notes),
        "is-fork": _word(pull.is_fork),
        "is-bot": _word(pull.is_bot),
    }


def _of_files(ctx: Context, files: PullFiles, notes: list[str]) -> dict[str, str]:
    names = {name for file in files.files for name in file.names}

    def known(asked: Callable[[str], bool]) -> str:
        found = any(map(asked, names))
        return "" if files.truncated and not found else _word(found)

    areas = _list("changed-areas", areas_of(files.files, ctx.settings.areas), notes)
    return {
        "changed-files": str(files.total),
        "changed-lines": str(files.lines),
        "changed-areas": "" if files.numbers_only else areas,
        "has-migrations": known(is_migration),
        "has-docs": known(is_docs),
        "has-dependencies": known(names_dependencies),
        "pr-size": measure(files, ctx.settings.size_ignore).name,
    }


def areas_of(files: Iterable[ChangedFile], areas: Sequence[Area] = ()) -> list[str]:
    """Return the areas of files, in the order of their definition; the top folders if no area is defined.

    A file that was moved belongs to its previous area too.
    """
    names = {name for file in files for name in file.names}
    if not areas:
        return sorted({name.partition("/")[0] if "/" in name else "." for name in names})
    touched = (area.name for area in areas if any(map(area.spec.match_file, names)))
    return list(dict.fromkeys(touched))


def _line(text: str) -> str:
    return one_line(text).replace("\t", " ")


def _word(value: object) -> str:
    return "true" if value else "false"


def _list(name: str, entries: Sequence[str], notes: list[str]) -> str:
    shown = [_line(entry)[:LONGEST_ENTRY] for entry in entries[:MOST_ENTRIES]]
    if len(entries) > MOST_ENTRIES:
        notes.append(f"the output {name} holds the first {MOST_ENTRIES} of {len(entries):,} entries")
    return json.dumps(shown, ensure_ascii=False)


TOOL: Final = tool_of_pull(
    "metadata",
    "Outputs about the pull request for later jobs.",
    _DOCUMENTATION,
    _judge,
    lambda ctx: counted(len(ctx.settings.areas), "area") if ctx.settings.areas else "areas by top folders",
    labels=False,
)
