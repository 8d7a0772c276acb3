"""The project's own interpreter and dependencies, made by uv: what its tests run in."""

import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Final

from ci_action.context import Context
from ci_action.errors import ToolError
from ci_action.model import Report
from ci_action.process import Command, last_lines
from ci_action.project.dependencies import Dependencies, find
from ci_action.project.environment import Builder, Environment, python_request
from ci_action.project.versions import Program
from ci_action.tools import Checked, Tool

NONE: Final = "none"


def program(ctx: Context) -> Program:
    """Return uv."""
    return Program(argv=(str(ctx.bundle.uv),), version=ctx.bundle.uv_version)


def check(ctx: Context, _program: Program) -> Checked:
    """Make the environment, or take the one that is kept."""
    log, warnings = [], list(_system_packages(ctx))
    builder = _builder(ctx)
    request, asked_by = python_request(ctx.layout, ctx.settings.python_version)
    try:
        environment = _made(ctx, builder, request)
    finally:
        builder.forget()
    if ctx.settings.install == (NONE,) and asked_by == "python-version":
        warnings.append(
            "python-version was not used: install is 'none', so the current interpreter runs the tests"
        )
    environment.save(ctx.scratch)
    log.append(
        f"Python {environment.version} ({asked_by or 'the first one that uv found'}): {environment.python}"
    )
    log.append(
        f"dependencies from {environment.source}{', kept from an earlier run' if environment.reused else ''}"
    )
    log += [f"{name} {version}" for name, version in sorted(environment.packages.items())]
    return Checked(
        outcome=Report(
            examined={"packages": len(environment.packages)}, metrics={"reused": float(environment.reused)}
        ),
        warnings=tuple(warnings),
        log="\n".join(log),
    )


def plan(ctx: Context) -> str:
    """Say which Python and which dependencies would be taken."""
    request, asked_by = python_request(ctx.layout, ctx.settings.python_version)
    python = f"Python {request} ({asked_by})" if request else "the first Python that uv finds"
    install = ctx.settings.install
    source = (
        find(ctx.layout).source
        if not install
        else "nothing" if install == (NONE,) else "the commands of `install`"
    )
    return f"{python}, dependencies from {source}"


def _made(ctx: Context, builder: Builder, request: str) -> Environment:
    if ctx.settings.install == (NONE,):
        return _current(ctx, builder)
    if ctx.settings.install:
        return _by_commands(ctx, builder, request)
    return builder.make(find(ctx.layout), request, _extra(ctx))


def _builder(ctx: Context) -> Builder:
    return Builder(
        uv=ctx.bundle.uv,
        run=ctx.run,
        layout=ctx.layout,
        environ=ctx.environ,
        scratch=ctx.scratch,
        cache=ctx.cache,
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
    """Make an empty environment and let the user's commands fill it; they are the user's own words."""
    where = ctx.scratch / "environments" / "own"
    ctx.hand_over(where.parent)
    builder.command(
        "venv",
        "--no-project",
        "--seed",
        "--allow-existing",
        *([f"--python={request}"] if request else []),
        str(where),
    )
    tools = ctx.scratch / "bin"
    tools.mkdir(exist_ok=True)
    shutil.copy(ctx.bundle.uv, tools / "uv")
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
            )
        )
        if done.returncode != 0:
            text = done.stderr + done.stdout.decode("utf-8", "replace")
            raise ToolError(
                f"install: {line!r} ended with exit code {done.returncode}: {last_lines(text, 2)}",
                detail=last_lines(text, 30),
            )
    python = str(where / "bin" / "python")
    empty = Dependencies(source="install")
    builder.add(python, _extra(ctx))
    return Environment(
        python=python,
        version=builder.version_of(python),
        source=empty.source,
        packages=builder.packages(python),
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
        folder = ctx.scratch / "overlay"
        freeze = ctx.scratch / "constraints.txt"
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
                cwd=ctx.scratch,
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
    done = ctx.run(Command(argv=("dpkg-query", "--status", name), cwd=ctx.scratch, timeout=20))
    return done.returncode == 0 and b"install ok installed" in done.stdout


TOOL: Final = Tool(
    name="environment",
    summary="The project's interpreter and dependencies, by uv.",
    url="https://docs.astral.sh/uv/",
    check=check,
    program=program,
    plan=plan,
    runs_code=lambda _: True,
)
