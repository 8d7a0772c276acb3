"""The migrations stage in the container: owners, the embedded server, other servers, and what can go wrong."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from typing import Final

import pytest
from support import migration_samples as samples
from support.container import projects
from support.container.image import docker, gateway
from support.container.runner import Machine, Ran, Step
from support.migration_samples import sample

from ci_action.engine.docker.ours import LABEL
from ci_action.stages.migrations.database.embedded import PORTS

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="files of another user can be made by root alone"),
]
MIGRATIONS: Final = {"stage": "migrations"}
STEPS: Final = ("heads", "upgrade", "downgrade", "drift")
PASSWORD: Final = "s3cret-of-the-service"
# Long enough to do something to the server meanwhile.
SLOW: Final = samples.fourth('op.execute("SELECT pg_sleep(60)")', 'op.execute("SELECT 1")')
# A gigabyte, in rows that are not compressed.
FILLING: Final = samples.fourth(
    'op.execute("CREATE TABLE filled AS SELECT repeat(md5(i::text), 60) FROM generate_series(1, 500000) i")',
    'op.execute("DROP TABLE filled")',
)
# Holds every port that the embedded server may get.
HOLDER: Final = f"""
import socket, time
held = []
both = socket.has_dualstack_ipv6()
for number in range({PORTS.start}, {PORTS.stop}):
    one = socket.socket(socket.AF_INET6 if both else socket.AF_INET)
    if both:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    one.bind(("", number))
    held.append(one)
print("held", flush=True)
time.sleep(300)
"""
DOCKERLESS: Final = "--env=DOCKER_HOST=unix:///nowhere/docker.sock"


def outcomes(ran: Ran) -> dict[str, str]:
    return {name: ran.tool(name)["outcome"] for name in STEPS}


def hidden(ran: Ran) -> bool:
    """Whether the password is nowhere but in the command that makes the runner mask it."""
    lines = [line for line in ran.written.splitlines() if not line.startswith(b"::add-mask::")]
    return PASSWORD.encode() not in b"\n".join(lines)


def calm(ran: Ran) -> Ran:
    assert "Traceback" not in ran.log
    assert "bug" not in ran.log
    return ran


def passed(ran: Ran, database: str) -> None:
    assert (ran.code, ran.outputs["result"]) == (0, "passed"), ran.log
    assert outcomes(ran) == dict.fromkeys(STEPS, "report")
    assert database in ran.outputs["database"]


def owned(machine: Machine, owner: int) -> None:
    """Change the owner of the workspace."""
    subprocess.run(["chown", "-R", f"{owner}:{owner}", str(machine.workspace)], check=True)


def containers() -> set[str]:
    """Return the ids of our scratch databases; other containers may come and go."""
    return set(
        docker(
            "ps",
            "--all",
            "--quiet",
            "--no-trunc",
            "--filter",
            f"label={LABEL}",
            "--filter",
            "ancestor=postgres:16",
        ).split()
    )


@pytest.mark.parametrize("owner", [projects.OWNER, 0], ids=["runner", "root"])
def test_the_embedded_server(machine: Machine, owner: int):
    projects.write(machine.workspace, sample())
    owned(machine, owner)
    ran = calm(machine.run(inputs=MIGRATIONS))
    passed(ran, "embedded")
    assert set(ran.owners.values()) == {owner}
    assert ran.outputs["migrations"] == "3"
    assert ran.outputs["migration-heads"] == "a0003"
    assert "a0003" in ran.summary
    assert not [*machine.temp.glob("ci-action-*")]


def test_a_broken_downgrade_is_shown_on_its_line(machine: Machine):
    projects.write(machine.workspace, sample(samples.BROKEN_DOWNGRADE))
    ran = calm(machine.run(inputs=MIGRATIONS))
    assert (ran.code, ran.outputs["result"]) == (1, "failed"), ran.log
    (error,) = ran.annotations("error")
    assert error.properties["file"] == "migrations/versions/a0004.py"
    assert error.properties["line"] == "15"


@pytest.fixture
def service() -> Iterator[str]:
    """Start PostgreSQL 16 as a workflow's service does; its port is published on the machine."""
    name = docker(
        *("run", "--detach", "--publish=5432", f"--env=POSTGRES_PASSWORD={PASSWORD}", "postgres:16")
    )
    try:
        yield docker("port", name, "5432/tcp").splitlines()[0].rpartition(":")[2]
    finally:
        docker("rm", "--force", name)


def test_a_service(machine: Machine, service: str):
    projects.write(machine.workspace, sample())
    url = f"postgresql://postgres:{PASSWORD}@{gateway()}:{service}"
    ran = calm(machine.run(inputs={**MIGRATIONS, "database-url": url}))
    passed(ran, "postgresql ")
    assert "embedded" not in ran.outputs["database"]
    assert hidden(ran)


def test_an_extension_that_the_embedded_server_lacks_comes_from_a_container(machine: Machine):
    projects.write(machine.workspace, sample(samples.EXTENSION, samples.EXTENSION_MODELS))
    before = containers()
    ran = calm(machine.run(inputs={**MIGRATIONS, "postgres-version": "16"}))
    passed(ran, "container")
    assert containers() <= before


def test_a_collation_that_the_embedded_server_lacks_comes_from_a_container(machine: Machine):
    projects.write(machine.workspace, sample(samples.COLLATION))
    passed(calm(machine.run(inputs={**MIGRATIONS, "postgres-version": "16"})), "container")


def test_a_locale_that_the_container_lacks_as_well_is_named(machine: Machine):
    projects.write(machine.workspace, sample(samples.UNKNOWN_LOCALE))
    before = containers()
    ran = calm(machine.run(inputs={**MIGRATIONS, "postgres-version": "16"}))
    assert (ran.code, ran.outputs["result"]) == (3, "broken"), ran.log
    assert "xx_XX.utf8" in ran.tool("upgrade")["reason"]
    assert "database-url" in ran.log
    assert containers() <= before


def test_without_docker_the_extension_is_named(machine: Machine):
    projects.write(machine.workspace, sample(samples.EXTENSION, samples.EXTENSION_MODELS))
    ran = calm(machine.run(inputs=MIGRATIONS, options=[DOCKERLESS]))
    assert (ran.code, ran.outputs["result"]) == (3, "broken"), ran.log
    assert ran.tool("upgrade")["outcome"] == "broken"
    assert "uuid-ossp" in ran.tool("upgrade")["reason"]
    assert "database-url" in ran.log


def test_without_a_network_the_missing_wheel_is_named(machine: Machine):
    tests = {"test_a.py": "def test_a():\n    pass\n"}
    projects.write(machine.workspace, sample(tests))
    first = machine.run(inputs={"stage": "test"})
    assert first.code == 0, first.log
    ran = calm(machine.run(inputs=MIGRATIONS, options=["--network=none", DOCKERLESS]))
    assert (ran.code, ran.outputs["result"]) == (3, "broken"), ran.log
    assert ran.tool("heads")["outcome"] == "report"
    assert ran.tool("upgrade")["outcome"] == "broken"
    assert "database-url" in ran.log


def end_server(step: Step) -> None:
    """End the embedded server as the kernel does that needs memory, when the migration sleeps in it."""
    end = time.monotonic() + 120
    while not any(re.match(r"postgres: .*SELECT", words) for words in step.processes().values()):
        assert time.monotonic() < end, step.processes()
        time.sleep(0.2)
    for pid, words in step.processes().items():
        if "/postgres " in words:
            os.kill(pid, signal.SIGKILL)


def test_a_server_that_is_killed(machine: Machine):
    projects.write(machine.workspace, sample(SLOW))
    step = machine.start(inputs=MIGRATIONS)
    end_server(step)
    ran = calm(step.end(120))
    assert (ran.code, ran.outputs["result"]) == (3, "broken"), ran.log
    assert ran.tool("upgrade")["outcome"] == "broken"
    assert set(ran.owners.values()) == {projects.OWNER}


def test_the_password_of_a_server_that_refuses_it_is_on_no_channel(machine: Machine, service: str):
    projects.write(machine.workspace, sample())
    url = f"postgresql://postgres:wrong-{PASSWORD}@{gateway()}:{service}"
    ran = calm(machine.run(inputs={**MIGRATIONS, "database-url": url}))
    assert (ran.code, ran.outputs["result"]) == (3, "broken"), ran.log
    assert hidden(ran)


def test_a_full_disk_is_named(machine: Machine):
    """While a revision runs, and then while the server is made, for which the programs are kept."""
    projects.write(machine.workspace, sample(FILLING))
    for size in ("100m", "20m"):
        ran = calm(machine.run(inputs=MIGRATIONS, options=["--tmpfs", f"/tmp:exec,size={size}"]))
        assert (ran.code, ran.outputs["result"]) == (3, "broken"), ran.log
        assert ran.tool("heads")["outcome"] == "report"
        assert ran.tool("upgrade")["outcome"] == "broken"
        assert "disk" in ran.tool("upgrade")["reason"]
        assert ran.tool("upgrade")["findings"] == []
        assert set(ran.owners.values()) == {projects.OWNER}
    assert not [*machine.temp.glob("ci-action-*")]


@pytest.fixture
def crowded(image: str) -> Iterator[str]:
    """Start a container in whose network every port of the embedded server is taken."""
    name = docker("run", "--detach", "--ulimit=nofile=20000", "--entrypoint=python3", image, "-c", HOLDER)
    try:
        end = time.monotonic() + 30
        while "held" not in docker("logs", name):
            assert time.monotonic() < end
            time.sleep(0.1)
        yield name
    finally:
        docker("rm", "--force", name)


@pytest.mark.parametrize("version", [17, 16], ids=["embedded", "container"])
def test_a_network_without_a_free_port_is_named(machine: Machine, crowded: str, version: int):
    projects.write(machine.workspace, sample())
    before = containers()
    inputs = {**MIGRATIONS, "postgres-version": str(version)}
    ran = calm(machine.run(inputs=inputs, options=[f"--network=container:{crowded}"]))
    assert (ran.code, ran.outputs["result"]) == (3, "broken"), ran.log
    assert ran.tool("upgrade")["outcome"] == "broken"
    assert "port" in ran.tool("upgrade")["reason"]
    assert set(ran.owners.values()) == {projects.OWNER}
    assert containers() <= before
