"""Where the Dockerfile and the build context of the settings are, and which other Dockerfiles the project has."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.project.layout import Layout
from ci_action.settings import Settings

DEFAULT: Final = "Dockerfile"
_NAMES: Final = re.compile(r"Dockerfile|Containerfile|Dockerfile\..+|.+\.Dockerfile", re.DOTALL)
_IGNORE: Final = ".dockerignore"
# Of template engines: such a file becomes a Dockerfile only when it is rendered.
_TEMPLATES: Final = (
    ".cookiecutter", ".erb", ".in", ".j2", ".jinja", ".jinja2", ".m4", ".mako", ".mustache", ".template", ".tmpl", ".tpl",
)  # fmt: skip


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
    named, templates = named_like_dockerfiles(name for name in ctx.tracked.names if name != own)
    return Dockerfiles(names=(*([own] if file.is_file() else []), *named), templates=tuple(templates))


def named_like_dockerfiles(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the files that are named like a Dockerfile, and those that are templates of one."""
    found = [
        name for name in names if _NAMES.fullmatch(name.rpartition("/")[2]) and not name.endswith(_IGNORE)
    ]
    templates = [name for name in found if name.endswith(_TEMPLATES)]
    return [name for name in found if name not in templates], templates
