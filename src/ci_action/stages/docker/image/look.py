"""Looks into the layers of an image: its Python packages, and secrets in what the Dockerfile adds.

The image is saved once to a file. What is found is cached by the id of the image and by the digests of its layers, places and
rules only: an image that has not changed is not saved again.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from ci_action.engine.context import Context
from ci_action.engine.docker.client import Docker, why
from ci_action.engine.secret_scan.baseline import Baseline
from ci_action.engine.secret_scan.scan import program
from ci_action.project.dependencies.pyproject import own_names
from ci_action.stages.docker.image import secrets
from ci_action.stages.docker.image.archive import Archive, Entry, LayerError, LayerReader, opened
from ci_action.stages.docker.image.contents import (
    LARGEST_TEXT,
    Installed,
    Packages,
    Removal,
    TextFinder,
    Texts,
    removals,
)
from ci_action.stages.docker.image.facts import Facts, Step
from ci_action.system.cache import Results, key_of
from ci_action.system.errors import InterruptedRunError, ToolError
from ci_action.system.text import plain

# Changed whenever something else is found: cached results of the code before are then ignored.
_GENERATION: Final = "1"
# Of all files that are searched for secrets.
_MOST_FILES: Final = 30_000
_MOST_BYTES: Final = 300_000_000
# Free disk space that others need meanwhile.
_SPARE: Final = 200_000_000
_FOLDER: Final = "image"


class Hit(msgspec.Struct, frozen=True, array_like=True):
    """A possible secret in a layer."""

    path: str
    """In the image."""
    rule: str
    line: int


class Searched(msgspec.Struct, frozen=True, kw_only=True):
    """The search of one layer for secrets."""

    hits: tuple[Hit, ...] = ()
    files: int = 0
    """Number of searched files."""
    of_packages: int = 0
    """Number of files that belong to packages."""
    binary: int = 0
    large: int = 0
    beyond: int = 0
    """Number of files beyond the limits of a search."""
    failed: int = 0


class _Whole(msgspec.Struct, frozen=True, kw_only=True):
    """What is cached by the id of an image."""

    empty: tuple[bool, ...]
    packages: tuple[Installed, ...]
    removals: tuple[Removal, ...]


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the layers of an image hold."""

    steps: tuple[Step | None, ...]
    """What made each layer, the first one first; None if it is not known."""
    packages: tuple[Installed, ...]
    removals: tuple[Removal, ...]
    """What later layers remove."""
    searched: dict[int, Searched]
    """By the number of the layer, from 0: those that the Dockerfile adds."""
    problems: tuple[str, ...] = ()
    """Why layers could not be read, each with its layer."""
    search: str = ""
    """Why not all texts were searched for secrets."""
    unread: int = 0
    """Number of layers that could not be read."""

    def is_removed(self, layer: int, path: str) -> bool:
        """Return whether a later layer removes a file."""
        return any(one.removes(layer, path) for one in self.removals)


def steps_of_layers(facts: Facts, empty: Sequence[bool]) -> tuple[Step | None, ...]:
    """Return what made each layer; None for all of them if the history contradicts the layers."""
    layered = [step for step, without in zip(facts.steps, empty, strict=False) if not without]
    if len(empty) != len(facts.steps) or len(layered) != len(facts.layers):
        return (None,) * len(facts.layers)
    return tuple(layered)


Ask: TypeAlias = Callable[[Sequence[Installed], Sequence[Step | None]], None]
"""Called once with the packages, and with what made each layer, as soon as they are known."""


def look_into(ctx: Context, image: str, facts: Facts, results: Results, ask: Ask) -> Contents:
    """Return what the layers hold; raises `ToolError` if the image cannot be saved or searched."""
    baseline = secrets.accepted(ctx)
    own = own_names(ctx.layout.pyproject)
    same = (
        program(ctx).version,
        _GENERATION,
        json.dumps(baseline.configuration, sort_keys=True),
        json.dumps(sorted([*key, str(entry.is_secret)] for key, entry in baseline.entries.items())),
        *sorted(own),
    )
    keys = [key_of("layer", digest, *same) for digest in facts.layers]
    whole = _restored(results.get(key_of("image", image, _GENERATION)), _Whole)
    if whole:
        steps = steps_of_layers(facts, whole.empty)
        wanted = [number for number, step in enumerate(steps) if step is None or step.own]
        known = {number: _restored(results.get(keys[number]), Searched) for number in wanted}
        found = {number: one for number, one in known.items() if one}
        if len(found) == len(wanted):
            ask(whole.packages, steps)
            return Contents(steps=steps, packages=whole.packages, removals=whole.removals, searched=found)
    with _saved(ctx, image, facts.size) as file:
        job = _Reading(ctx=ctx, facts=facts, own=own, baseline=baseline, results=results, keys=keys, ask=ask)
        contents, empty = job.read(file)
    if not contents.problems and not contents.search:
        kept = _Whole(empty=empty, packages=contents.packages, removals=contents.removals)
        results.put(key_of("image", image, _GENERATION), msgspec.to_builtins(kept))
    return contents


def _restored(entry: object, kind: type[Any]) -> Any:
    if entry is None:
        return None
    try:
        return msgspec.convert(entry, kind)
    except msgspec.ValidationError:
        return None


@contextmanager
def _saved(ctx: Context, image: str, size: int) -> Iterator[Path]:
    """Save an image during a block; raises `ToolError`."""
    folder = ctx.tempdir / _FOLDER
    folder.mkdir(exist_ok=True)
    file = folder / "image.tar"
    free = shutil.disk_usage(folder).free
    if free < size + _SPARE:
        raise ToolError(
            f"could not save the image: no space left on the disk: it has {size:,} bytes, and {str(folder)!r} has"
            f" {free:,} bytes left; free disk space, for example by `docker system prune`"
        )
    try:
        done = Docker(ctx).run("save", f"--output={file}", image, seconds=float(ctx.settings.timeout))
        if done.returncode != 0:
            raise ToolError(f"could not save the image: {why(done)}", detail=done.stderr)
        yield file
    finally:
        file.unlink(missing_ok=True)


@dataclass(kw_only=True)
class _Reading:
    """The reading of a saved image."""

    ctx: Context
    facts: Facts
    own: frozenset[str]
    baseline: Baseline
    results: Results
    keys: Sequence[str]
    ask: Ask
    steps: tuple[Step | None, ...] = ()
    searched: dict[int, Searched] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    unread: set[int] = field(default_factory=set)
    search: str = ""
    paths: dict[str, tuple[int, str]] = field(default_factory=dict)
    """The layers and paths of the files that were written, by their names there."""
    bytes: int = 0

    def read(self, file: Path) -> tuple[Contents, tuple[bool, ...]]:
        """Return what the layers hold, and which entries of the history have none; raises `ToolError`."""
        removed: list[Removal] = []
        packages = Packages()
        try:
            with opened(file, self.facts.layers) as archive:
                self.steps = steps_of_layers(self.facts, archive.empty)
                for number in range(len(archive.layers)):
                    self._layer(archive, number, packages, removed)
                empty = archive.empty
        except LayerError as error:
            raise ToolError(f"could not read the saved image: {error.reason}") from error
        self.ask(tuple(packages.found.values()), self.steps)
        self._search()
        contents = Contents(
            steps=self.steps,
            packages=tuple(packages.found.values()),
            removals=tuple(removed),
            searched=self.searched,
            problems=tuple(self.problems),
            search=self.search,
            unread=len(self.unread),
        )
        return contents, empty

    def _layer(self, archive: Archive, number: int, packages: Packages, removed: list[Removal]) -> None:
        step = self.steps[number]
        is_own = step is None or step.own
        known = _restored(self.results.get(self.keys[number]), Searched) if is_own else None
        finder = TextFinder(own=self.own)
        try:
            reader = archive.layer(number, self._stopped())
            entries: Iterator[Entry] = removals(number, removed.append, iter(reader))
            for entry in packages.read(number, reader, entries):
                if is_own and known is None:
                    finder.see(entry, reader)
            if is_own:
                self.searched[number] = known or self._write(number, reader, finder.texts())
        except LayerError as error:
            if self.ctx.stopped():
                raise InterruptedRunError("interrupted while reading the image") from error
            self.unread.add(number)
            self.problems.append(f"layer {number + 1} ({step.shown if step else 'unknown'}): {error.reason}")

    def _stopped(self) -> Callable[[], bool]:
        end = time.monotonic() + float(self.ctx.settings.timeout)
        return lambda: self.ctx.stopped() or time.monotonic() > end

    @property
    def _texts(self) -> Path:
        return self.ctx.tempdir / _FOLDER / "texts"

    def _write(self, number: int, reader: LayerReader, texts: Texts) -> Searched:
        """Write the texts of a layer to files; return the numbers of the others."""
        binary = beyond = 0
        hits: list[Hit] = []
        for entry in texts.files:
            if len(self.paths) >= _MOST_FILES or self.bytes >= _MOST_BYTES:
                beyond += 1
                continue
            content = reader.content(entry, LARGEST_TEXT)
            if secrets.is_binary(content):
                binary += 1
                continue
            name = secrets.file_name(len(self.paths), entry.path)
            secrets.write(self._texts, name, content)
            self.paths[name] = (number, plain(entry.path))
            self.bytes += len(content)
            hits += [
                Hit(plain(entry.path), hit.rule, hit.line) for hit in secrets.of_job(self.ctx.redact, content)
            ]
        return Searched(
            hits=tuple(hits), of_packages=texts.of_packages, binary=binary, large=texts.large, beyond=beyond
        )

    def _search(self) -> None:
        """Search the files that were written, and cache the results of layers that were searched completely."""
        paths = {name: path for name, (_, path) in self.paths.items()}
        if paths:
            found = secrets.search(self.ctx, self._texts, paths, self.baseline, Results(None))
            self.search = found.problem
            for number in {layer for layer, _ in self.paths.values()}:
                names = [name for name, (layer, _) in self.paths.items() if layer == number]
                self.searched[number] = _joined(self.searched[number], names, paths, found)
        if not self.search:
            for number, one in self.searched.items():
                if not one.beyond:
                    self.results.put(self.keys[number], msgspec.to_builtins(one))


def _joined(
    written: Searched, names: Sequence[str], paths: Mapping[str, str], found: secrets.Searched
) -> Searched:
    """Return the search of a layer with the results of the files that were written for it."""
    missed = [name for name in names if name not in found.hits]
    failed = sum(bool(found.problem) or name in found.failed for name in missed)
    return msgspec.structs.replace(
        written,
        files=len(names) - len(missed),
        failed=failed,
        binary=written.binary + len(missed) - failed,
        hits=(
            *written.hits,
            *(Hit(paths[name], hit.rule, hit.line) for name in names for hit in found.hits.get(name, ())),
        ),
    )
