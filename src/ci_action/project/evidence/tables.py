"""The configurations of formatters, linters and type checkers."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ci_action.project.config_files import tool_table
from ci_action.project.tool_names import SPELLINGS, Named, by

FILES: Final = by(lambda one: one.files)
"""Files that configure one tool, whatever their content."""
# The tools with a section in setup.cfg or tox.ini, by its first word.
_SECTIONS: Final = {one.tool.value: one for one in SPELLINGS if one.sections}
_SECTION: Final = re.compile(r"^\[([A-Za-z0-9_]+)([^\]\n]*)\]", re.MULTILINE)
_TABLES: Final = by(lambda one: one.tables)
# Keys of Ruff that only its linter reads, as they stood before the table `lint`.
_LINTS: Final = frozenset({
    "lint", "select", "extend-select", "ignore", "extend-ignore", "per-file-ignores", "extend-per-file-ignores",
    "fixable", "unfixable",
})  # fmt: skip


def in_pyproject(document: Mapping[str, Any]) -> Iterator[tuple[Named, str]]:
    """Yield each tool that a pyproject.toml configures, and the table."""
    tool = tool_table(document)
    for name, named in _TABLES.items():
        if isinstance(tool.get(name), dict):
            yield named, f"tool.{name}"
    ruff = tool.get("ruff")
    if isinstance(ruff, dict):
        yield from of_ruff(ruff, "tool.ruff")


def of_ruff(table: Mapping[str, Any], where: str = "") -> Iterator[tuple[Named, str]]:
    """Yield what a configuration of Ruff is for: its linter, its formatter, or either."""
    prefix = f"{where}." if where else ""
    linting = next((key for key in table if key in _LINTS), "")
    formats = isinstance(table.get("format"), dict)
    if formats:
        yield Named.RUFF_FORMAT, f"{prefix}format"
    if linting:
        yield Named.RUFF_CHECK, f"{prefix}{linting}" if linting == "lint" else where
    if not formats and not linting:
        yield Named.RUFF, where


def in_ini(name: str, text: str) -> Iterator[tuple[Named, str]]:
    """Yield each tool that a setup.cfg or tox.ini configures, and the section."""
    seen = set()
    for match in _SECTION.finditer(text):
        found = _SECTIONS.get(match[1].lower())
        if found is not None and name in found.sections and found.tool not in seen:
            seen.add(found.tool)
            yield found.tool, f"[{match[1]}{match[2]}]"
