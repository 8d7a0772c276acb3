"""Services greeted over real connections on loopback."""

import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from support.service_standins import (
    Handler,
    Postgres,
    Redis,
    closing,
    free_port,
    greet,
    hanging,
    http,
    saying,
    serving,
    unfit,
)

from ci_action.stages.test import services
from ci_action.stages.test.services import Answer
from ci_action.stages.test.services.addresses import parse
from ci_action.stages.test.services.faults import Fault, Unfit
from ci_action.stages.test.services.greet import greeted
from ci_action.system.errors import InterruptedRunError
from ci_action.system.wait import Tried, Waiting

PASSWORD = "s3cr3t-value"


def probe(address: str, limit: float = 10) -> Tried[Answer]:
    (one,) = services.probe([parse(address)], greeted, Waiting(limit=limit), container=False).values()
    return one


def fault_of(one: Tried[Answer]) -> Fault | None:
    return one.answer.fault if isinstance(one.answer, Unfit) else None


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
    server = Postgres(method="scram", password="päßwörd")
    assert greet(server, "postgres://app:p%C3%A4%C3%9Fw%C3%B6rd@127.0.0.1:PORT/app") == "16.3"


def test_a_password_that_is_hashed_once():
    assert (
        greet(Postgres(method="scram", rounds=1), f"postgres://app:{PASSWORD}@127.0.0.1:PORT/app") == "16.3"
    )


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
    assert (fault_of(one), one.tries) == (None, tries)


def test_a_service_that_begins_to_listen_late():
    port = free_port()
    found: list[Tried[Answer]] = []
    waiting = threading.Thread(target=lambda: found.append(probe(f"redis://127.0.0.1:{port}")))
    waiting.start()
    time.sleep(0.5)
    with serving(Redis(), port):
        waiting.join()
    assert found[0].answer == "7.2.5"
    assert found[0].tries > 1


@pytest.mark.parametrize(
    ("server", "address", "version"),
    [
        (Redis(), "redis://127.0.0.1:PORT", "7.2.5"),
        (Redis(), "redis://127.0.0.1:PORT/3", "7.2.5"),
        (Redis(PASSWORD), f"redis://:{PASSWORD}@127.0.0.1:PORT/0", "7.2.5"),
        (Redis(PASSWORD), f"redis://default:{PASSWORD}@127.0.0.1:PORT/0", "7.2.5"),
        *((hanging, f"{scheme}://127.0.0.1:PORT", "") for scheme in ("mysql", "amqp", "memcached", "tcp")),
        (http("200 OK"), "http://127.0.0.1:PORT/health", "status 200"),
        (http("302 Found"), "http://127.0.0.1:PORT/", "status 302"),
        (http("404 Not Found"), "http://user:pw@127.0.0.1:PORT/a b?c=d", "status 404"),
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
            for scheme in ("postgres", "redis", "rediss", "http", "https")
        ),
        *(
            (saying(b"\x00\xffrubbish\r\n" * 9), f"{scheme}://127.0.0.1:PORT", Fault.PROTOCOL)
            for scheme in ("postgres", "redis", "http")
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


@pytest.mark.parametrize("said", ["HTTP/1.1 400 Bad Request", "-ERR unknown command", "SSH-2.0-OpenSSH_9.2"])
@pytest.mark.parametrize("mode", ["prefer", "disable"])
def test_who_answers_instead_of_postgres(said: str, mode: str):
    handler = saying(f"{said}\r\n".encode())
    fault, words = unfit(handler, f"postgres://app:{PASSWORD}@127.0.0.1:PORT/?sslmode={mode}")
    assert fault is Fault.PROTOCOL
    assert said.partition(" ")[0] in words


def test_a_service_that_echoes_is_not_shown_a_password():
    def echo(connection: socket.socket) -> None:
        while data := connection.recv(65_536):
            connection.sendall(data)

    fault, words = unfit(echo, f"redis://:{PASSWORD}@127.0.0.1:PORT")
    assert fault is Fault.PROTOCOL
    assert PASSWORD[:3] not in words


@pytest.mark.parametrize("scheme", ["postgres", "redis", "rediss", "amqps", "http", "https"])
def test_what_hangs(scheme: str):
    started = time.monotonic()
    assert unfit(hanging, f"{scheme}://127.0.0.1:PORT", 0.3)[0] is Fault.SILENT
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("first", "rest", "address"),
    [
        (b"+", b"+", "redis://127.0.0.1:PORT"),
        (b"N\0\1\0\0", b"x", "postgres://127.0.0.1:PORT?sslmode=disable"),
    ],
)
def test_a_service_that_dribbles_for_ever_is_given_up(first: bytes, rest: bytes, address: str):
    def dribble(connection: socket.socket) -> None:
        connection.sendall(first)
        while True:
            connection.sendall(rest)
            time.sleep(0.02)

    started = time.monotonic()
    assert unfit(dribble, address, 0.4)[0] is Fault.SILENT
    assert time.monotonic() - started < 3


def test_nothing_listens():
    one = probe(f"postgres://127.0.0.1:{free_port()}", limit=0.5)
    assert fault_of(one) is Fault.REFUSED
    assert one.tries > 1


def test_a_name_that_nobody_has():
    assert fault_of(probe("postgres://no-such-service.invalid", limit=0.3)) is Fault.UNRESOLVED


def test_an_interruption_ends_a_hanging_probe_within_a_second():
    stopped = threading.Event()
    threading.Timer(0.3, stopped.set).start()
    with serving(hanging) as port:
        started = time.monotonic()
        waiting = Waiting(limit=60, stopped=stopped.is_set)
        with pytest.raises(InterruptedRunError):
            services.probe([parse(f"redis://127.0.0.1:{port}")], greeted, waiting, container=False)
        assert time.monotonic() - started < 1


# --- through the command line ----------------------------------------------------------------------


def test_the_stage_names_the_service_and_no_password(ci_action, project):
    folder = project({"pyproject.toml": "[project]\nname = 'p'\nversion = '1'\n", "tests/test_a.py": ""})
    address = f"postgres://app:{PASSWORD}@127.0.0.1:{free_port()}/app"
    ran = ci_action(
        folder, "run", "test", "--install=none", "--timeout=1", f"--wait-for={address}", "--verbose"
    )
    services = ran.tool("services")
    assert ran.code == 3
    assert services["outcome"] == "broken"
    assert "refused the connection" in services["reason"]
    assert "--wait-for=postgres://app:***@127.0.0.1" in ran.out
    assert PASSWORD not in ran.out + str(ran.report)


def test_sigterm_ends_the_waiting_within_a_second(project, environ, tmp_path):
    connected = threading.Event()

    def hang(connection: socket.socket) -> None:
        connected.set()
        hanging(connection)

    folder = project({"pyproject.toml": "[project]\nname = 'p'\nversion = '1'\n", "tests/test_a.py": ""})
    with serving(hang) as port:
        options = [
            "--install=none",
            f"--wait-for=redis://127.0.0.1:{port}",
            f"--report-dir={tmp_path}/reports",
        ]
        words = [sys.executable, "-m", "ci_action", "run", "test", *options]
        running = subprocess.Popen(words, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True)
        assert connected.wait(30)
        time.sleep(2)  # the environment is looked at beside it
        running.send_signal(signal.SIGTERM)
        sent = time.monotonic()
        out, _ = running.communicate(timeout=30)
    assert time.monotonic() - sent < 1.5  # the reports are written, too
    assert running.returncode == 130
    assert "interrupted while waiting" in out
