"""What the tools upgrade, downgrade and drift report about the one run."""

from contextlib import suppress
from pathlib import Path

import pytest
from support.builders import context, finding

from ci_action.engine.execute import check
from ci_action.model.migrations import Direction, Step
from ci_action.model.result import Broken, Counted, Outcome, Report, Skipped
from ci_action.stages.migrations import downgrade, drift, upgrade
from ci_action.stages.migrations.database import UnsupportedDialectError
from ci_action.stages.migrations.model import Database, Phase, Steps
from ci_action.stages.migrations.phases import joined, migrations_of, outcome_of
from ci_action.system.errors import ToolError

FOUND = finding(tool="upgrade", rule="upgrade-failed")


@pytest.mark.parametrize(
    ("phase", "kind", "examined"),
    [
        (Phase(examined=3), Report, 3),
        (Phase(findings=(FOUND,)), Report, 0),
        (Phase(), Skipped, 0),
        (Phase(skipped="no models"), Skipped, 0),
        (Phase(broken="ended"), Broken, 0),
        (Phase(broken="ended", examined=3, findings=(FOUND,)), Broken, 3),
        (Phase(broken="ended", skipped="no models"), Broken, 0),
    ],
)
def test_the_outcome_of_a_phase(phase: Phase, kind: type[Outcome], examined: int):
    found = outcome_of("upgrade", phase, Counted.REVISIONS)
    assert isinstance(found, kind)
    assert found.examined.get(Counted.REVISIONS, 0) == examined
    assert found.findings == phase.findings
    if isinstance(found, Skipped):
        assert found.rightly
        assert not found.empty


def test_several_histories():
    one = Report(findings=(FOUND,), examined={Counted.REVISIONS: 2}, details=("a",))
    other = Report(findings=(FOUND,), examined={Counted.REVISIONS: 3}, details=("a", "b"))
    found = joined([one, Skipped("nothing"), other], "upgrade")
    assert found == Report(findings=(FOUND,), examined={Counted.REVISIONS: 5}, details=("a", "b"))
    assert isinstance(joined([one, Broken("ended"), other], "upgrade"), Broken)
    assert isinstance(joined([Skipped("a"), Skipped("b")], "upgrade"), Skipped)
    with pytest.raises(ToolError):
        joined([], "upgrade")


def test_the_steps_of_a_tool():
    database = Database(url="x", dialect="sqlite", name="sqlite 3.40", weaker="no enums")
    steps = [Step(revision="a1", direction=one, seconds=0.1) for one in Direction]
    run = Steps(database=database, phases={}, steps=tuple(steps))
    found = migrations_of([run, run], (Direction.DOWNGRADE, Direction.AGAIN))
    assert (found.database, found.weaker) == ("sqlite 3.40", "no enums")
    assert [one.direction for one in found.steps] == [Direction.DOWNGRADE, Direction.AGAIN] * 2


def test_the_order():
    tools = (upgrade.TOOL, downgrade.TOOL, drift.TOOL)
    assert [one.after for one in tools] == [("heads",), ("upgrade",), ("downgrade",)]
    assert all(one.needs == ("environment",) for one in tools)


@pytest.mark.parametrize(("stages", "kind"), [("migrations", "broken"), ("all", "skipped"), ("", "skipped")])
def test_an_unsupported_database_is_broken_only_by_name(tmp_path: Path, stages: str, kind: str):
    def refused() -> None:
        raise UnsupportedDialectError("the project uses mysql")

    (tmp_path / "w").mkdir()
    ctx = context(tmp_path / "w", settings={"stage": stages})
    with suppress(ToolError):
        ctx.migrations.of(refused)
    result = check(upgrade.TOOL, ctx)
    assert type(result.outcome).__name__.lower() == kind
    assert "mysql" in getattr(result.outcome, "reason", "")
