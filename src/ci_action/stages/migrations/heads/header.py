"""The head of a revision file: its name, what it follows, its labels; read without importing the file.

Alembic imports each file for these four values. Only the text before the first function or class is parsed, the whole file
if a value is missing. A value that only the project's code knows is left open.
"""

import ast
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from tokenize import detect_encoding
from typing import Final, TypeAlias

LARGEST: Final = 5_000_000
"""Maximum size of a revision file."""

_REVISION: Final = "revision"
_DOWN: Final = "down_revision"
_DEPENDS: Final = "depends_on"
_LABELS: Final = "branch_labels"
_NAMES: Final = frozenset({_REVISION, _DOWN, _DEPENDS, _LABELS})
_BODY: Final = re.compile(r"^(?:(?:async[ \t]+)?def|class)[ \t]|^@", re.MULTILINE)
_LATE: Final = re.compile(rf"\b(?:{'|'.join(sorted(_NAMES))})\b[^=\n]*=(?!=)")
_FILE: Final = re.compile(r"(?!\.#|__init__)(.*\.py)")
# What Alembic took from the name of a file before it wrote `revision`.
_LEGACY: Final = re.compile(r"([a-f0-9]+)\.py")
_NOT_PYTHON: Final = (SyntaxError, ValueError, RecursionError, MemoryError, LookupError)

Value: TypeAlias = "str | tuple[Value, ...] | None"


class UnreadableRevisionError(Exception):
    """A file that Alembic cannot read as a revision: why, and the line."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        self.reason = reason
        self.line = line
        super().__init__(reason)


@dataclass(frozen=True, kw_only=True)
class Header:
    """The values of a revision file."""

    name: str
    line: int = 1
    down: tuple[str, ...] = ()
    down_line: int = 1
    depends_on: tuple[str, ...] = ()
    depends_line: int = 1
    labels: tuple[str, ...] = ()
    message: str = ""
    """The first line of its docstring."""
    open: tuple[str, ...] = ()
    """The values that only an import reveals."""


def is_revision(name: str) -> bool:
    """Return whether Alembic takes a file of this name for a revision."""
    return bool(_FILE.fullmatch(name))


def header(raw: bytes, name: str) -> Header:
    """Return the values of a revision file; raises `UnreadableRevisionError`."""
    text = _decoded(raw)
    body = _BODY.search(text)
    if body and not _LATE.search(text, body.start()):
        try:
            found = _Values.of(_parsed(text[: body.start()]))
        except UnreadableRevisionError:  # it was cut in a docstring
            pass
        else:
            if {_REVISION, _DOWN} <= found.known.keys() | found.open:
                return found.header(name)
    return _Values.of(_parsed(text)).header(name)


def parse(raw: bytes) -> None:
    """Parse a whole file; raises `UnreadableRevisionError` if it is not Python."""
    _parsed(_decoded(raw))


def _decoded(raw: bytes) -> str:
    try:
        encoding, _ = detect_encoding(BytesIO(raw).readline)
        text = raw.decode(encoding)
    except _NOT_PYTHON as error:
        raise UnreadableRevisionError(f"its encoding: {error}", 1) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _parsed(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a string with an unknown escape
            return ast.parse(text)
    except SyntaxError as error:
        raise UnreadableRevisionError(error.msg or "invalid syntax", error.lineno) from error
    except _NOT_PYTHON as error:
        raise UnreadableRevisionError(str(error) or type(error).__name__) from error


class _Values:
    """The values of a module, by name, as far as they are literals."""

    def __init__(self, message: str) -> None:
        self.message = message
        self.known: dict[str, Value] = {}
        self.lines: dict[str, int] = {}
        self.open: set[str] = set()

    @classmethod
    def of(cls, module: ast.Module) -> "_Values":
        """Return the values that the statements of a module leave."""
        text = (ast.get_docstring(module) or "").strip()
        values = cls(text.split("\n", 1)[0].strip())
        for statement in module.body:
            values.run(statement)
        return values

    def run(self, statement: ast.stmt) -> None:
        """Take the values that a statement sets."""
        match statement:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, value)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, value)
            case ast.AnnAssign():
                pass
            case _:
                for name in _bound(statement):
                    self._leave_open(name, statement.lineno)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
            starred = any(isinstance(one, ast.Starred) for one in (*target.elts, *value.elts))
            if not starred and len(target.elts) == len(value.elts):
                for one, its_value in zip(target.elts, value.elts, strict=True):
                    self._assign(one, its_value)
                return
        if not isinstance(target, ast.Name):
            for name in _bound(target):
                self._leave_open(name, target.lineno)
            return
        try:
            self.known[target.id] = _literal(value, self.known)
            self.open.discard(target.id)
        except (ValueError, RecursionError):
            self._leave_open(target.id, target.lineno)
        self.lines[target.id] = target.lineno

    def _leave_open(self, name: str, line: int) -> None:
        self.known.pop(name, None)
        self.open.add(name)
        self.lines[name] = line

    def header(self, file: str) -> Header:
        """Return the header of a file of this name; raises `UnreadableRevisionError`."""
        legacy = _LEGACY.match(file)
        if _REVISION not in self.known and _REVISION not in self.open and legacy:
            self.known[_REVISION] = legacy[1]
        name = self.known.get(_REVISION)
        if _REVISION in self.open:
            name = ""
        elif _REVISION not in self.known:
            raise UnreadableRevisionError(f"it sets no `{_REVISION}`", 1)
        elif not isinstance(name, str):
            raise UnreadableRevisionError(f"`{_REVISION}` is not a text", self.lines[_REVISION])
        if _DOWN not in self.known and _DOWN not in self.open:
            raise UnreadableRevisionError(f"it sets no `{_DOWN}`", self.lines.get(_REVISION, 1))
        line = self.lines.get(_REVISION, 1)
        return Header(
            name=name or "",
            line=line,
            down=self._names(_DOWN),
            down_line=self.lines.get(_DOWN, line),
            depends_on=self._names(_DEPENDS),
            depends_line=self.lines.get(_DEPENDS, line),
            labels=self._names(_LABELS),
            message=self.message,
            open=tuple(sorted(self.open & _NAMES)),
        )

    def _names(self, variable: str) -> tuple[str, ...]:
        found = self.known.get(variable)
        names = (found,) if isinstance(found, str) else found or ()
        texts = tuple(name for name in names if isinstance(name, str))
        if len(texts) < len(names):
            raise UnreadableRevisionError(f"`{variable}` is not a text or several", self.lines[variable])
        return texts


def _bound(node: ast.AST) -> Iterator[str]:
    """Yield our names that a statement can bind."""
    for one in ast.walk(node):
        match one:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) if name in _NAMES:
                yield name
            case ast.alias(name=name, asname=given) if (given or name) in _NAMES:
                yield given or name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) if name in _NAMES:
                yield name


def _literal(node: ast.expr, known: Mapping[str, Value]) -> Value:
    """Return the value of an expression of literals and names that have one; raises `ValueError` for any other."""
    value: Value
    match node:
        case ast.Constant(value=str() | None as text):
            value = text
        case ast.Constant():
            value = (None,)  # neither a text nor several
        case ast.Tuple(elts=entries) | ast.List(elts=entries) | ast.Set(elts=entries):
            value = tuple(_literal(entry, known) for entry in entries)
        case ast.Name(id=name) if name in known:
            value = known[name]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            value = _sum(_literal(left, known), _literal(right, known))
        case ast.JoinedStr(values=parts):
            value = "".join(_text(_literal(part, known)) for part in parts)
        case ast.FormattedValue(value=inner, conversion=-1, format_spec=None):
            value = _text(_literal(inner, known))
        case _:
            raise ValueError(node)
    return value


def _text(value: Value) -> str:
    match value:
        case str():
            return value
        case _:
            raise ValueError(value)


def _sum(left: Value, right: Value) -> Value:
    match left, right:
        case str(), str():
            return left + right
        case tuple(), tuple():
            return left + right
        case _:
            raise ValueError(left, right)
