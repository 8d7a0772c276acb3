"""Where the Dockerfile and the build context of the settings are, and which other Dockerfiles the project has."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.project.file_kinds import is_dockerfile, is_dockerfile_template
from ci_action.project.layout import Layout
from ci_action.settings import Settings

DEFAULT: Final = "Dockerfile"


def context_of(settings: Settings, layout: Layout) -> Path:
    """Return the folder of the build context, which may not exist."""
    return layout.root / settings.context


def dockerfile_of(settings: Settings, layout: Layout) -> Path:
    """Return the Dockerfile of the image, which may not exist."""
    if settings.dockerfile:
        return layout.root / settings.dockerfile
    return context_of(settings, layout) / DEFAULT


def why_not(ctx: Context) -> str:
    """Return why there is nothing to build; empty if the Dockerfile exists."""
    file = dockerfile_of(ctx.settings, ctx.layout)
    return "" if file.is_file() else f"no file {ctx.layout.shown(file)!r}"


def why(ctx: Context) -> str:
    """Describe what is built."""
    return ctx.layout.shown(dockerfile_of(ctx.settings, ctx.layout))


@dataclass(frozen=True, kw_only=True)
class Dockerfiles:
    """The Dockerfiles of a project, relative to its root."""

    names: tuple[str, ...]
    templates: tuple[str, ...]
    """Those that are not checked, because a template engine has to render them first."""


def dockerfiles(ctx: Context) -> Dockerfiles:
    """Return the Dockerfile of the image, and every file of `paths` that is named like one."""
    file = dockerfile_of(ctx.settings, ctx.layout)
    own = os.path.relpath(file, ctx.layout.root)
    others = [name for name in ctx.tracked.names if name != own]
    return Dockerfiles(
        names=(*([own] if file.is_file() else []), *filter(is_dockerfile, others)),
        templates=tuple(filter(is_dockerfile_template, others)),
    )
