"""An engine of Docker for unit tests: answers by the first word of a command."""

import json
from collections.abc import Mapping
from typing import Any

from support.builders import completed

from ci_action.system.process import Command, Completed

INFO: dict[str, Any] = {
    "ServerVersion": "28.5.2",
    "OperatingSystem": "Debian GNU/Linux 13 (trixie)",
    "OSType": "linux",
    "Architecture": "x86_64",
    "SecurityOptions": ["name=seccomp,profile=builtin"],
    "ClientInfo": {"Version": "28.5.2", "Plugins": [{"Name": "buildx", "Version": "v0.29.1"}]},
}


def answer(found: object) -> Completed:
    """Return what the client prints for one object."""
    return completed(json.dumps(found).encode() + b"\n")


def network(mode: str) -> Completed:
    """Return what the client prints for a container in a network."""
    return answer({"HostConfig": {"NetworkMode": mode}, "NetworkSettings": {"Networks": {mode: {}}}})


def answering(answers: Mapping[str, Completed]):
    """Return a way to run the client that gives these answers, else that of an engine without problems."""

    def run(command: Command) -> Completed:
        assert command.argv[0] == "docker"
        default = answer(INFO) if command.argv[1] == "info" else answer({})
        return answers.get(command.argv[1], default)

    return run
