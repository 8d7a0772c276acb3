"""What Black and Ruff have in common."""

import re
from collections.abc import Sequence
from typing import Final

from ci_action.engine.context import Context
from ci_action.model.result import Skipped
from ci_action.project.programs import Program
from ci_action.system.errors import ToolError
from ci_action.system.process import Command, Completed, last_lines

BUNDLED_TARGETS: Final = range(8, 16)
"""The minor versions that both the bundled Black and the bundled Ruff support: their own lists cost the start of a program."""


def no_files(ctx: Context, account: Sequence[str] = ()) -> Skipped:
    """Return the outcome of a check without files; `account` is about those that were left out."""
    if account:
        return Skipped("; ".join(account))
    return Skipped(f"no Python files in {', '.join(map(repr, ctx.layout.paths))}")


def as_argument(path: str) -> str:
    """Return a path for a command line, on which `-x` would be an option, and `@x` a file of arguments for Ruff."""
    return f"./{path}" if path.startswith(("-", "@")) else path


def target_option(
    ctx: Context, name: str, program: Program, minor: int | None, *words: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the option for the supported target version nearest to Python 3.`minor`, and a warning if it is another one.

    `words` start a run that ends at the unknown target `none`, with an error that lists the known ones.
    """
    if minor is None:
        return (), ()
    if program.source == "bundled" and minor in BUNDLED_TARGETS:
        return (f"--target-version=py3{minor}",), ()
    argv = (*program.argv, *words, "--target-version=none")
    stderr = ctx.run(ctx.reading(Command(argv=argv, cwd=ctx.tempdir))).stderr
    known = sorted({int(number) for number in re.findall(r"\bpy3(\d+)\b", stderr)})
    if not known:
        raise ToolError(f"{name} did not list its target versions", detail=last_lines(stderr))
    nearest = min(known, key=lambda number: (abs(number - minor), number))
    warning = f"{name} {program.version} does not support Python 3.{minor} as target: using py3{nearest}"
    return (f"--target-version=py3{nearest}",), () if nearest == minor else (warning,)


def failure(name: str, done: Completed, cause: str = "") -> ToolError:
    """Return the error for an unexpected exit code; the cause is the last line, unless a better one is known."""
    lines = last_lines(done.stderr) or "it wrote nothing"
    if done.killed_by:
        return ToolError(f"{name} was ended by {done.killed_by}", detail=lines)
    reason = cause or lines.splitlines()[-1]
    return ToolError(f"{name} ended with exit code {done.returncode}: {reason}", detail=lines)
