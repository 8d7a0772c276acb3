"""Real PostgreSQL and Redis on a Docker network, reached by their labels from inside our image."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import pytest
from support.container import projects
from support.container.act import TOOLS
from support.container.image import DOCKER, docker
from support.container.runner import Machine

pytestmark = pytest.mark.docker
PASSWORD: Final = "s3cr3t-value"
RIGHT: Final = f"postgres://app:{PASSWORD}@postgres:5432/app_test"
# The tool as the stage calls it, with the seconds that it may take in front of the addresses.
PROBE: Final = """
import json, sys
from pathlib import Path
from ci_action.engine.context import Context
from ci_action.model.result import Broken
from ci_action.project.layout import Layout
from ci_action.project.programs import BundledTools, Program
from ci_action.settings.resolve import resolve
from ci_action.stages.test.services import TOOL
settings = resolve(("flag", {"timeout": int(sys.argv[1]), "wait-for": sys.argv[2:]})).settings
here = Path("/tmp")
ctx = Context(settings=settings, layout=Layout(workspace=here, root=here), bundled=BundledTools.of(Path(sys.prefix)),
              run=None, serve=None, tempdir=here, container=True)
checked = TOOL.check(ctx, Program(argv=(), version=""))
reason = checked.outcome.reason if isinstance(checked.outcome, Broken) else ""
print(json.dumps({"reason": reason, "log": checked.log, "hints": [hint.name for hint in checked.hints]}))
"""


@dataclass(frozen=True)
class Network:
    """The network of a job: services by their labels, and our image among them."""

    name: str
    image: str

    def serve(self, label: str, image: str, *words: str, **variables: str) -> str:
        """Start a service under a label; return its container."""
        given = [word for name, value in variables.items() for word in ("-e", f"{name}={value}")]
        options = [
            "--rm",
            "--label",
            "ci-action-e2e",
            "--network",
            self.name,
            "--network-alias",
            label,
            *given,
        ]
        return docker("run", "--detach", *options, image, *words)

    def probe(self, *addresses: str, seconds: int = 40) -> dict[str, Any]:
        """Wait for services inside our image."""
        inside = ["--rm", "--network", self.name, "--entrypoint", "/opt/ci-action/bin/python", self.image]
        said = docker("run", *inside, "-I", "-c", PROBE, str(seconds), *addresses)
        assert PASSWORD not in said
        found: dict[str, Any] = json.loads(said)
        return found


@pytest.fixture(scope="module")
def network(image: str) -> Iterator[Network]:
    script = TOOLS / "base-image"
    for kind in ("postgres", "redis") if script.is_file() else ():  # elsewhere they can be pulled
        subprocess.run([script, kind], check=True, capture_output=True)
    name = f"ci-action-e2e-{uuid4().hex[:12]}"
    docker("network", "create", name)
    try:
        yield Network(name, image)
    finally:
        for container in docker("ps", "--all", "--quiet", "--filter", f"network={name}").split():
            with suppress(AssertionError):  # it may be gone by itself
                docker("rm", "--force", container)
        docker("network", "rm", name)


@pytest.fixture(scope="module")
def services(network: Network) -> Network:
    """Return the network with both services on it; nobody waits for them but the probes."""
    network.serve(
        "postgres", "postgres:16", POSTGRES_USER="app", POSTGRES_PASSWORD=PASSWORD, POSTGRES_DB="app_test"
    )
    network.serve("redis", "redis:7")
    network.serve("locked", "redis:7", "--requirepass", PASSWORD)
    assert network.probe(RIGHT)["reason"] == ""
    return network


def test_both_answer(services: Network):
    found = services.probe(
        RIGHT,
        "redis://redis:6379/0",
        f"redis://:{PASSWORD}@locked:6379",
        "tcp://redis:6379",
        "mysql://redis:6379",
    )
    assert found["reason"] == ""
    lines = found["log"].splitlines()
    assert [line.partition(" answered after ")[0].split()[0::2] for line in lines[:3]] == [
        ["postgres", "at"],
        ["redis", "at"],
        ["redis", "at"],
    ]
    assert [line.split(" at ")[1].partition(" ")[0] for line in lines] == [
        "postgres:5432/app_test",
        "redis:6379/0",
        "locked:6379",
        "redis:6379",
        "redis:6379",
    ]


def test_an_address_without_a_login(services: Network):
    found = services.probe("postgres://postgres:5432/app_test")
    assert found["reason"] == ""
    assert found["log"].startswith("postgres at postgres:5432/app_test answered after ")


@pytest.mark.parametrize(
    ("address", "hint", "says"),
    [
        (
            "postgres://app:wrong@postgres:5432/app_test",
            "service-wrong-password",
            "rejected the password of 'app'",
        ),
        (
            f"postgres://app:{PASSWORD}@postgres:5432/other",
            "service-unknown-database",
            "has no database 'other'",
        ),
        (
            "postgres://app@postgres:5432/app_test",
            "service-password-missing",
            "postgres://app:password@postgres:5432",
        ),
        # A login that is asked for a password does not tell whether the user exists.
        (
            f"postgres://nobody:{PASSWORD}@postgres:5432/app_test",
            "service-wrong-password",
            "rejected the password of 'nobody'",
        ),
        (
            "postgres://app@postgres:5432/app_test?sslmode=require",
            "service-tls",
            "the server does not support TLS",
        ),
        ("redis://locked:6379", "service-password-missing", "redis://:password@locked:6379"),
        ("redis://:wrong@locked:6379", "service-wrong-password", "rejected the password"),
        ("redis://redis:6379/99", "service-unknown-database", "has no database '99'"),
        ("http://redis:6379", "service-closed", "check the service's log"),
        ("redis://postgres:5432", "service-closed", "closed the connection"),
        ("postgres://postgres:5433/app", "service-refused", "nothing listens on port 5433"),
        ("redis://localhost:6379", "service-refused", "such as redis://redis:6379"),
        ("redis://rediss:6379", "service-unknown-name", "use the label under `services:` as host"),
    ],
)
def test_what_is_told_apart(services: Network, address: str, hint: str, says: str):
    found = services.probe(address, seconds=3)
    assert found["hints"] == [hint], found
    assert says in found["reason"]


def test_one_that_is_started_late(network: Network):
    inside = ["--rm", "--network", network.name, "--entrypoint", "/opt/ci-action/bin/python", network.image]
    address = f"postgres://postgres:{PASSWORD}@late:5432"
    words = [DOCKER, "run", *inside, "-I", "-c", PROBE, "50", address]
    waiting = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    time.sleep(3)  # it has no name in the network yet
    network.serve("late", "postgres:16", POSTGRES_PASSWORD=PASSWORD)
    said, _ = waiting.communicate(timeout=90)
    found = json.loads(said)
    assert found["reason"] == ""
    assert "(1 try)" not in found["log"]


def test_one_that_is_stopped(network: Network):
    container = network.serve("stopped", "redis:7")
    assert network.probe("redis://stopped:6379")["reason"] == ""
    docker("stop", "--time", "1", container)
    found = network.probe("redis://stopped:6379", seconds=3)
    assert found["hints"][0] in {"service-unknown-name", "service-unreachable", "service-refused"}


def test_one_that_is_paused(network: Network):
    container = network.serve("paused", "redis:7")
    assert network.probe("redis://paused:6379")["reason"] == ""
    docker("pause", container)
    try:
        assert network.probe("redis://paused:6379", seconds=3)["hints"] == ["service-silent"]
    finally:
        docker("unpause", container)


def test_the_stage_waits_for_them_and_tells_no_password(services: Network, machine: Machine):
    projects.write(machine.workspace, projects.CLEAN)
    good, bad = RIGHT, f"postgres://app:{PASSWORD}-wrong@postgres/app_test"
    inputs = {"stage": "test", "wait-for": f"{good}, redis://redis:6379, {bad}", "install": "none"}
    ran = machine.run(inputs=inputs, options=("--network", services.name))
    assert ran.code == 3, ran.log
    found = ran.tool("services")
    assert found["outcome"] == "broken"
    assert found["examined"] == {"services": 2}
    assert "rejected the password of 'app'" in found["reason"]
    masks = [seen for seen in ran.commands if seen.name == "add-mask"]
    assert {seen.data for seen in masks} >= {PASSWORD, f"{PASSWORD}-wrong"}
    without_masks = b"\n".join(
        line for line in ran.written.splitlines() if not line.startswith(b"::add-mask::")
    )
    assert PASSWORD.encode() not in without_masks
