"""Builds, containers and health checks that print commands for the runner, control characters and secrets."""

from collections.abc import Iterator
from typing import Final

import pytest
from support.container import projects
from support.container.image import BASE
from support.container.runner import Machine, Ran
from support.docker_runs import findings, new_tag, nothing_left, remove

pytestmark = pytest.mark.docker
OURS: Final = {"error", "warning", "notice", "group", "endgroup", "add-mask", "stop-commands"}
MARK: Final = "owned-by-the-image"
PASSWORD: Final = "hunter2-of-the-container-0007"
TOKEN: Final = "t0ken-of-the-build-0008"
# Prints to both streams what a runner, a terminal or a renderer could take for more than text, then each secret.
_EVIL: Final = rf"""
import os, sys

LINES = (
    "::error::{MARK}", "##[error]{MARK}", "\r::set-output name=result::{MARK}", "::stop-commands::{MARK}",
    "::add-mask::{MARK}", "\x1b[31m{MARK}", "\x85::error::{MARK}", "<script>{MARK}()</script>", "```\n# {MARK}\n", "%0A::error::{MARK}",
)
for stream in (sys.stdout, sys.stderr):
    for line in LINES:
        print(line, file=stream)
    for name in ("DB_PASSWORD", "BUILD_TOKEN"):
        print(name, os.environ.get(name), file=stream, flush=True)
sys.exit(int(sys.argv[1]))
"""
_NAMED: Final = f'LABEL "a"="::error::{MARK} ##[error]{MARK} <script>{MARK}()</script>"'
FAILING_STEP: Final = f"RUN python evil.py 3 '::error::{MARK}' '##[error]{MARK}' '<script>{MARK}()</script>'"
INPUTS: Final = {
    "stage": "docker",
    "build-args": f"BUILD_TOKEN={TOKEN}",
    "smoke-env": f"DB_PASSWORD={PASSWORD}",
    "advisory-url": "http://127.0.0.1:9",
}


@pytest.fixture
def tag() -> Iterator[str]:
    name = new_tag()
    with nothing_left():
        yield name
    remove(name)


def ran(machine: Machine, tag: str, *lines: str) -> Ran:
    dockerfile = "\n".join([f"FROM {BASE}", "WORKDIR /app", "COPY evil.py ./", _NAMED, *lines, ""])
    projects.write(machine.workspace, {"evil.py": _EVIL, "Dockerfile": dockerfile})
    return machine.run(inputs={**INPUTS, "image-tag": tag})


def is_only_text(ran: Ran) -> None:
    """Assert that nothing of it was more than text, and that no secret left the container."""
    assert set(ran.counted) <= OURS, ran.log
    assert not [seen for seen in ran.commands if seen.data.strip().startswith(MARK)]
    assert MARK in ran.log
    assert "\x1b" not in ran.log
    assert b"\x1b" not in ran.written
    assert (
        f"<script>{MARK}".encode()
        not in (ran.workspace / "ci-action-report" / "docker" / "report.html").read_bytes()
    )
    written = b"\n".join(line for line in ran.written.splitlines() if not line.startswith(b"::add-mask::"))
    assert not [secret for secret in (PASSWORD, TOKEN) if secret.encode() in written]
    assert ran.outputs["result"] == "failed"


def test_a_build(machine: Machine, tag: str):
    found = ran(machine, tag, "ARG BUILD_TOKEN", FAILING_STEP)
    assert findings(found.report) == {("build-failed", "Dockerfile", 6)}, found.log
    is_only_text(found)


@pytest.mark.parametrize(
    ("rule", "lines"),
    [
        ("exited", ('CMD ["python", "evil.py", "3"]',)),
        (
            "unhealthy",
            (
                'HEALTHCHECK --interval=1s --retries=2 CMD ["python", "evil.py", "1"]',
                'CMD ["python", "-c", "import time; time.sleep(60)"]',
            ),
        ),
    ],
)
def test_a_container(rule: str, lines: tuple[str, ...], machine: Machine, tag: str):
    found = ran(machine, tag, "ARG BUILD_TOKEN", "ENV BUILD_TOKEN=$BUILD_TOKEN", "USER 10001", *lines)
    assert (rule, "Dockerfile", 8) in findings(found.report), found.log
    is_only_text(found)
