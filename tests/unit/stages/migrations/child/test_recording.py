"""Which statement of a revision each rewritten table is reported with."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

RECORDING: Any = import_module("ci_action.stages.migrations.child.recording")
REVISION = "/project/versions/a1.py"
NOTED = '["public", "users", 4]\n'


class Session:
    """A connection with a setting in which the trigger notes rewrites."""

    def __init__(self) -> None:
        self.noted = ""
        self.reads = 0
        self.connection = self

    def cursor(self) -> "Session":
        return self

    def execute(self, statement: str) -> None:
        self.found, self.reads = self.noted, self.reads + 1
        if "set_config" in statement:
            self.noted = ""

    def fetchone(self) -> list[str]:
        return [self.found]

    def close(self) -> None:
        pass

    def _is_autocommit_isolation(self) -> bool:
        return False


@pytest.fixture
def session() -> Session:
    return Session()


@pytest.fixture
def run(session: Session) -> Any:
    """Run a statement of a revision; return what was reported about it."""
    sent: list[dict[str, Any]] = []
    recorder = RECORDING.Recorder(lambda _name, **event: sent.append(event))
    recorder.measures = True
    recorder.wanted = frozenset({"a1"})
    context = SimpleNamespace(dialect=SimpleNamespace(paramstyle="pyformat"))

    def execute(statement: str, *, revision: str = "a1", rewrites: bool = False, line: int = 7) -> list[Any]:
        sent.clear()
        recorder.begin(revision, "upgrade")
        recorder.running = (statement, (REVISION, line))
        session.noted += NOTED if rewrites else ""
        recorder._after(session, None, statement, None, context, False)
        return [(one["line"], one["rewrites"]) for one in sent]

    return execute


def test_a_rewrite_belongs_to_its_statement(run: Any):
    assert run("ALTER TABLE users ALTER age TYPE bigint", rewrites=True) == [(7, [["public.users", 4]])]
    assert run("ALTER TABLE users ADD x integer") == [(7, [])]


def test_a_rewrite_of_an_older_revision_is_not_that_of_the_first_new_one(run: Any):
    assert run("ALTER TABLE users ALTER age TYPE bigint", revision="a0", rewrites=True) == []
    assert run("ALTER TABLE users ADD x integer") == [(7, [])]


def test_a_query_is_only_reported_if_it_rewrites_a_table(run: Any):
    assert run("SELECT 1") == []
    assert run("SELECT change_users()", rewrites=True) == [(7, [["public.users", 4]])]


def test_each_statement_for_data_is_reported_once_and_asks_nothing(run: Any, session: Session):
    reported = [run("INSERT INTO users VALUES (%(a)s)", line=line) for line in (7, 7, 8, 7)]
    assert [bool(one) for one in reported] == [True, False, True, False]
    assert session.reads == 0
