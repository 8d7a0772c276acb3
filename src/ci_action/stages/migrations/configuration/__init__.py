"""How the project configures Alembic: read without importing the project.

An ini file of any name, `[tool.alembic]` in a pyproject.toml, and Flask-Migrate, whose ini file has no `script_location`.
Several configurations are several histories: each is checked.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.stage import Configuration
from ci_action.model.finding import Finding, Location
from ci_action.project.layout import Layout
from ci_action.settings import Settings
from ci_action.stages.migrations.configuration import arguments, required
from ci_action.stages.migrations.configuration.options import MAIN, Options, WrongConfigurationError
from ci_action.stages.migrations.configuration.reading import ADVICE, Reader
from ci_action.stages.migrations.configuration.search import (
    OWN_NAME,
    PYPROJECT,
    Candidates,
    Ignored,
    candidates,
)
from ci_action.stages.migrations.model import Alembic
from ci_action.system.errors import ToolError
from ci_action.system.project_files import outside
from ci_action.system.text import quoted

RULE: Final = "config"
URL: Final = "https://alembic.sqlalchemy.org/en/latest/tutorial.html#editing-the-ini-file"
_TOOL: Final = "heads"  # reports what is wrong with a configuration
_VARIABLE: Final = "ALEMBIC_CONFIG"


@dataclass(frozen=True, kw_only=True)
class Configured:
    """The configurations of Alembic in a project."""

    each: tuple[Alembic, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What is wrong with them, rule `config`."""
    notes: tuple[str, ...] = ()
    why_not: str = ""
    """Why there is nothing to check; empty if there is a configuration, or a finding about one."""
    unconfigured: bool = False
    """Whether the project has Alembic without a configuration: code of the project can configure it, so its own checks may pass."""


def configured(ctx: Context) -> Configured:
    """Return the configurations of the project, read once a run; raises `ToolError`."""
    found: Configured = ctx.alembic.of(
        lambda: find(
            ctx.layout,
            ctx.settings,
            environ=ctx.environ,
            ignored=lambda names: _ignored_by_git(ctx, names),
            never=ctx.own_folders,
        )
    )
    return found


def _ignored_by_git(ctx: Context, names: Sequence[str]) -> Collection[str]:
    try:
        return ctx.repository.ignored(ctx.layout.root, names)
    except ToolError:  # no repository
        return ()


def mistakes(given: Configuration) -> Iterator[str]:
    """Yield the errors of `alembic-config` and `alembic-args`."""
    settings, layout = given.settings, given.layout
    yield from arguments.mistakes(settings.alembic_args)
    if not settings.alembic_config:
        return
    file = layout.root / settings.alembic_config
    if problem := outside(file, layout.workspace):
        yield f"alembic-config = {settings.alembic_config!r}: {problem}"
    elif not file.is_file():
        yield f"alembic-config = {settings.alembic_config!r}: no such file in {str(layout.root)!r}"


def find(
    layout: Layout,
    settings: Settings,
    *,
    environ: Mapping[str, str],
    ignored: Ignored = lambda _: (),
    never: Collection[Path] = (),
) -> Configured:
    """Return the configurations of a project; raises `ToolError` if a setting does not fit the project."""
    given = arguments.read(settings.alembic_args)
    reader = Reader(layout=layout, environ=environ, given=given)
    named = settings.alembic_config or environ.get(_VARIABLE, "")
    found = _named(layout, named) if named else candidates(layout, ignored, never)
    findings: list[Finding] = []
    notes: list[str] = []
    read: list[Alembic] = []
    for options in _options(reader, found, findings, named=bool(named)):
        try:
            one, about = reader.alembic(options)
        except WrongConfigurationError as error:
            findings.append(_finding(error))
        else:
            read.append(one)
            notes += about
    if given.section and not read and not findings and (found.inis or found.tomls):
        raise ToolError(f"alembic-args: no configuration of Alembic has the section [{given.section}]")
    if not read and not findings:
        return _nothing(layout, found)
    return Configured(
        each=_distinct(read), findings=tuple(findings), notes=tuple(dict.fromkeys((*notes, *_unread(found))))
    )


def _named(layout: Layout, name: str) -> Candidates:
    """Return the file that a setting or variable names; raises `ToolError` if there is none."""
    if not (layout.root / name).is_file():
        raise ToolError(f"the variable {_VARIABLE} is {name!r}: no such file; set `alembic-config`")
    if os.path.basename(name) == PYPROJECT:
        return Candidates(tomls=[name])
    return Candidates(inis=[name])


def _options(reader: Reader, found: Candidates, findings: list[Finding], *, named: bool) -> Iterator[Options]:
    """Yield the options of each history; a file that cannot be read becomes a finding."""
    root = reader.layout.root
    covered = set()
    for name in found.inis:
        file = Path(os.path.normpath(root / name))
        try:
            several = [*reader.of_ini(file, named=named or bool(OWN_NAME.fullmatch(file.name)))]
        except WrongConfigurationError as error:
            findings.append(_finding(error))
        else:
            covered |= {one.toml for one in several}
            yield from several
    for name in found.tomls:
        file = Path(os.path.normpath(root / name))
        if file not in covered:
            yield from reader.of_toml(file, named=named)


def _unread(found: Candidates) -> Iterator[str]:
    if found.samples:
        yield f"not checked, because they belong to tests or samples: {quoted(found.samples)}; `alembic-config` can name one"


def _nothing(layout: Layout, found: Candidates) -> Configured:
    """Return what a project without a configuration has of Alembic."""
    place = Location(path=layout.relative(found.envs[0]), line=1) if found.envs else required.place_of(layout)
    if place is None:
        why = "; ".join(("no configuration of Alembic", *_unread(found)))
        return Configured(why_not=why)
    what = "env.py of Alembic" if found.envs else "Alembic is required"
    error = WrongConfigurationError(f"{what} without a configuration: {ADVICE}", place)
    return Configured(findings=(_finding(error),), unconfigured=True)


def _finding(error: WrongConfigurationError) -> Finding:
    return Finding(tool=_TOOL, rule=RULE, message=error.reason, location=error.place, url=URL)


def _distinct(read: Iterable[Alembic]) -> tuple[Alembic, ...]:
    """Return one configuration for each history: several files, one for each deployment, can share it."""
    histories: dict[tuple[str, ...], Alembic] = {}
    for one in sorted(read, key=_preference):
        histories.setdefault(tuple(sorted(map(os.path.realpath, one.versions))), one)
    return tuple(histories.values())


def _preference(one: Alembic) -> tuple[bool, int, bool, str]:
    """Return the order of configurations: the usual name, the upper folders and the usual section first."""
    usual = one.ini is None or one.ini.name == "alembic.ini"
    return not usual, len(one.folder.parts), one.section != MAIN, one.source
