"""What Redis, MySQL, RabbitMQ and memcached say, byte for byte, and what it means: no socket is opened."""

import struct

import pytest
from support.service_conversations import Held, unfit

from ci_action.stages.test.services import protocols
from ci_action.stages.test.services.addresses import parse
from ci_action.stages.test.services.protocol import Fault, words


def redis(said: bytes, address: str = "redis://cache") -> Held:
    return Held(protocols.redis(parse(address)), said)


INFO = b"$49\r\n# Server\r\nredis_version:7.2.5\r\nredis_mode:standalone"


def test_redis():
    held = redis(b"+PONG\r\n" + INFO)
    assert held.version == "7.2.5"
    assert held.sent == b"*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n"


def test_valkey_says_both_versions():
    info = b"redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.0\r\n"
    assert redis(b"+PONG\r\n$%d\r\n%s\r\n" % (len(info), info)).version == "8.1.0"


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("redis://:pw@cache", b"*2\r\n$4\r\nAUTH\r\n$2\r\npw\r\n"),
        ("redis://me:p%C3%A4@cache", b"*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$3\r\np\xc3\xa4\r\n"),
    ],
)
def test_redis_with_a_password(address: str, sent: bytes):
    assert redis(b"+OK\r\n+PONG\r\n" + INFO, address).sent.startswith(sent)


def test_redis_with_a_database():
    assert b"$6\r\nSELECT\r\n$1\r\n2\r\n" in redis(b"+PONG\r\n+OK\r\n" + INFO, "redis://cache/2").sent
    assert b"SELECT" not in redis(b"+PONG\r\n" + INFO, "redis://cache/0").sent


@pytest.mark.parametrize("info", [b"-NOPERM no\r\n", b"+OK\r\n", b"$x\r\n", b"$9999999\r\n", b"$3\r\nabc"])
def test_redis_that_keeps_its_version_is_up(info: bytes):
    assert redis(b"+PONG\r\n" + info).version == ""


@pytest.mark.parametrize(
    ("said", "address", "fault"),
    [
        (b"-LOADING Redis is loading\r\n", "redis://c", Fault.STARTING),
        (b"-MASTERDOWN Link\r\n", "redis://c", Fault.STARTING),
        (b"-NOAUTH Authentication required.\r\n", "redis://c", Fault.NO_PASSWORD),
        (b"-DENIED Redis is running in protected mode\r\n", "redis://c", Fault.DENIED),
        (b"-WRONGPASS invalid\r\n", "redis://:x@c", Fault.PASSWORD),
        (b"-ERR invalid password\r\n", "redis://:x@c", Fault.PASSWORD),
        (b"-ERR AUTH <password> called without any password\r\n", "redis://:x@c", Fault.PASSWORD),
        (b"+PONG\r\n-ERR DB index is out of range\r\n", "redis://c/99", Fault.DATABASE),
        (b"-ERR unknown command\r\n", "redis://c", Fault.PROTOCOL),
        (b"+HELLO\r\n", "redis://c", Fault.PROTOCOL),
        (b"HTTP/1.1 400 Bad Request\r\n", "redis://c", Fault.PROTOCOL),
        (b"\r\n", "redis://c", Fault.PROTOCOL),
    ],
)
def test_redis_that_refuses(said: bytes, address: str, fault: Fault):
    assert unfit(lambda: redis(said, address))[0] is fault


def packet(payload: bytes, number: int = 0) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


MYSQL = parse("mysql://sql")


@pytest.mark.parametrize(
    ("version", "shown"),
    [(b"8.0.36", "8.0.36"), (b"5.5.5-10.11.6-MariaDB-1", "10.11.6-MariaDB-1"), (b"8\x1b[31m", "8␛[31m")],
)
def test_mysql(version: bytes, shown: str):
    assert Held(protocols.mysql(MYSQL), packet(b"\x0a" + version + b"\0rest")).version == shown


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        (packet(b"\xff" + struct.pack("<H", 1040) + b"Too many connections"), Fault.STARTING),
        (packet(b"\xff" + struct.pack("<H", 1130) + b"Host is not allowed"), Fault.DENIED),
        (packet(b"\x09x\0"), Fault.PROTOCOL),
        (packet(b"\x0ax\0", 1), Fault.PROTOCOL),
        (b"SSH-2.0-OpenSSH", Fault.PROTOCOL),
        (b"\0\0\0\0", Fault.PROTOCOL),
    ],
)
def test_what_is_no_mysql_or_refuses(said: bytes, fault: Fault):
    assert unfit(lambda: Held(protocols.mysql(MYSQL), said))[0] is fault


AMQP = parse("amqp://queue")


def test_amqp():
    held = Held(protocols.amqp(AMQP), struct.pack("!BHI", 1, 0, 500) + b"\0\x0a\0\x0a\0\x09")
    assert held.sent == b"AMQP\0\0\x09\x01"


@pytest.mark.parametrize(
    "said",
    [
        b"AMQP\0\1\0\0",
        b"HTTP/1.1 400",
        struct.pack("!BHI", 1, 0, 500) + b"\0\x0a\0\x14",
        struct.pack("!BHI", 1, 0, 2),
    ],
)
def test_what_is_no_amqp(said: bytes):
    assert unfit(lambda: Held(protocols.amqp(AMQP), said))[0] is Fault.PROTOCOL


def test_memcached():
    address = parse("memcached://m")
    held = Held(protocols.memcached(address), b"VERSION 1.6.21\r\n")
    assert (held.version, held.sent) == ("1.6.21", b"version\r\n")
    assert unfit(lambda: Held(protocols.memcached(address), b"ERROR\r\n"))[0] is Fault.PROTOCOL


@pytest.mark.parametrize(
    ("first", "name"),
    [
        (b"HTTP/1.0 200 OK", "an HTTP server"),
        (b"SSH-2.0-OpenSSH_9.2", "an SSH server"),
        (b"J\0\0\0\x0a8.0.36\0", "a MySQL"),
        (b"-ERR unknown", "a Redis"),
        (b"\x15\x03\x01\0\x02", "a server that speaks TLS"),
        (b"anything", ""),
        (b"", ""),
    ],
)
def test_what_answers_is_recognised(first: bytes, name: str):
    assert protocols.recognised(first) == name


def test_foreign_words_are_one_short_line():
    assert words(b"a\nb\x1b[0m\xff") == "a b␛[0m�"
    assert len(words("x" * 1000)) == 161
