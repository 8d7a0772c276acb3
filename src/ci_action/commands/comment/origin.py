"""Which run a report folder is of: the one that GitHub names in the event `workflow_run`, compared with the pull request."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ci_action.github.event import Event
from ci_action.github.pull_request import Pull
from ci_action.model.result import Skipped
from ci_action.system.errors import ToolError

EVENT: Final = "workflow_run"
_COMMIT: Final = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True)
class Origin:
    """The run that wrote the report folder."""

    commit: str
    """The head of the pull request that it checked."""
    run: str
    """The run and its attempt, as comments record them."""
    url: str


def origin_of(event: Event, pull: Pull) -> Origin | Skipped:
    """Return the run; `Skipped` if the pull request has newer commits. Raises `ToolError` if it is of another run."""
    run = event.payload.get(EVENT)
    if event.name != EVENT or not isinstance(run, Mapping):
        reason = event.problem or f"this is the event {event.name!r}"
        raise ToolError(f"the stage 'comment' requires a workflow on `{EVENT}`: {reason}")
    if run.get("event") != "pull_request":
        started_by = str(run.get("event"))[:40]
        raise ToolError(f"the workflow run was started by {started_by!r}, not by a pull request")
    commit, name = run.get("head_sha"), _full_name(run)
    if not isinstance(commit, str) or not _COMMIT.fullmatch(commit):
        raise ToolError("the event payload does not contain the commit of the workflow run")
    if name.casefold() != pull.head_repository.casefold():
        raise ToolError(
            f"the workflow run was for {name[:140]!r}, but pull request {pull.number} is from"
            f" {pull.head_repository[:140]!r}"
        )
    if pull.head_sha != commit:
        reason = f"pull request {pull.number} has newer commits than the workflow run: their own run will be posted"
        return Skipped(reason, rightly=True)
    number, attempt = _count(run.get("id")), _count(run.get("run_attempt")) or 1
    run_url = f"{event.server_url}/{event.repository}/actions/runs/{number}"
    return Origin(commit=commit, run=f"{number or ''}-{attempt}", url=run_url if number else "")


def _full_name(run: Mapping[str, Any]) -> str:
    repository = run.get("head_repository")
    name = repository.get("full_name") if isinstance(repository, Mapping) else None
    return name if isinstance(name, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63 else 0
