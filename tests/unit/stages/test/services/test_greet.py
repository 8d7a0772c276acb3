"""What Redis answers, byte for byte, and what it means: no socket is opened."""

import pytest
from support.service_conversations import Held, unfit

from ci_action.stages.test.services import greet
from ci_action.stages.test.services.faults import Fault


def redis(said: bytes, address: str = "redis://cache") -> Held:
    return Held(greet.redis, address, said)


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


@pytest.mark.parametrize(
    ("said", "fault"), [(b"", Fault.CLOSED), (b"+PON", Fault.CLOSED), (b"+" * 3_000_000, Fault.PROTOCOL)]
)
def test_redis_that_does_not_come_to_an_end(said: bytes, fault: Fault):
    assert unfit(lambda: redis(said))[0] is fault
