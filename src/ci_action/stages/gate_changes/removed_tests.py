"""Tests that a change removes: by the syntax trees of the test files, without moved and renamed ones. Pure."""

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from ci_action.project.file_kinds import PYTEST_FILES
from ci_action.stages.gate_changes.loosened import REMOVED_TEST, Changed, Loosened, listed, tried
from ci_action.stages.gate_changes.suppressions import tree_of, without

_SKIPS: Final = ("skip", "xfail", "expectedFailure")
_BLOCKS: Final = (ast.If, ast.Try, ast.With)


@dataclass(frozen=True)
class Naming:
    """The names of tests for pytest: patterns of files, beginnings of functions and classes."""

    files: tuple[str, ...] = PYTEST_FILES
    functions: tuple[str, ...] = ("test",)
    classes: tuple[str, ...] = ("Test",)

    def is_file(self, path: str) -> bool:
        """Whether a file holds tests."""
        name = path.rpartition("/")[2]
        return any(fnmatchcase(path if "/" in pattern else name, pattern) for pattern in self.files)


def _named(name: str, options: tuple[str, ...]) -> bool:
    return any(name.startswith(one) or fnmatchcase(name, one) for one in options)


@dataclass(frozen=True, kw_only=True)
class Test:
    """A test function."""

    path: str
    name: str
    """With its classes: `TestAll.test_one`."""
    node: ast.FunctionDef | ast.AsyncFunctionDef = field(compare=False)
    follows: str = ""
    """The test before it in the file."""


def compare(
    files: Sequence[Changed], before: Naming, after: Naming, problems: list[str]
) -> Iterator[Loosened]:
    """Yield the removed tests, file by file; files that cannot be parsed are added to `problems`."""
    old: list[Test] = []
    new: list[Test] = []
    for file in files:
        for was, now in tried(problems, _tests_of, file, before, after, path=file.path):
            old += was
            new += now
    missing = _missing(old, new)
    for path in dict.fromkeys(test.path for test in missing):
        here = [test for test in missing if test.path == path]
        names = listed(test.name.replace(".", "::") for test in here)
        number = "1 test is" if len(here) == 1 else f"{len(here):,} tests are"
        text = f"{number} gone: {names}"
        yield Loosened(rule=REMOVED_TEST, message=text, path=path, line=_line(here[0], new))


def _missing(old: Sequence[Test], new: Sequence[Test]) -> list[Test]:
    tests, there = ({(test.path, test.name): test for test in side} for side in (old, new))
    fresh = [test for name, test in there.items() if name not in tests]
    missing = [test for name, test in tests.items() if name not in there]
    # A test of the same name that is new elsewhere has moved.
    unmoved = without(missing, _function, Counter(map(_function, fresh)))
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


def _function(test: Test) -> str:
    """Return the name without the classes."""
    return test.name.rpartition(".")[2]


def _marks(test: Test) -> Counter[str]:
    """Return the decorators that skip a test."""
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


def _tests_of(file: Changed, before: Naming, after: Naming) -> Iterator[tuple[list[Test], list[Test]]]:
    """Yield the tests of a file before and after; raises `ToolError`."""
    was = file.before if before.is_file(file.previous) else None
    now = file.after if after.is_file(file.path) else None
    yield [*_tests(file.path, was, before)], [*_tests(file.path, now, after)]


def _tests(path: str, text: str | None, naming: Naming) -> Iterator[Test]:
    previous = ""
    for name, node in _functions(tree_of(text or "").body, "", naming):
        yield Test(path=path, name=name, node=node, follows=previous)
        previous = name


def _functions(
    body: Sequence[ast.stmt], around: str, naming: Naming
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if _named(node.name, naming.functions) and not _is_fixture(node):
                yield f"{around}{node.name}", node
        elif isinstance(node, ast.ClassDef):
            # One with a base may be of unittest.
            if _named(node.name, naming.classes) or node.bases:
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
    """Return the end of the test before it in the new file; None if that is gone too."""
    around = (one.node.end_lineno for one in new if one.path == test.path and one.name == test.follows)
    return next(around, None)
