"""Addresses of servers, and what of them is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.stages.migrations.database.server import OLDEST, Server, major_of
from ci_action.system.errors import ToolError

SECRET = "s3cr3t-value"


@pytest.mark.parametrize(
    ("url", "fields"),
    [
        ("postgresql://h", ("h", 5432, "postgres", "", "")),
        (f"postgresql+asyncpg://app:{SECRET}@h:6000/x", ("h", 6000, "app", SECRET, "x")),
        ("postgres://a%40b:c%2Fd@h/n%20m", ("h", 5432, "a@b", "c/d", "n m")),
        ("postgresql://[::1]:7000", ("::1", 7000, "postgres", "", "")),
    ],
)
def test_the_parts_of_an_address(url: str, fields: tuple[str, int, str, str, str]):
    server = Server.of(url)
    assert (server.host, server.port, server.user, server.password, server.database) == fields
    assert Server.of(server.url) == server


@given(password=st.text(min_size=1), database=st.text(min_size=1), user=st.text(min_size=1))
def test_every_login_can_be_written_and_read(password: str, database: str, user: str):
    server = Server(host="h", port=1, user=user, password=password, database=database.lstrip("/"))
    assert Server.of(server.url) == server


def test_a_password_is_not_shown():
    server = Server.of(f"postgresql://app:{SECRET}@h:1/x?sslmode=require")
    assert SECRET not in f"{server} {server!r} {server.shown}"
    assert server.query == "sslmode=require"
    assert server.url == f"postgresql://app:{SECRET}@h:1/x"


@pytest.mark.parametrize(
    "url", ["postgresql:///x", f"postgresql://u:{SECRET}/x@h", "postgresql://h:99999999"]
)
def test_addresses_that_are_none(url: str):
    with pytest.raises(ToolError) as error:
        Server.of(url)
    assert SECRET not in str(error.value)


@pytest.mark.parametrize(
    ("version", "major", "usable"),
    [
        ("9.6.24", 9, False),
        ("11.22", 11, False),
        ("12.1", 12, True),
        ("16.10", 16, True),
        ("18beta1", 18, True),
        ("pg_dump (PostgreSQL) 17.10 (Debian 17.10-1)", 17, True),
        ("", 0, False),
    ],
)
def test_versions(version: str, major: int, usable: bool):
    assert (major_of(version), major_of(version) >= OLDEST) == (major, usable)
