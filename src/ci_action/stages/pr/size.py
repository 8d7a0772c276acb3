"""The size of a pull request: more files or lines than asked for are a finding that shows the folders they are in."""

from collections.abc import Iterator
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.tool import Checked, Tool
from ci_action.github.pull_request import NoPull
from ci_action.model.finding import Finding, Level
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.project.programs import Program
from ci_action.stages.pr.changed_files import PullFiles
from ci_action.stages.pr.changed_files_source import files_of
from ci_action.stages.pr.measure import Folder, Size, folders, largest, measure, told

_DOCUMENTATION: Final = (
    "https://docs.github.com/pull-requests/collaborating-with-pull-requests/getting-started/helping-others-review-your-changes"
)
_MOST_FOLDERS: Final = 10


def check(ctx: Context, _program: Program) -> Checked:
    """Count what the pull request changes."""
    pull = ctx.pull
    if isinstance(pull, NoPull):
        return Checked(outcome=Broken(pull.reason) if pull.broken else Skipped(pull.reason, rightly=True))
    if label := pull.label_among(ctx.settings.ignore_labels):
        return Checked(outcome=Skipped(f"the label {label!r} is one of `ignore-labels`", rightly=True))
    files = files_of(ctx, pull)
    size = measure(files, ctx.settings.size_ignore)
    findings = tuple(_findings(ctx, size))
    if findings and ctx.settings.size_blocking and files.numbers_only:
        # What has to be left out could make it small enough: that it is too large is not known.
        return Checked(outcome=Broken(files.note))
    report = Report(
        findings=findings,
        examined={Counted.FILES: size.files, Counted.LEFT_OUT: size.left},
        metrics={"size_files": size.files, "size_lines": size.lines},
        details=tuple(_details(files, size)),
    )
    return Checked(outcome=report, warnings=(files.note,) if files.note else ())


def _findings(ctx: Context, size: Size) -> Iterator[Finding]:
    settings = ctx.settings
    level = Level.ERROR if settings.size_blocking else Level.WARNING
    if settings.max_files and size.files > settings.max_files:
        where = ", ".join(
            f"{folder.name} ({folder.files:,})" for folder in largest(size.counted, lambda one: one.files)
        )
        yield _finding(
            f"{size.files:,} changed files are more than {settings.max_files:,}",
            where,
            level,
            size,
            "files",
        )
    if settings.max_lines and size.lines > settings.max_lines:
        where = ", ".join(
            f"{folder.name} ({folder.lines:,})" for folder in largest(size.counted, lambda one: one.lines)
        )
        yield _finding(
            f"{size.lines:,} changed lines are more than {settings.max_lines:,}",
            where,
            level,
            size,
            "lines",
        )


def _finding(text: str, where: str, level: Level, size: Size, what: str) -> Finding:
    left = (
        f"; {size.left:,} more {'file does' if size.left == 1 else 'files do'} not count" if size.left else ""
    )
    return Finding(
        tool="size",
        rule=f"too-many-{what}",
        message=f"{text}, most of them in {where}{left}" if where else f"{text}{left}",
        level=level,
        url=_DOCUMENTATION,
    )


def _details(files: PullFiles, size: Size) -> Iterator[str]:
    found = folders(size.counted)
    yield from (_told(folder) for folder in found[:_MOST_FOLDERS])
    if len(found) > _MOST_FOLDERS:
        yield f"and {len(found) - _MOST_FOLDERS:,} more folders"
    yield from (f"left out: {line}" for line in told(size))
    if files.unmarked:
        yield f"linguist-generated is not known: {files.unmarked}"


def _told(folder: Folder) -> str:
    files = f"{folder.files:,} {'file' if folder.files == 1 else 'files'}"
    return f"{folder.name}: {files}, {folder.lines:,} {'line' if folder.lines == 1 else 'lines'}"


def plan(ctx: Context) -> str:
    """Say what would be too large."""
    limits = [(ctx.settings.max_files, "files"), (ctx.settings.max_lines, "lines")]
    asked = [f"{most:,} {what}" for most, what in limits if most]
    return f"at most {' and '.join(asked)}" if asked else "no limit"


TOOL: Final = Tool(
    name="size",
    summary="Number of changed files and lines, without lock files, generated and vendored files.",
    url=_DOCUMENTATION,
    check=check,
    program=lambda _: Program(argv=(), version="", source=""),
    plan=plan,
)
