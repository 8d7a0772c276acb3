"""What the base branch has beside the checkout: read from git, as the owner of the workspace."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ci_action.engine.base_commit import Tip, tip_of_base
from ci_action.engine.context import Context
from ci_action.project.git.base_files import contents, parse
from ci_action.stages.migrations.heads.files import RevisionFile, belongs
from ci_action.stages.migrations.heads.header import LARGEST
from ci_action.stages.migrations.model import Alembic
from ci_action.system.errors import ToolError

_MOST: Final = 200_000_000
_DIFF: Final = ("diff-tree", "-r", "--no-renames", "--raw", "-z", "--no-abbrev")


@dataclass(frozen=True, kw_only=True)
class Base:
    """The base branch, as far as it differs from where the change began."""

    tip: Tip | None = None
    """Its newest commit; None if the checkout alone is checked."""
    files: Mapping[str, bytes | None] = field(default_factory=dict)
    """The contents of its other revision files, by their places; None for a removed one."""
    problem: str = ""
    """Why the checkout alone is checked, although the change adds revisions."""

    @property
    def name(self) -> str:
        """The branch and its commit, for people; empty if the checkout alone is checked."""
        return f"{self.tip.name} ({self.tip.commit[:12]})" if self.tip else ""


def base_of(ctx: Context, alembics: Sequence[Alembic]) -> Base:
    """Return what the base branch has; only if the change touches revisions, else the merge adds nothing to it."""
    changes = ctx.changes
    if changes is None or not changes.known:
        return Base()
    if not any(belongs(place, ctx.layout, one) for place in changes.lines for one in alembics):
        return Base()
    try:
        tip = tip_of_base(ctx)
        files = _files(ctx, tip, changes.base, alembics) if tip and tip.commit != changes.base else {}
    except ToolError as error:
        return Base(problem=error.reason)
    return Base(tip=tip, files=files)


def _files(ctx: Context, tip: Tip, base: str, alembics: Sequence[Alembic]) -> Mapping[str, bytes | None]:
    """Return the revision files in which the tip differs from a commit; raises `ToolError`."""
    repository = tip.repository
    folders = {folder for one in alembics for folder in one.versions}
    paths = sorted(path for folder in folders if (path := _below(folder, repository.top)))
    if not paths:
        return {}
    words = ("--literal-pathspecs", *_DIFF, tip.commit, base, "--", *paths)
    workspace = os.path.realpath(ctx.layout.workspace)
    found = {}
    for one in parse(repository.ask(*words)):
        place = Path(os.path.relpath(repository.top / one.name, workspace)).as_posix()
        if any(belongs(place, ctx.layout, alembic) for alembic in alembics):
            found[place] = one.blob
    texts = contents(repository, filter(None, found.values()), LARGEST, _MOST)
    files = {place: texts.get(blob) if blob else None for place, blob in found.items()}
    lost = [place for place, blob in found.items() if blob and files[place] is None]
    if lost:
        raise ToolError(f"could not read {lost[0]!r} of the branch {tip.name!r}")
    return files


def _below(folder: Path, top: Path) -> str:
    """Return a folder relative to the top of the repository; empty if it is outside."""
    path = os.path.relpath(os.path.realpath(folder), os.path.realpath(top))
    return "" if path.split(os.sep, 1)[0] == os.pardir else path


def author_of(ctx: Context, base: Base, file: RevisionFile) -> str:
    """Return who wrote a revision; empty if it is unknown."""
    try:
        repository = base.tip.repository if base.tip else ctx.repository
        commit = base.tip.commit if base.tip and file.of_base else ctx.repository.head().sha
        path = os.path.relpath(
            os.path.join(os.path.realpath(ctx.layout.workspace), file.place), os.path.realpath(repository.top)
        )
        found = repository.author(commit, path)
    except ToolError:
        found = ""
    return found or (_of_pull_request(ctx) if file.new else "")


def _of_pull_request(ctx: Context) -> str:
    name = ctx.event.text("pull_request", "user", "login")
    return f"@{name}" if name else ""
