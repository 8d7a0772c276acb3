"""Runs of the docker stage in a shell, and what they leave in the engine."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from support.container import projects
from support.container.image import DOCKER, docker

from ci_action.engine.docker.ours import Owner, find_mounts, process_exists

Findings = set[tuple[str, str, int | None]]


def new_tag() -> str:
    """Return a name for an image that no other run has."""
    return f"ci-action-e2e/{uuid4().hex[:12]}:ci"


def remove(tag: str) -> None:
    """Remove an image, if it exists."""
    subprocess.run([DOCKER, "image", "rm", "--force", tag], capture_output=True, check=False)


def image_id(name: str) -> str:
    """Return the id of an image of the engine; empty if it does not exist."""
    words = [DOCKER, "image", "inspect", "--format={{.Id}}", name]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()


def findings(report: Mapping[str, Any], *, but: Sequence[str] = ("hadolint",)) -> Findings:
    """Return what the tools of a report found: rule, path, line; BuildKit's own lint left out, which old engines lack."""
    tools = [tool for stage in report["stages"] for tool in stage["tools"] if tool["name"] not in but]
    found = [one for tool in tools for one in tool["findings"] if not one["rule"].startswith("lint/")]
    return {(one["rule"], one["path"], one["line"]) for one in found}


@dataclass(frozen=True, kw_only=True)
class ShellRan:
    """The results of a run in a shell."""

    code: int
    out: str
    report: dict[str, Any]
    seconds: float

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs, as the report has them."""
        found: dict[str, str] = self.report["outputs"]
        return found

    def tool(self, name: str) -> dict[str, Any]:
        """Return a tool from the report."""
        tools = [tool for stage in self.report["stages"] for tool in stage["tools"]]
        found: dict[str, Any] = next(tool for tool in tools if tool["name"] == name)
        return found


@dataclass(kw_only=True)
class Shell:
    """A shell in the folder of a project."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def _reports(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}-report")

    def write(self, files: projects.Files) -> "Shell":
        """Write and commit a project."""
        projects.write(self.folder, files)
        return self

    def start(self, *stages: str, **inputs: str) -> "subprocess.Popen[str]":
        """Start the program; inputs are named as they are, with `_` for `-`."""
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in inputs.items()]
        words = [sys.executable, "-I", "-m", "ci_action", "run", *(stages or ("docker",)), *flags]
        home = self.folder.with_name("home")
        home.mkdir(exist_ok=True)
        return subprocess.Popen(
            [*words, f"--report-dir={self._reports}"],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(home), **self.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )

    def run(self, *stages: str, **inputs: str) -> ShellRan:
        """Run the program to its end."""
        started = time.monotonic()
        return self.end(self.start(*stages, **inputs), started)

    def end(self, process: "subprocess.Popen[str]", started: float) -> ShellRan:
        """Wait for the end of a run, and read its report."""
        with process:
            out, _ = process.communicate(timeout=240)
        file = self._reports / "report.json"
        report = json.loads(file.read_bytes()) if file.is_file() else {}
        return ShellRan(code=process.returncode, out=out, report=report, seconds=time.monotonic() - started)


def ours() -> set[str]:
    """Return the names of all containers, networks and volumes of ours in the engine."""
    named = {
        *docker("ps", "--all", "--format={{.Names}}").splitlines(),
        *docker("network", "ls", "--format={{.Name}}").splitlines(),
        *docker("volume", "ls", "--format={{.Name}}").splitlines(),
    }
    return {name for name in named if Owner.of(name)}


def orphans() -> set[str]:
    """Return the names of what runs have left that do not exist any more."""
    here = Owner.here(find_mounts())
    running = docker("ps", "--quiet", "--no-trunc").splitlines()
    owners = ((name, Owner.of(name)) for name in ours())
    return {name for name, owner in owners if owner and owner.is_gone(running, here, process_exists)}


@contextmanager
def nothing_left(seconds: float = 8) -> Iterator[None]:
    """Assert that a block leaves nothing in the engine whose owner has ended."""
    before = orphans()
    yield
    until = time.monotonic() + seconds
    while orphans() - before and time.monotonic() < until:
        time.sleep(0.1)
    assert orphans() <= before


def container_of(process: "subprocess.Popen[str]", seconds: float = 60) -> str:
    """Wait until a run in a shell has started a container; return its name."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        names = docker("ps", "--format={{.Names}}").splitlines()
        owners = {name: Owner.of(name) for name in names}
        if found := [name for name, owner in owners.items() if owner and owner.pid == process.pid]:
            return found[0]
        assert process.poll() is None, process.stdout and process.stdout.read()
        time.sleep(0.1)
    raise AssertionError("no container was started")


def processes_with(word: str) -> list[int]:
    """Return the processes of this machine with a word in their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if word.encode() in words and folder.name != str(os.getpid()):
            found.append(int(folder.name))
    return found


def wait_for_process(word: str, seconds: float = 60, *, gone: bool = False) -> None:
    """Wait until a process with a word in its command line runs, or until none does."""
    until = time.monotonic() + seconds
    while bool(processes_with(word)) is gone:
        assert time.monotonic() < until, f"{word}: {processes_with(word)}"
        time.sleep(0.1)
