"""The project's configuration of squawk."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ci_action.project.layout import Layout
from ci_action.system.errors import ToolError
from ci_action.system.project_files import find_project_file

NAME: Final = ".squawk.toml"
# Without one: squawk would look above the project too.
_NONE: Final = Path("/dev/null")
# Rules about style, and those that no single migration can satisfy.
STYLE: Final = frozenset({
    "prefer-bigint-over-int", "prefer-bigint-over-smallint", "prefer-identity", "prefer-robust-stmts",
    "prefer-text-field", "prefer-timestamp-tz", "prefer-timestamptz", "require-lock-timeout", "require-statement-timeout",
    "require-table-schema", "require-timeout-settings",
})  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SquawkConfig:
    """Which rules are off, and the version of PostgreSQL if the project sets it."""

    path: Path = _NONE
    source: str = ""
    """The file for people; empty without one."""
    off: frozenset[str] = STYLE
    """The rules that are off: by us without a file, else by squawk itself."""
    sets_version: bool = False

    def reports(self, rule: str) -> bool:
        """Whether a finding of a rule is reported."""
        return rule not in self.off


def squawk_config(layout: Layout, folder: Path) -> SquawkConfig:
    """Return the configuration nearest to a folder with migrations; raises `ToolError`."""
    for one in _upwards(folder, layout.workspace):
        path = one / NAME
        raw = find_project_file(path, layout.workspace)
        if raw is None:
            continue
        source = layout.relative(path)
        try:
            table = tomllib.loads(raw.decode("utf-8"))
        except ValueError as error:
            raise ToolError(f"the configuration of squawk is wrong ({source}): {error}") from error
        rules = table.get("excluded_rules")
        off = frozenset(map(str, rules)) if isinstance(rules, list) else frozenset()
        return SquawkConfig(path=path, source=source, off=off, sets_version="pg_version" in table)
    return SquawkConfig()


def _upwards(folder: Path, workspace: Path) -> Iterable[Path]:
    return (one for one in (folder, *folder.parents) if one.is_relative_to(workspace))
