"""The project's environment as the settings ask for it: made by the test stage, or by the first tool that needs it."""

import os
import re
import shlex
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.project.dependencies.discover import find
from ci_action.project.environment import Builder, Environment, python_request
from ci_action.settings.general import ALL
from ci_action.system.errors import ToolError
from ci_action.system.process import Command, last_lines

NONE: Final = "none"
_SECURITY: Final = "security"


def installed(ctx: Context) -> tuple[Environment, tuple[str, ...]]:
    """Return the environment that the test stage has left in this run, else make it; raises `ToolError`.

    With it come our notices about what was made.
    """
    with suppress(ToolError):
        return Environment.load(ctx.tempdir), ()
    warnings = list(_system_packages(ctx))
    request, asked_by = python_request(ctx.layout, ctx.settings.python_version)
    builder = _builder(ctx)
    try:
        environment, notes = _made(ctx, builder, request)
        warnings += [*notes, *builder.notes]
    finally:
        builder.forget()
    if ctx.settings.install == (NONE,) and asked_by == "python-version":
        warnings.append(
            "python-version was not used: install is 'none', so the current interpreter runs the tests"
        )
    return environment, tuple(warnings)


def _made(ctx: Context, builder: Builder, request: str) -> tuple[Environment, list[str]]:
    if ctx.settings.install == (NONE,):
        return _current(ctx, builder), []
    if ctx.settings.install:
        return _by_commands(ctx, builder, request), []
    needs = find(ctx.layout)
    return builder.make(needs, request, _extra(ctx)), [f"not installed: {entry}" for entry in needs.unread]


def is_judged(ctx: Context) -> bool:
    """Whether the security stage reads the environment that is made in this run.

    In the container nothing that is kept counts for it then, neither environments nor packages: the project's code
    can write to both, and may have done so in a step before.
    """
    stages = {*(ctx.settings.stage or (ALL,))}
    lists = ctx.settings.licenses_allow or ctx.settings.licenses_deny
    return ctx.container and bool(stages & {ALL, _SECURITY}) and bool(lists or ctx.settings.install)


def _builder(ctx: Context) -> Builder:
    return Builder(
        uv=ctx.bundled.uv,
        run=ctx.run,
        layout=ctx.layout,
        environ=ctx.environ,
        tempdir=ctx.tempdir,
        cache=None if is_judged(ctx) else ctx.cache,
        timeout=float(ctx.settings.timeout),
        owner=ctx.owner,
    )


def _extra(ctx: Context) -> list[str]:
    """Return the packages that running the tests needs beside those of the project."""
    names = ["pytest", "pytest-cov"]
    if ctx.settings.workers:
        names.append("pytest-xdist")
    if ctx.settings.shard:
        names.append("pytest-split")
    return names


def _by_commands(ctx: Context, builder: Builder, request: str) -> Environment:
    """Make an empty environment and let the commands of `install` fill it: the words of the workflow, or the project's."""
    where = ctx.tempdir / "environments" / "own"
    ctx.hand_over(where.parent)
    builder.command(
        "venv",
        "--no-project",
        "--seed",
        "--allow-existing",
        *([f"--python={request}"] if request else []),
        str(where),
    )
    tools = ctx.tempdir / "bin"
    tools.mkdir(exist_ok=True)
    shutil.copy(ctx.bundled.uv, tools / "uv")
    seeded = builder.packages(str(where / "bin" / "python"))
    path = os.pathsep.join([str(where / "bin"), str(tools), builder.variables()["PATH"]])
    variables = builder.variables() | {
        "PATH": path,
        "VIRTUAL_ENV": str(where),
        "PIP_ROOT_USER_ACTION": "ignore",
    }
    for line in ctx.settings.install:
        done = ctx.run(
            Command(
                argv=tuple(shlex.split(line)),
                cwd=ctx.layout.root,
                environ=variables,
                timeout=float(ctx.settings.timeout),
                owner=ctx.installer,
                supervised=True,
            )
        )
        if done.returncode != 0:
            text = done.stderr + done.stdout.decode("utf-8", "replace")
            raise ToolError(
                f"install: {line!r} ended with exit code {done.returncode}: {last_lines(text, 2)}",
                detail=last_lines(text, 30),
            )
    python = str(where / "bin" / "python")
    theirs = builder.add(python, _extra(ctx))
    packages = builder.packages(python)
    return Environment(
        python=python,
        version=builder.version_of(python),
        source="install",
        packages=packages,
        added=tuple(
            name for name, version in packages.items() if name not in theirs or seeded.get(name) == version
        ),
    )


def _current(ctx: Context, builder: Builder) -> Environment:
    """Take the environment that is active; what it lacks goes into a folder of ours, so that nothing of it changes."""
    active = ctx.environ.get("VIRTUAL_ENV", "")
    found = (
        str(Path(active, "bin", "python"))
        if active
        else shutil.which("python3", path=ctx.environ.get("PATH"))
    )
    if not found or not os.access(found, os.X_OK):
        raise ToolError("install is 'none', and there is no python3 on PATH: activate an environment first")
    packages = builder.packages(found)
    missing = [name for name in _extra(ctx) if name not in packages]
    overlay = ""
    if missing:
        folder = ctx.tempdir / "overlay"
        freeze = ctx.tempdir / "constraints.txt"
        lines = [
            f"{name}=={version}\n" for name, version in packages.items() if re.fullmatch(r"[\w.!]+", version)
        ]
        freeze.write_text("".join(lines), encoding="utf-8")
        builder.pip(found, f"--target={folder}", f"--constraints={freeze}", *missing, "coverage[toml]")
        overlay = str(folder)
    return Environment(
        python=found,
        version=builder.version_of(found),
        source="the current environment (install: none)",
        overlay=overlay,
        packages=packages,
    )


def _system_packages(ctx: Context) -> list[str]:
    """Install Debian packages in the container; elsewhere only say which are missing."""
    wanted = ctx.settings.system_packages
    if not wanted:
        return []
    if not ctx.container:
        dpkg = shutil.which("dpkg-query", path=ctx.environ.get("PATH"))
        missing = [name for name in wanted if dpkg is None or not _is_installed(ctx, name)]
        text = f"system-packages are installed in the container alone; missing here: {', '.join(missing)}"
        return [text] if missing else []
    for words in (("update", "-qq"), ("install", "-qq", "--yes", "--no-install-recommends", "--", *wanted)):
        done = ctx.run(
            Command(
                argv=("apt-get", *words),
                cwd=ctx.tempdir,
                environ={"DEBIAN_FRONTEND": "noninteractive"},
                timeout=float(ctx.settings.timeout),
            )
        )
        if done.returncode != 0:
            lines = last_lines(done.stderr + done.stdout.decode("utf-8", "replace"), 20)
            raise ToolError(
                f"system-packages: apt-get {words[0]}: {lines.splitlines()[-1] if lines else ''}",
                detail=lines,
            )
    return []


def _is_installed(ctx: Context, name: str) -> bool:
    done = ctx.run(Command(argv=("dpkg-query", "--status", name), cwd=ctx.tempdir, timeout=20))
    return done.returncode == 0 and b"install ok installed" in done.stdout
