"""The stage `migrations`: the revisions of Alembic, on a real database."""

from typing import Final

from ci_action.engine.stage import Output
from ci_action.model.result import StageResult
from ci_action.stages.migrations import section


def _new(stage: StageResult) -> str:
    histories = section.known_of(stage).histories
    return str(sum(one.new for one in histories)) if histories else ""


def _heads(stage: StageResult) -> str:
    return ",".join(name for one in section.known_of(stage).histories for name in one.heads)


OUTPUTS: Final = (
    Output(
        "migrations",
        "Number of migrations that the change adds or modifies, or of all if the base commit is unknown; empty if they were not"
        " checked.",
        _new,
    ),
    Output("migration-heads", "Heads of the migrations after the merge, separated by commas.", _heads),
    Output(
        "database",
        "Database on which the migrations were run, such as `postgresql 17.10, embedded`; empty if they were not run.",
        lambda stage: section.known_of(stage).database,
    ),
)
SECTIONS: Final = section.of
