"""Which extensions of PostgreSQL migrations create, and which extension or locale a server did not have."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ci_action.system.project_files import find_project_text

_COMMENT: Final = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_CREATE: Final = re.compile(
    r'\bCREATE\s+EXTENSION\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:"([^"]+)"|([A-Za-z_]\w*))', re.IGNORECASE
)
# Of alembic_utils: `PGExtension(schema="public", signature="uuid-ossp")`.
_ENTITY: Final = "PGExtension"
_SIGNATURE: Final = "signature"
# The first is PostgreSQL's own since version 15, the second is that of older ones.
_LACKING: Final = re.compile(
    r"""extension "([^"]+)" is not available|could not open extension control file "[^"]*?([^"/]+)\.control\""""
)
# A locale of the system, or a collation with the name of one: another missing collation is the fault of the migrations.
_LOCALE: Final = re.compile(
    r"""could not create locale "([^"]+)\""""
    r"""|collation "((?:[a-z]{2,3}_[A-Z]{2}|C\.)[^"]*|[^"]+-x-icu)" for encoding "[^"]+" does not exist"""
)
_ICU: Final = "ICU"
_WITHOUT_ICU: Final = "ICU is not supported in this build"
_NAMED: Final = "locale "


def needs_extensions(files: Iterable[Path], workspace: Path) -> frozenset[str]:
    """Return the extensions that migrations create; raises `ProjectFileError`."""
    return frozenset(name for file in files for name in extensions_in(find_project_text(file, workspace)))


def extensions_in(source: str) -> frozenset[str]:
    """Return the extensions that a module creates, by the SQL in its texts; all of it is SQL if it is not valid Python."""
    if "extension" not in source.lower():
        return frozenset()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset(_created(source))
    return frozenset(_of(tree))


def lacking_in(message: str) -> frozenset[str]:
    """Return the extensions and locales that a server did not have, by its error message."""
    found = {quoted or file for quoted, file in _LACKING.findall(message)}
    found |= {f"{_NAMED}{created or used}" for created, used in _LOCALE.findall(message)}
    return frozenset(found | ({_ICU} if _WITHOUT_ICU in message else set()))


def is_extension(name: str) -> bool:
    """Return whether what a server did not have is an extension: of those alone a server lists what it has."""
    return name != _ICU and not name.startswith(_NAMED)


def _of(tree: ast.AST) -> Iterator[str]:
    comments = {
        id(node.value)  # a docstring, or a text without effect
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in comments:
            yield from _created(node.value)
        if isinstance(node, ast.Call) and _name(node.func) == _ENTITY:
            yield from _signature(node)


def _created(sql: str) -> Iterator[str]:
    for quoted, plain in _CREATE.findall(_COMMENT.sub(" ", sql)):
        yield quoted or plain.lower()


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _signature(call: ast.Call) -> Iterator[str]:
    given = [word.value for word in call.keywords if word.arg == _SIGNATURE] or call.args[1:2]
    for value in given:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield value.value.strip('"')
