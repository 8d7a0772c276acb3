"""The stage `migrations`: its tools, when it applies, and what is wrong with its settings."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from ci_action.engine import environment
from ci_action.engine.stage import Configuration, Stage
from ci_action.stages.migrations import configuration, danger, downgrade, drift, heads, upgrade


def _mistakes(given: Configuration) -> Iterator[str]:
    wrong = [*configuration.mistakes(given)]
    yield from wrong
    if not wrong:
        yield from heads.mistakes(given)


# Made only if there is a history to run.
ENVIRONMENT: Final = replace(environment.TOOL, after=(heads.TOOL.name,))

STAGE: Final = Stage(
    name="migrations",
    summary="The migrations of Alembic, on a real database.",
    tools=(heads.TOOL, ENVIRONMENT, upgrade.TOOL, downgrade.TOOL, drift.TOOL, danger.TOOL),
    applies=heads.why_not,
    because=heads.why,
    mistakes=_mistakes,
    hints=Path(__file__).with_name("hints.toml"),
)
