"""Runs the revisions on a scratch database: one child process for the tools upgrade, downgrade, drift and danger."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.project.environment import Environment, environment_of_project
from ci_action.stages.migrations.database import needs_extensions, opened
from ci_action.stages.migrations.events import Recorded, Start, read
from ci_action.stages.migrations.faults import Facts
from ci_action.stages.migrations.heads import histories
from ci_action.stages.migrations.judging import (
    Source,
    dialect_of,
    lacking,
    measures_rewrites,
    phases_of,
    statements_of,
    steps_of,
)
from ci_action.stages.migrations.model import Alembic, Database, RevisionHistory, Steps
from ci_action.stages.migrations.selection import Chosen, chosen
from ci_action.system.errors import ENDED, ProjectFileError, ToolError
from ci_action.system.process import Command, Completed, last_lines
from ci_action.system.project_files import LARGEST_SOURCE, find_project_file, find_project_text

CHILD: Final = Path(__file__).parent / "child"
"""The folder that the project's interpreter starts."""
_PHASES: Final = 3
# Additional seconds for the start of the child and the ends of its phases.
_START_SECONDS: Final = 30
_LOG_LINES: Final = 400


def steps(ctx: Context) -> tuple[Steps, ...]:
    """Return what happened to each history, run once; raises `ToolError`."""
    found: tuple[Steps, ...] = ctx.migrations.of(lambda: tuple(_all(ctx)))
    return found


def _all(ctx: Context) -> Iterator[Steps]:
    settings = ctx.settings
    several = [
        (history, chosen(history.revisions, settings.migration_depth, settings.downgrade_from))
        for history in histories(ctx)
    ]
    if all(one.absent for _, one in several):
        raise ToolError(f"`downgrade-from` {settings.downgrade_from!r} is not a revision of the project")
    for number, (history, choice) in enumerate(several):
        yield _Job(ctx, history, choice, number).steps()


class _Job:
    """The run of one history."""

    def __init__(self, ctx: Context, history: RevisionHistory, choice: Chosen, number: int) -> None:
        self.ctx = ctx
        self.history = history
        self.chosen = choice
        self.alembic: Alembic = history.alembic
        self.folder = ctx.tempdir / "migrations" / str(number)
        self.environment = Environment.load(ctx.tempdir)

    def steps(self) -> Steps:
        """Run the child; again if only the run shows which database the project needs."""
        files = [one.path for one in self.history.revisions if one.path]
        needs = needs_extensions(files, self.ctx.layout.workspace)
        lacks: frozenset[str] = frozenset()
        dialect = ""
        while True:
            with opened(self.ctx, self.alembic, needs=needs, lacking=lacks, dialect=dialect) as database:
                recorded, source, log = self.run(database)
            missing = lacking(recorded, source)
            seen = dialect_of(recorded)
            if missing - lacks and not self.ctx.settings.database_url:
                lacks |= missing
            elif seen and seen != database.dialect and not dialect and not self.ctx.settings.database_url:
                dialect = seen
            else:
                return self.result(database, recorded, source, log)

    def run(self, database: Database) -> tuple[Recorded, Source, str]:
        """Run the child on a database; return its events, and what else is known."""
        self.ctx.hand_over(self.folder)
        events = self.folder / "events.jsonl"
        events.unlink(missing_ok=True)
        done = Completed(returncode=0, stdout=b"", stderr="", seconds=0.0)
        try:
            done = self.ctx.run(self.command(database, events))
            ended = done.killed_by or f"exit code {done.returncode}"
        except ENDED as error:
            ended = error.reason
            done = replace(done, stdout=error.stdout, stderr=error.stderr)
        log = f"{done.stdout.decode('utf-8', 'replace')}{done.stderr}"
        return self.recorded(events), self.source(ended, log), log

    def command(self, database: Database, events: Path) -> Command:
        """Return the child, as the project's user, in the folder of the configuration."""
        ctx, environment = self.ctx, self.environment
        variables = {
            **environment.variables_for(ctx.environ),
            "PATH": f"{Path(environment.python).parent}:{ctx.environ.get('PATH', '/usr/bin:/bin')}",
            "VIRTUAL_ENV": str(Path(environment.python).parents[1]),
            **ctx.home_of_project(),
        }
        command = Command(
            argv=(environment.python, "-X", "utf8", "-B", "-u", str(CHILD)),
            cwd=self.alembic.folder,
            environ=variables,
            # The address of the database is not for the list of processes.
            stdin=json.dumps(self.given(database, events)).encode(),
            timeout=float(_PHASES * ctx.settings.timeout + _START_SECONDS),
            owner=ctx.owner,
        )
        return environment_of_project(command, ctx.environ)

    def given(self, database: Database, events: Path) -> dict[str, object]:
        """Return the input of the child."""
        alembic = self.alembic
        beside = alembic.ini is not None and alembic.ini.parent == alembic.script_location
        return {
            "events": str(events),
            "folders": list(dict.fromkeys(map(str, (alembic.folder, self.ctx.layout.root)))),
            "url": database.url,
            "timeout": self.ctx.settings.timeout,
            "checked": self.chosen.checked,
            "recorded": self.chosen.new,
            "x": alembic.x_arguments,
            "flask": alembic.flask,
            "directory": str(alembic.script_location) if alembic.flask and beside else "",
            "ini": str(alembic.ini or ""),
            "toml": str(alembic.toml or ""),
            "section": alembic.section,
            "pg_dump": database.pg_dump,
        }

    def recorded(self, events: Path) -> Recorded:
        """Read the events; the project's code can replace the file by anything."""
        try:
            raw = find_project_file(events, self.folder, largest=LARGEST_SOURCE)
        except ProjectFileError as error:
            return Recorded(malformed=str(error))
        return read(BytesIO(raw or b""))

    def source(self, ended: str, log: str) -> Source:
        """Return what is known besides the events."""
        layout = self.ctx.layout
        files = {os.path.realpath(one.path): one.name for one in self.history.revisions if one.path}
        return Source(
            facts=Facts(
                workspace=os.path.realpath(layout.workspace),
                relative=layout.relative,
                revisions=files,
                folders=tuple(map(os.path.realpath, self.alembic.versions)),
                packages=frozenset(_packages((self.alembic.folder, layout.root, layout.root / "src"))),
            ),
            env=layout.relative(self.alembic.script_location / "env.py"),
            timeout=self.ctx.settings.timeout,
            ended=ended,
            detail=last_lines(log),
            text=self.text,
        )

    def text(self, file: str) -> str:
        """Return the text of a file of the project; empty if it cannot be read."""
        with suppress(ProjectFileError):
            return find_project_text(Path(file), self.ctx.layout.workspace)
        return ""

    def result(self, database: Database, recorded: Recorded, source: Source, log: str) -> Steps:
        """Return everything that the child did."""
        phases = phases_of(recorded, source)
        return Steps(
            database=database,
            phases=phases,
            steps=tuple(steps_of(recorded)),
            statements=tuple(statements_of(recorded, source)),
            measures_rewrites=measures_rewrites(recorded),
            version=next((one.alembic for one in recorded.events if isinstance(one, Start)), ""),
            log=last_lines(log, _LOG_LINES),
        )


def _packages(folders: tuple[Path, ...]) -> Iterator[str]:
    """Yield the import names of the modules and packages in folders."""
    for folder in folders:
        with suppress(OSError):
            for entry in os.scandir(folder):
                name, extension = os.path.splitext(entry.name)
                if extension == ".py" or (not extension and entry.is_dir()):
                    yield name
