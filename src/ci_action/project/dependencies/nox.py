"""The sessions of nox: which runs pytest, and what it installs. Its file is read as a syntax tree, never run.

Literal words count, and the names of constants in the file: `session.install("pytest", ".[x]", "-r", "file")`. A word that
is only known when the session runs is left out.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from ci_action.project.dependencies.asked import Asked, Word, joined, of_command, of_words, tests_of
from ci_action.project.layout import Layout
from ci_action.system.project_files import find_project_text

FILE: Final = "noxfile.py"
_INSTALLS: Final = frozenset({"install"})
_RUNS: Final = frozenset({"run", "run_always", "run_install"})
_PYTEST: Final = frozenset({"pytest", "py.test"})
_LISTS: Final = {"dependency-groups": "--group", "optional-dependencies": "--extra"}
_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Session:
    """A session: its calls, each with its method and its words."""

    name: str
    calls: tuple[tuple[str, tuple[Word, ...]], ...]

    @property
    def runs_pytest(self) -> bool:
        """Whether it starts pytest."""
        return any(method in _RUNS and _PYTEST & {*words} for method, words in self.calls)


def of_nox(layout: Layout) -> Asked | None:
    """Return what the session that runs pytest installs; None if there is none."""
    text = find_project_text(layout.root / FILE, layout.workspace)
    running = [session for session in sessions(text) if session.runs_pytest]
    if not running:
        return None
    usual = (session for session in running if any(word in session.name for word in ("test", "unit")))
    session = next(usual, running[0])
    parts = []
    for method, words in session.calls:
        asked = of_words(words, layout.root) if method in _INSTALLS else of_command(words, layout.root)
        parts += [asked] if asked else []
    tests = (
        path for method, words in session.calls if method in _RUNS for path in tests_of(words, layout.root)
    )
    return replace(joined(parts, f"{FILE}: session {session.name}"), tests=tuple(dict.fromkeys(tests)))


def sessions(text: str) -> list[Session]:
    """Return the sessions of a file; none if it is not Python."""
    try:
        tree = ast.parse(text)
    except (ValueError, RecursionError, MemoryError, SyntaxError):
        return []
    names = _constants(tree)
    functions = {
        one.name: one for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    try:
        return [
            Session(name, tuple(_calls(one, functions, names, frozenset({name}))))
            for name, one in functions.items()
            if any("session" in ast.unparse(decorator) for decorator in one.decorator_list)
        ]
    except RecursionError:
        return []


def _constants(tree: ast.Module) -> dict[str, list[Word]]:
    """Return the texts and lists of texts that the file gives a name."""
    found: dict[str, list[Word]] = {}
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = list(_texts(value, found))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found[name] = list(_texts(value, found))
            case _:
                continue
    return found


def _calls(
    function: _Function,
    functions: Mapping[str, _Function],
    names: Mapping[str, list[Word]],
    seen: frozenset[str],
) -> Iterator[tuple[str, tuple[Word, ...]]]:
    """Yield the calls of a session's methods, also in the functions of the file that get the session."""
    if not function.args.args:
        return
    session = function.args.args[0].arg
    for node in _in_order(function.body):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=owner), attr=method), args=args) if (
                owner == session
            ):
                if method in _INSTALLS | _RUNS:
                    yield method, tuple(word for arg in args for word in _texts(arg, names))
            case ast.Call(func=ast.Name(id=name), args=[ast.Name(id=first), *_]) if first == session:
                if name in functions and name not in seen:
                    yield from _calls(functions[name], functions, names, seen | {name})


def _in_order(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    """Yield the nodes of statements that always run, in their order."""
    for statement in body:
        match statement:
            case ast.With(body=inner) | ast.Try(body=inner) | ast.For(body=inner):
                yield from _in_order(inner)
            case ast.If() | ast.While() | ast.FunctionDef() | ast.ClassDef():
                continue
            case _:
                yield from ast.walk(statement)


def _texts(node: ast.expr, names: Mapping[str, list[Word]]) -> Iterator[Word]:
    """Yield the words of an expression; `None` for each that is not a literal."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(id=name) if name in names:
            yield from names[name]
        case ast.Starred(value=ast.Call(func=ast.Attribute(attr="dependency_groups"), args=[_, *groups])):
            for group in (word for one in groups for word in _texts(one, names)):
                yield from ("--group", group)
        case ast.Starred(value=value):
            yield from _unpacked(value, names) or _texts(value, names)
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            for part in parts:
                yield from _texts(part, names)
        case ast.JoinedStr(values=parts):
            words = [word for part in parts for word in _texts(part, names)]
            yield "".join(filter(None, words)) if None not in words else None
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            found = list(_texts(value, names))
            yield found[0] if len(found) == 1 else None
        case _:
            yield None


def _unpacked(node: ast.expr, names: Mapping[str, list[Word]]) -> list[Word]:
    """Return the words for what a session unpacks: options for a list of pyproject.toml, a default; none for others."""
    match node:
        case ast.BoolOp(op=ast.Or(), values=[*_, last]):  # `session.posargs or ["tests"]`
            return list(_texts(last, names))
        case ast.Call(func=ast.Attribute(attr="dependency_groups"), args=[_, *groups]):
            given = [word for one in groups for word in _texts(one, names)]
            return [word for name in given for word in ("--group", name)]
        case ast.Subscript(
            value=ast.Subscript(slice=ast.Constant(value=str(table))), slice=ast.Constant(value=str(name))
        ) if (table in _LISTS):
            return [_LISTS[table], name]
        case _:
            return []
