"""The search of all files, and why it failed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, completed
from support.secret_scans import Script, project, ready

from ci_action.engine.secret_scan.scan import search
from ci_action.system.errors import InterruptedRunError, ToolError


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return project(tmp_path)


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({"python": ToolError("gone")}, "gone"),
        ({"python": InterruptedRunError("python was interrupted")}, "detect-secrets was interrupted"),
        ({"git": InterruptedRunError("git was interrupted")}, "git was interrupted"),
    ],
)
def test_a_search_says_why_it_could_not_look(answers: dict[str, Any], reason: str, one: Path):
    run = FakeRun(**{"git": completed("a.py\0"), **answers})
    assert search(replace(ready(one, Script(one)), run=run)) == reason
