"""Whether `all` runs the stage for a project, what `plan` shows, and the settings that contradict the project."""

from pathlib import Path

import pytest
from support.builders import FakeRun, context, layout, resolved, write
from support.builders import tool as fake_tool
from support.execution import executed, stage

from ci_action.engine.stage import Configuration
from ci_action.model.result import Broken, Report, Skipped
from ci_action.project.programs import Program
from ci_action.stages.migrations import heads
from ci_action.stages.migrations.stage import STAGE
from ci_action.system.errors import ToolError

ALEMBIC = {
    "alembic.ini": "[alembic]\nscript_location = db\n",
    "db/env.py": "from alembic import context\n",
}
REVISIONS = {
    **ALEMBIC,
    "db/versions/a.py": "revision = 'abc1'\ndown_revision = None\n",
    "db/versions/b.py": "revision = 'abc2'\ndown_revision = 'abc1'\n",
}
REQUIRED = {"requirements.txt": "alembic\n"}


@pytest.mark.parametrize(
    ("files", "applies"),
    [
        pytest.param(REVISIONS, True, id="revisions"),
        pytest.param({}, False, id="nothing"),
        pytest.param(ALEMBIC, False, id="no-revision"),
        pytest.param(REQUIRED, False, id="a-library-that-requires-it"),
        pytest.param({"alembic.ini": "[alembic]\n"}, True, id="a-wrong-configuration"),
        pytest.param({"db/env.py": "from alembic import context\n"}, False, id="configured-by-code"),
        pytest.param({f"tests/{name}": text for name, text in REVISIONS.items()}, False, id="a-sample"),
    ],
)
def test_whether_all_runs_it(files: dict[str, str], applies: bool, tmp_path: Path):
    ctx = context(write(tmp_path / "w", files), FakeRun(git=ToolError("no git")))
    assert bool(STAGE.applies(ctx)) is not applies
    if applies:
        assert next(iter(files)) in STAGE.because(ctx)


@pytest.mark.parametrize("files", [REVISIONS, {}, REQUIRED, ALEMBIC])
def test_a_plan(files: dict[str, str], tmp_path: Path):
    ctx = context(write(tmp_path / "w", files), FakeRun(git=ToolError("no git")))
    assert heads.plan(ctx)
    assert heads.TOOL.count(ctx) == (2 if files is REVISIONS else 0)


@pytest.mark.parametrize(
    ("settings", "number"),
    [
        ({}, 0),
        ({"downgrade-from": "abc2"}, 0),
        ({"downgrade-from": "abc"}, 0),
        ({"downgrade-from": "zz"}, 1),
        ({"downgrade-from": "zz", "alembic-config": "absent.ini"}, 1),
        ({"alembic-args": "--sql -x a"}, 1),
    ],
)
def test_settings_that_contradict_the_project(settings: dict[str, str], number: int, tmp_path: Path):
    root = write(tmp_path / "w", REVISIONS)
    given = Configuration(settings=resolved(**settings).settings, layout=layout(root))
    assert len(list(STAGE.mistakes(given))) == number


def test_an_unknown_history_is_no_reason_to_refuse_a_revision(tmp_path: Path):
    root = write(
        tmp_path / "w", {**REVISIONS, "db/versions/c.py": "revision = make()\ndown_revision = 'abc2'\n"}
    )
    given = Configuration(settings=resolved(**{"downgrade-from": "zz"}).settings, layout=layout(root))
    assert list(STAGE.mistakes(given)) == []


def test_without_an_environment_nothing_more_is_broken(tmp_path: Path):
    nothing = Program(argv=(), version="", source="")
    tools = []
    for tool in STAGE.tools:
        outcome = ToolError("no package") if tool.name == "environment" else Report()
        fake = fake_tool(tool.name, outcome, needs=tool.needs, after=tool.after, program=lambda _: nothing)
        tools.append(fake)
    result, _ = executed(tmp_path, stage(*tools, name="migrations"))
    kinds = {one.tool: type(one.outcome) for one in result.stages[0].tools}
    assert kinds.pop("heads") is Report
    assert kinds.pop("environment") is Broken
    assert set(kinds.values()) == {Skipped}
