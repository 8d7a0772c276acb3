"""Containers of images that start, answer and end in every way, on a real engine: from a shell, and from our own container."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from support.container.act import TOOLS
from support.container.image import BASE, docker
from support.container.projects import SOCKET, write
from support.container.runner import Machine
from support.paths import TESTS

from ci_action.engine.docker.ours import LABEL, Owner, find_mounts

pytestmark = pytest.mark.docker
PROBE: Final = (TESTS / "support" / "container" / "smoke_probe.py").read_text()
APP: Final = """
import http.server, os, socket, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("asked", self.headers["Host"], self.path, flush=True)
        self.send_response(int(os.environ.get("STATUS", "200")))
        self.send_header("Location", "http://elsewhere.invalid/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

print("starting", flush=True)
if service := os.environ.get("SERVICE"):
    socket.create_connection((service, 6379), timeout=5).close()
time.sleep(float(os.environ.get("DELAY", "0")))
if "END" in os.environ:
    sys.exit(int(os.environ["END"]) and "the end")
os.environ["NEEDED"]
place = os.environ.get("HOST", "0.0.0.0"), int(os.environ.get("PORT", "8000"))
http.server.ThreadingHTTPServer(place, Handler).serve_forever()
"""
URL: Final = {"smoke-url": "http://localhost:8000/health?x=1"}
SHORT: Final = {**URL, "smoke-timeout": 4}
ASKED: Final = "python -c \"import urllib.request as u; u.urlopen('http://127.0.0.1:8000')\""
NEEDED: Final = "ENV NEEDED=1"


# The processes and containers of this file that own what the tests leave: others may run beside.
OWNERS: Final[set[str]] = set()


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    until = time.monotonic() + 8
    while ours() and time.monotonic() < until:
        time.sleep(0.1)
    assert ours() == set()


def ours() -> set[str]:
    """Return the containers and networks of our probes."""
    label = ("--filter", f"label={LABEL}")
    listed = [
        *docker("ps", "--all", "--format={{.Names}} container", *label).splitlines(),
        *docker("network", "ls", "--format={{.Name}} network", *label).splitlines(),
    ]
    return {name for name in listed if any(f"-{owner}-" in name for owner in OWNERS)}


def built(folder: Path, *lines: str, start: str = 'CMD ["python", "/app.py"]', base: str = BASE) -> str:
    """Return the id of an image of the program."""
    (folder / "app.py").write_text(APP)
    (folder / "Dockerfile").write_text("\n".join((f"FROM {base}", "COPY app.py /app.py", *lines, start, "")))
    return docker("build", "--quiet", str(folder))


def started(wanted: Mapping[str, Any]) -> "subprocess.Popen[str]":
    argv = [sys.executable, "-c", PROBE, json.dumps(wanted)]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    OWNERS.add(f"{process.pid}")
    return process


def probed(image: str, **settings: object) -> dict[str, Any]:
    """Return what the probe found, in a shell."""
    return ended(started({"image": image, "settings": settings}))


def ended(probe: "subprocess.Popen[str]") -> dict[str, Any]:
    with probe as process:
        out, _ = process.communicate(timeout=120)
    return dict(json.loads(out))


def words(image: str, wanted: Mapping[str, Any], *options: str) -> list[str]:
    return [
        *("-v", f"{SOCKET}:{SOCKET}", *options),
        *("--entrypoint", "/opt/ci-action/bin/python", image, "-I", "-c", PROBE, json.dumps(wanted)),
    ]


def inside(image: str, wanted: Mapping[str, Any], *options: str) -> dict[str, Any]:
    """Return what the probe found, in our image with only the socket mounted."""
    own = docker("create", *words(image, wanted, *options))
    OWNERS.add(own[:12])
    try:
        return dict(json.loads(docker("start", "--attach", own)))
    finally:
        docker("rm", "--force", own)


def rules(found: Mapping[str, Any]) -> list[str]:
    assert "broken" not in found, found
    return [rule for rule, _ in found["findings"]]


@pytest.mark.parametrize(
    ("lines", "settings", "probe"),
    [
        ([], {"smoke-timeout": 20}, "start"),
        ([], {"smoke-timeout": 2}, "start"),
        ([], URL, URL["smoke-url"]),
        (["ENV STATUS=302"], URL, URL["smoke-url"]),
        (["ENV DELAY=2"], URL, URL["smoke-url"]),
        ([f"HEALTHCHECK CMD {ASKED}"], {}, "HEALTHCHECK"),
        ([f"HEALTHCHECK --start-period=20s --retries=1 CMD {ASKED}", "ENV DELAY=4"], {}, "HEALTHCHECK"),
        (["HEALTHCHECK NONE"], URL, URL["smoke-url"]),
    ],
    ids=["up", "up, short", "url", "redirect", "late", "healthy", "start period", "none"],
)
def test_good_containers(tmp_path: Path, lines: list[str], settings: dict[str, Any], probe: str):
    found = probed(built(tmp_path, NEEDED, *lines), **settings)
    assert rules(found) == []
    assert [one["name"] for one in found["probes"]] == [probe]
    assert found["seconds"] < 12
    if probe == URL["smoke-url"]:
        assert "asked localhost:8000 /health?x=1" in found["log"]


@pytest.mark.parametrize(
    ("lines", "settings", "rule", "part"),
    [
        ([NEEDED, "ENV END=1"], URL, "exited", "exit code 1"),
        ([NEEDED, "ENV END=1", f"HEALTHCHECK CMD {ASKED}"], {}, "exited", "the end"),
        ([NEEDED, "ENV END=1 DELAY=3"], {"smoke-timeout": 20}, "exited", "the end"),
        ([NEEDED, "ENV END=0"], {}, "exited", "ignore: smoke:exited"),
        ([], URL, "exited", "NEEDED"),
        ([NEEDED, "ENV SERVICE=redis.invalid"], URL, "exited", "Name or service"),
        (
            [NEEDED, "HEALTHCHECK --interval=1s --retries=2 CMD echo no; false"],
            {},
            "unhealthy",
            "exit code 1",
        ),
        ([NEEDED, "HEALTHCHECK --interval=3s --retries=1 CMD false"], {}, "unhealthy", "exit code 1"),
        ([NEEDED, "HEALTHCHECK CMD false"], {"smoke-timeout": 4}, "unhealthy", "smoke-timeout"),
        ([NEEDED, "HEALTHCHECK CMD false"], SHORT, "unhealthy", "smoke-timeout"),
        ([NEEDED, "ENV STATUS=500"], SHORT, "wrong-status", "500"),
        ([NEEDED, "ENV STATUS=404"], URL, "wrong-status", "404"),
        ([NEEDED, "ENV PORT=9000"], SHORT, "no-answer", "9000"),
        ([NEEDED, "ENV HOST=127.0.0.1"], SHORT, "no-answer", "0.0.0.0"),
        ([NEEDED, "ENV DELAY=60"], SHORT, "no-answer", "any port"),
        ([NEEDED], {**SHORT, "smoke-url": "https://localhost:8000/"}, "no-answer", "TLS"),
    ],
)
def test_bad_containers(tmp_path: Path, lines: list[str], settings: dict[str, Any], rule: str, part: str):
    found = probed(built(tmp_path, *lines), **settings)
    assert rules(found) == [rule]
    assert part in found["findings"][0][1]
    assert any(one["failed"] for one in found["probes"])
    assert found["seconds"] < 12


@pytest.mark.parametrize(
    ("lines", "start", "part"),
    [
        ([], 'CMD ["serve"]', "serve"),
        (["USER nobody-knows"], 'CMD ["python"]', "nobody-knows"),
        (["RUN touch /empty && chmod 755 /empty"], 'ENTRYPOINT ["/etc"]', "/etc"),
        (["RUN printf x >/it && chmod 755 /it"], 'ENTRYPOINT ["/it"]', "platform"),
        (["ENTRYPOINT []"], "CMD []", "ENTRYPOINT"),
    ],
    ids=["no program", "no user", "a folder", "another platform", "nothing"],
)
def test_images_that_cannot_be_started(tmp_path: Path, lines: list[str], start: str, part: str):
    found = probed(built(tmp_path, *lines, start=start))
    assert rules(found) == ["exited"]
    assert part in found["findings"][0][1]


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ("python -c 'print(\"it works\")'", []),
        ("true\npython -c 'raise SystemExit(7)'\ncat /nothing", ["command-failed"] * 2),
        ("no-such-program", ["command-failed"]),
        ("sleep 60\ntrue", ["command-failed"]),
        ("sh -c 'kill 1; sleep 9'", ["exited"]),
    ],
)
def test_commands(tmp_path: Path, commands: str, expected: list[str]):
    term = "import signal; signal.signal(15, lambda *_: exit(4))"
    (tmp_path / "sitecustomize.py").write_text(term)
    image = built(
        tmp_path, NEEDED, "COPY sitecustomize.py /usr/local/lib/python3.13/site-packages/sitecustomize.py"
    )
    found = probed(image, **{**SHORT, "smoke-command": commands})
    assert rules(found) == expected
    assert "$ " in found["log"] or expected == ["exited"]


def test_variables_are_no_arguments(tmp_path: Path):
    image = built(tmp_path, NEEDED, start='CMD ["python", "-c", "import os; print(os.environ[\'IT\'])"]')
    found = probed(image, **{"smoke-env": "IT= a # b=c \nOTHER="})
    assert found["log"] == " a # b=c"


@pytest.mark.parametrize(
    ("lines", "rule", "part"),
    [
        ([], "", ""),
        (["ENV PORT=9000"], "no-answer", "9000"),
        (["ENV HOST=127.0.0.1"], "no-answer", "0.0.0.0"),
        (["ENV STATUS=500"], "wrong-status", "500"),
    ],
)
def test_an_engine_in_a_virtual_machine(tmp_path: Path, lines: list[str], rule: str, part: str):
    image = built(tmp_path, NEEDED, *lines)
    found = ended(started({"image": image, "settings": SHORT, "desktop": True}))
    assert rules(found) == list(filter(None, [rule]))
    assert all(part in message for _, message in found["findings"])


@contextmanager
def waiting(image: str) -> Iterator["subprocess.Popen[str]"]:
    """Start a probe, and wait until its container runs."""
    with started({"image": image, "settings": URL}) as process:
        until_started(f"{process.pid}")
        yield process


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_after_a_signal(tmp_path: Path, number: signal.Signals):
    with waiting(built(tmp_path, NEEDED, "ENV DELAY=60")) as process:
        process.send_signal(number)
        at = time.monotonic()
        process.communicate(timeout=20)
    assert time.monotonic() - at < 6


def sample(folder: Path) -> None:
    """Write a project whose program takes long to start."""
    lines = (f"FROM {BASE}", "COPY app.py /app.py", "ENV NEEDED=1 DELAY=60", 'CMD ["python", "/app.py"]', "")
    write(folder, {"app.py": APP, "Dockerfile": "\n".join(lines)})


def until_started(owner: str) -> None:
    """Wait until a container of an owner runs."""
    end = time.monotonic() + 60
    while not docker("ps", "--quiet", "--filter", f"name=-{owner}-"):
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_interrupted(tmp_path: Path, number: signal.Signals):
    sample(tmp_path)
    words = [sys.executable, "-m", "ci_action", "run", "docker", f"--smoke-url={URL['smoke-url']}"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.DEVNULL) as process:
        OWNERS.add(f"{process.pid}")
        until_started(f"{process.pid}")
        process.send_signal(number)
        at = time.monotonic()
        assert process.wait(20) == 130
    assert time.monotonic() - at < 7
    report = json.loads((tmp_path / "ci-action-report" / "docker" / "report.json").read_text())
    outcomes = {tool["name"]: tool["outcome"] for tool in report["stages"][0]["tools"]}
    assert (outcomes["build"], outcomes["smoke"]) == ("report", "broken")


def test_a_step_that_is_cancelled(machine: Machine):
    sample(machine.workspace)
    step = machine.start(inputs={"stage": "docker", **URL})
    end = time.monotonic() + 30
    while not (own := docker("ps", "--quiet", "--no-trunc", "--filter", f"name={step.name}")[:12]):
        assert time.monotonic() < end
        time.sleep(0.1)
    OWNERS.add(own)
    until_started(own)
    docker("kill", "--signal=INT", step.name)
    assert step.end(20).code == 130


def test_what_the_guard_leaves_is_swept(tmp_path: Path):
    with waiting(built(tmp_path, NEEDED, "ENV DELAY=60")) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for pid in [process.pid, *map(int, children)]:
            os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=20)
    assert len(ours()) == 2
    ended(started({"sweep": True}))
    assert ours() == set()


def test_leftovers_of_every_kind_are_swept():
    """A builder of buildx has a container and a volume that are named after it."""
    here = Owner.here(find_mounts())
    other = here.new_name()
    docker("network", "create", other)
    try:
        with subprocess.Popen(["sleep", "60"]) as process:  # until then, it is not left over
            gone = here.new_name().replace(f"-{os.getpid()}-", f"-{process.pid}-")
            builder = f"buildx_buildkit_{gone}0"
            docker("volume", "create", f"{builder}_state")
            docker("network", "create", gone)
            docker(
                "create", f"--name={builder}", f"--volume={builder}_state:/state", f"--network={gone}", BASE
            )
            process.kill()
        ended(started({"sweep": True}))
        assert docker("network", "ls", "--quiet", "--filter", f"name={other}")
        for kind in (("ps", "--all"), ("network", "ls"), ("volume", "ls")):
            assert not docker(*kind, "--quiet", "--filter", f"name={gone}")
    finally:
        docker("network", "rm", other)


def test_what_others_test_is_not_swept(tmp_path: Path):
    with waiting(built(tmp_path, NEEDED, "ENV DELAY=60")) as process:
        removed = ended(started({"sweep": True}))["removed"]
        assert not any(f"-{process.pid}-" in name for name in removed)
        assert len(ours()) == 2
        process.terminate()
        process.communicate(timeout=20)


@pytest.fixture
def network() -> Iterator[str]:
    """Return a network with a service `cache`, as the runner makes one for a job."""
    script = TOOLS / "base-image"
    if script.is_file():  # elsewhere it can be pulled
        subprocess.run([script, "redis"], check=True, capture_output=True)
    name = f"ci-action-e2e-{uuid4().hex[:12]}"
    docker("network", "create", name)
    docker(
        "run", "--detach", "--rm", f"--name={name}", f"--network={name}", "--network-alias=cache", "redis:7"
    )
    yield name
    docker("rm", "--force", name)
    docker("network", "rm", name)


def test_services_of_the_job_answer_by_label(image: str, network: str, tmp_path: Path):
    wanted = {"image": built(tmp_path, NEEDED, "ENV SERVICE=cache"), "settings": URL}
    assert rules(inside(image, wanted, f"--network={network}")) == []
    beside = f"--network=container:{network}"  # as act starts an action in a job with a container
    assert rules(inside(image, wanted, beside)) == []


@pytest.mark.parametrize("options", [[], ["--network=host"], ["--hostname=other"]])
def test_beside_our_container_in_any_network(image: str, tmp_path: Path, options: list[str]):
    wanted = {"image": built(tmp_path, NEEDED), "settings": URL}
    assert rules(inside(image, wanted, *options)) == []


def test_our_container_has_no_network(image: str, tmp_path: Path):
    wanted = {"image": built(tmp_path, NEEDED), "settings": SHORT}
    assert "network" in inside(image, wanted, "--network=none")["broken"]


def test_it_is_swept_after_our_container_was_killed(image: str, tmp_path: Path):
    wanted = {"image": built(tmp_path, NEEDED, "ENV DELAY=60"), "settings": URL}
    own = docker("create", *words(image, wanted, "--network=host"))
    OWNERS.add(own[:12])
    try:
        docker("start", own)
        until_started(own[:12])
        inside(image, {"sweep": True})
        assert len(ours()) == 2
        docker("kill", own)
        assert len(ours()) == 2
        inside(image, {"sweep": True})
        assert ours() == set()
    finally:
        docker("rm", "--force", own)
