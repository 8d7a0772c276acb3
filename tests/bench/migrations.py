"""The migrations stage against the same steps of Alembic in one process, and the graph of a long history."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.row import BIN, ROUNDS, Row, timed
from support.builders import context

from ci_action.project.programs import BundledTools
from ci_action.stages.migrations.database.embedded import embedded, user_of
from ci_action.stages.migrations.database.server import Server, connected
from ci_action.stages.migrations.database.wheel import WHEELS, installed
from ci_action.system.process import Processes

REVISIONS = 30
LONG = 1_000
PROJECT = """[project]
name = "ledger"
version = "1"
requires-python = ">=3.11"
dependencies = ["alembic==1.20.1", "psycopg[binary]==3.3.2", "sqlalchemy==2.0.45"]

[tool.alembic]
script_location = "%(here)s/migrations"
prepend_sys_path = ["."]
"""
ENV = """import os

from alembic import context
from sqlalchemy import create_engine

import models

with create_engine(os.environ.get("LEDGER_URL", "postgresql+psycopg://live.invalid/ledger")).connect() as connection:
    context.configure(connection=connection, target_metadata=models.Base.metadata)
    with context.begin_transaction():
        context.run_migrations()
"""
# What the stage does, as a person would type it, but one start of Python for all of it.
BY_HAND = """from alembic import command
from alembic.config import Config

config = Config(toml_file="pyproject.toml")
command.upgrade(config, "heads")
for _ in range({revisions}):
    command.downgrade(config, "-1")
for _ in range({revisions}):
    command.upgrade(config, "+1")
command.check(config)
"""


def migrations(folder: Path) -> Iterator[Row]:
    """`ci-action run migrations` on 30 revisions, the start of the embedded server included, and heads on 1,000."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("INPUT_", "GITHUB_"))}
    env |= {"HOME": str(folder / "home"), "UV_CACHE_DIR": env.get("UV_CACHE_DIR", str(folder / "uv"))}
    (folder / "home").mkdir(exist_ok=True)
    yield _steps(_project(folder / "ledger", REVISIONS), folder, env)
    yield _heads(_project(folder / "long", LONG), folder, env)


def _steps(project: Path, folder: Path, env: dict[str, str]) -> Row:
    script = folder / "by_hand.py"
    script.write_text(BY_HAND.format(revisions=REVISIONS))
    kept = folder / "kept-migrations"
    ours = [*_run(folder, kept), "--migration-depth=all"]
    timed(*ours, cwd=project, env=env)  # makes the environment, and fetches the server
    _passed(folder)
    [done] = (kept / "environments").glob("*/ci-action.json")
    python = json.loads(done.read_text())["python"]
    pairs = []
    with _server() as server:
        for number in range(ROUNDS):
            by_hand = {**env, "LEDGER_URL": _database(server, f"round_{number}")}
            hand = timed(python, script, cwd=project, env=by_hand)
            pairs.append((timed(*ours, cwd=project, env=env), hand))
            _passed(folder)
        again = {**env, "LEDGER_URL": _database(server, "checked")}
        subprocess.run([python, str(script)], cwd=project, env=again, capture_output=True, check=True)
    more = statistics.median(mine - 1.1 * hand for mine, hand in pairs)
    mine, hand = (statistics.median(column) for column in zip(*pairs, strict=True))
    return Row(
        f"migrations on {REVISIONS} revisions - 1.1 × the steps",
        f"{more:+.2f} s ({mine:.2f} s / {hand:.2f} s)",
        "≤ +2.00 s",
        more <= 2.0,
    )


def _heads(project: Path, folder: Path, env: dict[str, str]) -> Row:
    """Measure heads in a whole run, which ends with it: the history has two heads."""
    _revision(project, "fork", "r0000", "pass", "pass")
    took = []
    for _ in range(ROUNDS):
        timed(*_run(folder, folder / "kept-migrations"), cwd=project, env=env)
        tool = _tools(folder)["heads"]
        assert tool["examined"]["revisions"] == LONG + 1
        assert [one["rule"] for one in tool["findings"]] == ["multiple-heads"]
        took.append(tool["seconds"])
    middle = statistics.median(took)
    return Row(f"heads on {LONG:,} revisions", f"{middle:.2f} s", "≤ 1 s", middle <= 1.0)


@contextmanager
def _server() -> Iterator[Server]:
    """Run the embedded server, in a folder that any user can enter."""
    with tempfile.TemporaryDirectory(prefix="ci-action-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        work, tempdir = folder / "work", folder / "work-tempdir"
        work.mkdir()
        tempdir.mkdir()
        processes = Processes(dict(os.environ), tempdir)
        ctx = context(
            work,
            processes.run,
            serve=processes.serving,
            stopped=lambda: processes.stopped,
            bundled=BundledTools.of(Path(sys.prefix)),
            environ=dict(os.environ),
        )
        wheel, user = WHEELS[0], user_of(ctx)
        with embedded(ctx, wheel, installed(ctx, wheel, user), user) as database:
            yield Server.of(database.url)


def _database(server: Server, name: str) -> str:
    with connected(server) as connection:
        connection.rows(f"CREATE DATABASE {name}")
    return replace(server, database=name).url.replace("postgresql:", "postgresql+psycopg:")


def _run(folder: Path, kept: Path) -> list[str | Path]:
    return [
        BIN / "ci-action",
        "run",
        "migrations",
        f"--report-dir={folder / 'reports'}",
        f"--cache-dir={kept}",
    ]


def _tools(folder: Path) -> dict[str, Any]:
    report = json.loads((folder / "reports" / "report.json").read_text("utf-8"))
    return {tool["name"]: tool for tool in report["stages"][0]["tools"]}


def _passed(folder: Path) -> None:
    found = _tools(folder)
    assert found["downgrade"]["outcome"] == "report", found["downgrade"]["reason"]
    assert not any(found[name]["findings"] for name in ("heads", "upgrade", "downgrade", "drift"))


def _project(folder: Path, revisions: int) -> Path:
    """Make a project: each second revision adds a table, the one after it a column with an index."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "migrations" / "versions").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "migrations" / "env.py").write_text(ENV)
    models = "from sqlalchemy import ForeignKey, Numeric, String\nfrom sqlalchemy.orm import DeclarativeBase, mapped_column\n\n\n"
    models += "class Base(DeclarativeBase):\n    pass\n"
    for number in range(revisions):
        parent = f"r{number - 1:04}" if number else ""
        table = f"table_{number // 2:03}"
        if number % 2:
            up = f'op.add_column("{table}", sa.Column("note", sa.String(80)))\n    op.create_index("ix_{table}", "{table}", ["note"])'
            down = f'op.drop_column("{table}", "note")'
        else:
            up = f'op.create_table("{table}", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("amount", sa.Numeric(12, 2)))'
            down = f'op.drop_table("{table}")'
            models += f'\n\nclass T{number}(Base):\n    __tablename__ = "{table}"\n'
            models += "    id = mapped_column(primary_key=True, type_=Integer)\n    amount = mapped_column(Numeric(12, 2))\n"
            models += (
                f'    note = mapped_column(String(80))\n    __table_args__ = (Index("ix_{table}", "note"),)\n'
            )
        _revision(folder, f"r{number:04}", parent, up, down)
    (folder / "models.py").write_text(models.replace("ForeignKey, Numeric", "Index, Integer, Numeric"))
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    return folder


def _revision(folder: Path, name: str, parent: str, up: str, down: str) -> None:
    (folder / "migrations" / "versions" / f"{name}.py").write_text(
        f'"""Change {name}."""\n\nimport sqlalchemy as sa\nfrom alembic import op\n\nrevision = "{name}"\n'
        f"down_revision = {parent or None!r}\n\n\n"
        f"def upgrade():\n    {up}\n\n\ndef downgrade():\n    {down}\n"
    )
