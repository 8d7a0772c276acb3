"""The sessions of a noxfile.py as values: what they install and run. The file is parsed and never executed.

Literal words are known, names of literal values, and paths that pathlib makes of the file's own.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Final, TypeAlias

FILE: Final = "noxfile.py"
UNKNOWN: Final = "${?}"
"""What is in a word for a part that is only known when the session runs."""
RUNS: Final = frozenset({"run", "run_always"})
INSTALLS: Final = frozenset({"install", "run_install"})
_LISTS: Final = {"dependency-groups": "--group", "optional-dependencies": "--extra"}
_CONDITIONAL: Final = (ast.If, ast.While, ast.Match, ast.ExceptHandler, ast.FunctionDef, ast.ClassDef)
_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_Value: TypeAlias = "str | PurePosixPath | list[_Value] | dict[_Value, _Value] | None"
_Known: TypeAlias = Mapping[str, _Value]


@dataclass(frozen=True)
class Call:
    """A call of a method of the session: `session.run("pytest", env={"A": "1"})`."""

    method: str
    words: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    sometimes: bool = False
    """Whether it is in a statement that does not always run."""
    helper: bool = False
    """Whether it is in another function of the file, which gets the session."""


@dataclass(frozen=True)
class Session:
    """A session."""

    name: str
    pythons: tuple[str, ...]
    """The versions of Python that its decorator names."""
    calls: tuple[Call, ...]


def sessions(text: str, *, constants: bool = False) -> list[Session]:
    """Return the sessions of a file; raises `ValueError` and `RecursionError` if it is not Python.

    With `constants` only names of the file itself are known: the value of a variable may change until it is used.
    """
    try:
        module = ast.parse(text)
    except (SyntaxError, MemoryError) as error:
        where = f"line {error.lineno}: {error.msg}" if isinstance(error, SyntaxError) else "nested too deeply"
        raise ValueError(where) from error
    known: dict[str, _Value] = {}
    for statement in module.body:
        known.update(_assigned(statement, known))
    functions = {one.name: one for one in module.body if isinstance(one, _Function)}
    found = []
    for name, function in functions.items():
        decorator = next((one for one in function.decorator_list if "session" in ast.unparse(one)), None)
        if decorator is not None:
            calls = _Reader(functions, known, constants).calls(function, frozenset({name}))
            found.append(Session(name, tuple(_pythons(decorator, known)), tuple(calls)))
    return found


def _pythons(decorator: ast.expr, known: _Known) -> Iterator[str]:
    keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
    for name in ("python", "py"):
        given = next((_value(one.value, known) for one in keywords if one.arg == name), None)
        if given:
            yield from (
                one for one in (given if isinstance(given, list) else [given]) if isinstance(one, str)
            )
            return


def _assigned(node: ast.AST, known: _Known) -> dict[str, _Value]:
    """Return the name that a statement gives to a value."""
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return {name: _value(value, known)}
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return {name: _value(value, known)}
        case _:
            return {}


@dataclass(frozen=True)
class _Reader:
    functions: Mapping[str, _Function]
    known: _Known
    constants: bool

    def calls(self, function: _Function, seen: frozenset[str]) -> Iterator[Call]:
        """Yield the calls of a session's methods, also in the functions of the file that get the session."""
        if not function.args.args:
            return
        session = function.args.args[0].arg
        known = dict(self.known)
        for node, sometimes in _in_order(function, sometimes=False):
            if not self.constants:
                known.update(_assigned(node, known))
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=method)) if owner == session:
                    if method in RUNS | INSTALLS:
                        words = tuple(_words(node.args, known))
                        yield Call(method, words, _variables(node, known), sometimes, len(seen) > 1)
                case ast.Call(func=ast.Name(id=name), args=[ast.Name(id=first), *_]) if first == session:
                    if name in self.functions and name not in seen:
                        for call in self.calls(self.functions[name], seen | {name}):
                            yield replace(call, sometimes=sometimes or call.sometimes)
                case _:
                    continue


def _in_order(node: ast.AST, *, sometimes: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Yield the nodes in the order of the text, and whether they are in a statement that does not always run."""
    for child in ast.iter_child_nodes(node):
        rarely = sometimes or isinstance(child, _CONDITIONAL)
        yield child, rarely
        yield from _in_order(child, sometimes=rarely)


def _variables(call: ast.Call, known: _Known) -> dict[str, str]:
    given = next((_value(one.value, known) for one in call.keywords if one.arg == "env"), None)
    return {str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {}


def _words(arguments: Sequence[ast.expr], known: _Known) -> Iterator[str]:
    for one in arguments:
        if isinstance(one, ast.Starred):
            yield from _unpacked(one.value, known)
        else:
            yield _text(_value(one, known))


def _unpacked(node: ast.expr, known: _Known) -> Iterator[str]:
    match node:
        case ast.Attribute(attr="posargs"):
            return
        case ast.BoolOp(op=ast.Or(), values=[*_, last]):  # `session.posargs or ["tests"]`
            yield from _unpacked(last, known)
        case ast.Call(func=ast.Attribute(attr="dependency_groups"), args=[_, *groups]):
            yield from (f"--group={name}" for name in _words(groups, known) if name != UNKNOWN)
        case ast.Subscript(
            value=ast.Subscript(slice=ast.Constant(value=str(table))), slice=ast.Constant(value=str(name))
        ) if (table in _LISTS):
            yield f"{_LISTS[table]}={name}"
        case _:
            found = _value(node, known)
            yield from map(_text, found) if isinstance(found, list) else [UNKNOWN]


def _text(value: _Value) -> str:
    return str(value) if isinstance(value, str | PurePosixPath) else UNKNOWN


def _value(node: ast.expr, known: _Known) -> _Value:
    """Return the literal value of an expression; None for any other."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.Name(id=name):
            return known.get(name)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return list(_words(elements, known))
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return {_text(_value(key, known)): _value(value, known) for key, value in pairs if key}
        case ast.JoinedStr(values=parts):
            inner = (part.value if isinstance(part, ast.FormattedValue) else part for part in parts)
            return "".join(_text(_value(part, known)) for part in inner)
        case _:
            return _path(node, known)


def _path(node: ast.expr, known: _Known) -> _Value:
    """Return the path or text of an expression of pathlib; None for any other."""
    match node:
        case ast.Call(func=ast.Name(id="str"), args=[inner]):
            return _text(_value(inner, known))
        case ast.Call(func=function, args=[inner]) if ast.unparse(function).endswith("Path"):
            return PurePosixPath(FILE if ast.unparse(inner) == "__file__" else _text(_value(inner, known)))
        case ast.Call(func=ast.Attribute(value=inner, attr="resolve" | "absolute"), args=[]):
            return _value(inner, known)
        case ast.Attribute(value=inner, attr="parent"):
            value = _value(inner, known)
            return value.parent if isinstance(value, PurePosixPath) else None
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            folder, name = _value(left, known), _text(_value(right, known))
            return folder / name if isinstance(folder, PurePosixPath) else None
        case _:
            return None
