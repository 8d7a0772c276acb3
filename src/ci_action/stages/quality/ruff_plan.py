"""What a run of Ruff checks: the parts of a project by configuration, and the files of each.

The linter and the formatter have the same files, which `ruff check --show-files` lists in every version. Both get the
configuration of the project, or none.
"""

import glob
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ci_action.engine.context import Context
from ci_action.model.changes import as_shown
from ci_action.project.layout import lowest_minor
from ci_action.project.programs import Program, argument_names
from ci_action.project.tool_names import Named
from ci_action.stages.quality.common import as_argument, failure
from ci_action.stages.quality.ruff_config import configurations, nested, parse_files, tables
from ci_action.stages.quality.scope import Scope, scope_of
from ci_action.system.errors import ToolError
from ci_action.system.process import Command, Completed, last_lines
from ci_action.system.project_files import leading_outside


@dataclass(frozen=True)
class Part:
    """Paths with one configuration."""

    paths: tuple[str, ...]
    isolated: bool = False
    """Whether the project has no configuration for them: then Ruff must not find one elsewhere."""
    excluded: tuple[str, ...] = ()
    """Folders that belong to another part."""
    minor: int | None = None
    """The minor version of Python to pass as target; None if Ruff knows it, or there is none."""
    required: bool = False
    """Whether the target is `requires-python`, and not `python-version`."""


@dataclass(frozen=True)
class Listed:
    """The files of a part, without those outside of the change that the run is limited to."""

    part: Part
    files: Mapping[str, str]
    """The files as Ruff shows them, and their names for a command."""
    leading: tuple[str, ...] = ()
    """Links out of the workspace, which Ruff would follow."""

    def by_name(self, ctx: Context) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
        """Yield options and the files to pass by name with them.

        Files found in folders keep the excludes of the command; those that `paths` names have none.
        """
        root = os.path.realpath(ctx.layout.root)
        named = {os.path.normpath(os.path.join(root, path)) for path in self.part.paths}
        found = {name: given for name, given in self.files.items() if name not in named}
        yield ("--force-exclude",), found
        yield (), {name: given for name, given in self.files.items() if name in named}


@dataclass
class Listing:
    """The files of a run."""

    words: tuple[str, ...]
    """The options of the project's own checks and of `ruff-args`."""
    scope: Scope
    parts: list[Listed] = field(default_factory=list)
    uncovered: int = 0
    """The number of files that the project's own checks do not cover."""
    unchanged: int = 0
    """The number of files outside of the change that the run is limited to."""

    may_exclude: bool = False
    """Whether a configuration seems to have `format.exclude`: those files are listed as well."""

    partial: bool = False
    """Whether files are passed by name, because the project's own checks do not cover all that Ruff finds in the paths."""

    @property
    def account(self) -> tuple[str, ...]:
        """A line about the files that were left out."""
        return self.scope.account(self.uncovered)

    @property
    def number(self) -> int:
        """The number of files to check."""
        return sum(len(one.files) for one in self.parts)

    def links(self, ctx: Context) -> list[str]:
        """Return the links out of the workspace, relative to it."""
        return sorted(ctx.layout.relative(link) for one in self.parts for link in one.leading)


def listing(ctx: Context, program: Program, tool: Named) -> Listing:
    """List the files; raises `ToolError`, also for a configuration that leads out of the workspace."""
    layout, changes, scope = ctx.layout, ctx.narrowed, scope_of(ctx, tool)
    words = (*scope.words, *ctx.settings.ruff_args)
    texts = configurations(layout, words)
    found = Listing(words, scope, may_exclude=any(b"format" in text and b"exclude" in text for text in texts))
    real = {as_shown(path): path for path in changes.lines} if changes else {}
    for part in _parts(ctx, words):
        done = ctx.run(linting(ctx, program, part, (*words, "--show-files"), part.paths))
        if done.returncode != 0:
            raise failure_of_ruff(done)
        names = parse_files(done.stdout)
        leading = set(leading_outside(names, layout.root, layout.workspace))
        inside = [name for name in names if name not in leading]
        kept = [name for name in inside if scope.covers(layout.relative(name))]
        found.uncovered += len(inside) - len(kept)
        if changes is None:
            files = {name: name for name in kept}
        else:
            files = {
                name: as_argument(os.path.relpath(layout.workspace / real[shown], layout.root))
                for name in kept
                if (shown := as_shown(layout.relative(name))) in real
            }
        found.unchanged += len(kept) - len(files)
        found.partial |= len(kept) < len(inside) or not scope.covers(layout.relative("pyproject.toml"))
        found.parts.append(Listed(part, files, tuple(sorted(leading))))
    return found


def linting(ctx: Context, program: Program, part: Part, mode: Iterable[str], paths: Iterable[str]) -> Command:
    """Return the command `ruff check` for paths of a part; `mode` has all other options."""
    isolated = ("--isolated",) if part.isolated else ()
    excluded = excluding((*part.excluded, *map(str, ctx.own_folders)))
    words = (*isolated, *excluded, *mode, "--no-cache", "--", *paths)
    return started(ctx, program, ("check", *words))


def started(ctx: Context, program: Program, words: Iterable[str]) -> Command:
    """Return a command of Ruff in the project's folder."""
    argv = (*program.argv, *words)
    return ctx.reading(Command(argv=argv, cwd=ctx.layout.root, timeout=float(ctx.settings.timeout)))


def excluding(names: Iterable[str]) -> tuple[str, ...]:
    """Return the options that exclude names, whatever characters they have."""
    return tuple(f"--extend-exclude={glob.escape(name)}" for name in names)


def failure_of_ruff(done: Completed) -> ToolError:
    """Return the error with its cause: a wrong option, or the causes from the outermost to the innermost."""
    rows = [row.strip() for row in last_lines(done.stderr).splitlines()]
    usage = next((row for row in rows if row.startswith("error: ")), "")
    causes = [row.removeprefix("Cause: ") for row in rows if row.startswith("Cause: ")]
    last = [row for row in rows[-1:] if not row.startswith("Cause: ")]
    return failure("ruff", done, usage or ": ".join([*causes, *last]))


def _parts(ctx: Context, given: Sequence[str]) -> list[Part]:
    """Divide the paths by configuration: without one in the project, Ruff runs isolated.

    Ruff reads the nearest configuration above a file. A folder below may have one although the root has none.

    If the configuration names no target version, it is the newest that this Ruff supports. An isolated Ruff does not
    read `requires-python`, so it is passed on; `python-version` is for projects that set neither.
    """
    layout, words = ctx.layout, argument_names(given)
    paths = tuple(map(as_argument, layout.paths))
    configured = [table for folder in layout.folders for table in tables(folder, layout)]
    untargeted = "--target-version" not in words
    chosen = lowest_minor(ctx.settings.python_version) if untargeted else None
    if configured or "--config" in words or "--isolated" in words:
        targeted = layout.requires_python or any("target-version" in table for table in configured)
        return [Part(paths, minor=chosen if configured and not targeted else None)]
    folders = nested(layout)
    # Ruff checks a file that is passed by name even if it is excluded, so a path inside such a folder belongs to it.
    loose = tuple(path for path in paths if not any(_is_below(path, folder) for folder in folders))
    own = tuple(path for path in paths if path not in loose) + tuple(
        f"./{folder}" for folder in folders if any(_is_below(folder, path) for path in loose)
    )
    required = bool(layout.requires_python)
    minor = lowest_minor(layout.requires_python) if required and untargeted else chosen
    alone = Part(loose, isolated=True, excluded=tuple(folders), minor=minor, required=required)
    return [*([alone] if loose else []), *([Part(own)] if own else [])]


def _is_below(path: str, folder: str) -> bool:
    inner, outer = os.path.normpath(path), os.path.normpath(folder)
    return outer in (".", inner) or inner.startswith(outer + os.sep)
