"""What PostgreSQL says up to the first query, byte for byte, and what it means: no socket is opened."""

import base64
import hashlib
import hmac
import struct
from typing import Any

import pytest
from support.service_conversations import Held, unfit

from ci_action.stages.test.services import postgres
from ci_action.stages.test.services.addresses import parse
from ci_action.stages.test.services.protocol import Fault

NONCE = "rOprNGfwEbeRWgbNEkqO"


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
    return Held(postgres.converse(parse(address), NONCE), said)


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


@pytest.mark.parametrize(
    ("mode", "answer", "encrypted"),
    [("prefer", b"S", True), ("prefer", b"N", False), ("require", b"S", True), ("verify-full", b"S", True)],
)
def test_postgres_is_asked_for_encryption(mode: str, answer: bytes, encrypted: bool):
    held = spoken(answer + READY, f"postgres://db?sslmode={mode}")
    assert held.sent.startswith(b"\0\0\0\x08\x04\xd2\x16\x2f")
    assert (held.encrypted, held.version) == (encrypted, "16.3")


def test_postgres_without_the_encryption_that_is_asked_for(wording: Any):
    fault, said = unfit(lambda: spoken(b"N", "postgres://db?sslmode=require"))
    assert (fault, said) == (Fault.TLS, wording)


PASSWORD = "postgres://app:pencil@db/app?sslmode=disable"


def test_postgres_with_a_password_in_clear():
    assert message("p", b"pencil\0") in spoken(request(3) + READY, PASSWORD).sent


def test_postgres_with_md5():
    inner = hashlib.md5(b"pencilapp", usedforsecurity=False).hexdigest().encode()
    answer = b"md5" + hashlib.md5(inner + b"salt", usedforsecurity=False).hexdigest().encode() + b"\0"
    assert message("p", answer) in spoken(request(5, b"salt") + READY, PASSWORD).sent


MECHANISMS = request(10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")
# The exchange of RFC 7677, section 3.
RFC_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"


def scram(password: str, client_nonce: str, server_first: bytes) -> tuple[bytes, bytes]:
    """Return the client's proof and the server's, computed once more and otherwise: with the keys as they are stored."""
    fields = dict(part.split(b"=", 1) for part in server_first.split(b","))
    salted = hashlib.pbkdf2_hmac(
        "sha256", password.encode(), base64.b64decode(fields[b"s"]), int(fields[b"i"])
    )
    bare = b"c=biws,r=" + fields[b"r"]
    said = b",".join([f"n=,r={client_nonce}".encode(), server_first, bare])

    def mac(key: bytes, text: bytes) -> bytes:
        return hmac.new(key, text, hashlib.sha256).digest()

    client = mac(salted, b"Client Key")
    mask = mac(hashlib.sha256(client).digest(), said)
    proof = bytes(a ^ b for a, b in zip(client, mask, strict=True))
    return (
        bare + b",p=" + base64.b64encode(proof),
        b"v=" + base64.b64encode(mac(mac(salted, b"Server Key"), said)),
    )


def test_postgres_with_scram():
    proof, signature = scram("pencil", NONCE, RFC_FIRST)
    held = spoken(MECHANISMS + request(11, RFC_FIRST) + request(12, signature) + READY, PASSWORD)
    first = f"n,,n=,r={NONCE}".encode()
    assert message("p", b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first) in held.sent
    assert message("p", proof) in held.sent
    assert held.version == "16.3"


@pytest.mark.parametrize(
    ("said", "what"),
    [
        (request(11, RFC_FIRST) + request(12, b"v=" + base64.b64encode(b"x" * 32)), "does not prove"),
        (request(11, RFC_FIRST) + request(12, b"v=?"), "cannot be read"),
        (request(11, RFC_FIRST.replace(b"rOpr", b"other")), "cannot be read"),
        (request(11, RFC_FIRST.replace(b"4096", b"2000000000")), "cannot be read"),
        (request(11, RFC_FIRST.replace(b"4096", b"x")), "cannot be read"),
        (request(11, RFC_FIRST.replace(b"s=W22", b"s=*W22")), "cannot be read"),
        (request(11, b"\xff"), "cannot be read"),
        (request(0), ""),
    ],
)
def test_postgres_with_a_scram_of_its_own(said: bytes, what: str):
    fault, text = unfit(lambda: spoken(MECHANISMS + said, PASSWORD))
    assert fault is Fault.PROTOCOL
    assert what in text


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
@pytest.mark.parametrize("before", [b"", request(0), MECHANISMS + request(11, RFC_FIRST)])
def test_postgres_that_refuses(code: str, routine: str, fault: Fault, before: bytes):
    assert unfit(lambda: spoken(before + refusal(code, "no way", routine), PASSWORD)) == (
        fault,
        f"no way ({code})",
    )


def test_postgres_that_refuses_instead_of_encrypting():
    assert unfit(lambda: spoken(refusal("53300", "too many"), "postgres://db")) == (
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
        fault, _ = unfit(lambda address=address: spoken(said, address))  # type: ignore[misc]  # mypy and defaults
        assert fault is Fault.PROTOCOL
