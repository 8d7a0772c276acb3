"""Open a scratch database as the tools of the stage do, describe it on a line of JSON, and wait if asked to."""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from ci_action.engine.context import Context
from ci_action.project.environment import Environment
from ci_action.project.files import Files
from ci_action.project.layout import Layout
from ci_action.project.programs import BundledTools
from ci_action.settings.resolve import resolve
from ci_action.stages.migrations.database import opened
from ci_action.stages.migrations.database.server import Server, connected
from ci_action.stages.migrations.model import Alembic
from ci_action.system.errors import ToolError
from ci_action.system.ownership import owner_of
from ci_action.system.process import Processes

wanted = json.loads(sys.argv[1])
workspace = Path(wanted["workspace"])
bundled = BundledTools.of(Path(sys.prefix))
environ = {**os.environ, **wanted.get("environ", {})}
with tempfile.TemporaryDirectory() as name:
    tempdir = Path(name, "work")
    tempdir.mkdir()
    processes = Processes(environ, tempdir)
    settings = resolve(("flag", wanted.get("settings", {}))).settings
    ctx = Context(
        settings=settings,
        layout=Layout(workspace=workspace, root=workspace),
        bundled=bundled,
        run=processes.run,
        serve=processes.serving,
        tempdir=tempdir,
        environ=environ,
        owner=owner_of(workspace) if bundled.apart else None,
        container=bundled.apart,
    )
    ctx.listed.of(lambda: Files(names=()))
    Environment(python=sys.executable, version="3", source="", packages={"psycopg": "3"}).save(tempdir)
    alembic = Alembic(folder=workspace, source="alembic.ini", script_location=workspace / "x", versions=())
    needs, lacking = (frozenset(wanted.get(kind, ())) for kind in ("needs", "lacking"))
    try:
        with opened(ctx, alembic, needs=needs, lacking=lacking) as database:
            with connected(Server.of(database.url)) as connection:
                for statement in wanted.get("run", ()):
                    connection.rows(statement)
                (row,) = connection.rows("SHOW data_directory")
            port = Server.of(database.url).port
            found = {
                "name": database.name,
                "port": port,
                "user": os.stat(row[0]).st_uid if os.path.exists(row[0]) else -1,
            }
            print(json.dumps(found), flush=True)
            time.sleep(wanted.get("wait", 0))
    except ToolError as error:
        print(json.dumps({"broken": error.reason}), flush=True)
    print(json.dumps(os.listdir(tempdir)), flush=True)
