"""The folders that we write to: never checked, so they must not contain what is to be checked."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.project.layout import cache_dir, report_dir, reports_root
from ci_action.settings.general import COMMENT, MERGE
from ci_action.system.cache import Store
from ci_action.system.errors import SettingsError, ToolError
from ci_action.system.folder import is_own, place_of
from ci_action.system.ownership import ids_of

SAME_USER: Final = "the project's code would run as the same user as ci-action and could change them"
RESTORED: Final = (
    "; if a step restores it, run `sudo chown -R root:` on it after that step, before any code of the project runs"
)
# They read report folders of other runs and check no files: `paths` may be in our folders.
_READ_REPORTS: Final = frozenset({MERGE, COMMENT})


def objection(folder: Path, ctx: Context) -> str:
    """Return why a folder cannot be ours; empty if it can, as any that is outside the workspace."""
    layout = ctx.layout
    path = Path(os.path.normpath(folder))
    if link := _link(path, ctx):
        return link
    if _READ_REPORTS & {*ctx.settings.stage}:
        return ""
    real = Path(os.path.realpath(path))
    for name in (layout.root, *(layout.root / given for given in layout.paths)):
        if Path(os.path.realpath(name)).is_relative_to(real):
            return f"it contains {layout.relative(name)!r}, which is to be checked"
    if not real.is_relative_to(os.path.realpath(layout.workspace)) or not _filled(real):
        return ""
    tracked = _tracked(real, ctx)
    if tracked is None:
        return "" if is_own(real) else "it is not empty and was not created by ci-action"
    return f"it contains tracked files, such as {layout.relative(real / tracked)!r}" if tracked else ""


def _link(path: Path, ctx: Context) -> str:
    """Return which part of the path of a folder in the workspace is a link; empty if none is."""
    workspace = ctx.layout.workspace
    if not path.is_relative_to(workspace):
        return ""
    inner = path.relative_to(workspace).parts
    parts = (workspace.joinpath(*inner[: end + 1]) for end in range(len(inner)))
    return next((f"{ctx.layout.relative(part)!r} is a link" for part in parts if part.is_symlink()), "")


def _filled(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(True for _ in entries)
    except OSError:
        return False  # missing, or a file


def _tracked(folder: Path, ctx: Context) -> str | None:
    """Return the first tracked file in a folder, or an empty text; None if git tracks no file of the workspace."""
    try:
        found = ctx.repository.tracked(folder, ["."])
        if not found and not ctx.repository.tracked(ctx.layout.workspace, ["."]):
            return None
    except ToolError:
        return None
    return found[0] if found else ""


def with_own_folders(ctx: Context, *, cache_named: bool) -> Context:
    """Return the context with the folders for reports and for the cache.

    Raises `SettingsError` if the report folder cannot be used. A notice is added if the cache folder cannot be used and,
    if a setting names it, if results cannot be cached.
    """
    settings, layout = ctx.settings, ctx.layout
    reports, folder = reports_root(layout, settings), report_dir(layout, settings)
    if wrong := objection(reports, ctx) or _link(folder, ctx):
        shown = settings.report_dir or layout.shown(reports)
        raise SettingsError([f"report-dir = {shown!r}: {wrong}; choose another folder"])
    cache = cache_dir(layout, settings, ctx.environ)
    if cache is None:
        return replace(ctx, own_folders=(reports,))
    if wrong := objection(cache, ctx):
        notice = f"not caching in {layout.shown(cache)!r}: {wrong}; set `cache-dir` to another folder"
        return replace(ctx, own_folders=(reports,), notices=(notice,))
    place = place_of(cache, layout.workspace, strict=ctx.container)
    kept = Store(
        place,
        user=os.geteuid(),
        owner=ids_of(layout.workspace) if place.start == layout.workspace else None,
        why_not=SAME_USER if ctx.container and ctx.owner is None else "",
    )
    closed = f"not caching results of unchanged files: {kept.why_not}" if kept.why_not and cache_named else ""
    notices = (kept.notice(RESTORED if ctx.container else ""), closed)
    return replace(
        ctx, cache=cache, kept=kept, own_folders=(cache, reports), notices=tuple(filter(None, notices))
    )
