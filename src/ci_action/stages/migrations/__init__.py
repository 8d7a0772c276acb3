"""The stage `migrations`: the revisions of Alembic, on a real database."""

from typing import TYPE_CHECKING, Final

from ci_action.engine.stage import Output
from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.result import StageResult
from ci_action.model.section import Section

if TYPE_CHECKING:
    from ci_action.stages.migrations.section import Known


def _known(stage: StageResult) -> "Known":
    from ci_action.stages.migrations.section import known_of  # not imported for the outputs of other stages

    return known_of(stage)


def _new(stage: StageResult) -> str:
    histories = _known(stage).histories
    return str(sum(one.new for one in histories)) if histories else ""


def _sections(stage: StageResult, pull: Pull | NoPull) -> tuple[Section, ...]:
    from ci_action.stages.migrations.section import of  # as above

    return of(stage, pull)


def _heads(stage: StageResult) -> str:
    return ",".join(name for one in _known(stage).histories for name in one.heads)


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
        lambda stage: _known(stage).database,
    ),
)
SECTIONS: Final = _sections
