"""Whose fault an exception is: of the project for everybody, of one machine, or of the server."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import convert
from support.migration_events import REVISION, error, failure
from support.paths import TESTS

from ci_action.engine.hints import Facts as HintFacts
from ci_action.engine.hints import recognise
from ci_action.model.finding import Finding
from ci_action.stages.migrations.events import Failure
from ci_action.stages.migrations.faults import Facts, Faulty, fault, short
from ci_action.stages.migrations.stage import STAGE

# What SQLAlchemy, Alembic and the databases said.
TEXTS = json.loads((TESTS / "golden" / "migrations" / "errors.json").read_text())
ENV = "/repository/alembic/env.py"
FACTS = Facts(
    workspace="/repository",
    relative=lambda path: path.removeprefix("/repository/"),
    revisions={REVISION: "a1"},
    folders=("/repository/alembic/versions",),
    packages=frozenset({"app"}),
)


def judged(**fields: Any) -> Finding | Faulty:
    values = failure(**fields)
    values.pop("event")
    return fault(convert(values, Failure), FACTS)


def outside(**fields: Any) -> Finding | Faulty:
    """Return the fault of an exception in env.py, or while revisions are imported."""
    return judged(revision="", direction="", file="", line=0, error=error(**fields))


@pytest.mark.parametrize(
    ("fields", "rule", "line"),
    [
        ({"name": "upgrade"}, "upgrade-failed", 7),
        ({"name": "downgrade"}, "downgrade-failed", 7),
        ({"name": "downgrade", "direction": "upgrade again"}, "upgrade-failed", 7),
        ({"name": "downgrade", "error": error("NotImplementedError", "")}, "irreversible", 7),
        ({"name": "upgrade", "error": error("NotImplementedError", "")}, "upgrade-failed", 7),
        ({"name": "upgrade", "file": "", "line": 0}, "upgrade-failed", None),
        (
            {"name": "upgrade", "error": error("sqlalchemy.exc.X", state="42P01", database="no")},
            "upgrade-failed",
            7,
        ),
        (
            {"name": "upgrade", "error": error("ModuleNotFoundError", module="app.models")},
            "upgrade-failed",
            7,
        ),
    ],
)
def test_a_revision_that_failed(fields: dict[str, Any], rule: str, line: int | None):
    found = judged(**fields)
    assert isinstance(found, Finding)
    assert (found.rule, found.path) == (rule, "alembic/versions/a1.py")
    assert found.location
    assert found.location.line == line
    assert "a1" in found.message


def test_a_failure_quotes_the_database_and_the_statement():
    words = error(
        "sqlalchemy.exc.ProgrammingError",
        "(psycopg.errors.X) relation",
        database='relation "users" does not exist\nLINE 1: DROP TABLE users\n          ^',
        statement="ALTER TABLE users\n  ADD x int",
    )
    found = judged(error=words)
    assert isinstance(found, Finding)
    assert 'relation "users" does not exist' in found.message
    assert "ALTER TABLE users ADD x int" in found.message
    assert "psycopg" not in found.message
    assert "^" not in found.message
    assert "\n" not in found.message


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "53100"},
        {"state": "53200"},
        {"state": "57P01"},
        {"state": "08006"},
        {"state": "58030"},
        {"lost": True},
        {"text": TEXTS["sqlite-full"]},
        {"text": TEXTS["postgresql-full"]},
    ],
)
@pytest.mark.parametrize("name", ["upgrade", "downgrade"])
def test_the_server_is_not_the_fault_of_a_revision(fields: dict[str, Any], name: str):
    found = judged(
        name=name, running="DROP TABLE users", error=error("sqlalchemy.exc.OperationalError", **fields)
    )
    assert isinstance(found, Faulty)
    assert "DROP TABLE users" in found.reason
    assert "a1.py:7" in found.reason
    assert not found.lacks


@pytest.mark.parametrize("name", ["extension", "older-extension"])
def test_a_lacking_extension(name: str):
    text = TEXTS[name]
    found = judged(error=error("sqlalchemy.exc.NotSupportedError", text, database=text, state="0A000"))
    assert isinstance(found, Faulty)
    assert found.lacks == {"vector"}
    assert "vector" in found.reason


@pytest.mark.parametrize(
    ("fields", "rule", "place"),
    [
        ({"kind": "SyntaxError", "syntax": [ENV, 3, "bad"]}, "config", ("alembic/env.py", 3)),
        ({"kind": "SyntaxError", "syntax": [REVISION, 3, "bad"]}, "syntax", ("alembic/versions/a1.py", 3)),
        (
            {"kind": "SyntaxError", "syntax": ["/repository/alembic/versions/unknown.py", 2, "bad"]},
            "syntax",
            ("alembic/versions/unknown.py", 2),
        ),
        (
            {"kind": "NameError", "frames": [[ENV, 1], ["/repository/app/db.py", 5]]},
            "config",
            ("app/db.py", 5),
        ),
        ({"kind": "ImportError", "frames": [[ENV, 1]]}, "config", ("alembic/env.py", 1)),
        ({"kind": "ModuleNotFoundError", "module": "app.nope", "frames": [[ENV, 1]]}, None, None),
        (
            {"kind": "NameError", "frames": [[ENV, 1], [REVISION, 4]]},
            "upgrade-failed",
            ("alembic/versions/a1.py", 4),
        ),
    ],
)
def test_the_code_of_the_project(fields: dict[str, Any], rule: str | None, place: tuple[str, int] | None):
    bases = ["ImportError"] if fields["kind"] == "ModuleNotFoundError" else []
    described = {**fields, "bases": [fields["kind"], *bases]}
    found = outside(**described)
    assert isinstance(found, Finding)
    assert found.rule == (rule or "config")
    assert found.location
    assert (found.path, found.line) == (place or ("alembic/env.py", 1))


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"kind": "pydantic_core.ValidationError", "fields": [["secret_key", "missing"]]}, "secret_key"),
        (
            {"kind": "KeyError", "key": "DB_HOST", "frames": [[ENV, 1], ["/usr/lib/python3.12/os.py", 9]]},
            "DB_HOST",
        ),
        ({"kind": "RuntimeError", "text": "DATABASE_URL is not set"}, "DATABASE_URL"),
        ({"kind": "RuntimeError", "text": 'Set the "SECRET_KEY" variable'}, "SECRET_KEY"),
        ({"kind": "ModuleNotFoundError", "module": "psycopg2", "frames": [[ENV, 1]]}, "psycopg2"),
        (
            {"kind": "sqlalchemy.exc.X", "text": TEXTS["dialect"]},
            "sqlalchemy.dialects:crate",
        ),
        (
            {"kind": "sqlalchemy.exc.ArgumentError", "text": TEXTS["no-address"]},
            "DATABASE_URL",
        ),
        ({"kind": "x.WrongDialectError", "text": TEXTS["redirected"]}, "sqlite"),
        ({"kind": "ValueError", "text": "odd", "frames": [[ENV, 4]]}, "alembic/env.py:4"),
        (
            {
                "kind": "TypeError",
                "text": "odd",
                "frames": [[ENV, 4], ["/v/lib/python3.12/site-packages/x.py", 1]],
            },
            "odd",
        ),
        ({"kind": "KeyError", "key": "x", "frames": [[ENV, 4]]}, "alembic/env.py:4"),
    ],
)
def test_what_this_machine_lacks(fields: dict[str, Any], named: str):
    found = outside(**fields)
    assert isinstance(found, Faulty)
    assert named in found.reason


@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        (
            {"kind": "pydantic_core.ValidationError", "fields": [["secret_key", "missing"]]},
            "migration-settings",
        ),
        ({"kind": "RuntimeError", "text": "DATABASE_URL is not set"}, "migration-settings"),
        ({"kind": "x.WrongDialectError", "text": TEXTS["redirected"]}, "migration-dialect"),
        ({"kind": "FileNotFoundError", "text": TEXTS["no-env-file"]}, "migration-env-file"),
        (
            {"kind": "ModuleNotFoundError", "text": "No module named 'geo'", "module": "geo"},
            "migration-module",
        ),
    ],
)
def test_what_this_machine_lacks_has_a_hint(fields: dict[str, Any], hint: str):
    found = outside(**fields, traceback=f"{fields['kind']}: {fields.get('text', '')}")
    assert isinstance(found, Faulty)
    hints = recognise(f"{found.detail}\n{found.reason}", HintFacts(tool="upgrade"), STAGE.hints)
    assert [one.name for one in hints] == [hint]


def test_an_installed_package_is_not_code_of_the_project():
    place = "/repository/.venv/lib/python3.12/site-packages/app/x.py"
    assert isinstance(outside(kind="NameError", frames=[[place, 1]]), Faulty)


def test_a_missing_module_of_others_is_no_fault_of_a_revision():
    missing = error("ModuleNotFoundError", "No module named 'geo'", module="geo")
    assert isinstance(judged(error=missing), Faulty)


def test_a_configuration_without_a_folder():
    found = outside(kind="alembic.util.CommandError", text=TEXTS["no-folder"])
    assert isinstance(found, Finding)
    assert found.rule == "config"


def test_drift_does_not_blame_the_last_revision():
    found = judged(name="drift", error=error("ValueError", "odd", frames=[[ENV, 4]]))
    assert isinstance(found, Faulty)


@given(st.text(), st.integers(1, 500))
def test_short_is_one_line_and_short(text: str, most: int):
    found = short(text, most)
    assert len(found) <= most + 1
    assert len(found.splitlines()) <= 1
