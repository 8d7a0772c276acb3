"""The project's tests, by pytest in the project's own environment."""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.test_run import TESTS
from ci_action.engine.test_run.before import prepare
from ci_action.engine.test_run.job import run
from ci_action.engine.tool import Checked, Tool, Turn
from ci_action.project.config_files import tool_table
from ci_action.project.environment import Environment
from ci_action.project.file_kinds import PYTEST_FILES
from ci_action.project.layout import Layout
from ci_action.project.programs import Program
from ci_action.system.project_files import find_project_text
from ci_action.system.text import counted, listed

_INI: Final = ("pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg")
_TESTPATHS: Final = re.compile(r"^\s*testpaths\s*=", re.MULTILINE)


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
    if next(iter(test_files(ctx)), None) is None:
        return "no files that are named like tests"
    # Settings of the tests are a decision for pytest, and so is a workflow that runs ci-action.
    if ctx.evidence.automated and ctx.evidence.other_tests and not ctx.settings.pytest_args:
        return f"the tests run with {ctx.evidence.other_tests}; set `stage: test` to run pytest"
    return ""


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
    environment = Environment.load(ctx.tempdir)
    decided = ctx.settings.pytest_args or has_testpaths(ctx.layout)
    tests = () if decided else environment.tests
    checked = run(ctx, tests)
    log = f"{before}\n{checked.log}" if before else checked.log
    return replace(checked, log=log, warnings=(*_left_out(ctx, tests, environment.runner), *checked.warnings))


def _left_out(ctx: Context, tests: tuple[str, ...], runner: str) -> Iterable[str]:
    """Yield a warning if files that are named like tests are not among what was tested."""
    folders = [ctx.layout.root / path for path in tests]
    outside = (
        [file for file in test_files(ctx) if not any(file.is_relative_to(one) for one in folders)]
        if tests
        else []
    )
    if outside:
        yield (
            f"tested only {listed(tests)}, as {runner} does, and not {counted(len(outside), 'file')} such as"
            f" {ctx.layout.relative(outside[0])!r}: set `testpaths` in pytest's configuration to decide"
        )


def has_testpaths(layout: Layout) -> bool:
    """Whether the configuration of pytest sets `testpaths`."""
    texts = (find_project_text(layout.root / name, layout.workspace) for name in _INI)
    if any(_TESTPATHS.search(text) for text in texts):
        return True
    found = tool_table(layout.pyproject).get("pytest")
    tables = [found, found.get("ini_options")] if isinstance(found, dict) else []
    return any(isinstance(one, dict) and "testpaths" in one for one in tables)


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
