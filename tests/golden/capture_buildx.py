"""Capture what buildx prints: `python tests/golden/capture_buildx.py NAME BASE PULLED`, as root, with Docker and buildkitd.

NAME is that of the files of Docker's engine, such as `docker-20.10`, and BASE an image that it has. PULLED is one that BuildKit
pulls from a registry, such as `127.0.0.1:5000/python:3.13`: the same is captured from BuildKit.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).with_name("buildx")
_BUILD: Final = (
    "docker",
    "buildx",
    "build",
    "--progress=rawjson",
    "--load",
    "--provenance=false",
    "--sbom=false",
)
_STEPS: Final = """\
# A comment.
FROM {base} AS base
ARG VERSION=1
RUN echo "hello $VERSION" && \\
    echo second line && printf 'no newline'

from base AS final
WORKDIR /app
COPY app.py ./
RUN echo before; echo oops >&2; exit {code}
CMD python app.py
"""
CASES: Final = {
    "good": (_STEPS.replace("{code}", "0"), ()),
    "again": (_STEPS.replace("{code}", "0"), ()),
    "failing": (_STEPS.replace("{code}", "7"), ()),
    "parse": ("FROM {base}\nRUNN x\n", ()),
    "empty": ("", ()),
    "absent-base": ("ARG TAG=1\nFROM {registry}/nope:1\nCOPY app.py ./\n", ()),
    "no-host": ("FROM registry.invalid/nope:1\nCOPY app.py ./\n", ()),
    "refused": ("FROM 127.0.0.1:9/nope:1\nCOPY app.py ./\n", ()),
    "no-file": ("FROM {base}\nWORKDIR /app\nCOPY nope ./\n", ()),
    "no-user": ("FROM {base}\nUSER nope\nRUN id\n", ()),
    "no-target": ("FROM {base}\nCOPY app.py ./\n", ("--target=nope",)),
    "no-download": ("FROM {base}\nADD https://nope.invalid/x /x\n", ()),
    "bad-name": ("FROM {base}\nCOPY app.py ./\n", ("--tag=UPPER/case:1",)),
    "unread-cache": ("FROM {base}\nCOPY app.py ./\n", ("--cache-from=type=registry,ref=127.0.0.1:9/x:1",)),
    "unwritten-cache": ("FROM {base}\nCOPY app.py ./\n", ("--cache-to=type=registry,ref=127.0.0.1:9/x:1",)),
    "no-cache-type": ("FROM {base}\nCOPY app.py ./\n", ("--cache-to=type=bogus,ref=x",)),
    "no-builder": ("FROM {base}\nCOPY app.py ./\n", ("--builder=nope",)),
    "full-in-step": ("FROM {base}\nRUN echo 'OSError: [Errno 28] No space left on device' >&2; exit 1\n", ()),
    "canceled": ("FROM {base}\nRUN echo first\nRUN echo going; sleep 1000\n", ()),
}


def capture(engine: str, base: str, registry: str, builder: str) -> None:
    """Keep what buildx prints for every case."""
    for case, (dockerfile, options) in CASES.items():
        with (
            tempfile.TemporaryDirectory() as folder,
            started(
                folder,
                dockerfile.replace("{base}", base).replace("{registry}", registry),
                (f"--builder={builder}", *options),
            ) as run,
        ):
            if case == "canceled":
                time.sleep(5)
                run.send_signal(signal.SIGTERM)
            keep(f"{engine}-{case}", run)


@contextmanager
def started(folder: str, dockerfile: str, options: tuple[str, ...]) -> Iterator["subprocess.Popen[str]"]:
    """Start a build of a Dockerfile and a file beside it."""
    Path(folder, "Dockerfile").write_text(dockerfile)
    Path(folder, "app.py").write_text("print('hi')\n")
    words = (*_BUILD, "--tag=ci-action/captured:ci", *options, folder)
    environ = {"NO_COLOR": "1", **os.environ}
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=environ) as run:
        yield run


def keep(name: str, run: "subprocess.Popen[str]") -> None:
    """Write what it prints to a file, without its name of this machine."""
    _, printed = run.communicate()
    (FOLDER / f"{name}.txt").write_text(printed)
    print(f"{name}: exit {run.returncode}")


@contextmanager
def buildkit(folder: str) -> Iterator["tuple[str, subprocess.Popen[bytes]]"]:
    """Run a BuildKit of our own, and select it by a builder."""
    name, address = f"captured-{os.getpid()}", f"unix://{folder}/socket"
    words = ("buildkitd", f"--addr={address}", f"--root={folder}/root", "--oci-worker-snapshotter=native")
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as daemon:
        subprocess.run(
            ("docker", "buildx", "create", f"--name={name}", "--driver=remote", address), check=True
        )
        try:
            yield name, daemon
        finally:
            subprocess.run(("docker", "buildx", "rm", name), check=False)
            daemon.kill()


def capture_buildkit(base: str) -> None:
    """Keep the same of a stand-alone BuildKit, and what is printed if it ends, or has no space."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, buildkit(folder) as (name, daemon):
        capture("buildkit", base, base.partition("/")[0], name)
        going = f"FROM {base}\nRUN echo first\nRUN echo going; sleep 30\n"
        with tempfile.TemporaryDirectory() as context, started(context, going, (f"--builder={name}",)) as run:
            time.sleep(6)
            daemon.kill()
            keep("buildkit-gone", run)
        with tempfile.TemporaryDirectory() as context, started(context, going, (f"--builder={name}",)) as run:
            keep("buildkit-dead", run)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder, "disk").touch()
        os.truncate(f"{folder}/disk", 60_000_000)
        subprocess.run(("mkfs.ext4", "-q", "-F", f"{folder}/disk"), check=True)
        Path(folder, "small").mkdir()
        subprocess.run(("mount", "-o", "loop", f"{folder}/disk", f"{folder}/small"), check=True)
        try:
            with buildkit(f"{folder}/small") as (name, daemon), tempfile.TemporaryDirectory() as context:
                Path(context, "data").write_bytes(os.urandom(80_000_000))
                with started(context, "FROM scratch\nCOPY data /\n", (f"--builder={name}",)) as run:
                    keep("buildkit-full", run)
        finally:
            subprocess.run(("umount", "--lazy", f"{folder}/small"), check=True)


if __name__ == "__main__":
    _, engine, base, pulled = sys.argv
    FOLDER.mkdir(exist_ok=True)
    capture(engine, base, pulled.partition("/")[0], "default")
    capture_buildkit(pulled)
