"""What the events of the child mean for each tool."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.migration_events import REVISION, error, event, failure, lines, phase, whole

from ci_action.model.finding import Finding
from ci_action.model.migrations import Direction
from ci_action.stages.migrations.events import read
from ci_action.stages.migrations.faults import Facts
from ci_action.stages.migrations.judging import (
    Source,
    dialect_of,
    lacking,
    line_of,
    measures_rewrites,
    phases_of,
    statements_of,
    steps_of,
)
from ci_action.stages.migrations.model import Phase

TEXTS = {
    REVISION: "revision = 'a1'\n\n\ndef upgrade():\n    pass\n\n\ndef downgrade() -> None:\n    pass\n",
    "/repository/app/models.py": "class User(Base):\n    id = 1\n    name: str = 2\n",
}
SOURCE = Source(
    facts=Facts(
        workspace="/repository",
        relative=lambda path: path.removeprefix("/repository/"),
        revisions={REVISION: "a1"},
    ),
    env="alembic/env.py",
    timeout=60,
    ended="SIGKILL",
    detail="last words",
    text=lambda file: TEXTS.get(file, ""),
)
UP, DOWN, DRIFT = phase("upgrade"), phase("downgrade"), phase("drift")
ENUM = ["+", "enum type color", "", "'red'"]


def phases(*events: Any) -> dict[str, Phase]:
    return phases_of(read(whole(*events)), SOURCE)


def only(name: str, *inside: dict[str, Any], **options: Any) -> Phase:
    before = {"upgrade": [], "downgrade": [UP], "drift": [UP, DOWN]}[name]
    return phases(*before, phase(name, *inside, **options))[name]


def finding(name: str, *inside: dict[str, Any]) -> Finding:
    found = only(name, *inside)
    assert not found.broken
    (one,) = found.findings
    assert one.tool == name
    return one


def differs(
    *differences: list[str], direction: str = "downgrade", revision: str = "a1", number: int = 1
) -> dict[str, Any]:
    return event(
        "differs",
        revision=revision,
        direction=direction,
        number=number,
        by="x",
        differences=list(differences),
    )


def test_a_good_history():
    found = phases(
        phase("upgrade", revisions=3), phase("downgrade", revisions=2), phase("drift", revisions=9)
    )
    assert [(name, one.examined, one.findings, one.broken) for name, one in found.items()] == [
        ("upgrade", 3, (), ""),
        ("downgrade", 2, (), ""),
        ("drift", 9, (), ""),
    ]
    assert {one.seconds for one in found.values()} == {0.5}


@pytest.mark.parametrize(
    ("raw", "broken"),
    [
        ([], "upgrade"),
        (lines(event("start", python="3", alembic="1", sqlalchemy="2")), "upgrade"),
        (lines(event("end")), "upgrade"),
        (lines(*UP), "upgrade"),
        (lines(*UP, event("phase", phase="downgrade")), "downgrade"),
        (lines(*UP, *DOWN, *DRIFT), "drift"),
        (lines(*UP, *DOWN, *DRIFT[:1], event("end")), "drift"),
        (lines(*UP, *DOWN[:1], event("end")), "downgrade"),
        (lines(*UP, b"noise\n", *DOWN, event("end")), "downgrade"),
        (lines(*UP, *phase("downgrade", finished=False), event("end")), "downgrade"),
        (lines(event("phase", phase="unheard"), event("end")), "upgrade"),
    ],
)
def test_what_did_not_finish_is_broken(raw: list[bytes], broken: str):
    found = phases_of(read(raw), SOURCE)
    assert [name for name, one in found.items() if one.broken] == [broken]
    assert list(found)[-1] == broken


def test_what_was_found_before_is_kept():
    raw = lines(*UP, event("phase", phase="downgrade"), differs(ENUM))
    found = phases_of(read(raw), SOURCE)["downgrade"]
    assert found.broken
    assert [one.rule for one in found.findings] == ["schema-differs"]
    assert found.detail == "last words"


def test_a_malformed_line_hides_nothing():
    found = phases_of(read(lines(*UP, b"noise\n", *DOWN, *DRIFT, event("end"))), SOURCE)
    assert found["drift"].broken
    assert not found["upgrade"].broken


def test_a_finding_ends_a_phase_without_breaking_it():
    found = only("upgrade", failure("upgrade"), finished=False)
    assert not found.broken
    assert [one.rule for one in found.findings] == ["upgrade-failed"]


def test_a_failure_that_is_not_judged_is_no_finding():
    assert only("downgrade", failure("downgrade", judged=False)).findings == ()


def test_a_server_that_ended_is_broken_also_for_revisions_that_are_not_judged():
    lost = error("sqlalchemy.exc.OperationalError", lost=True)
    assert only("downgrade", failure("downgrade", judged=False, error=lost), finished=False).broken


def test_a_downgrade_that_does_nothing():
    one = finding("downgrade", event("idle", revision="a1", statements=2))
    assert (one.rule, one.path, one.line) == ("irreversible", "alembic/versions/a1.py", 8)


@pytest.mark.parametrize(
    ("one", "line", "words"),
    [
        (differs(ENUM), 8, ["enum type color"]),
        (
            differs(["~", "column t.a", "integer", "bigint"], direction="upgrade again"),
            8,
            ["integer", "bigint"],
        ),
        (differs(ENUM, ENUM, ENUM, ENUM, number=9), 8, ["5 more"]),
        (differs(ENUM, revision=""), 0, ["enum type color"]),
        (differs(ENUM, revision="gone"), 0, ["gone"]),
    ],
)
def test_a_schema_that_differs(one: dict[str, Any], line: int, words: list[str]):
    found = finding("downgrade", one)
    assert (found.rule, found.line) == ("schema-differs", line)
    assert all(word in found.message for word in words)


@pytest.mark.parametrize(
    ("model", "place"),
    [
        (["/repository/app/models.py", "User", "name", "name"], ("app/models.py", 3)),
        (["/repository/app/models.py", "User", "", "gone"], ("app/models.py", 1)),
        (["/repository/app/models.py", "Other", "", ""], ("alembic/env.py", 0)),
        (["/repository/app/unreadable.py", "User", "", ""], ("alembic/env.py", 0)),
        (["/elsewhere/models.py", "User", "", ""], ("alembic/env.py", 0)),
        (None, ("alembic/env.py", 0)),
    ],
)
def test_drift_is_on_the_line_of_its_model(model: list[str] | None, place: tuple[str, int]):
    one = event("drift", kind="add_column", table="users", item="name", detail="VARCHAR", model=model)
    found = finding("drift", one)
    assert found.rule == "drift"
    assert (found.path, found.line) == place
    assert "users.name (VARCHAR)" in found.message


@pytest.mark.parametrize("kind", ["add_table", "remove_index", "modify_type", "ReplaceFunctionOp"])
def test_each_kind_of_drift_names_its_table(kind: str):
    one = event("drift", kind=kind, table="users", item="", detail="", model=None)
    found = finding("drift", one)
    assert "users" in found.message
    assert "()" not in found.message
    assert "  " not in found.message


def test_no_models():
    found = only("drift", event("no-metadata"), revisions=0)
    assert found.skipped
    assert not found.broken


def test_enums_are_only_a_note():
    found = only("drift", event("enums", names=["public.color", "audit.kind"], number=2))
    assert found.findings == ()
    assert "color" in found.notes[0]
    assert "public" not in found.notes[0]


@pytest.mark.parametrize(
    ("one", "rule"),
    [
        (event("uncommitted", phase="upgrade", expected=["a1"], found=[]), "config"),
        (event("unstarted", phase="upgrade"), "config"),
    ],
)
def test_an_env_py_that_does_not_run_or_keep_the_revisions(one: dict[str, Any], rule: str):
    found = only("upgrade", one, finished=False)
    assert [(finding.rule, finding.path) for finding in found.findings] == [(rule, "alembic/env.py")]


def test_a_timeout_names_what_waited():
    expired = event(
        "timeout",
        phase="downgrade",
        revision="a1",
        direction="downgrade",
        statement="DROP TABLE x",
        file=REVISION,
        line=9,
    )
    found = phases_of(read(lines(*UP, event("phase", phase="downgrade"), expired)), SOURCE)["downgrade"]
    for word in ("60", "a1", "DROP TABLE x", "alembic/versions/a1.py:9", "timeout"):
        assert word in found.broken


@pytest.mark.parametrize(
    "one",
    [
        event("unstable", error=error("X", "again"), differences=[]),
        event("unstable", error=None, differences=[ENUM]),
    ],
)
def test_revisions_that_do_not_upgrade_twice(one: dict[str, Any]):
    assert only("downgrade", one, finished=False).broken


def test_alembic_is_not_installed():
    found = phases_of(read(lines(event("absent", module="alembic", text="No module"), event("end"))), SOURCE)
    assert list(found) == ["upgrade"]
    assert "alembic" in found["upgrade"].broken


@pytest.mark.parametrize("dumped", [True, False])
def test_what_compared_is_a_note(dumped: bool):
    (note,) = only("downgrade", event("compared", by="Alembic", dumped=dumped)).notes
    assert "Alembic" in note
    assert ("pg_dump" in note) is dumped


def test_pg_dump_that_fails_is_a_warning():
    assert only("downgrade", event("undumped", text="denied")).warnings


def test_steps_that_did_not_what_they_should_have_failed():
    def step(revision: str, direction: str, *, failed: bool = False) -> dict[str, Any]:
        return event("step", revision=revision, direction=direction, seconds=0.1, failed=failed)

    raw = whole(
        phase("upgrade", step("a1", "upgrade"), step("b2", "upgrade")),
        phase(
            "downgrade",
            step("b2", "downgrade"),
            differs(ENUM, revision="b2"),
            step("a1", "downgrade"),
            event("idle", revision="a1", statements=1),
            step("b2", "upgrade again", failed=True),
        ),
    )
    assert [(one.revision, one.direction, one.failed) for one in steps_of(read(raw))] == [
        ("a1", Direction.UPGRADE, False),
        ("b2", Direction.UPGRADE, False),
        ("b2", Direction.DOWNGRADE, True),
        ("a1", Direction.DOWNGRADE, True),
        ("b2", Direction.AGAIN, True),
    ]


def test_statements_and_their_rewrites():
    one = event(
        "statement",
        revision="a1",
        file=REVISION,
        line=5,
        sql="X",
        transaction=False,
        rewrites=[["public.t", 4]],
    )
    recorded = read(whole(phase("upgrade", event("measures"), event("connects", dialect="postgresql"), one)))
    (found,) = statements_of(recorded, SOURCE)
    assert (str(found.place), found.sql, found.in_transaction) == ("alembic/versions/a1.py:5", "X", False)
    assert [(rewrite.table, rewrite.reason) for rewrite in found.rewrites] == [("public.t", 4)]
    assert measures_rewrites(recorded)
    assert dialect_of(recorded) == "postgresql"
    assert not measures_rewrites(read(whole(UP)))
    assert not dialect_of(read(whole(UP)))


def test_lacking_extensions():
    text = 'extension "vector" is not available'
    one = failure("upgrade", error=error("sqlalchemy.exc.X", text, database=text))
    assert lacking(read(whole(phase("upgrade", one, finished=False))), SOURCE) == {"vector"}
    assert not lacking(read(whole(UP)), SOURCE)


MODELS = """
if True:
    class Base:
        pass


class User(Base):
    __tablename__ = "users"

    id: int = 1
    email = column(
        "e_mail",
    )

    class Inner:
        x = 1


other = Table(
    "other",
    metadata,
    Column("id"),
    Column("size"),
)
"""


@pytest.mark.parametrize(
    ("name", "attribute", "column", "line"),
    [
        ("User", "", "", 7),
        ("User", "id", "id", 10),
        ("User", "email", "e_mail", 11),
        ("User", "gone", "gone", 7),
        ("User.Inner", "x", "x", 16),
        ("User.Gone", "x", "x", 7),
        ("Base", "", "", 3),
        ("other", "", "size", 23),
        ("other", "", "gone", 19),
        ("other", "", "", 19),
        ("nothing", "", "", None),
    ],
)
def test_the_line_of_a_model(name: str, attribute: str, column: str, line: int | None):
    assert line_of(MODELS, name, attribute, column) == line


@given(st.text(), st.text(), st.text(), st.text())
def test_any_source_has_a_line_or_none(text: str, name: str, attribute: str, column: str):
    line_of(text, name, attribute, column)
