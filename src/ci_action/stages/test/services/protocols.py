"""The greetings of services whose protocols need few words: Redis, MySQL, RabbitMQ, memcached."""

import re
import struct
from collections.abc import Generator
from typing import Final

from ci_action.stages.test.services.addresses import Address
from ci_action.stages.test.services.protocol import (
    Conversation,
    Exactly,
    Fault,
    Send,
    Step,
    Unfit,
    Until,
    words,
)

_LONGEST_BULK: Final = 1_000_000
_REDIS_VERSION: Final = re.compile(rb"^(?:valkey|redis)_version:([\w.+-]{1,40})", re.MULTILINE)
# What Redis begins an error with, and what it means for us.
_REDIS_FAULTS: Final = {
    "LOADING": Fault.STARTING,
    "BUSY": Fault.STARTING,
    "MASTERDOWN": Fault.STARTING,
    "NOAUTH": Fault.NO_PASSWORD,
    "WRONGPASS": Fault.PASSWORD,
    "DENIED": Fault.DENIED,
}
# Protocol version 10 is what MySQL and MariaDB have spoken since 3.21.
_MYSQL_PROTOCOL: Final = 10
_MYSQL_ERROR: Final = 0xFF
_MYSQL_BUSY: Final = frozenset({1040, 1053})
"""Too many connections; the server is shutting down."""
_AMQP_HEADER: Final = b"AMQP\x00\x00\x09\x01"
# What the first bytes of a wrong answer tell.
_OTHERS: Final = (
    (b"HTTP/", "an HTTP server"),
    (b"SSH-", "an SSH server"),
    (b"-ERR", "a Redis"),
    (b"-NOAUTH", "a Redis"),
    (b"-DENIED", "a Redis"),
    (b"AMQP", "a RabbitMQ"),
    (b"ERROR\r\n", "a memcached"),
    (b"220 ", "a mail or FTP server"),
    (b"\x15\x03", "a server that speaks TLS"),
)


def recognised(first: bytes) -> str:
    """Say what sent these bytes, or an empty text."""
    if re.match(rb"...\x00\x0a[\d.]+", first, re.DOTALL):
        return "a MySQL"
    return next((name for start, name in _OTHERS if first.startswith(start)), "")


def redis(address: Address) -> Conversation:
    """Log in, choose the database, and ask for the version."""
    if address.password:
        names = [address.user] if address.user else []
        yield from _asked("AUTH", *names, address.password)
    if (yield from _asked("PING")) not in {b"+PONG", b"-NOPERM"}:
        raise Unfit(Fault.PROTOCOL)
    if address.path.isdecimal() and int(address.path):
        yield from _asked("SELECT", address.path)
    answer = yield from _asked("INFO", "server")
    size = answer.removeprefix(b"$")
    if size == answer or not size.isdigit() or int(size) > _LONGEST_BULK:
        return ""
    found = _REDIS_VERSION.findall((yield Exactly(int(size))))
    return found[-1].decode() if found else ""


def _asked(*command: str) -> Generator[Step, bytes, bytes]:
    """Send a command and return the first line of the answer; errors are raised."""
    parts = [word.encode() for word in command]
    yield Send(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
    line = yield Until(b"\r\n")
    if line.startswith(b"-"):
        text = words(line[1:])
        code = text.partition(" ")[0]
        if code == "NOPERM":  # the user may not ask that, and is logged in
            return b"-NOPERM"
        fault = _REDIS_FAULTS.get(code)
        if fault is None and code == "ERR":
            fault = {"AUTH": Fault.PASSWORD, "SELECT": Fault.DATABASE}.get(command[0])
        raise Unfit(fault or Fault.PROTOCOL, text)
    if not line.startswith((b"+", b"$", b"=")):
        raise Unfit(Fault.PROTOCOL)
    return line


def mysql(_address: Address) -> Conversation:
    """Read the greeting, which the server begins; nobody logs in."""
    header = yield Exactly(4)
    size = int.from_bytes(header[:3], "little")
    if header[3] != 0 or not 1 < size <= _LONGEST_BULK:
        raise Unfit(Fault.PROTOCOL)
    payload = yield Exactly(size)
    if payload[0] == _MYSQL_ERROR:
        code = int.from_bytes(payload[1:3], "little")
        fault = Fault.STARTING if code in _MYSQL_BUSY else Fault.DENIED
        raise Unfit(fault, f"{words(payload[3:])} ({code})")
    if payload[0] != _MYSQL_PROTOCOL:
        raise Unfit(Fault.PROTOCOL)
    # MariaDB puts this before its own version, for replication with old MySQLs.
    return words(payload[1:].partition(b"\0")[0].removeprefix(b"5.5.5-"))


def amqp(_address: Address) -> Conversation:
    """Name the protocol and read the beginning of Connection.Start (AMQP 0-9-1, 4.2.2)."""
    yield Send(_AMQP_HEADER)
    start = yield Exactly(7)
    if start.startswith(b"AMQP"):
        raise Unfit(Fault.PROTOCOL, "it speaks another version of AMQP than 0-9-1")
    kind, channel, size = struct.unpack("!BHI", start)
    if (kind, channel) != (1, 0) or not 4 <= size <= _LONGEST_BULK:  # noqa: PLR2004 - the two ids
        raise Unfit(Fault.PROTOCOL)
    if (yield Exactly(4)) != b"\x00\x0a\x00\x0a":
        raise Unfit(Fault.PROTOCOL)
    return ""


def memcached(_address: Address) -> Conversation:
    """Ask for the version."""
    yield Send(b"version\r\n")
    line = yield Until(b"\r\n")
    if not line.startswith(b"VERSION "):
        raise Unfit(Fault.PROTOCOL)
    return words(line.removeprefix(b"VERSION "))
