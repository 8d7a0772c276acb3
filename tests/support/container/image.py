"""The Docker client, and the image that we build with it: its layers and its start-up."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Final

from support.paths import ROOT

BASE: Final = "python:3.13-slim-trixie"
# Where Debian and GitHub's machines have it; another `docker` may come first on PATH without an engine behind it.
_USUAL: Final = "/usr/bin/docker"
DOCKER: Final = _USUAL if os.access(_USUAL, os.X_OK) else shutil.which("docker") or "docker"


@dataclass(frozen=True)
class Layer:
    """One layer on top of the base image."""

    size: int
    made_by: str

    def __str__(self) -> str:
        return f"{self.size / 1e6:6.1f} MB  {self.made_by}"


def docker(*arguments: str, environ: dict[str, str] | None = None, stdin: str = "") -> str:
    """Run the client and return what it printed; an error of it is shown whole."""
    done = subprocess.run(
        [DOCKER, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env={**os.environ, **(environ or {})},
        check=False,
    )
    assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def gateway() -> str:
    """Return the address under which containers reach this machine: the first of the network, if it names none."""
    named = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
    subnet = docker("network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}")
    return named or str(next(ip_network(subnet).hosts()))


def build(context: Path = ROOT, *, buildkit: bool = False) -> str:
    """Build the image as the runner does, without further options; return its id."""
    return docker("build", "--quiet", str(context), environ={"DOCKER_BUILDKIT": "1" if buildkit else "0"})


def layers(image: str) -> list[Layer]:
    """Return our layers, the largest first."""
    form = ("history", "--no-trunc", "--human=false", "--format", "{{.Size}}\t{{.CreatedBy}}")
    base = len(docker(*form, BASE).splitlines())
    ours = docker(*form, image).splitlines()[:-base]
    pairs = (line.partition("\t") for line in ours)
    found = [Layer(int(size), _words(made_by)) for size, _, made_by in pairs]
    return sorted((layer for layer in found if layer.size), key=lambda layer: -layer.size)


def _words(made_by: str) -> str:
    """Return the instruction without what the builders put around it."""
    words = re.sub(
        r"^(/bin/sh -c (#\(nop\) *)?|RUN /bin/sh -c )|\b(dir|multi):[0-9a-f]+ |# buildkit$", "", made_by
    )
    return " ".join(words.split())[:90]


def seconds(image: str, *arguments: str, options: Sequence[str] = (), times: int = 5) -> float:
    """Return the shortest time from `docker run` to its end."""
    taken = []
    for _ in range(times):
        start = time.monotonic()
        subprocess.run([DOCKER, "run", "--rm", *options, image, *arguments], capture_output=True, check=False)
        taken.append(time.monotonic() - start)
    return min(taken)


def start_up(image: str) -> dict[str, float]:
    """Measure how long the bare interpreter and our program take to start in a container, to their first line."""
    bare = ("--entrypoint", "/opt/ci-action/bin/python")
    mistake = ("--env=GITHUB_ACTIONS=true", "--env=INPUT_STAGE=no-such-stage")
    return {
        "python -c pass": seconds(image, "-c", "pass", options=bare),
        "ci-action --version": seconds(image, "--version"),
        "ci-action with inputs, to its first line": seconds(image, options=mistake),
    }


def show(image: str) -> list[str]:
    """Return lines for people: the layers one by one, their sum, the times."""
    ours = layers(image)
    total = Layer(sum(layer.size for layer in ours), "all our layers")
    times = [f"{taken:6.3f} s   {what}" for what, taken in start_up(image).items()]
    return [*map(str, ours), str(total), *times]


if __name__ == "__main__":
    print("\n".join(show(build())))
