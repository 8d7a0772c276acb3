"""Made-up results of the migrations stage: two heads after the merge, a downgrade that fails, a history without a base."""

from typing import Any

from support.builders import finding, report, run_result, stage_result, tool_result

from ci_action.model.finding import Location
from ci_action.model.migrations import Ancestor, Direction, History, Migration, Migrations, Step
from ci_action.model.result import Broken, RunResult, StageResult
from ci_action.stages.migrations.history import history_of
from ci_action.stages.migrations.model import Revision

DATABASE = "postgresql 17.10, embedded"


def revision(name: str, *down: str, new: bool = False, message: str = "", **overrides: Any) -> Revision:
    place = Location(path=f"alembic/versions/{name}.py", line=9)
    values = {"down": down, "message": message or f"change {name}", "place": place, "new": new}
    return Revision(**{"name": name, "path": f"/repository/{place.path}", **values, **overrides})


def line_of(number: int, new: int = 0) -> list[Revision]:
    """Return a history without branches, the last ones new."""
    names = [f"{place:04x}" for place in range(number)]
    return [
        revision(name, *names[max(0, place - 1) : place], new=place >= number - new)
        for place, name in enumerate(names)
    ]


def branched() -> History:
    """Return a history with two heads: the base branch and the change both go on from the same revision."""
    revisions = [
        *line_of(12),
        revision("9f1c22aa", "000b", message="orders by customer", path=None),
        revision("9f1c33bb", "9f1c22aa", message="index on orders", path=None),
        revision("4d20b7e1", "000b", new=True, message="add the table of invoices"),
        revision("77aa10c3", "4d20b7e1", new=True, message="make the number of an invoice unique"),
    ]
    return history_of(revisions, ["9f1c33bb", "77aa10c3"], ["9f1c33bb"], "alembic.ini")


def merged() -> History:
    """Return a history with a merge revision."""
    revisions = [
        *line_of(3),
        revision("aaaa", "0002", new=True),
        revision("bbbb", "0002", new=True),
        revision("cccc", "aaaa", "bbbb", new=True, message="merge"),
    ]
    return history_of(revisions, ["cccc"], ["0002"])


def steps(*names: str, failed: str = "", slow: float = 0.0) -> tuple[Step, ...]:
    """Return the steps of revisions: all upgraded, then each down and up again; the downgrade of one fails."""
    first = [Step(revision=name, direction=Direction.UPGRADE, seconds=0.031 + slow) for name in names]
    cycles = []
    for name in reversed(names):
        cycles.append(
            Step(revision=name, direction=Direction.DOWNGRADE, seconds=0.012, failed=name == failed)
        )
        if name == failed:
            break
        cycles.append(Step(revision=name, direction=Direction.AGAIN, seconds=0.029))
    return (*first, *cycles)


def migrations_stage(history: History, *ran: Step, **overrides: Any) -> StageResult:
    """Return the result of the stage as its tools make it; without steps only the heads were checked."""
    heads = report(
        metrics={"revisions": history.total, "new": history.new}, migrations=Migrations(histories=(history,))
    )
    tools = [tool_result(tool="heads", outcome=heads)]
    if ran:
        up = tuple(one for one in ran if one.direction is Direction.UPGRADE)
        cycles = tuple(one for one in ran if one.direction is not Direction.UPGRADE)
        upgraded = report(migrations=Migrations(database=DATABASE, steps=up))
        place = Location(path="alembic/versions/4d20b7e1.py", line=31)
        found = [
            finding(
                tool="downgrade", rule="downgrade-failed", message=f"{one.revision} failed", location=place
            )
            for one in cycles
            if one.failed
        ]
        downgraded = report(*found, migrations=Migrations(steps=cycles))
        tools += [
            tool_result(tool="upgrade", outcome=upgraded),
            tool_result(tool="downgrade", outcome=downgraded),
        ]
    return stage_result(*tools, stage="migrations", **overrides)


def broken_stage(history: History, *ran: Step) -> StageResult:
    """Return the result of a stage whose database was lost after some steps."""
    broken = Broken("the server was lost", migrations=Migrations(database=DATABASE, steps=ran))
    heads = report(migrations=Migrations(histories=(history,)))
    tools = (tool_result(tool="heads", outcome=heads), tool_result(tool="upgrade", outcome=broken))
    return stage_result(*tools, stage="migrations")


def migrations_run() -> RunResult:
    """Return a run with a downgrade that fails in one of two new revisions."""
    history = branched()
    ran = steps(*(one.name for one in history.revisions if one.new), failed="4d20b7e1")
    return run_result(migrations_stage(history, *ran))


def foreign_stage(text: str) -> StageResult:
    """Return the result of a stage with the text in every place."""
    known = Migration(
        name=text, message=text, path=text, line=3, new=True, parents=(Ancestor(f"{text}1", 2),)
    )
    below = Migration(name=f"{text}1")
    history = History(revisions=(known, below), total=4, heads=(text,), base_heads=(text,), source=text)
    ran = Step(revision=text, direction=Direction.DOWNGRADE, seconds=0.5, failed=True)
    migrations = Migrations(histories=(history, history), database=text, weaker=text, steps=(ran,))
    return stage_result(
        tool_result(tool="heads", outcome=report(migrations=migrations)),
        tool_result(tool="upgrade", outcome=Broken(text, migrations=migrations)),
        stage="migrations",
    )
