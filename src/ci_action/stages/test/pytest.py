"""The project's tests, by pytest in the project's own environment."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.test_run import TESTS
from ci_action.engine.test_run.job import run
from ci_action.engine.tool import Checked, Tool, Turn
from ci_action.project.file_kinds import PYTEST_FILES
from ci_action.project.programs import Program


def program(_ctx: Context) -> Program:
    """Return nothing to start: the program is in the project's environment."""
    return Program(argv=(), version="", source="")


def check(ctx: Context, _program: Program) -> Checked:
    """Run the tests, and the failed ones again where that is wanted."""
    return run(ctx)


def count(ctx: Context) -> int:
    """Count the files that look like tests."""
    return len(list(test_files(ctx)))


def test_files(ctx: Context) -> Iterable[Path]:
    """Yield the files that pytest's own patterns name, outside of environments and hidden folders."""
    for pattern in PYTEST_FILES:
        for path in ctx.layout.root.rglob(pattern):
            parts = path.relative_to(ctx.layout.root).parts
            if not any(
                part.startswith(".") or part in {"venv", "node_modules", "site-packages"} for part in parts
            ):
                yield path


def why_not(ctx: Context) -> str:
    """Say why a project has nothing to test; empty where it has."""
    return "" if next(iter(test_files(ctx)), None) else "no files that are named like tests"


def why(ctx: Context) -> str:
    """Say why a project has something to test."""
    number = sum(1 for _ in test_files(ctx))
    return f"{number:,} {'file' if number == 1 else 'files'} named like tests"


test_files.__test__ = False  # type: ignore[attr-defined]  # its name begins like that of a test


def plan(ctx: Context) -> str:
    """Say what would be run."""
    settings = ctx.settings
    words = [f"{count(ctx):,} files that are named like tests"]
    words += [f"shard {settings.shard}"] if settings.shard else []
    words += [f"{settings.workers} workers"] if settings.workers else []
    words += [f"{settings.reruns} reruns"] if settings.reruns else []
    return ", ".join(words)


TOOL: Final = Tool(
    name=TESTS,
    summary="Tests, by pytest.",
    url="https://docs.pytest.org",
    check=check,
    program=program,
    plan=plan,
    runs_code=lambda _: True,
    turn=lambda _: Turn.RUNS,
    needs=("environment", "services"),
    refused=frozenset(
        {"--collect-only", "--co", "--help", "-h", "--version", "-V", "--fixtures", "--markers"}
    ),
)
