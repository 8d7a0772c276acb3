"""The project's tests, by pytest in the project's own environment."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.test_run import TESTS
from ci_action.engine.test_run.before import prepare
from ci_action.engine.test_run.job import run
from ci_action.engine.tool import Checked, Tool, Turn
from ci_action.project.file_kinds import PYTEST_FILES
from ci_action.project.programs import Program
from ci_action.system.text import counted


def test_files(ctx: Context) -> Iterable[Path]:
    """Yield the files that match pytest's own patterns, except in environments and hidden folders."""
    for pattern in PYTEST_FILES:
        for path in ctx.layout.root.rglob(pattern):
            parts = path.relative_to(ctx.layout.root).parts
            if not any(
                part.startswith(".") or part in {"venv", "node_modules", "site-packages"} for part in parts
            ):
                yield path


def why_not(ctx: Context) -> str:
    """Return why there are no tests to run; empty if there are."""
    return "" if next(iter(test_files(ctx)), None) else "no files that are named like tests"


def why(ctx: Context) -> str:
    """Return why there are tests to run."""
    return f"{counted(len(list(test_files(ctx))), 'file')} named like tests"


test_files.__test__ = False  # type: ignore[attr-defined]  # its name begins like that of a test


def plan(ctx: Context) -> str:
    """Return what would be run."""
    settings = ctx.settings
    words = [why(ctx)]
    words += [f"after {counted(len(settings.before_tests), 'command')}"] if settings.before_tests else []
    words += [f"shard {settings.shard}"] if settings.shard else []
    words += [f"{settings.workers} workers"] if settings.workers else []
    words += [f"{settings.reruns} reruns"] if settings.reruns else []
    return ", ".join(words)


def check(ctx: Context) -> Checked:
    """Run the commands that precede the tests, then the tests."""
    before = prepare(ctx)
    checked = run(ctx)
    return replace(checked, log=f"{before}\n{checked.log}") if before else checked


TOOL: Final = Tool(
    name=TESTS,
    summary="Tests, by pytest.",
    url="https://docs.pytest.org",
    check=lambda ctx, _: check(ctx),
    program=lambda _: Program(argv=(), version="", source=""),
    plan=plan,
    runs_code=lambda _: True,
    turn=lambda _: Turn.RUNS,
    needs=("environment", "services"),
    refused=frozenset(
        {"--collect-only", "--co", "--help", "-h", "--version", "-V", "--fixtures", "--markers"}
    ),
)
