"""The commands of `before-tests`: in the environment of the tests, as the user of the tests."""

import os
import shlex
from pathlib import Path

from ci_action.engine.context import Context
from ci_action.project.environment import Environment, environment_of_project, failed
from ci_action.system.process import Command, last_lines

_MOST_LINES = 40


def prepare(ctx: Context) -> str:
    """Run the commands one after the other and return what they printed; raises `ToolError` for one that fails."""
    if not ctx.settings.before_tests:
        return ""
    environment = Environment.load(ctx.tempdir)
    texts = []
    for line in ctx.settings.before_tests:
        done = ctx.run(_command(ctx, environment, line))
        if done.returncode != 0:
            ended = (
                f"was killed by {done.killed_by}"
                if done.killed_by
                else f"ended with exit code {done.returncode}"
            )
            raise failed(f"before-tests: {line!r} {ended}", done)
        texts += [f"$ {line}", last_lines(done.stdout.decode("utf-8", "replace") + done.stderr, _MOST_LINES)]
    return "\n".join(filter(None, texts))


def _command(ctx: Context, environment: Environment, line: str) -> Command:
    programs = Path(environment.python).parent
    given = environment.variables_for(ctx.environ)
    paths = [given.get("PYTHONPATH", ""), environment.overlay]
    command = Command(
        argv=tuple(shlex.split(line)),
        cwd=ctx.layout.root,
        environ={
            **given,
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "PATH": os.pathsep.join([str(programs), ctx.environ.get("PATH", os.defpath)]),
            "VIRTUAL_ENV": str(programs.parent),
            **ctx.home_of_project(),
        },
        timeout=float(ctx.settings.timeout),
        owner=ctx.owner,
    )
    return environment_of_project(command, ctx.environ)
