"""Services greeted over TLS, with a certificate that the test makes."""

import shutil
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support.service_standins import Handler, Postgres, Redis, greet, http, unfit

from ci_action.stages.test.services.faults import Fault

PASSWORD = "s3cr3t-value"


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
