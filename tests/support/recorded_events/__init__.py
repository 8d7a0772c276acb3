"""Payloads of GitHub's events as they were recorded; where they come from is said in README.md."""

import json
import lzma
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("webhooks.json.xz")


@cache
def recorded() -> dict[str, list[dict[str, Any]]]:
    """Return all payloads by the name of the event."""
    events = json.loads(lzma.decompress(_FILE.read_bytes()))
    return {event["name"]: event["examples"] for event in events}
