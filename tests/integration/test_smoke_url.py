"""Requests to servers that answer well, badly, slowly and without an end, over real sockets."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import pytest

from ci_action.stages.docker.smoke.url import Answer, Fault, Url, ask

Handler: TypeAlias = Callable[[socket.socket], None]
SECONDS = 1.0
# The rest of an attempt after its time: the machine may be busy.
SLACK = 1.0


@contextmanager
def serving(handler: Handler) -> Iterator[int]:
    """Serve one connection on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError), server.accept()[0] as connection:
                connection.settimeout(10)
                handler(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
    thread.join(15)


def answered(handler: Handler, text: str = "http://localhost:8000/") -> tuple[Answer, float]:
    with serving(handler) as port:
        started = time.monotonic()
        return ask(Url.of(text), ("127.0.0.1", port), SECONDS), time.monotonic() - started


def saying(*parts: bytes, pause: float = 0, repeat: int = 1) -> Handler:
    """Return a server that reads a request and sends this."""

    def handle(connection: socket.socket) -> None:
        connection.recv(4096)
        for part in parts[:-1]:
            connection.sendall(part)
        for _ in range(repeat):
            connection.sendall(parts[-1])
            time.sleep(pause)

    return handle


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("handler", "status"),
    [
        (saying(OK + b"Content-Length: 0\r\n\r\n"), 200),
        (saying(OK + b"\r\n", b"x" * 1_000, repeat=10**6), 200),
        (saying(b"HTTP/1.1 500 Oh\r\n\r\n", b"x" * 1_000, repeat=10**6), 500),
        (saying(b"HTTP/1.1 500 Oh\r\nContent-Length: 99\r\n\r\n", b"x", pause=0.2, repeat=20), 500),
    ],
    ids=["good", "endless", "endless error", "slow error"],
)
def test_a_status_is_enough(handler: Handler, status: int):
    answer, seconds = answered(handler)
    assert (answer.status, answer.fault) == (status, None)
    assert seconds < SECONDS + SLACK


@pytest.mark.parametrize(
    ("handler", "fault"),
    [
        (saying(b""), Fault.CLOSED),
        (saying(b"220 mail ESMTP\r\n"), Fault.PROTOCOL),
        (saying(b"", b"x" * 1_000, repeat=10**6), Fault.PROTOCOL),
        (saying(OK, b"A: b\r\n", repeat=10**6), Fault.PROTOCOL),
        (saying(OK, b"A: b\r\n", pause=0.2, repeat=20), Fault.SILENT),
        (saying(b"H", b"T", pause=0.2, repeat=20), Fault.SILENT),
        (saying(b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.2, repeat=20), Fault.SILENT),
        (saying(b"", b"", pause=2), Fault.SILENT),
    ],
    ids=["nothing", "another protocol", "endless line", "endless headers", "slow headers", "slow line", "100", "silent"],
)  # fmt: skip
def test_no_status(handler: Handler, fault: Fault):
    answer, seconds = answered(handler)
    assert answer.fault is fault
    assert seconds < SECONDS + SLACK


def test_a_queue_that_is_full():
    """The kernel accepts no more connections, and answers nothing."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        place = server.getsockname()
        with socket.create_connection(place), suppress(OSError), socket.create_connection(place, timeout=0.2):
            started = time.monotonic()
            assert ask(Url.of("http://localhost/"), place, SECONDS).fault is Fault.SILENT
            assert time.monotonic() - started < SECONDS + SLACK


def test_a_closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = server.getsockname()
    assert ask(Url.of("http://localhost/"), place, SECONDS).fault is Fault.REFUSED


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """Return the server's side, with a certificate of its own for another name."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    folder: Path = tmp_path_factory.mktemp("tls")
    command = (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other.invalid -keyout key.pem -out cert.pem"
    )
    subprocess.run([openssl, *command.split()], cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def test_any_certificate_is_accepted(certificate: ssl.SSLContext):
    def handle(connection: socket.socket) -> None:
        with certificate.wrap_socket(connection, server_side=True) as encrypted:
            saying(OK + b"Content-Length: 0\r\n\r\n")(encrypted)

    answer, _ = answered(handle, "https://localhost:8443/")
    assert answer.status == 200


@pytest.mark.parametrize(
    ("handler", "fault"),
    [
        (saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), Fault.TLS),
        (saying(b"", b"", pause=2), Fault.SILENT),
        (saying(b"\x16", b"\x03", pause=0.2, repeat=20), Fault.SILENT),
    ],
    ids=["plain", "silent", "slow"],
)
def test_no_tls(handler: Handler, fault: Fault):
    answer, seconds = answered(handler, "https://localhost/")
    assert answer.fault is fault
    assert seconds < SECONDS + SLACK
