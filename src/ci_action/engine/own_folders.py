"""The folders that we write to: never looked at, so they must not hold what is to be looked at."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.project.layout import Layout, cache_dir, report_dir
from ci_action.settings.general import COMMENT, MERGE
from ci_action.system.cache import Store
from ci_action.system.errors import SettingsError, ToolError
from ci_action.system.folder import is_own, place_of
from ci_action.system.ownership import ids_of

SAME_USER: Final = "the project's code would run as the same user as ci-action and could change them"
RESTORED: Final = (
    "; if a step restored it, run `sudo chown -R root:` on it after that step, before any code of the project runs"
)
# These words read report folders of other runs and check no files: `paths` may well lie in a folder of ours.
_READ_REPORTS: Final = frozenset({MERGE, COMMENT})


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a folder before the run."""

    link: str = ""
    """The first part of its path in the workspace that is a link."""
    around: str = ""
    """What it lies around, of that which is to be looked at."""
    tracked: str = ""
    """A file in it that git tracks."""
    unknown: bool = False
    """Whether it is not empty, was not created by us, and git does not say what in it belongs to the project."""


def objection(facts: Facts) -> str:
    """Say why a folder cannot be one of ours; empty where it can."""
    if facts.link:
        return f"{facts.link!r} is a link"
    if facts.around:
        return f"it holds {facts.around!r}, which is to be checked"
    if facts.tracked:
        return f"it holds files that git tracks, such as {facts.tracked!r}"
    if facts.unknown:
        return "it is not empty, and was not created by ci-action"
    return ""


def facts_of(folder: Path, ctx: Context) -> Facts:
    """Look at a folder; what lies outside the workspace hides nothing. Git is asked where there is something in it."""
    layout = ctx.layout
    path = Path(os.path.normpath(folder))
    if link := next(_links(path, layout.workspace), None):
        return Facts(link=layout.relative(link))
    if _READ_REPORTS & {*ctx.settings.stage}:
        return Facts()
    real = Path(os.path.realpath(path))
    for name in (layout.root, *(layout.root / given for given in layout.paths)):
        if Path(os.path.realpath(name)).is_relative_to(real):
            return Facts(around=layout.relative(name))
    if not real.is_relative_to(os.path.realpath(layout.workspace)) or not _filled(real):
        return Facts()
    tracked = _tracked(real, ctx)
    if tracked is None:
        return Facts(unknown=not is_own(real))
    return Facts(tracked=layout.relative(real / tracked) if tracked else "")


def _links(path: Path, workspace: Path) -> Iterator[Path]:
    if path.is_relative_to(workspace):
        inner = path.relative_to(workspace).parts
        yield from filter(
            Path.is_symlink, (workspace.joinpath(*inner[: end + 1]) for end in range(len(inner)))
        )


def _filled(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(True for _ in entries)
    except OSError:
        return False  # absent, or a file: nothing is in it that could be hidden


def _tracked(folder: Path, ctx: Context) -> str | None:
    """Return the first file in a folder that git tracks, or nothing; None where git tracks none at all."""
    try:
        found = ctx.repository.tracked(folder, ["."])
        if not found and not ctx.repository.tracked(ctx.layout.workspace, ["."]):
            return None
    except ToolError:
        return None
    return found[0] if found else ""


def with_own_folders(ctx: Context, *, cache_named: bool) -> Context:
    """Return the context with the folders for reports and for the cache; raises `SettingsError` for the former.

    A cache that cannot be used is left out with a notice; so are, where a setting named it, results that cannot be kept.
    """
    settings, layout = ctx.settings, ctx.layout
    reports = report_dir(layout, settings)
    if wrong := objection(facts_of(reports, ctx)):
        raise SettingsError([f"report-dir = {settings.report_dir!r}: {wrong}; choose another folder"])
    cache = cache_dir(layout, settings, ctx.environ)
    if cache is None:
        return replace(ctx, own_folders=(reports,))
    if wrong := objection(facts_of(cache, ctx)):
        notice = (
            f"nothing is cached in {layout.shown(cache)!r}: {wrong}; choose another folder as `cache-dir`"
        )
        return replace(ctx, own_folders=(reports,), notices=(notice,))
    kept = _store(
        cache, layout, SAME_USER if ctx.container and ctx.owner is None else "", strict=ctx.container
    )
    closed = f"no results of unchanged files are kept: {kept.why_not}" if kept.why_not and cache_named else ""
    told = (kept.notice(RESTORED if ctx.container else ""), closed)
    return replace(
        ctx,
        cache=cache,
        kept=kept,
        own_folders=(cache, reports),
        notices=tuple(filter(None, told)),
    )


def _store(cache: Path, layout: Layout, why_not: str, *, strict: bool) -> Store:
    place = place_of(cache, layout.workspace, strict=strict)
    owner = ids_of(layout.workspace) if place.start == layout.workspace else None
    return Store(place, user=os.geteuid(), owner=owner, why_not=why_not)
