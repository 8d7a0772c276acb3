"""Which tests a change takes away: by the syntax trees of the changed test files, moved and renamed ones matched. Pure."""

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from ci_action.project.file_kinds import PYTEST_FILES
from ci_action.stages.gate_changes.configs import UnreadableError
from ci_action.stages.gate_changes.suppressions import tree_of

_SKIPS: Final = ("skip", "xfail", "expectedFailure")
_BLOCKS: Final = (ast.If, ast.Try, ast.With)


@dataclass(frozen=True, kw_only=True)
class Naming:
    """What pytest takes for a test: patterns of files, beginnings of functions and classes."""

    files: tuple[str, ...] = PYTEST_FILES
    functions: tuple[str, ...] = ("test",)
    classes: tuple[str, ...] = ("Test",)

    def is_function(self, name: str) -> bool:
        """Whether a function is a test."""
        return _named(name, self.functions)

    def is_class(self, name: str) -> bool:
        """Whether a class holds tests."""
        return _named(name, self.classes)

    def is_file(self, path: str) -> bool:
        """Whether a file holds tests."""
        name = path.rpartition("/")[2]
        return any(fnmatchcase(path if "/" in pattern else name, pattern) for pattern in self.files)


def _named(name: str, options: tuple[str, ...]) -> bool:
    return any(name.startswith(one) or fnmatchcase(name, one) for one in options)


@dataclass(frozen=True, kw_only=True)
class OfTests:
    """A file of tests before and after; None where it was not there, or is none any more."""

    path: str
    """As it is now, or was, where it is gone."""
    before: str | None
    after: str | None


@dataclass(frozen=True, kw_only=True)
class Test:
    """A test function."""

    path: str
    name: str
    """With its classes: `TestAll.test_one`."""
    node: ast.FunctionDef | ast.AsyncFunctionDef = field(compare=False)
    follows: str = ""
    """The test before it in the file."""

    @property
    def function(self) -> str:
        """The name without the classes."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, kw_only=True)
class Gone:
    """The tests of one file that are gone."""

    path: str
    names: tuple[str, ...]
    line: int | None
    """Where the first of them was, as the file is now."""


def gone(files: Sequence[OfTests], before: Naming, after: Naming, problems: list[str]) -> Iterator[Gone]:
    """Yield what is gone, file by file; what cannot be parsed is added to `problems`, and not compared."""
    old: list[Test] = []
    new: list[Test] = []
    for file in files:
        try:
            found = [*tests_of(file.path, file.before, before)], [*tests_of(file.path, file.after, after)]
        except UnreadableError as error:
            problems.append(f"{file.path}: {error}")
            continue
        old += found[0]
        new += found[1]
    missing = _missing(old, new)
    for path in dict.fromkeys(test.path for test in missing):
        here = [test for test in missing if test.path == path]
        names = tuple(test.name.replace(".", "::") for test in here)
        yield Gone(path=path, names=names, line=_line(here[0], new))


def _missing(old: Sequence[Test], new: Sequence[Test]) -> list[Test]:
    there = {(test.path, test.name) for test in new}
    known = {(test.path, test.name) for test in old}
    candidates = list(
        {(test.path, test.name): test for test in old if (test.path, test.name) not in there}.values()
    )
    fresh = [test for test in new if (test.path, test.name) not in known]
    # A test of the same name that is new elsewhere has moved.
    names = Counter(test.function for test in fresh)
    unmoved = []
    for test in candidates:
        if names[test.function]:
            names[test.function] -= 1
        else:
            unmoved.append(test)
    if not unmoved or not fresh:
        return unmoved
    # One with another name and the same body was renamed, unless it is skipped by more than before.
    bodies: dict[str, list[Counter[str]]] = {}
    for test in fresh:
        bodies.setdefault(_body(test), []).append(_marks(test))
    left = []
    for test in unmoved:
        alike = bodies.get(_body(test), [])
        same = next((marks for marks in alike if marks <= _marks(test)), None)
        if same is None:
            left.append(test)
        else:
            alike.remove(same)
    return left


def _marks(test: Test) -> Counter[str]:
    """Return what skips a test."""
    shown = map(ast.unparse, test.node.decorator_list)
    return Counter(one for one in shown if any(word in one for word in _SKIPS))


def _body(test: Test) -> str:
    body = test.node.body
    first = body[0]
    if len(body) > 1 and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        body = body[1:]  # a docstring
    try:
        return "\n".join(map(ast.dump, body))
    except RecursionError:
        return f"{test.path} {test.name}"


def tests_of(path: str, text: str | None, naming: Naming) -> Iterator[Test]:
    """Yield the tests of a file; raises `UnreadableError`."""
    if text is None:
        return
    previous = ""
    for name, node in _functions(tree_of(text).body, "", naming):
        yield Test(path=path, name=name, node=node, follows=previous)
        previous = name


def _functions(
    body: Sequence[ast.stmt], around: str, naming: Naming
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if naming.is_function(node.name) and not _is_fixture(node):
                yield f"{around}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            # One with a base may be of unittest.
            if naming.is_class(node.name) or node.bases:
                yield from _functions(node.body, f"{around}{node.name}.", naming)
        elif isinstance(node, _BLOCKS):
            for name in ("body", "handlers", "orelse", "finalbody"):
                for part in getattr(node, name, ()):
                    inner = part.body if isinstance(part, ast.ExceptHandler) else [part]
                    yield from _functions(inner, around, naming)


def _is_fixture(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = (one.func if isinstance(one, ast.Call) else one for one in node.decorator_list)
    return any(
        "fixture" in (one.attr if isinstance(one, ast.Attribute) else getattr(one, "id", "")) for one in names
    )


def _line(test: Test, new: Sequence[Test]) -> int | None:
    """Return the end of the test before it, as the file is now; None if that is gone too."""
    around = (one.node.end_lineno for one in new if one.path == test.path and one.name == test.follows)
    return next(around, None)
