"""The event that started a workflow run, read from the runner's variables and its payload file."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from ci_action.system.errors import ProjectFileError
from ci_action.system.project_files import read_project_file

# What differs between the jobs of a matrix and their steps, besides the name of the machine or container.
_STEP: Final = ("GITHUB_JOB", "GITHUB_ACTION", "RUNNER_NAME")
# The payload of nektos/act, which passes paths of the host.
_ACT_EVENT: Final = Path("/var/run/act/workflow/event.json")
# GitHub limits a payload to 25 MB.
_LARGEST_PAYLOAD: Final = 30_000_000


# Events that always have a base commit.
WITH_BASE: Final = frozenset({"pull_request", "pull_request_target", "merge_group"})


@dataclass(frozen=True, kw_only=True)
class Event:
    """What started the run. Everything is empty outside Actions."""

    name: str = ""
    repository: str = ""
    sha: str = ""
    server_url: str = ""
    attempt: int = 1
    """The number of the attempt; a rerun has the payload of the first one."""
    run_id: str = ""
    step: str = ""
    """A digest of machine, job and step, which differs for the jobs of a matrix. Empty without a run."""
    payload: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    """Why the payload could not be read, or an empty text."""

    @property
    def run_url(self) -> str:
        """The page of the run; empty if it is unknown."""
        if not (self.server_url and self.repository and self.run_id):
            return ""
        return f"{self.server_url}/{self.repository}/actions/runs/{self.run_id}"

    def text(self, *names: str) -> str:
        """Return a text in the payload; empty if absent."""
        value: object = self.payload
        for name in names:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value if isinstance(value, str) else ""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Event":
        """Read the event; `problem` has the reason if the payload is absent or invalid. Never raises."""
        payload, problem = _payload(environ.get("GITHUB_EVENT_PATH", ""))
        return cls(
            name=environ.get("GITHUB_EVENT_NAME", ""),
            repository=environ.get("GITHUB_REPOSITORY", ""),
            sha=environ.get("GITHUB_SHA", ""),
            server_url=environ.get("GITHUB_SERVER_URL", ""),
            attempt=_attempt(environ.get("GITHUB_RUN_ATTEMPT", "")),
            run_id=_digits(environ.get("GITHUB_RUN_ID", "")),
            step=_step(environ),
            payload=payload,
            problem=problem,
        )


def _digits(text: str) -> str:
    return text if re.fullmatch("[0-9]{1,20}", text) else ""


def _step(environ: Mapping[str, str]) -> str:
    if not environ.get("GITHUB_RUN_ID"):
        return ""
    names = [os.uname().nodename, *(environ.get(name, "") for name in _STEP)]
    return sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()[:8]


def _attempt(text: str) -> int:
    return int(text) if re.fullmatch("[1-9][0-9]{0,5}", text) else 1


def _payload(variable: str) -> tuple[Mapping[str, Any], str]:
    if not variable:
        return {}, ""
    path = Path(variable)
    if not path.is_file() and _ACT_EVENT.is_file():
        path = _ACT_EVENT
    try:
        payload = json.loads(read_project_file(path, path.parent, largest=_LARGEST_PAYLOAD))
    except (ProjectFileError, ValueError, RecursionError) as error:
        return {}, f"could not read the event file {variable!r}: {error}"
    if not isinstance(payload, dict):
        return {}, f"the event file {variable!r} is not a JSON object"
    return payload, ""
