"""Starts the image as GitHub's runner starts a Docker action, and reads back what the runner would read.

After actions/runner, DockerCommandManager.cs and ContainerActionHandler.cs: the same mounts and options, variables
by name with their values in the client's environment, command files made fresh for the step.
"""

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from support.container.image import DOCKER, docker
from support.container.projects import GROUP, OWNER
from support.container.variables import WORKSPACE, context, inputs_of
from support.runner_model import Seen, commands, key_values

# The runner keeps this many annotations of a level in a step.
KEPT: Final = 10
_COMMAND_FILES: Final = {
    "GITHUB_OUTPUT": "set_output",
    "GITHUB_STEP_SUMMARY": "step_summary",
    "GITHUB_ENV": "set_env",
    "GITHUB_STATE": "save_state",
    "GITHUB_PATH": "add_path",
}
# Runs in the container: the environment of the process of which a word ends like the argument.
_ENVIRONMENT: Final = """
import glob, json, os, sys
for folder in glob.glob("/proc/[0-9]*"):
    words = open(folder + "/cmdline").read().split("\\0")
    if folder != f"/proc/{os.getpid()}" and any(word.endswith(sys.argv[1]) for word in words):
        try:
            pairs = open(folder + "/environ", errors="replace").read().split("\\0")
        except PermissionError:
            continue
        print(json.dumps(dict(pair.split("=", 1) for pair in pairs if "=" in pair)))
        break
"""


@dataclass(frozen=True, kw_only=True)
class Ran:
    """The results of a step."""

    code: int
    raw: bytes
    seconds: float
    workspace: Path
    files: Mapping[str, Path]
    """The command files, by their variables."""

    @cached_property
    def log(self) -> str:
        """Both streams, as the runner decodes them."""
        return self.raw.decode("utf-8", "replace")

    @cached_property
    def commands(self) -> list[Seen]:
        """The workflow commands in the log."""
        return commands(self.log)

    def annotations(self, level: str) -> list[Seen]:
        """Return the annotations of a level that the runner would keep."""
        return [seen for seen in self.commands if seen.name == level][:KEPT]

    @cached_property
    def counted(self) -> Counter[str]:
        """Number of commands by name."""
        return Counter(seen.name for seen in self.commands)

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs of the step; raises where the runner could not read them."""
        return key_values(self._text("GITHUB_OUTPUT"))

    @cached_property
    def summary(self) -> str:
        """The job summary."""
        return self._text("GITHUB_STEP_SUMMARY")

    def _text(self, variable: str) -> str:
        file = self.files[variable]
        return file.read_bytes().decode("utf-8") if file.is_file() else ""

    @cached_property
    def report(self) -> dict[str, Any]:
        """The report file, found through the outputs like a later step finds it."""
        content: dict[str, Any] = json.loads((self.workspace / self.outputs["report"]).read_bytes())
        return content

    def tool(self, name: str) -> dict[str, Any]:
        """Return a tool from the report."""
        tools = [tool for stage in self.report["stages"] for tool in stage["tools"]]
        found: dict[str, Any] = next(tool for tool in tools if tool["name"] == name)
        return found

    @property
    def owners(self) -> dict[str, int]:
        """Who owns each file and folder in the workspace."""
        found = [self.workspace, *self.workspace.rglob("*")]
        return {path.relative_to(self.workspace).as_posix(): path.lstat().st_uid for path in found}

    @property
    def written(self) -> bytes:
        """Everything that left the container: log, command files, report files."""
        places = [*self.files.values(), *(self.workspace / "ci-action-report").glob("**/*")]
        return b"\n".join([self.raw, *(place.read_bytes() for place in places if place.is_file())])


@dataclass(kw_only=True)
class Machine:
    """A runner's machine: its folders, and the image that it starts."""

    image: str
    root: Path
    event: Mapping[str, Any] = field(default_factory=lambda: {"ref": "refs/heads/main"})

    def __post_init__(self) -> None:
        """Make the folders that the runner makes at the start of a job."""
        for folder in (self.workspace, self.temp, self.home, self.workflow, self.commands):
            folder.mkdir(parents=True, exist_ok=True)
            os.chown(folder, OWNER, GROUP)
        (self.workflow / "event.json").write_text(json.dumps(self.event))

    @property
    def workspace(self) -> Path:
        """Where the repository is checked out."""
        return self.root / "work" / "project" / "project"

    @property
    def temp(self) -> Path:
        """Where the runner keeps what it needs for the job."""
        return self.root / "work" / "_temp"

    @property
    def home(self) -> Path:
        """The home folder of all Docker actions of a job."""
        return self.temp / "_github_home"

    @property
    def workflow(self) -> Path:
        """Where the event's payload lies."""
        return self.temp / "_github_workflow"

    @property
    def commands(self) -> Path:
        """Where the command files of the steps lie."""
        return self.temp / "_runner_file_commands"

    def run(self, *, limit: float = 180, **how: Any) -> Ran:
        """Run the step to its end; the parameters are those of `start`."""
        return self.start(**how).end(limit)

    def start(
        self,
        *,
        inputs: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
        unset: Sequence[str] = (),
        options: Sequence[str] = (),
        read_only: bool = False,
        arguments: Sequence[str] = (),
        mounts: bool = True,
    ) -> "Step":
        """Start the container with `with:` (inputs) and `env:` (environ) of a step."""
        files = self._command_files()
        variables = {
            **inputs_of(inputs or {}),
            "HOME": "/github/home",
            **context(),
            **{name: f"/github/file_commands/{file.name}" for name, file in files.items()},
            **(environ or {}),
        }
        for name in unset:
            variables.pop(name, None)
        words = [*(self._mounts(read_only=read_only) if mounts else ()), *options]
        return Step.launched(self, files, variables, [*words, self.image, *arguments])

    def _mounts(self, *, read_only: bool) -> list[str]:
        places = {
            "/var/run/docker.sock": Path("/var/run/docker.sock"),
            "/github/runner_temp": self.temp,
            "/github/home": self.home,
            "/github/workflow": self.workflow,
            "/github/file_commands": self.commands,
        }
        volumes = [f"{place}:{inside}" for inside, place in places.items()]
        volumes.append(f"{self.workspace}:{WORKSPACE}{':ro' if read_only else ''}")
        return ["--workdir", WORKSPACE, *(word for volume in volumes for word in ("-v", volume))]

    def _command_files(self) -> dict[str, Path]:
        names = {
            variable: self.commands / f"{prefix}_{uuid4()}" for variable, prefix in _COMMAND_FILES.items()
        }
        for file in names.values():
            file.touch()
            os.chown(file, OWNER, GROUP)
        return names


@dataclass(kw_only=True)
class Step:
    """A container that runs."""

    machine: Machine
    files: Mapping[str, Path]
    name: str
    client: subprocess.Popen[bytes]
    started: float

    @classmethod
    def launched(
        cls, machine: Machine, files: Mapping[str, Path], variables: Mapping[str, str], words: Sequence[str]
    ) -> "Step":
        """Start the client, with the variables named on its command line and set in its environment."""
        name = f"ci-action-e2e-{uuid4().hex[:12]}"
        named = [word for variable in variables for word in ("-e", variable)]
        fixed = ["-e", "GITHUB_ACTIONS=true", "-e", "CI=true"]
        command = [DOCKER, "run", "--name", name, "--label", "ci-action-e2e", "--rm", *named, *fixed, *words]
        client = subprocess.Popen(
            command,
            env={"PATH": os.environ["PATH"], **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return cls(machine=machine, files=files, name=name, client=client, started=time.monotonic())

    def end(self, limit: float) -> Ran:
        """Wait for the end and read what there is."""
        try:
            raw, _ = self.client.communicate(timeout=limit)
        finally:
            if self.client.poll() is None:
                subprocess.run([DOCKER, "rm", "--force", self.name], capture_output=True, check=False)
                self.client.kill()
        return Ran(
            code=self.client.returncode,
            raw=raw,
            seconds=time.monotonic() - self.started,
            workspace=self.machine.workspace,
            files=self.files,
        )

    def processes(self) -> dict[int, str]:
        """Return the processes in the container, by their ids on this machine."""
        done = subprocess.run(
            [DOCKER, "top", self.name, "-eo", "pid,args"], capture_output=True, text=True, check=False
        )
        lines = (line.split(None, 1) for line in done.stdout.splitlines()[1:])
        return {int(words[0]): words[1] for words in lines if len(words) > 1}

    def wait_for(self, program: str, limit: float = 30) -> int:
        """Wait until a program runs in the container; return its process id on this machine."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            for pid, words in self.processes().items():
                if f"/{program} " in f"{words} " and "--version" not in words:
                    return pid
            time.sleep(0.1)
        raise AssertionError(f"{program} did not start: {self.processes()}")

    def wait_until_ended(self, program: str, *, after: float, limit: float = 30) -> None:
        """Wait until a program that starts within `after` seconds does not run any more."""
        time.sleep(after)
        end = time.monotonic() + limit
        while any(f"/{program} " in words for words in self.processes().values()):
            assert time.monotonic() < end, f"{program} did not end: {self.processes()}"
            time.sleep(0.1)

    def environment_of(self, program: str) -> dict[str, str]:
        """Return the environment of a process in the container, as its parent gave it."""
        # Only its own user may read it: the workspace's owner for what reads, root for the rest.
        for user in (f"{OWNER}:{OWNER}", f"{OWNER}:{GROUP}", "0:0"):
            python = ["/usr/local/bin/python3", "-c", _ENVIRONMENT, f"/{program}"]
            if text := docker("exec", "--user", user, self.name, *python):
                found: dict[str, str] = json.loads(text)
                return found
        raise AssertionError(f"no process of {program} can be read")
