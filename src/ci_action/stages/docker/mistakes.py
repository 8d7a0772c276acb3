"""What is wrong with the settings of the stage."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from ci_action.engine.stage import Configuration
from ci_action.project.layout import Layout
from ci_action.settings import Settings
from ci_action.stages.docker.discovery import context_of, dockerfile_of
from ci_action.stages.docker.dockerfile import frontend, parse
from ci_action.stages.docker.reference import wrong_reference
from ci_action.system.errors import ProjectFileError
from ci_action.system.project_files import outside, read_project_file
from ci_action.system.text import did_you_mean

_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://|git@|github\.com/", re.IGNORECASE)
_DOCKERS_OWN: Final = re.compile(r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?(?:[:@].*)?")
# The types of caches that buildx has, and what each must have beside its type to be read and to be written.
_CACHES: Final[Mapping[str, tuple[str, str]]] = {
    "azblob": ("", ""), "gha": ("", ""), "inline": ("", ""), "local": ("src", "dest"), "registry": ("ref", "ref"),
    "s3": ("", ""),
}  # fmt: skip


def mistakes(given: Configuration) -> Iterator[str]:
    """Yield an error for each setting that contradicts the project or cannot work."""
    settings, layout = given.settings, given.layout
    wrong = [*_context(settings, layout)] or [*_dockerfile(settings, layout)]
    yield from wrong
    if settings.target and not wrong:
        yield from _target(settings, layout)
    if settings.image_tag and (problem := wrong_reference(settings.image_tag)):
        yield f"image-tag = {settings.image_tag!r}: {problem}"
    yield from _caches("cache-from", settings.cache_from, 0)
    yield from _caches("cache-to", settings.cache_to, 1)


def _context(settings: Settings, layout: Layout) -> Iterator[str]:
    label = f"context = {settings.context!r}"
    if _URL.match(settings.context):
        yield f"{label}: a URL is not supported; check the repository out, and set its folder"
        return
    folder = context_of(settings, layout)
    if problem := outside(folder, layout.workspace):
        yield f"{label}: {problem}"
    elif not folder.is_dir():
        yield f"{label}: no such folder in {str(layout.root)!r}"


def _dockerfile(settings: Settings, layout: Layout) -> Iterator[str]:
    """Yield an error if the file is not in the workspace; only one that a setting names must exist."""
    file = dockerfile_of(settings, layout)
    label = f"dockerfile = {settings.dockerfile or layout.shown(file)!r}"
    if problem := outside(file, layout.workspace):
        yield f"{label}: {problem}"
    elif settings.dockerfile and not file.is_file():
        yield f"{label}: no such file in {str(layout.root)!r}"


def _target(settings: Settings, layout: Layout) -> Iterator[str]:
    file = dockerfile_of(settings, layout)
    try:
        raw = read_project_file(file, layout.workspace)
    except ProjectFileError:  # the tools report it
        return
    shown = layout.relative(file)
    dockerfile, parser = parse(raw, shown), frontend(raw)
    if parser and not _DOCKERS_OWN.fullmatch(parser):
        return  # of another language
    if dockerfile.stages and not dockerfile.chain(settings.target):
        names = [one.name for one in dockerfile.stages if one.name]
        hint = (
            did_you_mean(settings.target, names) if names else "; its stages have no names (`FROM … AS name`)"
        )
        yield f"target = {settings.target!r}: no such build stage in {shown!r}{hint}"


def _caches(name: str, entries: Iterable[str], which: int) -> Iterator[str]:
    for entry in entries:
        fields = dict(part.strip().partition("=")[::2] for part in entry.split(","))
        kind = fields.get("type", "")
        label = f"{name} = {entry!r}"
        if not kind:
            yield f"{label}: the type is missing, such as `type=registry,ref=org/app:cache`"
        elif kind not in _CACHES:
            yield f"{label}: unknown type {kind!r}{did_you_mean(kind, _CACHES)}"
        elif (needed := _CACHES[kind][which]) and not fields.get(needed):
            yield f"{label}: `{needed}=…` is missing"
