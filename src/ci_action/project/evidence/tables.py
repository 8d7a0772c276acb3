"""The configurations of formatters, linters and type checkers."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ci_action.project.config_files import tool_table
from ci_action.project.evidence.model import Named

# Files that configure one tool, whatever their content.
FILES: Final[Mapping[str, Named]] = {
    ".style.yapf": Named.YAPF,
    ".flake8": Named.FLAKE8,
    ".pylintrc": Named.PYLINT,
    "pylintrc": Named.PYLINT,
    ".pylintrc.toml": Named.PYLINT,
    "pylintrc.toml": Named.PYLINT,
    "mypy.ini": Named.MYPY,
    ".mypy.ini": Named.MYPY,
    "pyrightconfig.json": Named.PYRIGHT,
    "ty.toml": Named.TY,
    "pyrefly.toml": Named.PYREFLY,
    ".pyre_configuration": Named.PYRE,
}
# Sections of setup.cfg and tox.ini, by their first word.
_SECTIONS: Final[Mapping[str, tuple[Named, frozenset[str]]]] = {
    "flake8": (Named.FLAKE8, frozenset({"setup.cfg", "tox.ini"})),
    "pylint": (Named.PYLINT, frozenset({"setup.cfg", "tox.ini"})),
    "pycodestyle": (Named.PYCODESTYLE, frozenset({"setup.cfg", "tox.ini"})),
    "yapf": (Named.YAPF, frozenset({"setup.cfg"})),
    "autopep8": (Named.AUTOPEP8, frozenset({"setup.cfg", "tox.ini"})),
    "mypy": (Named.MYPY, frozenset({"setup.cfg"})),
    "pytype": (Named.PYTYPE, frozenset({"setup.cfg"})),
}
_SECTION: Final = re.compile(r"^\[([A-Za-z0-9_]+)([^\]\n]*)\]", re.MULTILINE)
# Tables of `[tool]`; those of Ruff are read below.
_TABLES: Final[Mapping[str, Named]] = {
    "black": Named.BLACK,
    "yapf": Named.YAPF,
    "autopep8": Named.AUTOPEP8,
    "blue": Named.BLUE,
    "pyink": Named.PYINK,
    "darker": Named.DARKER,
    "flake8": Named.FLAKE8,
    "pylint": Named.PYLINT,
    "mypy": Named.MYPY,
    "pyright": Named.PYRIGHT,
    "basedpyright": Named.BASEDPYRIGHT,
    "ty": Named.TY,
    "pyrefly": Named.PYREFLY,
    "pytype": Named.PYTYPE,
}
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
        named, files = _SECTIONS.get(match[1].lower(), (None, frozenset()))
        if named is not None and name in files and named not in seen:
            seen.add(named)
            yield named, f"[{match[1]}{match[2]}]"
