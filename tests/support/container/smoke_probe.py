"""Test an image as the tool `smoke` does, and print on lines of JSON what it reports, and what is left in the temporary folder."""

import json
import os
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from ci_action.engine.context import Context
from ci_action.engine.docker.client import Engine
from ci_action.engine.docker.ours import find_mounts, sweep
from ci_action.model.finding import Location
from ci_action.project.layout import Layout
from ci_action.project.programs import BundledTools
from ci_action.settings.resolve import resolve
from ci_action.stages.docker.model import Built, Dockerfile
from ci_action.stages.docker.smoke import checked
from ci_action.system.errors import UNDONE
from ci_action.system.process import Processes
from ci_action.system.signals import Interruption

wanted = json.loads(sys.argv[1])
workspace = Path(wanted.get("workspace", "/"))
bundled = BundledTools.of(Path(sys.prefix))
environ = {**os.environ, **wanted.get("environ", {})}
interruption = Interruption()
interruption.install()
with tempfile.TemporaryDirectory() as name:
    processes = Processes(environ, Path(name))
    interruption.attend(processes)
    ctx = Context(
        settings=resolve(("flag", wanted.get("settings", {}))).settings,
        layout=Layout(workspace=workspace, root=workspace),
        bundled=bundled,
        run=processes.run,
        serve=processes.serving,
        tempdir=Path(name),
        environ=environ,
        container=bundled.apart,
        stopped=lambda: processes.stopped,
    )
    if wanted.get("desktop"):  # as if the engine ran in a virtual machine
        ctx.docker.of(lambda: Engine(operating_system="Docker Desktop", os_type="linux"))
    built = Built(
        name="sample:ci",
        id=wanted.get("image", ""),
        engine="",
        dockerfile=Dockerfile(path="Dockerfile", stages=()),
        place=Location(path="Dockerfile", line=1),
        steps=(),
    )
    started = time.monotonic()
    try:
        if wanted.get("sweep"):
            print(json.dumps({"removed": sweep(ctx, find_mounts())}))
        else:
            found = checked(ctx, built, find_mounts())
            outcome = asdict(found.outcome)
            print(json.dumps({
                "seconds": time.monotonic() - started,
                "findings": [[one["rule"], one["message"]] for one in outcome["findings"]],
                "probes": outcome["image"]["probes"],
                "details": outcome["details"],
                "log": found.log,
            }))  # fmt: skip
    except UNDONE as error:
        print(json.dumps({"broken": error.reason, "detail": error.detail}))
