"""Addresses of services: what is read from them, what is wrong with them, and that no password is shown."""

from typing import Any

import pytest

from ci_action.stages.test.services.addresses import Address, Kind, Tls, parse, wait_for_mistakes
from ci_action.system.redaction import secrets_of, service_passwords, without_password


def address(kind: Kind, host: str, port: int, **overrides: object) -> Address:
    return Address(kind=kind, host=host, port=port, **overrides)  # type: ignore[arg-type]  # a table's values


PG = {"tls": Tls.IF_OFFERED}


@pytest.mark.parametrize(
    ("item", "read"),
    [
        ("postgres://db", address(Kind.POSTGRES, "db", 5432, **PG)),
        (
            "postgresql://app:s%40cret@db:5433/app_test",
            address(Kind.POSTGRES, "db", 5433, path="app_test", user="app", password="s@cret", **PG),
        ),
        (
            "postgresql+psycopg://u:p@db/x",
            address(Kind.POSTGRES, "db", 5432, path="x", user="u", password="p", **PG),
        ),
        (
            "postgresql+asyncpg://db/x?ssl=require",
            address(Kind.POSTGRES, "db", 5432, path="x", tls=Tls.UNVERIFIED),
        ),
        ("postgres://db?sslmode=disable", address(Kind.POSTGRES, "db", 5432)),
        ("postgres://db?sslmode=verify-full", address(Kind.POSTGRES, "db", 5432, tls=Tls.VERIFIED)),
        (
            "postgres://db?user=u&password=p%2Bw",
            address(Kind.POSTGRES, "db", 5432, user="u", password="p+w", **PG),
        ),
        ("postgres://[::1]:5432/app", address(Kind.POSTGRES, "::1", 5432, path="app", **PG)),
        ("POSTGRES://Db/App", address(Kind.POSTGRES, "db", 5432, path="App", **PG)),
        ("redis://:pw@cache:6380/2", address(Kind.REDIS, "cache", 6380, path="2", password="pw")),
        ("rediss://cache", address(Kind.REDIS, "cache", 6379, tls=Tls.VERIFIED)),
        ("rediss://cache?ssl_cert_reqs=none", address(Kind.REDIS, "cache", 6379, tls=Tls.UNVERIFIED)),
        ("valkey://cache", address(Kind.REDIS, "cache", 6379)),
        ("mysql+pymysql://root:pw@sql", address(Kind.MYSQL, "sql", 3306, user="root", password="pw")),
        ("mariadb://sql", address(Kind.MYSQL, "sql", 3306)),
        ("amqp://queue", address(Kind.AMQP, "queue", 5672)),
        ("amqps://queue", address(Kind.AMQP, "queue", 5671, tls=Tls.VERIFIED)),
        ("memcached://m", address(Kind.MEMCACHED, "m", 11211)),
        ("http://web", address(Kind.HTTP, "web", 80)),
        (
            "https://web/health check?token=abc",
            address(Kind.HTTP, "web", 443, path="health%20check", query="token=abc", tls=Tls.VERIFIED),
        ),
        ("tcp://broker:9092", address(Kind.TCP, "broker", 9092)),
    ],
)
def test_an_address_is_read(item: str, read: Address):
    assert parse(item) == read
    assert wait_for_mistakes([item]) == []


@pytest.mark.parametrize(
    "item",
    [
        "db:5432",
        "postgers://db",
        "tcpip+x://db:1",
        "sqlite:///x",
        "postgres:///app",
        "tcp://:80",
        "tcp://db",
        "tcp://db:0",
        "redis://db:70000",
        "redis://db:x",
        "postgres://u:a/b@db/x",
        "postgres://u:first",
        "second@db:5432/x",
        "postgres://u:secret[@db",
        f"http://{'a' * 64}.example",
        "tcp://a b:1",
    ],
)
def test_a_mistake_says_what_to_write(item: str, wording: Any):
    (mistake,) = wait_for_mistakes([item])
    assert mistake.startswith("wait-for = '")
    assert mistake == wording


def test_an_address_prints_without_user_password_and_query():
    shown = [parse("postgres://user:secret@db/app"), parse("http://u:secret@[::1]:8080/health?key=secret")]
    assert [str(one) for one in shown] == ["db:5432/app", "[::1]:8080/health"]
    assert "secret" not in repr(shown)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("db.localhost", True),
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("0.0.0.0", True),
        ("[::1]", True),
        ("db", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
    ],
)
def test_an_address_of_the_machine_itself(host: str, local: bool):
    assert parse(f"tcp://{host}:1").local is local


SECRET = "s3cr3t-value"


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        ("postgres://db:5432/app", "postgres://db:5432/app"),
        ("postgres://user@db", "postgres://user@db"),
        (f"postgres://user:{SECRET}@db:5432/app", "postgres://user:***@db:5432/app"),
        (f"redis://:{SECRET}@db", "redis://:***@db"),
        (f"postgres://u:a://{SECRET}@db", "postgres://u:***@db"),
        (f"postgres://u:a@{SECRET}@db", "postgres://u:***@db"),
        (f"postgres://u:{SECRET}", "postgres://u:***"),
        (f"{SECRET}@db", "***@db"),
        ("http://[::1]:80/x:y", "http://[::1]:80/x:y"),
        (f"postgres://db/x?user=a&password={SECRET}&y=1", "postgres://db/x?user=a&password=***&y=1"),
    ],
)
def test_an_address_without_its_password(item: str, shown: str):
    assert without_password(item) == shown


@pytest.mark.parametrize(
    ("items", "found"),
    [
        ([f"postgres://u:{SECRET}@db", "redis://:another-one@r"], {SECRET, "another-one"}),
        (["postgres://u:p%40ssword@db"], {"p%40ssword", "p@ssword"}),
        ([f"postgres://db?password={SECRET}"], {SECRET}),
        (["postgres://postgres:postgres@postgres/postgres"], set()),
        (["postgres://app_user:app_user@db"], set()),
        (["redis://:Password@r", "postgres://u:short@db", "tcp://db:1", "no url", "http://[x"], set()),
    ],
)
def test_passwords_that_are_hidden(items: list[str], found: set[str]):
    assert service_passwords(items) == found
    assert secrets_of({"INPUT_WAIT-FOR": "\n".join(items)}) == found
    assert secrets_of({"INPUT_WAIT-FOR": ", ".join(items)}) == found
