"""One configuration of Alembic: its options become places on the disk."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ci_action.project.layout import Layout
from ci_action.stages.migrations.configuration import flask
from ci_action.stages.migrations.configuration.arguments import Arguments
from ci_action.stages.migrations.configuration.options import (
    LOCATION,
    MAIN,
    Options,
    WrongConfigurationError,
    alembic_table,
    read_ini,
)
from ci_action.stages.migrations.configuration.search import ENV, PYPROJECT
from ci_action.stages.migrations.model import Alembic
from ci_action.system.errors import ProjectFileError
from ci_action.system.project_files import find_project_text, outside

ADVICE: Final = (
    "add `script_location` to alembic.ini or to `[tool.alembic]` of pyproject.toml, or set `alembic-config`"
)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads configurations of a project."""

    layout: Layout
    environ: Mapping[str, str]
    given: Arguments
    """The options in `alembic-args`."""

    def of_ini(self, file: Path, *, named: bool) -> Iterator[Options]:
        """Yield the options of each history in an ini file; `named` if its name means Alembic.

        Raises `WrongConfigurationError`.
        """
        ini = read_ini(file, self.layout)
        beside = file.parent / PYPROJECT
        table = alembic_table(beside, self.layout)
        toml = beside if table else None
        sections = ini.sections
        if self.given.section:
            sections = (self.given.section,) if ini.parser.has_section(self.given.section) else ()
        elif not sections and (named or (toml and ini.parser.has_section(MAIN))):
            sections = (MAIN,)
        for section in sections:
            yield Options(layout=self.layout, ini=ini, section=section, toml=toml, table=table)

    def of_toml(self, file: Path, *, named: bool) -> Iterator[Options]:
        """Yield the options in `[tool.alembic]`, if a history is there; `named` if a setting names the file."""
        table = alembic_table(file, self.layout)
        if LOCATION in table or named:
            yield Options(layout=self.layout, toml=file, table=table)

    def alembic(self, options: Options) -> tuple[Alembic, tuple[str, ...]]:
        """Return a configuration, with notes about it; raises `WrongConfigurationError`."""
        start = options.file.parent
        written = options.text(LOCATION)
        if written:
            folder, scripts = self._scripts(start, written, options)
        elif options.ini and flask.needs_application(self._text(start / ENV)):
            folder, scripts = start.parent, start  # Flask-Migrate sets the folder of its ini file
        else:
            raise WrongConfigurationError(f"`{LOCATION}` is not set: {ADVICE}", options.place())
        if problem := outside(scripts, self.layout.workspace):
            raise WrongConfigurationError(f"`{LOCATION}`: {problem}", options.place(LOCATION))
        env = scripts / ENV
        if not env.is_file():
            shown = self.layout.relative(scripts)
            raise WrongConfigurationError(
                f"`{LOCATION}`: {ENV} not found in {shown!r}", options.place(LOCATION)
            )
        notes: list[str] = []
        application = ""
        if flask.needs_application(self._text(env)):
            folder, application = self._application(folder, flask_migrate=not written)
            if not application:
                notes.append(
                    f"{self.layout.relative(env)} needs a Flask application: set the variable FLASK_APP, or name it"
                    " in .flaskenv"
                )
        located = [self._versions(folder, entry, notes) for entry in options.paths("version_locations")]
        versions = [place for place in located if place]
        found = Alembic(
            folder=folder,
            source=options.source,
            ini=options.ini.file if options.ini else None,
            toml=options.toml,
            flask=application,
            section=options.section,
            x_arguments=self.given.x,
            script_location=scripts,
            versions=tuple(dict.fromkeys(versions)) or (scripts / "versions",),
            recursive=options.flag("recursive_version_locations"),
        )
        return found, tuple(notes)

    def _scripts(self, start: Path, written: str, options: Options) -> tuple[Path, Path]:
        """Return the folder where Alembic runs, and the one with env.py.

        A path can be relative to a folder above the file: `alembic -c deploy/alembic.ini` is run there.
        """
        top = self.layout.workspace
        for folder in (start, *start.parents):
            for path in self._resolved(folder, written):
                if path.is_dir():
                    return folder, path
            if folder == top or not folder.is_relative_to(top):
                break
        raise WrongConfigurationError(
            f"`{LOCATION}`: the folder {written!r} does not exist", options.place(LOCATION)
        )

    def _resolved(self, folder: Path, written: str) -> Iterator[Path]:
        """Yield the places that a path can mean: that of a folder, or of one in a package (`package:folder`)."""
        if os.path.isabs(written) or ":" not in written:
            yield Path(os.path.normpath(folder / written))
            return
        package, *below = written.split(":")
        bases = (folder, folder / "src", self.layout.root, self.layout.root / "src")
        for base in dict.fromkeys(bases):
            place = base.joinpath(*package.split("."))
            if place.is_dir():
                yield Path(os.path.normpath(place.joinpath(*below)))

    def _versions(self, folder: Path, entry: str, notes: list[str]) -> Path | None:
        """Return a folder with revisions; None if it is in a package outside of the project."""
        found = next(self._resolved(folder, entry), None)
        problem = (
            "its package is not in the project" if found is None else outside(found, self.layout.workspace)
        )
        if problem:
            notes.append(f"the revisions in `version_locations` {entry!r} are not checked: {problem}")
            return None
        return found

    def _application(self, folder: Path, *, flask_migrate: bool) -> tuple[Path, str]:
        """Return the folder where Flask runs, and the application."""
        root = self.layout.root
        below = [one for one in (folder, *folder.parents) if one.is_relative_to(root)]
        places = [*reversed(below)] if flask_migrate and below else [folder]
        for place in places:
            if found := flask.application(place, self.layout.workspace, self.environ, self.layout.pyproject):
                return place, found
        return places[0], ""

    def _text(self, file: Path) -> str:
        try:
            return find_project_text(file, self.layout.workspace)
        except ProjectFileError:
            return ""
