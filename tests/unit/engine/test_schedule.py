"""The order of the tools: what only reads the project runs before what builds or starts its code."""

from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from support.builders import FakeRun, context, resolved, tool, write
from support.execution import GIT, RecordedProgress, stage

from ci_action.engine.execute import execute
from ci_action.engine.schedule import busy, phases, rounds
from ci_action.engine.tool import Turn
from ci_action.stages import load_all, select, tools
from ci_action.system.errors import InterruptedRunError, ToolError

LOOSE = {"requirements.txt": "flask\n"}
PINNED = {"requirements.txt": "flask==3.0.0 --hash=sha256:00\n"}
PLUGIN = '{"version": "1.5.0", "plugins_used": [{"name": "X", "path": "file://x.py"}], "filters_used": [], "results": {}}'
WORDS = '{"version": "1.5.0", "filters_used": [{"path": "detect_secrets.filters.wordlist.x"}], "results": {}}'


@pytest.mark.parametrize(
    ("files", "settings", "order"),
    [
        pytest.param(
            PINNED,
            {},
            [
                "pip-audit, detect-secrets, bandit, heads, hadolint, title, size, metadata",
                "environment, environment, services, environment",
                "mypy, pyright, ty",
                "pytest, coverage, upgrade, downgrade, drift, danger, build, smoke, image",
            ],
            id="a locked project is audited before anything is built",
        ),
        pytest.param(
            LOOSE,
            {"licenses_allow": "MIT"},
            [
                "detect-secrets, bandit, heads, hadolint, title, size, metadata",
                "pip-audit",
                "environment, environment, services, environment",
                "licenses",
                "mypy, pyright, ty",
                "pytest, coverage, upgrade, downgrade, drift, danger, build, smoke, image",
            ],
            id="a resolution builds, and goes before the environment",
        ),
        pytest.param(
            PINNED,
            {"install": "make install"},
            [
                "detect-secrets, bandit, heads, hadolint, title, size, metadata",
                "environment, environment, services, environment",
                "pip-audit",
                "mypy, pyright, ty",
                "pytest, coverage, upgrade, downgrade, drift, danger, build, smoke, image",
            ],
            id="what commands install is audited before the tests run",
        ),
        pytest.param(
            {**PINNED, ".secrets.baseline": PLUGIN},
            {},
            [
                "pip-audit, bandit, heads, hadolint, title, size, metadata",
                "detect-secrets",
                "environment, environment, services, environment",
                "mypy, pyright, ty",
                "pytest, coverage, upgrade, downgrade, drift, danger, build, smoke, image",
            ],
            id="a plugin of the project is code of the project",
        ),
        pytest.param(
            {**PINNED, ".secrets.baseline": WORDS},
            {},
            [
                "pip-audit, detect-secrets, bandit, heads, hadolint, title, size, metadata",
                "environment, environment, services, environment",
                "mypy, pyright, ty",
                "pytest, coverage, upgrade, downgrade, drift, danger, build, smoke, image",
            ],
            id="a word list is none",
        ),
    ],
)
def test_the_order_of_all(tmp_path: Path, files: dict[str, str], settings: Any, order: list[str]):
    ctx = context(write(tmp_path / "w", files), settings=settings)
    quality, rest = rounds(select(["all"]))
    shown = [
        [", ".join(slot.tool.name for slot in phase) for phase in phases([one.stage for one in group], ctx)]
        for group in (quality, rest)
    ]
    assert shown == [["black, ruff-format, ruff"], order]


def test_quality_goes_first_and_the_others_together():
    names = [[one.stage.name for one in group] for group in rounds(select(["security", "test", "quality"]))]
    assert names == [["quality"], ["test", "security"]]
    assert rounds(select(["test"])) == [list(select(["test"]))]
    assert rounds([]) == []
    assert rounds(select(["all"]), fail_fast=False) == [list(select(["all"]))]
    assert rounds([], fail_fast=False) == []


@pytest.mark.parametrize("settings", [{}, {"install": "none"}, {"install": "make"}])
def test_no_tool_runs_code_while_others_read(tmp_path: Path, settings: Any):
    for files in (LOOSE, PINNED, {".secrets.baseline": PLUGIN}):
        ctx = context(write(tmp_path / "w", files), settings=settings)
        for one in tools().values():
            assert not one.runs_code(ctx) or one.turn(ctx) > Turn.READS, one.name
        for one_stage in load_all():
            turns = {one.name: one.turn(ctx) for one in one_stage.tools}
            assert all(turns[name] <= turns[one.name] for one in one_stage.tools for name in one.needs)


@pytest.mark.parametrize("error", [ToolError("unreadable"), InterruptedRunError("stop")])
def test_a_tool_whose_turn_fails_goes_first(tmp_path: Path, error: Exception):
    def turn(_ctx: object) -> Turn:
        raise error

    (tmp_path / "w").mkdir()
    one, two = tool("black", turn=lambda _: Turn.RUNS), tool("ruff", turn=turn)
    order = phases([stage(one, two).stage], context(tmp_path / "w"))
    assert [[slot.tool.name for slot in phase] for phase in order] == [["ruff"], ["black"]]


def test_no_tool_goes_before_those_that_it_needs(tmp_path: Path):
    def turn(_ctx: object) -> Turn:
        raise ToolError("unreadable")

    (tmp_path / "w").mkdir()
    one = tool("black", turn=lambda _: Turn.INSTALLS)
    two, three = tool("ruff", turn=turn, needs=("black",)), tool("pytest", needs=("ruff",))
    order = phases([stage(one, two, three).stage], context(tmp_path / "w"))
    assert [[slot.tool.name for slot in phase] for phase in order] == [["black", "ruff", "pytest"]]


def test_code_starts_after_every_reader_of_every_stage_has_ended(tmp_path: Path):
    """The reader of the later stage is slow; the tests of the earlier one wait for it all the same."""
    (tmp_path / "w").mkdir()
    events: list[str] = []

    def slow(one: Any, words: str) -> Any:
        def checked(ctx: Any, program: Any) -> Any:
            events.append(f"{words} starts")
            Event().wait(0.05)
            events.append(f"{words} ends")
            return one.check(ctx, program)

        return replace(one, check=checked)

    tests = slow(tool("pytest", program=tool("black").program, turn=lambda _: Turn.RUNS), "tests")
    reader = slow(tool("ruff"), "reader")
    ctx = context(tmp_path / "w", FakeRun(git=GIT))
    result = execute(
        [stage(replace(tests, name="black"), name="test"), stage(reader, name="security")],
        ctx,
        RecordedProgress(),
        resolved=resolved(),
    )
    assert events == ["reader starts", "reader ends", "tests starts", "tests ends"]
    assert [one.stage for one in result.stages] == ["test", "security"]
    assert all(0.05 <= one.seconds < result.seconds for one in result.stages)


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [([], 0), ([(1, 2)], 1), ([(1, 3), (2, 4)], 3), ([(5, 6), (1, 2)], 2), ([(1, 9), (2, 3)], 8)],
)
def test_the_seconds_of_a_stage_are_those_with_a_running_tool(spans: Any, seconds: float):
    assert busy(spans) == seconds
