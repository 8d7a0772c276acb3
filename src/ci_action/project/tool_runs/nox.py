"""The runs of tools in the sessions of a noxfile.py, with what the sessions install.

The file is parsed and never executed: only literal arguments and names of literal values are understood.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ci_action.project.evidence.calls import call_of
from ci_action.project.layout import Layout
from ci_action.project.tool_runs.model import Installs, ToolRun, variables_of
from ci_action.system.project_files import find_project_text

NAME: Final = "noxfile.py"
_UNKNOWN: Final = "${?}"
_RUNS: Final = frozenset({"run", "run_always"})
_UV_FLAGS: Final = ("--group", "--extra", "--only-group", "--no-group")


@dataclass(frozen=True)
class _Where:
    """A path in the project, written with pathlib."""

    path: str


def runs(layout: Layout, tools: Sequence[str]) -> Iterator[ToolRun]:
    """Yield every run of the tools in a session; raises `ValueError` and `RecursionError`."""
    text = find_project_text(layout.root / NAME, layout.workspace)
    if not any(tool in text for tool in tools):
        return
    try:
        module = ast.parse(text)
    except SyntaxError as error:
        raise ValueError(f"line {error.lineno}: {error.msg}") from error
    names: dict[str, object] = {}
    for statement in module.body:
        target = _target(statement)
        if target and isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            names[target] = _value(statement.value, names)
    for function in module.body:
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _of_session(function, names, layout, tools)


def _of_session(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    names: Mapping[str, object],
    layout: Layout,
    tools: Sequence[str],
) -> Iterator[ToolRun]:
    decorator = next((one for one in function.decorator_list if "session" in ast.unparse(one)), None)
    if decorator is None or not function.args.args:
        return
    session = function.args.args[0].arg
    known = dict(names)
    installs = Installs(root=layout.root)
    found: list[ToolRun] = []
    source = f"{NAME}: {function.name}"
    for node in _in_order(function):
        target = _target(node)
        if target and isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            known[target] = _value(node.value, known)
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if not isinstance(node.func.value, ast.Name) or node.func.value.id != session:
            continue
        words = _words(node.args, known, session)
        method = node.func.attr
        if method == "install":
            installs.add(words)
        elif method in {*_RUNS, "run_install"}:
            _installing(words, installs)
            call = call_of(words, lambda word: (layout.root / word).exists()) if words else None
            if call is not None and call.tool in tools and method in _RUNS:
                given = next((_value(one.value, known) for one in node.keywords if one.arg == "env"), None)
                variables = given if isinstance(given, dict) else {}
                texts = {str(name): str(value) for name, value in variables.items()}
                found.append(
                    ToolRun(
                        tool=call.tool.value, words=call.words, source=source, variables=variables_of(texts)
                    )
                )
    python = _keyword(decorator, "python", known) or _keyword(decorator, "py", known)
    pythons = python if isinstance(python, list) else [python]
    needs = installs.dependencies(source, layout)
    own = needs.requirements or needs.groups or needs.project or needs.sync or needs.unread
    for run in found:
        yield replace(
            run,
            needs=needs if own else None,
            pythons=tuple(text for text in pythons if isinstance(text, str) and text[:2] == "3."),
        )


def _installing(words: Sequence[str], installs: Installs) -> None:
    """Read `uv sync` and `uv pip install`."""
    if words[:2] == ["uv", "sync"]:
        installs.sync = installs.sync or []
        installs.project = "--no-install-project" not in words
        rest = list(words[2:])
        while rest:
            name, equals, value = rest.pop(0).partition("=")
            if name in _UV_FLAGS:
                value = value if equals else (rest.pop(0) if rest else "")
                installs.sync.append(f"{name}={value}")
            elif name in {"--all-extras", "--all-groups", "--no-default-groups", "--no-dev"}:
                installs.sync.append(name)
    elif words[:3] == ["uv", "pip", "install"]:
        installs.add(words[3:])


def _in_order(function: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes in the order of the text."""
    for child in ast.iter_child_nodes(function):
        yield child
        yield from _in_order(child)


def _target(node: ast.AST) -> str:
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return ""


def _keyword(decorator: ast.expr, name: str, known: Mapping[str, object]) -> object:
    keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
    return next((_value(one.value, known) for one in keywords if one.arg == name), "")


def _words(arguments: Sequence[ast.expr], known: Mapping[str, object], session: str) -> list[str]:
    words: list[str] = []
    for one in arguments:
        if isinstance(one, ast.Starred):
            if ast.unparse(one.value) in {f"{session}.posargs", "session.posargs"}:
                continue
            if isinstance(one.value, ast.Call) and ast.unparse(one.value.func).endswith("dependency_groups"):
                groups = [_value(each, known) for each in one.value.args[1:]]
                words += [f"--group={name}" for name in groups if isinstance(name, str)]
                continue
            value = _value(one.value, known)
            words += [_text(each) for each in value] if isinstance(value, list) else [_UNKNOWN]
        else:
            words.append(_text(_value(one, known)))
    return words


def _text(value: object) -> str:
    if isinstance(value, _Where):
        return value.path
    return value if isinstance(value, str) else _UNKNOWN


def _value(node: ast.expr, known: Mapping[str, object]) -> object:
    """Return the literal value of an expression; None for any other."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.Name(id=name):
            return known.get(name)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return [_value(one, known) for one in elements]
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return {_value(key, known): _value(value, known) for key, value in pairs if key}
        case ast.JoinedStr(values=parts):
            return "".join(_formatted(part, known) for part in parts)
        case _:
            return _path(node, known)


def _path(node: ast.expr, known: Mapping[str, object]) -> object:
    """Return the path or text of an expression of pathlib; None for any other."""
    match node:
        case ast.Call(func=ast.Name(id="str"), args=[inner]):
            return _text(_value(inner, known))
        case ast.Call(func=function, args=[inner]) if ast.unparse(function).endswith("Path"):
            return _Where(NAME if ast.unparse(inner) == "__file__" else _text(_value(inner, known)))
        case ast.Call(func=ast.Attribute(value=inner, attr="resolve" | "absolute"), args=[]):
            return _value(inner, known)
        case ast.Attribute(value=inner, attr="parent"):
            value = _value(inner, known)
            return _Where(str(Path(value.path).parent)) if isinstance(value, _Where) else None
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            folder, name = _value(left, known), _text(_value(right, known))
            return _Where(str(Path(folder.path) / name)) if isinstance(folder, _Where) else None
        case _:
            return None


def _formatted(part: ast.expr, known: Mapping[str, object]) -> str:
    if isinstance(part, ast.FormattedValue):
        return _text(_value(part.value, known))
    return _text(_value(part, known))
