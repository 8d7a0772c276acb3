"""What PostgreSQL says up to the first query, byte for byte, and what it means: no socket is opened."""

import hashlib
import struct
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.service_conversations import Held, unfit

from ci_action.stages.test.services.addresses import Address
from ci_action.stages.test.services.faults import Fault, Unfit
from ci_action.stages.test.services.greet import Line, ask_for_tls
from ci_action.stages.test.services.postgres import log_in


def message(kind: str, payload: bytes) -> bytes:
    return kind.encode() + struct.pack("!i", len(payload) + 4) + payload


def request(kind: int, rest: bytes = b"") -> bytes:
    return message("R", struct.pack("!i", kind) + rest)


def refusal(code: str, text: str, routine: str = "x") -> bytes:
    return message("E", f"SFATAL\0VFATAL\0C{code}\0M{text}\0R{routine}\0\0".encode())


READY = (
    request(0)
    + message("S", b"server_version\x0016.3 (Debian 16.3-1.pgdg120+1)\0")
    + message("S", b"TimeZone\0Etc/UTC\0")
    + message("N", b"SNOTICE\0\0")
    + message("K", b"\0" * 8)
    + message("Z", b"I")
)


def spoken(said: bytes, address: str = "postgres://db/app?sslmode=disable") -> Held:
    return Held(log_in, address, said)


def asked(address: Address, line: Line) -> str:
    ask_for_tls(address, line)
    return log_in(address, line)


def test_postgres_without_a_password():
    held = spoken(READY)
    assert held.version == "16.3"
    body = b"\0\x03\0\0user\0postgres\0database\0app\0application_name\0ci-action\0\0"
    assert held.sent == struct.pack("!i", len(body) + 4) + body + b"X\0\0\0\x04"


@pytest.mark.parametrize(
    ("address", "user", "database"),
    [
        ("postgres://db?sslmode=disable", "postgres", "postgres"),
        ("postgres://app@db?sslmode=disable", "app", "app"),
        ("postgres://app@db/x%20y?sslmode=disable", "app", "x y"),
    ],
)
def test_postgres_names_user_and_database(address: str, user: str, database: str):
    assert f"user\0{user}\0database\0{database}\0".encode() in spoken(READY, address).sent


def test_postgres_without_the_tls_that_is_asked_for():
    fault, said = unfit(lambda: Held(asked, "postgres://db?sslmode=require", b"N"))
    assert (fault, said) == (Fault.TLS, "the server does not support TLS")


PASSWORD = "postgres://app:pencil@db/app?sslmode=disable"


def test_postgres_with_a_password_in_clear():
    assert message("p", b"pencil\0") in spoken(request(3) + READY, PASSWORD).sent


def test_postgres_with_md5():
    inner = hashlib.md5(b"pencilapp", usedforsecurity=False).hexdigest().encode()
    answer = b"md5" + hashlib.md5(inner + b"salt", usedforsecurity=False).hexdigest().encode() + b"\0"
    assert message("p", answer) in spoken(request(5, b"salt") + READY, PASSWORD).sent


MECHANISMS = request(10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")


@pytest.mark.parametrize(
    "said",
    [
        request(11, b"r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
        request(11, b"\xff"),
        request(11),
        request(12, b"v=?"),
    ],
)
def test_postgres_with_an_invalid_scram(said: bytes):
    assert unfit(lambda: spoken(MECHANISMS + said, PASSWORD))[0] is Fault.PROTOCOL


@pytest.mark.parametrize(
    ("said", "address"),
    [
        (request(10, b"SCRAM-SHA-256-PLUS\0\0"), PASSWORD),
        (request(10, b"OTHER\0\0"), PASSWORD),
        (MECHANISMS, "postgres://app:%F0%9F%98%80@db?sslmode=disable"),
    ],
    ids=["channel binding alone", "another mechanism", "a password beyond Unicode 3.2"],
)
def test_postgres_with_a_login_that_pg8000_cannot_do_is_up(said: bytes, address: str):
    assert spoken(said, address).version == ""


@pytest.mark.parametrize("wanted", [request(3), request(5, b"salt"), MECHANISMS])
def test_postgres_that_wants_a_password(wanted: bytes):
    assert spoken(wanted).version == ""  # it is up; who logs in is not ours to say
    fault, _ = unfit(lambda: spoken(wanted, "postgres://app@db?sslmode=disable"))
    assert fault is Fault.NO_PASSWORD


@pytest.mark.parametrize("kind", [7, 9, 99])
def test_postgres_that_wants_a_login_that_we_do_not_know_is_up(kind: int):
    assert spoken(request(kind), PASSWORD).version == ""


@pytest.mark.parametrize(
    ("code", "routine", "fault"),
    [
        ("57P03", "", Fault.STARTING),
        ("53300", "", Fault.STARTING),
        ("57P01", "", Fault.STARTING),
        ("28P01", "auth_failed", Fault.PASSWORD),
        ("28000", "InitializeSessionUserId", Fault.ROLE),
        ("28000", "ClientAuthentication", Fault.DENIED),
        ("3D000", "InitPostgres", Fault.DATABASE),
        ("42501", "InitPostgres", Fault.DENIED),
        ("XX000", "", Fault.DENIED),
    ],
)
@pytest.mark.parametrize("before", [b"", request(0), request(3), request(5, b"salt"), MECHANISMS])
def test_postgres_that_refuses(code: str, routine: str, fault: Fault, before: bytes):
    assert unfit(lambda: spoken(before + refusal(code, "no way", routine), PASSWORD)) == (
        fault,
        f"no way ({code})",
    )


def test_postgres_that_refuses_instead_of_encrypting():
    assert unfit(lambda: Held(asked, "postgres://db", refusal("53300", "too many"))) == (
        Fault.STARTING,
        "too many (53300)",
    )


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"R\0\0\0\0",
        b"R\x7f\xff\xff\xff",
        b"\x4a\0\0\0\x0a8.0.36",
        message("E", b""),
        message("E", b"\xff\xff\0"),
    ],
)
def test_what_is_no_postgres(said: bytes):
    for address in ("postgres://db", "postgres://db?sslmode=disable"):
        fault, _ = unfit(lambda address=address: Held(asked, address, said))  # type: ignore[misc]  # mypy and defaults
        assert fault is Fault.PROTOCOL


@given(st.lists(st.tuples(st.sampled_from("RESKNZvTDCAHGdcI123snt"), st.binary(max_size=24)), max_size=6))
@example([("R", struct.pack("!i", 5))])
@example([("d", b""), ("C", b"x\0"), ("D", b"\0\1"), ("A", b"\0\0\0\1\xff\0")])
def test_whatever_is_sent_ends_in_an_answer(said: list[tuple[str, bytes]]):
    with suppress(Unfit):
        spoken(b"".join(message(kind, payload) for kind, payload in said), PASSWORD)
