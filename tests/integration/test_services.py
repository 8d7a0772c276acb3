"""Services greeted over real connections on loopback."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from integration.service_standins import (
    Handler,
    Postgres,
    Redis,
    closing,
    free_port,
    hanging,
    http,
    saying,
    serving,
)

from ci_action.errors import InterruptedRunError
from ci_action.project.addresses import parse
from ci_action.project.conversation import Fault, Unfit
from ci_action.project.services import greeted
from ci_action.project.waiting import Probed, Terms, probe_all

PASSWORD = "s3cr3t-value"


def greet(handler: Handler, address: str, seconds: float = 5.0) -> str:
    """Greet once; the address holds `PORT`."""
    with serving(handler) as port:
        return greeted(parse(address.replace("PORT", str(port))), seconds)


def unfit(handler: Handler, address: str, seconds: float = 5.0) -> tuple[Fault, str]:
    with pytest.raises(Unfit) as caught:
        greet(handler, address, seconds)
    return caught.value.fault, caught.value.said


def probe(address: str, limit: float = 10) -> Probed:
    (one,) = probe_all([parse(address)], greeted, Terms(limit=limit))
    return one


@pytest.mark.parametrize("method", ["trust", "cleartext", "md5", "scram"])
@pytest.mark.parametrize("dribble", [False, True])
def test_postgres(method: str, dribble: bool):
    server = Postgres(method=method, dribble=dribble)
    assert greet(server, f"postgresql+psycopg://app:{PASSWORD}@127.0.0.1:PORT/app") == "16.3"


@pytest.mark.parametrize("method", ["cleartext", "md5", "scram"])
@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("postgres://app:wrong@127.0.0.1:PORT/app", Fault.PASSWORD),
        ("postgres://app@127.0.0.1:PORT/app", Fault.NO_PASSWORD),
        (f"postgres://app:{PASSWORD}@127.0.0.1:PORT/other", Fault.DATABASE),
    ],
)
def test_postgres_refuses(method: str, address: str, fault: Fault):
    assert unfit(Postgres(method=method), address)[0] is fault


def test_postgres_without_a_user_in_the_address_is_up():
    assert greet(Postgres(method="scram"), "postgres://127.0.0.1:PORT/app") == ""


def test_an_unknown_role():
    fault, said = unfit(Postgres(), "postgres://nobody@127.0.0.1:PORT/app")
    assert (fault, said) == (Fault.ROLE, 'role "nobody" does not exist (28000)')


def test_a_password_beyond_ascii():
    server = Postgres(method="scram", password="päßwörd 😀")
    assert greet(server, "postgres://app:p%C3%A4%C3%9Fw%C3%B6rd%20%F0%9F%98%80@127.0.0.1:PORT/app") == "16.3"


@pytest.mark.parametrize(
    ("server", "address", "tries"),
    [
        (Postgres(starting=2), "postgres://app@127.0.0.1:PORT/app", 3),
        (Redis(loading=1), "redis://127.0.0.1:PORT", 2),
    ],
)
def test_a_service_that_is_starting_up(server: Handler, address: str, tries: int):
    with serving(server) as port:
        one = probe(address.replace("PORT", str(port)))
    assert (one.fault, one.tries) == (None, tries)


def test_a_service_that_begins_to_listen_late():
    port = free_port()
    found: list[Probed] = []
    waiting = threading.Thread(target=lambda: found.append(probe(f"redis://127.0.0.1:{port}")))
    waiting.start()
    time.sleep(0.5)
    with serving(Redis(), port):
        waiting.join()
    assert found[0].fault is None
    assert found[0].version == "7.2.5"
    assert found[0].tries > 1


@pytest.mark.parametrize(
    ("server", "address", "version"),
    [
        (Redis(), "redis://127.0.0.1:PORT", "7.2.5"),
        (Redis(), "redis://127.0.0.1:PORT/3", "7.2.5"),
        (Redis(PASSWORD), f"redis://:{PASSWORD}@127.0.0.1:PORT/0", "7.2.5"),
        (Redis(PASSWORD), f"redis://default:{PASSWORD}@127.0.0.1:PORT/0", "7.2.5"),
        (saying(b"\x0b\0\0\0\x0a8.0.36\0\1\1\1"), "mysql://root:pw@127.0.0.1:PORT", "8.0.36"),
        (saying(b"\1\0\0\0\0\1\0\0\x0a\0\x0a\0\x09"), "amqp://127.0.0.1:PORT", ""),
        (saying(b"VERSION 1.6.21\r\n"), "memcached://127.0.0.1:PORT", "1.6.21"),
        (http("200 OK"), "http://127.0.0.1:PORT/health", "status 200"),
        (http("302 Found"), "http://127.0.0.1:PORT/", "status 302"),
        (http("404 Not Found"), "http://user:pw@127.0.0.1:PORT/a b?c=d", "status 404"),
        (hanging, "tcp://127.0.0.1:PORT", ""),
        (closing, "tcp://localhost:PORT", ""),
    ],
)
def test_what_answers(server: Handler, address: str, version: str):
    assert greet(server, address) == version


@pytest.mark.parametrize(
    ("server", "address", "fault"),
    [
        (Redis(PASSWORD), "redis://127.0.0.1:PORT", Fault.NO_PASSWORD),
        (Redis(PASSWORD), "redis://:wrong@127.0.0.1:PORT", Fault.PASSWORD),
        (Redis(), "redis://127.0.0.1:PORT/99", Fault.DATABASE),
        (http("503 Service Unavailable"), "http://127.0.0.1:PORT", Fault.UNHEALTHY),
        *(
            (closing, f"{scheme}://127.0.0.1:PORT", Fault.CLOSED)
            for scheme in ("postgres", "redis", "rediss", "mysql", "amqp", "memcached", "http", "https")
        ),
        *(
            (saying(b"\x00\xffrubbish\r\n" * 9), f"{scheme}://127.0.0.1:PORT", Fault.PROTOCOL)
            for scheme in ("postgres", "redis", "mysql", "amqp", "memcached", "http")
        ),
        *(
            (saying(b"rubbish\r\n" * 9), f"{scheme}://127.0.0.1:PORT", Fault.TLS)
            for scheme in ("rediss", "amqps", "https")
        ),
        (saying(b"+" + b"x" * 3_000_000), "redis://127.0.0.1:PORT", Fault.PROTOCOL),
    ],
)
def test_what_answers_otherwise(server: Handler, address: str, fault: Fault):
    assert unfit(server, address)[0] is fault


@pytest.mark.parametrize(
    ("said", "name"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "an HTTP server"),
        (b"-ERR unknown command\r\n", "a Redis"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "an SSH server"),
    ],
)
def test_who_answers_instead_of_postgres(said: bytes, name: str):
    assert unfit(saying(said), "postgres://127.0.0.1:PORT") == (Fault.PROTOCOL, name)


@pytest.mark.parametrize(
    "scheme", ["postgres", "redis", "rediss", "mysql", "amqp", "memcached", "http", "https"]
)
def test_what_hangs(scheme: str):
    started = time.monotonic()
    assert unfit(hanging, f"{scheme}://127.0.0.1:PORT", 0.3)[0] is Fault.SILENT
    assert time.monotonic() - started < 3


def test_a_service_that_dribbles_for_ever_is_given_up():
    def dribble(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"+")
            time.sleep(0.02)

    started = time.monotonic()
    assert unfit(dribble, "redis://127.0.0.1:PORT", 0.4)[0] is Fault.SILENT
    assert time.monotonic() - started < 3


def test_nothing_listens():
    one = probe(f"postgres://127.0.0.1:{free_port()}", limit=0.5)
    assert one.fault is Fault.REFUSED
    assert one.tries > 1


def test_a_name_that_nobody_has():
    assert probe("postgres://no-such-service.invalid", limit=0.3).fault is Fault.UNRESOLVED


def test_an_interruption_ends_a_hanging_probe_within_a_second():
    stopped = threading.Event()
    threading.Timer(0.3, stopped.set).start()
    with serving(hanging) as port:
        started = time.monotonic()
        with pytest.raises(InterruptedRunError):
            probe_all([parse(f"redis://127.0.0.1:{port}")], greeted, Terms(limit=60, stopped=stopped.is_set))
        assert time.monotonic() - started < 1


# --- TLS -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a key and a certificate for localhost that signs itself."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    command = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run([openssl, *command.split(), *names], cwd=folder, check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return both


@pytest.fixture
def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


def over_tls(handler: Handler, context: ssl.SSLContext) -> Handler:
    def handle(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            handler(secure)

    return handle


CASES: Any = [
    (Redis(), "rediss://localhost:PORT", "7.2.5"),
    (http("204 No Content"), "https://localhost:PORT/", "status 204"),
]


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(("server", "address", "version"), CASES)
def test_tls(server: Handler, address: str, version: str, server_context: ssl.SSLContext):
    assert greet(over_tls(server, server_context), address) == version


@pytest.mark.parametrize(("server", "address", "version"), CASES)
def test_a_certificate_that_is_not_trusted(
    server: Handler, address: str, version: str, server_context: ssl.SSLContext
):
    fault, said = unfit(over_tls(server, server_context), address)
    assert fault is Fault.TLS
    assert "self" in said


def test_a_certificate_that_need_not_be_trusted(server_context: ssl.SSLContext):
    assert greet(over_tls(Redis(), server_context), "rediss://127.0.0.1:PORT?ssl_cert_reqs=none") == "7.2.5"


@pytest.mark.parametrize("mode", ["prefer", "require"])
def test_postgres_over_tls(mode: str, server_context: ssl.SSLContext):
    server = Postgres(method="scram", context=server_context)
    address = f"postgres://app:{PASSWORD}@127.0.0.1:PORT/app?sslmode={mode}"
    assert greet(server, address) == "16.3"
    assert server.encrypted


def test_postgres_verifies_the_certificate_only_where_it_is_asked_to(server_context: ssl.SSLContext):
    server = Postgres(context=server_context)
    assert unfit(server, "postgres://app@localhost:PORT/app?sslmode=verify-full")[0] is Fault.TLS


@pytest.mark.usefixtures("trusted")
def test_postgres_with_a_certificate_that_is_trusted(server_context: ssl.SSLContext):
    server = Postgres(context=server_context)
    assert greet(server, "postgres://app@localhost:PORT/app?sslmode=verify-full") == "16.3"


def test_postgres_without_the_tls_that_is_asked_for():
    assert unfit(Postgres(), "postgres://app@127.0.0.1:PORT/app?sslmode=require")[0] is Fault.TLS
