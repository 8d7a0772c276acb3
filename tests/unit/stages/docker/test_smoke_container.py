"""The container under test: its options, where it is reached, why it cannot start, its log and its ports."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import completed, context
from support.docker_engine import INFO, answer, answering

from ci_action.engine.docker.client import Docker, Engine
from ci_action.stages.docker.smoke.container import (
    Container,
    Image,
    Place,
    created,
    health_options,
    knows_start_interval,
    listening,
    merged,
)
from ci_action.stages.docker.smoke.url import Url
from ci_action.system.errors import ToolError
from ci_action.system.process import Command, Completed, Ended

S = 1_000_000_000
ID = "0123456789abcdef" * 4
MOUNTS = f"823 812 8:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n"


@pytest.mark.parametrize(
    ("health", "options"),
    [
        ({}, ()),
        ({"Test": ["CMD", "x"]}, ("--health-interval=1s", "--health-retries=90")),
        ({"Interval": 2 * S, "Retries": 2}, ("--health-interval=1s", "--health-retries=4")),
        ({"Interval": 3 * S // 2, "Retries": 1}, ("--health-interval=1s", "--health-retries=2")),
        ({"Interval": S, "Retries": 2}, ()),
        ({"Interval": S // 2}, ()),
        ({"Interval": 10**6 * S, "Retries": 5}, ("--health-interval=1s", "--health-retries=1000000")),
        ({"Interval": S, "StartPeriod": 9 * S}, ("--health-start-interval=1s",)),
        ({"Interval": S, "StartPeriod": 9 * S, "StartInterval": S}, ()),
        ({"Interval": S, "StartInterval": 9 * S}, ()),
        ({"Interval": S, "StartPeriod": 9 * S, "StartInterval": 2 * S}, ("--health-start-interval=1s",)),
    ],
)
def test_probes_each_second_for_the_same_time(health: dict[str, Any], options: tuple[str, ...]):
    given = {"Test": ["CMD", "x"], **health} if health else {}
    assert health_options(given, start_interval=True) == options
    assert "--health-start-interval=1s" not in health_options(given, start_interval=False)


@pytest.mark.parametrize(
    ("server", "client", "known"),
    [
        ("25.0.0", "25.0", True),
        ("24.0.9", "28.2.2", False),
        ("28.0", "24.0", False),
        ("", "28.0", False),
        ("dev", "28.0", False),
        ("100.1+x", "26.1.5+dfsg1", True),
    ],
)
def test_who_knows_an_interval_for_the_start_period(server: str, client: str, known: bool):
    engine = Engine(server_version=server, client_info=type(Engine().client_info)(version=client))
    assert knows_start_interval(engine) is known


@pytest.mark.parametrize(
    ("config", "command", "health"),
    [
        ({"Cmd": ["python"], "Entrypoint": None}, ("python",), False),
        ({"Cmd": None, "Entrypoint": ["a", "b"]}, ("a", "b"), False),
        ({"Cmd": ["c"], "Entrypoint": ["a"], "Healthcheck": {"Test": ["CMD", "x"]}}, ("a", "c"), True),
        ({"Healthcheck": {"Test": ["NONE"]}}, (), False),
        ({"Healthcheck": {"Interval": 1}}, (), False),
        ({"Healthcheck": None}, (), False),
    ],
)
def test_what_an_image_starts(config: dict[str, Any], command: tuple[str, ...], health: bool):
    image = Image.of({"Os": "linux", "Architecture": "arm64", "Variant": "v8", "Config": config})
    assert (image.command, bool(image.health), image.platform) == (command, health, "linux/arm64/v8")


def in_network(mode: str, *networks: str) -> Completed:
    """Return what the client prints for a container in networks."""
    return answer(
        {
            "HostConfig": {"NetworkMode": mode},
            "NetworkSettings": {"Networks": {name: {"IPAddress": "10.0.0.2"} for name in networks}},
        }
    )


@pytest.mark.parametrize(
    ("own", "other", "place"),
    [
        (in_network("github_network_1", "github_network_1"), None, Place(network="github_network_1")),
        (in_network("default", "bridge"), None, Place(network="bridge")),
        (in_network("host", "host"), None, Place()),
        (in_network("none", "none"), None, Place()),
        (in_network("container:other"), in_network("job", "job"), Place(network="job")),
        (in_network("container:other"), in_network("host", "host"), Place()),
        (
            in_network("container:other"),
            completed(b"", returncode=1, stderr="No such container: other"),
            Place(),
        ),
    ],
)
def test_the_network_that_we_are_in(tmp_path: Path, own: Completed, other: Completed | None, place: Place):
    def run(command: Command) -> Completed:
        if command.argv[1] == "info":  # our own network decides, even in a virtual machine
            return answer(INFO | {"OperatingSystem": "Docker Desktop"})
        return own if command.argv[-1] == ID else (other or completed(b""))

    assert Place.of(Docker(context(tmp_path, run)), MOUNTS) == place


@pytest.mark.parametrize(("system", "publish"), [("Debian", False), ("Docker Desktop", True)])
def test_outside_of_a_container(tmp_path: Path, system: str, publish: bool):
    ctx = context(tmp_path, answering({"info": answer(INFO | {"OperatingSystem": system})}))
    assert Place.of(Docker(ctx), "") == Place(publish=publish)


URL = Url.of("http://localhost:8000/")


@pytest.mark.parametrize(
    ("settings", "publish", "address"),
    [
        ({"Networks": {"n": {"IPAddress": "10.0.0.3"}}}, False, ("10.0.0.3", 8000)),
        ({"Networks": {"n": {"IPAddress": "", "GlobalIPv6Address": "fd00::3"}}}, False, ("fd00::3", 8000)),
        ({"Networks": {"n": {"IPAddress": ""}}}, False, None),
        ({"Networks": {"other": {"IPAddress": "10.0.0.3"}}}, False, None),
        ({"Ports": {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "32768"}]}}, True, ("127.0.0.1", 32768)),
        ({"Ports": {"8000/tcp": None}}, True, None),
        ({"Ports": {"8000/tcp": []}}, True, None),
        ({"Ports": {"80/tcp": [{"HostPort": "1"}]}}, True, None),
        ({}, True, None),
        ({"Ports": {"8000/tcp": [{"HostPort": ""}]}}, True, None),
    ],
)
def test_where_it_is_reached(
    tmp_path: Path, settings: dict[str, Any], publish: bool, address: tuple[str, int] | None
):
    container = Container(context(tmp_path), "name", "n")
    assert container.address({"NetworkSettings": settings}, URL, publish=publish) == address


def failing_start(stderr: str, code: int) -> Mapping[str, Completed]:
    return {
        "start": completed(b"", returncode=1, stderr=f"Error response from daemon: {stderr}\nError: failed to start\n"),
        "container": answer({"State": {"Status": "created", "ExitCode": code}}),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("stderr", "code", "reason"),
    [
        (
            'OCI runtime create failed: caused: exec: "serve": executable file not found in $PATH: unknown',
            127,
            'exec: "serve": executable file not found in $PATH',
        ),
        ('chdir to cwd ("/app") failed: unknown', 128, "/app"),
        ("something about a folder: permission denied", 126, "permission denied"),
        ("exec /it: exec format error", 0, "exec format error"),
    ],
)
def test_why_an_image_cannot_be_started(tmp_path: Path, stderr: str, code: int, reason: str):
    ctx = context(tmp_path, answering(failing_start(stderr, code)))
    found = Container(ctx, "name", "n").start()
    assert reason in found
    assert "unknown" not in found


def test_an_engine_that_cannot_start_containers(tmp_path: Path):
    ctx = context(tmp_path, answering(failing_start("failed to create endpoint on network bridge", 128)))
    with pytest.raises(ToolError, match="endpoint"):
        Container(ctx, "name", "n").start()


def test_what_others_removed(tmp_path: Path):
    absent = completed(b"", returncode=1, stderr="Error: No such container: name")
    ctx = context(tmp_path, answering({"container": absent}))
    with pytest.raises(ToolError, match="name"):
        Container(ctx, "name", "n").state()


def test_two_streams_are_one_log():
    out = "2026-01-02T03:04:05.000000001Z one\n2026-01-02T03:04:05.000000003Z three\nrest\n"
    err = "2026-01-02T03:04:05.000000002Z two\n2026-01-02T03:04:05.000000004Z \n"
    assert merged(out, err) == "one\ntwo\nthree\nrest\n"
    assert merged("", "Error response from daemon: gone\n") == "Error response from daemon: gone"


@given(st.text(), st.text())
def test_no_line_of_a_log_is_lost(out: str, err: str):
    assert len(merged(out, err).splitlines()) <= len(out.splitlines()) + len(err.splitlines())


TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7608919 1 0
   1: 00000000:1F41 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7608920 1 0
   2: 0B00007F:9A3C 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7608921 1 0
   3: 0100007F:1F42 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 7608922 1 0
   4: 020012AC:1F45 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7608923 1 0
  sl  local_address                         remote_address                        st tx_queue rx_queue tr
  10: 0000000000000000FFFF00000100007F:1F43 00000000000000000000000000000000:0000 0A 00000000:00000000 00:0
  11: 00000000000000000000000000000000:1F44 00000000000000000000000000000000:0000 0A 00000000:00000000 00:0
  12: 00000000000000000000000001000000:1F46 00000000000000000000000000000000:0000 0A 00000000:00000000 00:0
  13: 00000000000000000000000001000000:1F41 00000000000000000000000000000000:0000 0A 00000000:00000000 00:0
"""


def test_which_ports_are_open():
    loopback, everywhere = {0x1F40, 0x1F43, 0x1F46}, {0x1F41, 0x1F44, 0x1F45}
    assert listening(TABLE) == {
        *((port, True) for port in loopback),
        *((port, False) for port in everywhere),
    }


@given(st.text())
def test_any_table(text: str):
    listening(text)


class Machine:
    """Notes what is started, and which guard is told what to remove."""

    def __init__(self, failing: str = "") -> None:
        self.started: list[tuple[str, ...]] = []
        self.guards: list[tuple[str, ...]] = []
        self.failing = failing

    def run(self, command: Command) -> Completed:
        self.started.append(command.argv[1:])
        if self.failing and self.failing in command.argv:
            return completed(b"", returncode=1, stderr="Error response from daemon: no\n")
        return completed(b"")

    @contextmanager
    def serve(self, command: Command) -> Iterator[Ended]:
        self.guards.append(command.argv[-4:])
        yield lambda: None


@pytest.mark.parametrize("network", ["job", ""])
def test_what_is_created_and_removed(tmp_path: Path, network: str):
    machine = Machine()
    settings = {"smoke-env": "A=b=c"}
    ctx = context(tmp_path, machine.run, serve=machine.serve, settings=settings)
    with created(ctx, "sha256:1", Place(network=network), MOUNTS, ["--health-interval=1s"]) as container:
        *_, create = machine.started
    name = container.name
    assert name.startswith(f"ci-action-c-{ID[:12]}-")
    assert container.network == (network or name)
    assert create[0] == "create"
    assert create[-2:] == ("--health-interval=1s", "sha256:1")
    assert {f"--network={network or name}", f"--name={name}", "--pull=never", "--label=ci-action"} <= {
        *create
    }
    assert not any(word.startswith(("--rm", "--privileged", "--volume", "-v", "--env=")) for word in create)
    (file,) = (Path(word.removeprefix("--env-file=")) for word in create if word.startswith("--env-file="))
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("A=b=c\n", 0o600)
    own = [] if network else [("network", "create", "--label=ci-action", name)]
    removed = [] if network else [("network", "rm", name)]
    assert machine.started == [*own, create, ("rm", "--force", "--volumes", name), *removed]
    ((*guarded, marker),) = machine.guards
    assert guarded == [name, "" if network else name, ""]
    assert Path(marker).exists()


@pytest.mark.parametrize("failing", ["create", "rm"])
def test_the_guard_removes_what_is_left(tmp_path: Path, failing: str):
    machine = Machine(failing)
    ctx = context(tmp_path, machine.run, serve=machine.serve)
    with suppress(ToolError), created(ctx, "sha256:1", Place(), MOUNTS, []):
        pass
    ((*_, marker),) = machine.guards
    assert not Path(marker).exists()


@pytest.mark.parametrize(
    ("done", "ports"),
    [
        (completed(TABLE.encode(), returncode=1), 6),
        (completed(b"  sl  local_address rem_address\n"), 0),
        (completed(b"", returncode=127), None),
    ],
)
def test_the_ports_of_a_container(tmp_path: Path, done: Completed, ports: int | None):
    found = Container(context(tmp_path, answering({"exec": done})), "name", "n").open_ports()
    assert (None if found is None else len(found)) == ports
