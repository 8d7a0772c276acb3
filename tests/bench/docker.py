"""The docker stage against `docker buildx build` by hand, and once more with everything cached."""

import json
import os
import secrets
import shutil
import statistics
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.row import BIN, ROUNDS, Row, timed
from support.advisory_service import served
from support.container.image import BASE, DOCKER
from support.container.image import docker as client

NAME = "ci-action-bench/hand:1"
TAG = "ci-action-bench/ours:1"
SLIM = "ci-action-bench/slim:1"
# As large as the published image, about 120 MB: what stands in for it here may have lists of packages, tests and bytecode.
SLIM_DOCKERFILE = f"""FROM {BASE} AS whole
RUN rm -rf /var/lib/apt/lists/* /usr/share/doc /usr/share/man && find /usr/local/lib/python3.13 -depth \\( -name test -o -name __pycache__ -o -name '*.a' \\) -exec rm -rf {{}} +
FROM scratch
COPY --from=whole / /
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
"""
# Seconds of work in a step, a program that answers at once, and a file that makes every build another one.
DOCKERFILE = f"""FROM {SLIM}
WORKDIR /app
COPY nonce.txt .
RUN python -m compileall -q -f -o 0 -o 1 /usr/local/lib/python3.13
RUN useradd --system app
COPY serve.py .
USER app
EXPOSE 8000
CMD ["python", "serve.py"]
"""
SERVE = """from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()


HTTPServer(("", 8000), Handler).serve_forever()
"""


def docker(folder: Path) -> Iterator[Row]:
    """`ci-action run docker` on an image that is built anew each time, and then with nothing changed."""
    if (
        shutil.which(DOCKER) is None
        or subprocess.run([DOCKER, "info"], capture_output=True, check=False).returncode
    ):
        print("        no Docker Engine here: the docker stage was not measured")
        return
    project = _project(folder / "served")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("INPUT_", "GITHUB_"))}
    env["HOME"] = str(folder / "home")
    (folder / "home").mkdir(exist_ok=True)
    slim = folder / "slim"
    slim.mkdir()
    (slim / "Dockerfile").write_text(SLIM_DOCKERFILE)
    try:
        client("buildx", "build", "--quiet", "--load", "--provenance=false", f"--tag={SLIM}", str(slim))
        yield from _rows(project, folder, env)
    finally:
        subprocess.run([DOCKER, "rmi", "--force", NAME, TAG, SLIM], capture_output=True, check=False)


def _rows(project: Path, folder: Path, env: dict[str, str]) -> Iterator[Row]:
    with served() as service:
        yield from _compared(project, folder, env, [*_ours(folder), f"--advisory-url={service.address}"])


def _compared(project: Path, folder: Path, env: dict[str, str], ours: list[str | Path]) -> Iterator[Row]:
    hand: list[str | Path] = [DOCKER, "buildx", "build", "--load", "--provenance=false", f"--tag={NAME}", "."]
    _renew(project, "first")
    timed(*ours, cwd=project, env=env)  # keeps the tools, and what is known about the base image
    _passed(folder)
    pairs, again = [], []
    for number in range(ROUNDS):
        _renew(project, f"hand {number}")
        by_hand = timed(*hand, cwd=project, env=env)
        _renew(project, f"ours {number}")
        pairs.append((timed(*ours, cwd=project, env=env), by_hand))
        _passed(folder)
        again.append((timed(*ours, cwd=project, env=env), _started(NAME)))
        _passed(folder)
    more = statistics.median(mine - 1.05 * by_hand for mine, by_hand in pairs)
    mine, by_hand = (statistics.median(column) for column in zip(*pairs, strict=True))
    yield Row(
        "docker stage - 1.05 × docker buildx build",
        f"{more:+.2f} s ({mine:.2f} s / {by_hand:.2f} s)",
        "≤ +2.00 s",
        more <= 2.0,
    )
    left = statistics.median(mine - start for mine, start in again)
    mine, start = (statistics.median(column) for column in zip(*again, strict=True))
    yield Row(
        "the same with everything cached - start of the container",
        f"{left:.2f} s ({mine:.2f} s - {start:.2f} s)",
        "≤ 3 s",
        left <= 3.0,
    )


def _started(image: str) -> float:
    """Return the seconds until a container of an image answers."""
    began = time.perf_counter()
    with _running(image) as address:
        while time.perf_counter() - began < 30:
            with suppress(OSError), urllib.request.urlopen(address, timeout=1):
                return time.perf_counter() - began
            time.sleep(0.01)
    raise AssertionError("the container did not answer")


@contextmanager
def _running(image: str) -> Iterator[str]:
    container = client("run", "--detach", image)
    try:
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        yield f"http://{client('inspect', '--format', form, container)}:8000/"
    finally:
        client("rm", "--force", container)


def _ours(folder: Path) -> list[str | Path]:
    return [
        *(BIN / "ci-action", "run", "docker", f"--report-dir={folder / 'reports'}"),
        *(
            f"--cache-dir={folder / 'kept-docker'}",
            f"--image-tag={TAG}",
            "--smoke-url=http://localhost:8000/",
        ),
    ]


def _passed(folder: Path) -> None:
    report = json.loads((folder / "reports" / "report.json").read_text("utf-8"))
    tools = {tool["name"]: tool for tool in report["stages"][0]["tools"]}
    names = ("hadolint", "build", "smoke", "image")
    outcomes = {name: (tools[name]["outcome"], tools[name]["reason"]) for name in names}
    assert all(outcome == "report" for outcome, _ in outcomes.values()), outcomes
    assert not tools["build"]["findings"] + tools["smoke"]["findings"]


def _project(folder: Path) -> Path:
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "serve.py").write_text(SERVE)
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "served"\nversion = "1"\nrequires-python = ">=3.11"\n'
    )
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    _renew(folder, "")
    subprocess.run(["git", "add", "--all"], cwd=folder, check=True)
    return folder


def _renew(project: Path, text: str) -> None:
    """Change what every later step depends on: the engine remembers all builds, also those of earlier measurements."""
    (project / "nonce.txt").write_text(f"{text} {secrets.token_hex(8)}\n")
