"""Events of the child process that runs the revisions, as its file has them."""

import json
from collections.abc import Iterable
from typing import Any

REVISION = "/repository/alembic/versions/a1.py"


def lines(*events: dict[str, Any] | bytes) -> list[bytes]:
    return [one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n" for one in events]


def event(name: str, **fields: Any) -> dict[str, Any]:
    return {"event": name, **fields}


def phase(
    name: str, *inside: dict[str, Any], revisions: int = 1, finished: bool = True
) -> list[dict[str, Any]]:
    """Return a whole phase with events in it."""
    done = event("done", phase=name, seconds=0.5, revisions=revisions, finished=finished)
    return [event("phase", phase=name), *inside, done]


def error(kind: str = "ValueError", text: str = "no", **fields: Any) -> dict[str, Any]:
    """Return an exception as the child describes it."""
    return {"type": kind, "bases": [kind.rpartition(".")[2], "Exception"], "text": text, **fields}


def failure(name: str = "upgrade", **fields: Any) -> dict[str, Any]:
    values = {
        "phase": name,
        "revision": "a1",
        "direction": name,
        "file": REVISION,
        "line": 7,
        "error": error(),
    }
    return event("failure", **{**values, **fields})


def whole(*phases: Iterable[dict[str, Any]]) -> list[bytes]:
    """Return the events of a child that ended as it should."""
    start = event("start", python="3.12.1", alembic="1.16.0", sqlalchemy="2.0.1")
    return lines(start, *(one for events in phases for one in events), event("end"))
