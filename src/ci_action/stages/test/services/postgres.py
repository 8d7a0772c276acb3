"""PostgreSQL's protocol up to the first `ReadyForQuery`: encryption, login, the server's version.

After "Frontend/Backend Protocol" of PostgreSQL's manual; SCRAM-SHA-256 after RFC 5802 and 7677.
"""

import base64
import binascii
import hashlib
import hmac
import struct
import unicodedata
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Final

from ci_action.stages.test.services.addresses import Address, Tls
from ci_action.stages.test.services.protocol import (
    Conversation,
    Exactly,
    Fault,
    Send,
    StartTls,
    Step,
    Unfit,
    words,
)

_PROTOCOL: Final = 196_608
_SSL_REQUEST: Final = struct.pack("!ii", 8, 80_877_103)
_TERMINATE: Final = b"X\x00\x00\x00\x04"
_LONGEST_MESSAGE: Final = 1_000_000
# The server says how often the password is hashed; PostgreSQL's default is 4096.
_MOST_ITERATIONS: Final = 1_000_000
_KNOWN: Final = b"RESKNZv"
# SQLSTATEs, from the appendix "PostgreSQL Error Codes"; a class stands for all of its codes.
_FAULTS: Final[Mapping[str, Fault]] = {
    "28P01": Fault.PASSWORD,
    "28000": Fault.DENIED,
    "3D000": Fault.DATABASE,
    "42501": Fault.DENIED,
    "53": Fault.STARTING,
    "55": Fault.STARTING,
    "57": Fault.STARTING,
}

Reading = Generator[Step, bytes, bytes]


def converse(address: Address, nonce: str) -> Conversation:
    """Log in and return the server's version; the nonce is a fresh random text without a comma."""
    if address.tls is not Tls.OFF:
        yield from _encrypt(address.tls)
    user = address.user or "postgres"
    pairs = {"user": user, "database": address.path or user, "application_name": "ci-action"}
    body = struct.pack("!i", _PROTOCOL)
    body += b"".join(f"{name}\0{value}\0".encode() for name, value in pairs.items()) + b"\0"
    yield Send(struct.pack("!i", len(body) + 4) + body)
    version = ""
    while True:
        kind, payload = yield from _message()
        if kind == b"R":
            if not (yield from _authenticate(address, user, payload, nonce)):
                return ""
        elif kind == b"S":
            name, _, value = payload.partition(b"\0")
            if name == b"server_version":
                version = (words(value.rstrip(b"\0")).split() or [""])[0]
        elif kind == b"E":
            raise _error(payload)
        elif kind == b"Z":
            yield Send(_TERMINATE)
            return version


def _encrypt(tls: Tls) -> Generator[Step, bytes, None]:
    yield Send(_SSL_REQUEST)
    answer = yield Exactly(1)
    if answer == b"S":
        yield StartTls()
    elif answer == b"E":  # too busy to fork, or a server from before encryption
        raise _error((yield from _payload()))
    elif answer != b"N":
        raise Unfit(Fault.PROTOCOL)
    elif tls is not Tls.IF_OFFERED:
        raise Unfit(Fault.TLS, "the server offers no encryption")


def _message() -> Generator[Step, bytes, tuple[bytes, bytes]]:
    kind = yield Exactly(1)
    if kind not in _KNOWN:
        raise Unfit(Fault.PROTOCOL)
    return kind, (yield from _payload())


def _payload() -> Reading:
    (length,) = struct.unpack("!i", (yield Exactly(4)))
    if not 4 <= length <= _LONGEST_MESSAGE:  # noqa: PLR2004 - the length counts itself
        raise Unfit(Fault.PROTOCOL)
    return (yield Exactly(length - 4)) if length > 4 else b""  # noqa: PLR2004 - as above


def _error(payload: bytes) -> Unfit:
    fields = {part[:1]: words(part[1:]) for part in payload.split(b"\0") if part}
    code, message = fields.get(b"C", ""), fields.get(b"M", "")
    fault = _FAULTS.get(code) or _FAULTS.get(code[:2], Fault.DENIED)
    # Messages are translated, the names of the server's functions are not.
    if code == "28000" and fields.get(b"R") == "InitializeSessionUserId":
        fault = Fault.ROLE
    if not code:
        fault = Fault.PROTOCOL
    return Unfit(fault, f"{message} ({code})")


def _authenticate(address: Address, user: str, payload: bytes, nonce: str) -> Generator[Step, bytes, bool]:
    """Answer one request; false where we cannot log in, though a server that asks is up."""
    (kind,) = struct.unpack("!i", payload[:4].rjust(4, b"\xff"))
    if kind == 0:
        return True
    if kind not in {3, 5, 10}:  # Kerberos, GSSAPI, SSPI
        return False
    if not address.password:
        if address.user:
            raise Unfit(Fault.NO_PASSWORD)
        return False
    secret = address.password.encode()
    if kind == 3:  # noqa: PLR2004 - AuthenticationCleartextPassword
        yield _password(secret + b"\0")
    elif kind == 5:  # noqa: PLR2004 - AuthenticationMD5Password
        yield _password(md5_answer(user, address.password, payload[4:8]) + b"\0")
    elif b"SCRAM-SHA-256" in payload[4:].split(b"\0"):
        yield from _scram(address.password, nonce)
    else:
        return False
    return True


def _password(data: bytes) -> Send:
    return Send(b"p" + struct.pack("!i", len(data) + 4) + data)


def md5_answer(user: str, password: str, salt: bytes) -> bytes:
    """Return what the server compares where passwords are kept as MD5."""
    inner = hashlib.md5(password.encode() + user.encode(), usedforsecurity=False).hexdigest()
    return b"md5" + hashlib.md5(inner.encode() + salt, usedforsecurity=False).hexdigest().encode()


@dataclass(frozen=True)
class Proof:
    """The client's last message, and what a server that knows the password answers."""

    message: bytes
    signature: bytes


def scram_proof(password: str, nonce: str, server_first: bytes) -> Proof:
    """Compute the answer to the server's first message; raises `ValueError` where that is none."""
    fields = dict(part.split(b"=", 1) for part in server_first.split(b",") if b"=" in part)
    both, rounds = fields.get(b"r", b""), int(fields.get(b"i", b"0"))
    salt = base64.b64decode(fields.get(b"s", b""), validate=True)
    if not both.startswith(nonce.encode()) or not salt or not 1 <= rounds <= _MOST_ITERATIONS:
        raise ValueError("no answer to this nonce")
    # SASLprep without its list of forbidden characters, as PostgreSQL itself passes them on.
    prepared = unicodedata.normalize("NFKC", password).encode()
    salted = hashlib.pbkdf2_hmac("sha256", prepared, salt, rounds)
    client_key = _hmac(salted, b"Client Key")
    bare = b"c=biws,r=" + both
    said = b"n=,r=%s,%s,%s" % (nonce.encode(), server_first, bare)
    signature = _hmac(hashlib.sha256(client_key).digest(), said)
    proof = bytes(one ^ other for one, other in zip(client_key, signature, strict=True))
    return Proof(bare + b",p=" + base64.b64encode(proof), _hmac(_hmac(salted, b"Server Key"), said))


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")


def _scram(password: str, nonce: str) -> Generator[Step, bytes, None]:
    first = f"n,,n=,r={nonce}".encode()
    yield _password(b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first)
    try:
        proof = scram_proof(password, nonce, (yield from _sasl(11)))
        yield _password(proof.message)
        answer = yield from _sasl(12)
        known = hmac.compare_digest(
            base64.b64decode(answer.removeprefix(b"v="), validate=True), proof.signature
        )
    except (ValueError, binascii.Error) as error:
        raise Unfit(Fault.PROTOCOL, "its part of the login (SCRAM) cannot be read") from error
    if not known:
        raise Unfit(Fault.PROTOCOL, "it does not prove that it knows the password (SCRAM)")


def _sasl(wanted: int) -> Reading:
    kind, payload = yield from _message()
    if kind == b"E":
        raise _error(payload)
    if kind != b"R" or payload[:4] != struct.pack("!i", wanted):
        raise Unfit(Fault.PROTOCOL)
    return payload[4:]
