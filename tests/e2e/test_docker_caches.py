"""Caches of layers on a real BuildKit, the builder that the user has selected: the second build finds its steps in the cache."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from support.advisory_service import served
from support.container.act import tool
from support.container.image import BASE, DOCKER, docker
from support.docker_runs import Shell, image_id, new_tag, nothing_left, remove
from support.docker_samples import SAMPLES

pytestmark = pytest.mark.docker
SOCKET: Final = "unix:///run/buildkit/buildkitd.sock"
_REGISTRY: Final = """
version: 0.1
storage:
  filesystem:
    rootdirectory: {folder}
http:
  addr: 127.0.0.1:{port}
"""


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start Debian's registry with our base image in it; return its address."""
    program = shutil.which("docker-registry")
    assert program, "docker-registry not found: install the Debian package docker-registry"
    folder = tmp_path_factory.mktemp("registry")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    settings = folder / "config.yml"
    settings.write_text(_REGISTRY.format(folder=folder, port=port))
    address = f"localhost:{port}"
    with subprocess.Popen(
        [program, "serve", settings], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    ) as server:
        try:
            until = time.monotonic() + 20
            while not _answers(port):
                assert time.monotonic() < until
                time.sleep(0.05)
            docker("tag", BASE, f"{address}/{BASE}")
            docker("push", "--quiet", f"{address}/{BASE}")
            yield address
        finally:
            remove(f"{address}/{BASE}")
            server.terminate()


@pytest.fixture
def shell(tmp_path: Path, registry: str) -> Iterator[Shell]:
    """Return a shell with a builder of the user's, in a project that no builder has seen."""
    subprocess.run([tool("buildkit-up")], check=True, capture_output=True)
    name = f"e2e-{tmp_path.name.replace('_', '-')}"
    shell = Shell(folder=tmp_path / "shop", environ={"BUILDX_BUILDER": name})
    text = SAMPLES["silent"].dockerfile.replace(BASE, f"{registry}/{BASE}")
    step = f"RUN echo {time.time_ns()} >/built\nWORKDIR"
    files = {
        **SAMPLES["silent"].project,
        "Dockerfile": text.replace("WORKDIR", step),
        ".gitignore": ".layers\n",
    }
    shell.write(files)
    buildx(tmp_path, "create", f"--name={name}", "--driver=remote", SOCKET)
    with nothing_left():
        yield shell
    buildx(tmp_path, "rm", "--keep-state", name)


def buildx(folder: Path, *words: str) -> None:
    """Run buildx with the home of the shell."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder / "home")}
    subprocess.run([DOCKER, "buildx", *words], env=environ, check=True, capture_output=True)


def cached(tool: dict[str, Any]) -> dict[str, bool]:
    """Return the steps of the Dockerfile, and whether they were found in the cache."""
    words = {
        one["name"].partition("] ")[2].partition(" ")[0]: one["cached"] for one in tool["image"]["steps"]
    }
    return {word: words[word] for word in ("WORKDIR", "COPY", "RUN")}


@pytest.mark.parametrize("kind", ["local", "registry"])
def test_the_second_build_finds_its_steps(kind: str, shell: Shell, registry: str):
    ref = f"{registry}/cache:{time.time_ns()}"
    written, read = (
        ("type=local,mode=max,dest=.layers", "type=local,src=.layers")
        if kind == "local"
        else (f"type=registry,mode=max,ref={ref}", f"type=registry,ref={ref}")
    )
    tag = new_tag()
    try:
        with served() as service:
            inputs = {"image_tag": tag, "advisory_url": service.address, "cache_to": written}
            first = shell.run(**inputs)
            assert first.code == 0, first.out
            built = image_id(tag)
            assert cached(first.tool("build")) == {"WORKDIR": False, "COPY": False, "RUN": False}
            buildx(
                shell.folder.parent,
                "prune",
                "--all",
                "--force",
                f"--builder={shell.environ['BUILDX_BUILDER']}",
            )
            second = shell.run(**inputs, cache_from=read)
        assert second.code == 0, second.out
        assert cached(second.tool("build")) == {"WORKDIR": True, "COPY": True, "RUN": True}
        assert image_id(tag) == built == second.outputs["image-id"]
    finally:
        remove(tag)
