"""What is sent to a container, and what its answers mean: any bytes are an answer or an error that is known."""

import http.client
import ssl
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.stages.docker.smoke.url import Answer, Fault, Line, Url, fault_of, read

REFUSED = 111
NO_NETWORK = 101
NO_HOST = 113


class Server:
    """A socket whose other end sends these bytes and closes."""

    def __init__(self, *parts: bytes) -> None:
        self.parts = list(parts)
        self.sent = b""
        self.timeouts: list[float] = []

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def settimeout(self, seconds: float) -> None:
        self.timeouts.append(seconds)

    def recv_into(self, buffer: memoryview) -> int:
        part = self.parts.pop(0) if self.parts else b""
        buffer[: len(part)] = part
        return len(part)


def asked(server: Server, text: str = "http://localhost:8000/", seconds: float = 5) -> Answer:
    try:
        return read(Line(server, time.monotonic() + seconds), Url.of(text))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return fault_of(error, seconds)


@pytest.mark.parametrize(
    ("text", "port", "tls", "target", "host"),
    [
        ("http://localhost:8000/health", 8000, False, "/health", b"localhost:8000"),
        ("http://localhost", 80, False, "/", b"localhost"),
        ("https://localhost", 443, True, "/", b"localhost"),
        ("https://example.org:8443/a?b=c&d=%20#e", 8443, True, "/a?b=c&d=%20", b"example.org:8443"),
        ("http://user:pass@localhost:1/ä", 1, False, "/%C3%A4", b"localhost:1"),
        ("http://[::1]:8000/", 8000, False, "/", b"[::1]:8000"),
    ],
)
def test_the_address_as_the_container_sees_it(text: str, port: int, tls: bool, target: str, host: bytes):
    url = Url.of(text)
    assert (url.port, url.tls, url.target, url.host_header) == (port, tls, target, host)
    assert "pass" not in url.text
    server = Server(b"HTTP/1.1 200 OK\r\n\r\n")
    asked(server, text)
    assert server.sent.startswith(b"GET " + target.encode() + b" HTTP/1.1\r\n")
    assert b"\r\nHost: " + host + b"\r\n" in server.sent


@pytest.mark.parametrize(
    ("parts", "status", "shown", "good"),
    [
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"], 200, "200 OK", True),
        ([b"HTTP/1.0 204 \r\n\r\n"], 204, "204", True),
        ([b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n"], 302, "302 Found", True),
        ([b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 399 x\r\n\r\n"], 399, "399 x", True),
        ([b"HTTP/1.1 199 No\r\n\r\n"], 199, "199 No", False),
        ([b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\n", b"abc"], 404, "404 Not Found", False),
        ([b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"], 500, "500 Oh", False),
        ([b"H", b"TTP/1.1 2", b"00 OK\r\n", b"\r\n"], 200, "200 OK", True),
    ],
)
def test_an_answer(parts: list[bytes], status: int, shown: str, good: bool):
    found = asked(Server(*parts))
    assert (found.status, str(found), found.is_good, found.fault) == (status, shown, good, None)


def test_the_reason_of_an_error_is_read():
    found = asked(Server(b"HTTP/1.1 500 Oh\r\nContent-Length: 99999\r\n\r\n", *[b"x" * 500] * 9))
    assert found.excerpt == "x" * 2_000
    assert asked(Server(b"HTTP/1.1 200 OK\r\n\r\n", b"x")).excerpt == ""


@pytest.mark.parametrize(
    ("parts", "fault"),
    [
        ([], Fault.CLOSED),
        ([b"SSH-2.0-OpenSSH\r\n"], Fault.PROTOCOL),
        ([b"HTTP/9.9 200 OK\r\n\r\n"], Fault.PROTOCOL),
        ([b"HTTP/1.1 2000 OK\r\n\r\n"], Fault.PROTOCOL),
        ([b"\0" * 8_000] * 100, Fault.PROTOCOL),
        ([b"HTTP/1.1 200 OK\r\n", *[b"A: b\r\n"] * 200], Fault.PROTOCOL),
        ([b"HTTP/1.1 100 Continue\r\n\r\n"] * 50_000, Fault.PROTOCOL),
    ],
)
def test_no_answer(parts: list[bytes], fault: Fault):
    assert asked(Server(*parts)).fault is fault


def test_every_step_ends_in_time():
    server = Server(b"HTTP/1.1 200 OK\r\n\r\n")
    asked(server, seconds=3)
    assert server.timeouts
    assert all(0 < seconds <= 3 for seconds in server.timeouts)
    assert asked(Server(b"HTTP/1.1 200 OK\r\n\r\n"), seconds=-1).fault is Fault.SILENT


@given(st.lists(st.binary(min_size=1, max_size=100), max_size=20))
def test_any_answer(parts: list[bytes]):
    found = asked(Server(*parts))
    assert bool(found.fault) is (found.status == 0)


@given(st.lists(st.binary(min_size=1, max_size=100), max_size=20))
def test_anything_after_a_status(parts: list[bytes]):
    found = asked(Server(b"HTTP/1.1 500 Oh\r\n", *parts))
    assert found.fault or found.status == 500


@pytest.mark.parametrize(
    ("error", "fault", "patient"),
    [
        (ConnectionRefusedError(REFUSED, "Connection refused"), Fault.REFUSED, True),
        (TimeoutError("timed out"), Fault.SILENT, True),
        (ConnectionResetError(104, "reset"), Fault.CLOSED, True),
        (BrokenPipeError(32, "pipe"), Fault.CLOSED, True),
        (http.client.RemoteDisconnected("x"), Fault.CLOSED, True),
        (ssl.SSLEOFError(8, "eof"), Fault.CLOSED, True),
        (OSError(NO_HOST, "unreachable"), Fault.UNREACHABLE, True),
        (OSError(NO_NETWORK, "Network is unreachable"), Fault.ABROAD, False),
        (ssl.SSLError(1, "wrong version number"), Fault.TLS, False),
        (http.client.BadStatusLine("SSH"), Fault.PROTOCOL, False),
        (ValueError("x"), Fault.PROTOCOL, False),
    ],
)
def test_what_an_error_means(error: Exception, fault: Fault, patient: bool):
    found = fault_of(error, 3)
    assert (found.fault, found.status, found.is_good) == (fault, 0, False)
    assert (found.patience > 60) is patient
    if fault is Fault.SILENT:
        assert "3 s" in str(found)
    if fault is Fault.UNREACHABLE:
        assert str(error.args[1]) in str(found)


@pytest.mark.parametrize(
    ("status", "patient"), [(499, False), (500, True), (599, True), (600, False), (404, False)]
)
def test_which_status_may_change(status: int, patient: bool):
    assert (Answer(status=status).patience > 60) is patient
