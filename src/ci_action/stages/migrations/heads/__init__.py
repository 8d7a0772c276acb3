"""The tool `heads`: whether the history of revisions has one head, also after the merge. It needs no database."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.stage import Configuration
from ci_action.engine.tool import Checked, Tool
from ci_action.model.finding import Finding
from ci_action.model.migrations import History, Migrations
from ci_action.model.result import Counted, Report, Skipped
from ci_action.project.layout import lowest_minor
from ci_action.project.programs import Program
from ci_action.stages.migrations.configuration import configured, find
from ci_action.stages.migrations.heads.base import Base, author_of, base_of
from ci_action.stages.migrations.heads.commands import Commands
from ci_action.stages.migrations.heads.files import RevisionFile, belongs, merged, of_checkout
from ci_action.stages.migrations.heads.graph import version
from ci_action.stages.migrations.heads.header import UnreadableRevisionError, header, parse
from ci_action.stages.migrations.heads.judge import TOOL as NAME
from ci_action.stages.migrations.heads.judge import Entry, Facts, Judged, judged, syntax
from ci_action.stages.migrations.history import history_of
from ci_action.stages.migrations.model import Alembic, RevisionHistory
from ci_action.system.errors import ProjectFileError
from ci_action.system.text import counted, one_line

_MOST_PARSED: Final = 300
_LOG_LINES: Final = 200
_BRANCH: Final = ("pull_request", "base", "ref")


@dataclass(frozen=True, kw_only=True)
class Read:
    """The histories of a project, and what is wrong with them."""

    histories: tuple[RevisionHistory, ...]
    findings: tuple[Finding, ...]
    base: Base
    details: tuple[str, ...]
    unreadable: int


def histories(ctx: Context) -> tuple[RevisionHistory, ...]:
    """Return the history of each configuration, read once a run; raises `ToolError`."""
    return read(ctx).histories


def read(ctx: Context) -> Read:
    """Read the histories of the project, as they are after the merge; raises `ToolError`."""
    found: Read = ctx.revisions.of(lambda: _read(ctx, configured(ctx).each))
    return found


def _read(ctx: Context, alembics: Sequence[Alembic]) -> Read:
    base = base_of(ctx, alembics)
    several = [_History.of(ctx, alembic, base) for alembic in alembics]
    return Read(
        histories=tuple(one.history for one in several),
        findings=tuple(finding for one in several for finding in one.findings),
        base=base,
        details=tuple(text for one in several for text in one.details),
        unreadable=sum(one.unreadable for one in several),
    )


@dataclass(frozen=True, kw_only=True)
class _History:
    """One history with what was found in it."""

    history: RevisionHistory
    findings: tuple[Finding, ...]
    details: tuple[str, ...]
    unreadable: int

    @classmethod
    def of(cls, ctx: Context, alembic: Alembic, base: Base) -> "_History":
        """Read a history as it is after the merge with the base branch."""
        changes = ctx.changes
        unknown = changes.problem if changes else "the change was not looked for"
        changed = changes.file if changes and changes.known else _nothing
        files = merged(
            of_checkout(ctx.layout, alembic, changed),
            {place: content for place, content in base.files.items() if belongs(place, ctx.layout, alembic)},
            changed,
        )
        entries, findings = _entries(files)
        facts = Facts(
            author=lambda file: author_of(ctx, base, file),
            commands=Commands.of(alembic, ctx.layout.relative(alembic.folder)),
            base=base.tip.name if base.tip else "",
            known=not unknown,
        )
        result = judged(entries, facts)
        findings += [*result.findings, *_unparsable(entries, result, newest=bool(unknown))]
        notes = []
        if _is_newer(ctx):  # its own interpreter decides about its syntax
            findings = [one for one in findings if one.rule != "syntax"]
            notes.append(
                "the syntax of the revisions is not checked: the project needs a newer Python than ours"
            )
        notes += [f"not a literal, and only known after an import: {text}" for text in result.open]
        if unknown and len(result.revisions) > _MOST_PARSED:
            notes.append(f"only the newest {_MOST_PARSED} revisions were parsed whole")
        history = RevisionHistory(
            alembic=alembic, revisions=result.revisions, heads=result.heads, unknown=unknown
        )
        return cls(
            history=history,
            findings=tuple(findings),
            details=(_summary(history), *notes),
            unreadable=len(files) - len(entries),
        )


def _nothing(_place: str) -> bool:
    return False


def _entries(files: Sequence[RevisionFile]) -> tuple[list[Entry], list[Finding]]:
    """Return the heads of the files; one that cannot be read is a finding."""
    entries, findings = [], []
    for file in files:
        try:
            entries.append(Entry(file=file, header=header(file.read(), file.place.rpartition("/")[2])))
        except UnreadableRevisionError as error:
            findings.append(syntax(file, error.reason, error.line))
        except ProjectFileError as error:
            findings.append(syntax(file, error.problem, None))
    return entries, findings


def _unparsable(entries: Sequence[Entry], result: Judged, *, newest: bool) -> Iterator[Finding]:
    """Yield a finding for each new revision that is not Python; `newest` if all of them count as new."""
    by_name = {one.name: one.file for one in entries}
    chosen = [by_name[one.name] for one in result.revisions if one.new]
    for file in chosen[-_MOST_PARSED:] if newest else chosen:
        try:
            parse(file.read())
        except UnreadableRevisionError as error:
            yield syntax(file, error.reason, error.line)
        except ProjectFileError as error:  # removed meanwhile
            yield syntax(file, error.problem, None)


def _is_newer(ctx: Context) -> bool:
    """Return whether the project needs a newer Python than ours, whose syntax we do not know."""
    needs = ctx.settings.python_version or ctx.layout.requires_python
    return (lowest_minor(needs) or 0) > sys.version_info.minor


def _summary(history: RevisionHistory) -> str:
    heads = ", ".join(map(one_line, history.heads))
    number = len(history.heads)
    new = "all of them count as new" if history.unknown else f"{len(history.new):,} of the change"
    return (
        f"{history.alembic.source}: {counted(len(history.revisions), 'revision')}, {new};"
        f" {counted(number, 'head')}{f' ({heads})' if heads else ''}"
    )


def check(ctx: Context, _program: Program) -> Checked:
    """Check the graph of the revisions."""
    found = configured(ctx)
    if found.why_not:
        return Checked(outcome=Skipped(found.why_not))
    result = read(ctx)
    number = sum(len(one.revisions) for one in result.histories)
    findings = (*found.findings, *result.findings)
    if not number and not findings:
        return Checked(outcome=Skipped(_no_revisions(result.histories)), warnings=found.notes)
    new = sum(len(one.new) for one in result.histories)
    base = result.base
    details = [*result.details]
    if base.tip:
        details.append(f"checked as merged with {base.name}")
    warnings = [*found.notes]
    if base.problem:
        warnings.append(f"only the checkout was checked, not the merge with the base branch: {base.problem}")
    if base.tip and base.tip.older:
        warnings.append(
            f"{base.tip.name} may have newer revisions than {base.tip.commit[:12]}: {base.tip.older}"
        )
    if unknown := next((one.unknown for one in result.histories if one.unknown), ""):
        merging = ", and the merge with the base branch is not checked" if ctx.event.text(*_BRANCH) else ""
        warnings.append(f"all revisions count as new{merging}: {unknown}")
    return Checked(
        outcome=Report(
            findings=findings,
            examined={Counted.REVISIONS: number, Counted.UNREADABLE: result.unreadable},
            metrics={"revisions": float(number), "new": float(new)},
            migrations=Migrations(histories=tuple(map(_reported, result.histories))),
            details=tuple(details),
        ),
        warnings=tuple(warnings),
        log="\n".join(_log(result.histories)),
        version=version(),
        version_source="bundled",
    )


def _reported(history: RevisionHistory) -> History:
    """Return what the report lists of a history."""
    base = None if history.unknown else history.base_heads
    return history_of(history.revisions, history.heads, base, history.alembic.source)


def _no_revisions(found: Sequence[RevisionHistory]) -> str:
    return f"no revisions in {', '.join(one.alembic.source for one in found)}"


def _log(found: Sequence[RevisionHistory]) -> Iterator[str]:
    """Yield the newest revisions of each history, the newest first."""
    for history in found:
        yield f"{history.alembic.source}: {', '.join(folder.name for folder in history.alembic.versions)}"
        for one in history.revisions[: -_LOG_LINES - 1 : -1]:
            mark = " (head)" if one.name in history.heads else ""
            yield f"{', '.join(one.down) or '<base>'} -> {one.name}{mark}, {one.message} [{one.place.path}]"


def plan(ctx: Context) -> str:
    """Return which histories would be checked."""
    found = configured(ctx)
    if not found.each:
        return found.why_not or found.findings[0].message
    parts = []
    for alembic in found.each:
        number = len(of_checkout(ctx.layout, alembic, _nothing))
        parts.append(f"{counted(number, 'revision')} of {alembic.source}")
    return "; ".join(parts)


def why_not(ctx: Context) -> str:
    """Return why `all` skips the stage; empty if the project has revisions, or a wrong configuration."""
    found = configured(ctx)
    if found.why_not:
        return found.why_not
    if found.unconfigured:
        return "; ".join(one.message for one in found.findings)
    if found.findings or any(of_checkout(ctx.layout, one, _nothing) for one in found.each):
        return ""
    return "Alembic has no revisions"


def why(ctx: Context) -> str:
    """Return what configures Alembic."""
    found = configured(ctx)
    names = [one.source for one in found.each] or [one.path for one in found.findings]
    return f"configured in {', '.join(dict.fromkeys(names))}"


def mistakes(given: Configuration) -> Iterator[str]:
    """Yield an error for a `downgrade-from` that is not a revision."""
    wanted = given.settings.downgrade_from
    if not wanted:
        return
    files = [
        file
        for alembic in find(given.layout, given.settings, environ={}).each
        for file in of_checkout(given.layout, alembic, _nothing)
    ]
    entries, findings = _entries(files)
    known = not findings and not any("revision" in one.header.open for one in entries)
    if known and entries and not any(one.header.name.startswith(wanted) for one in entries):
        yield f"downgrade-from = {wanted!r}: no revision has this name"


TOOL: Final = Tool(
    name=NAME,
    summary="The graph of the revisions, as it is after the merge.",
    url="https://alembic.sqlalchemy.org/en/latest/branches.html",
    check=check,
    program=lambda _: Program(argv=(), version="", source=""),
    plan=plan,
    count=lambda ctx: sum(len(of_checkout(ctx.layout, one, _nothing)) for one in configured(ctx).each),
)
