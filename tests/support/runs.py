"""What a real run of the program left behind, and the folders around it."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PREFIX = Path(sys.prefix)
Write = Callable[[Mapping[str, str | bytes]], Path]


@dataclass(frozen=True)
class Ran:
    """The results of a run."""

    code: int
    out: str
    report: dict[str, Any]

    def tool(self, name: str) -> dict[str, Any]:
        """Return a tool from the report."""
        return next(
            tool for stage in self.report["stages"] for tool in stage["tools"] if tool["name"] == name
        )

    def findings(self, name: str) -> list[dict[str, Any]]:
        """Return the findings of a tool."""
        found: list[dict[str, Any]] = self.tool(name)["findings"]
        return found
