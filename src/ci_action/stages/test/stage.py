"""The stage `test`: its tools, when it applies, and what is wrong with its settings."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ci_action.engine import environment
from ci_action.engine.stage import Configuration, Stage
from ci_action.project.dependencies.selection import selection_mistakes
from ci_action.stages.test import coverage, pytest, services
from ci_action.stages.test.services.addresses import wait_for_mistakes


def _mistakes(given: Configuration) -> Iterator[str]:
    settings = given.settings
    yield from wait_for_mistakes(settings.wait_for)
    if not settings.install:
        yield from selection_mistakes(given.layout, settings.groups, settings.extras)


STAGE: Final = Stage(
    name="test",
    summary="The project's tests in its own environment, and their coverage.",
    tools=(environment.TOOL, services.TOOL, pytest.TOOL, coverage.TOOL),
    applies=pytest.why_not,
    because=pytest.why,
    hints=Path(__file__).with_name("hints.toml"),
    mistakes=_mistakes,
)
