"""The scratch database in a container, from a shell and from our own container, and the embedded one in ours."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from support.container.act import TOOLS
from support.container.image import DOCKER, docker
from support.container.projects import GROUP, OWNER, SOCKET
from support.paths import TESTS

from ci_action.engine.docker.ours import LABEL

pytestmark = pytest.mark.docker
PROBE: Final = (TESTS / "support" / "container" / "scratch_probe.py").read_text()
SIXTEEN: Final = {"settings": {"postgres-version": 16}}
UUID: Final = 'CREATE EXTENSION "uuid-ossp"'


@pytest.fixture(scope="module", autouse=True)
def postgres() -> None:
    script = TOOLS / "base-image"
    if script.is_file():  # elsewhere it can be pulled
        subprocess.run([script, "postgres"], check=True, capture_output=True)


@pytest.fixture
def workspace() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        os.chown(name, OWNER, GROUP)
        yield Path(name)


def containers() -> set[str]:
    return set(docker("ps", "--all", "--quiet", "--filter", f"label={LABEL}").split())


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    before = containers()
    yield
    until = time.monotonic() + 8
    while containers() - before and time.monotonic() < until:
        time.sleep(0.1)
    assert containers() <= before


def started(wanted: dict[str, Any], workspace: Path) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-c", PROBE, json.dumps({"workspace": str(workspace), **wanted})]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def probed(wanted: dict[str, Any], workspace: Path) -> dict[str, Any]:
    """Return what the probe found, in a shell."""
    with started(wanted, workspace) as process:
        out, _ = process.communicate(timeout=120)
    return answer(out)


def answer(out: str) -> dict[str, Any]:
    found, left = map(json.loads, out.splitlines())
    assert [name for name in left if name.startswith(("docker-", "postgresql-"))] == []
    return dict(found)


def inside(image: str, wanted: dict[str, Any], workspace: Path, *options: str) -> dict[str, Any]:
    """Return what the probe found, in our image as GitHub starts it."""
    return answer(docker("run", "--rm", *words(image, wanted, workspace, *options)))


def words(image: str, wanted: dict[str, Any], workspace: Path, *options: str) -> list[str]:
    given = {"workspace": "/github/workspace", **wanted}
    trust = [
        word for name in ("UV_DEFAULT_INDEX", "PIP_INDEX_URL") if name in os.environ for word in ("-e", name)
    ]
    return [
        *("-v", f"{workspace}:/github/workspace", "-v", f"{SOCKET}:{SOCKET}", *trust),
        *(*options, "--entrypoint", "/opt/ci-action/bin/python", image, "-I", "-c", PROBE, json.dumps(given)),
    ]  # fmt: skip


def test_a_container_for_an_extension(workspace: Path):
    found = probed({**SIXTEEN, "needs": ["uuid-ossp"], "run": [UUID]}, workspace)
    assert found["name"].endswith(", container")


def test_an_extension_that_the_image_lacks_as_well(workspace: Path):
    assert "postgis" in probed({**SIXTEEN, "lacking": ["postgis"]}, workspace)["broken"]


def test_an_extension_in_a_text_decides_nothing_without_docker(workspace: Path):
    environ = {"DOCKER_HOST": "unix:///nonexistent.sock"}
    assert probed({"needs": ["postgis"], "environ": environ}, workspace)["name"].endswith(", embedded")
    broken = probed({"lacking": ["postgis"], "environ": environ}, workspace)["broken"]
    assert "postgis" in broken
    assert "database-url" in broken


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ({**SIXTEEN, "environ": {"DOCKER_HOST": "unix:///nonexistent.sock"}}, "Docker"),
        ({**SIXTEEN, "environ": {"PATH": "/nonexistent"}}, "Docker"),
        ({"settings": {"postgres-version": 98}}, "postgres:98"),
    ],
)
def test_no_container(workspace: Path, wanted: dict[str, Any], part: str):
    broken = probed(wanted, workspace)["broken"]
    assert part in broken
    assert "database-url" in broken


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_is_gone_after_we_were_killed(workspace: Path, number: signal.Signals):
    before = containers()
    with started({**SIXTEEN, "wait": 300}, workspace) as process:
        assert process.stdout
        assert json.loads(process.stdout.readline())["name"]
        assert containers() - before
        process.send_signal(number)


def test_a_container_that_is_removed_by_others(workspace: Path):
    before = containers()
    with started({**SIXTEEN, "wait": 6}, workspace) as process:
        assert process.stdout
        found = process.stdout.readline()
        for one in containers() - before:
            docker("kill", one)
        out, _ = process.communicate(timeout=60)
    assert "name" in json.loads(found)
    assert "broken" in answer(out)


def test_a_container_beside_ours(image: str, workspace: Path):
    wanted = {**SIXTEEN, "run": [UUID], "needs": ["uuid-ossp"]}
    found = inside(image, wanted, workspace)
    assert found["name"].endswith(", container")
    assert found["port"] != 5432


@pytest.mark.parametrize("options", [("--network", "host"), ("--hostname", "other"), ("--network", "none")])
def test_a_container_beside_ours_in_any_network(image: str, workspace: Path, options: tuple[str, ...]):
    assert inside(image, SIXTEEN, workspace, *options)["name"].endswith(", container")


def test_settings_of_the_client_at_home_are_ignored(image: str, workspace: Path, tmp_path: Path):
    """Code of the project can write there, and the client runs as root."""
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text('{"currentContext": "elsewhere"}')
    options = ("-e", "HOME=/github/home", "-v", f"{tmp_path}:/github/home")
    assert inside(image, SIXTEEN, workspace, *options)["name"].endswith(", container")


def test_it_is_gone_after_our_container_was_killed(image: str, workspace: Path):
    before, name = containers(), f"ci-action-e2e-{uuid4().hex[:12]}"
    given = words(image, {**SIXTEEN, "wait": 300}, workspace)
    ours = subprocess.Popen(
        [DOCKER, "run", "--rm", "--name", name, *given], stdout=subprocess.PIPE, text=True
    )
    with ours:
        try:
            assert ours.stdout
            assert json.loads(ours.stdout.readline())["name"]
            assert containers() - before
        finally:
            docker("kill", name)


@pytest.mark.parametrize("owner", [OWNER, 0])
def test_the_embedded_server_in_our_container(image: str, workspace: Path, owner: int):
    """The owner of the workspace has no name there; root is refused."""
    os.chown(workspace, owner, owner)
    found = inside(image, {"run": ["CREATE EXTENSION pgcrypto"]}, workspace)
    assert found["name"].endswith(", embedded")
    assert found["user"] == (owner or 65534)
