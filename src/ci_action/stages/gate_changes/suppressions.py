"""Which suppressions a change adds: comments by the tokens of a file, skipped tests by its syntax tree. Pure."""

import ast
import re
import tokenize
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Final

from ci_action.stages.gate_changes.configs import UnreadableError

_CODES: Final = r"(?:\s*:\s*(?P<codes>[A-Za-z]+\d+(?:[\s,]+[A-Za-z]+\d+)*))?"
_COMMENTS: Final = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("# ruff: noqa", rf"#\s*(?:ruff|flake8)\s*[:=]\s*noqa\b{_CODES}"),
        ("# noqa", rf"#\s*noqa\b{_CODES}"),
        ("# nosec", r"#\s*nosec\b\s*:?\s*(?P<codes>B\d+(?:[\s,]+B\d+)*)?"),
        ("# type: ignore", r"#\s*type:\s*ignore\b(?:\[(?P<codes>[\w\s,-]*)\])?"),
        ("# pyright: ignore", r"#\s*pyright:\s*ignore\b(?:\[(?P<codes>[\w\s,-]*)\])?"),
        ("# ty: ignore", r"#\s*ty:\s*ignore\b(?:\[(?P<codes>[\w\s,-]*)\])?"),
        ("# mypy: ignore-errors", r"#\s*mypy:\s*ignore-errors\b"),
        ("# fmt: off", r"#\s*fmt:\s*(?:off|skip)\b"),
        ("# pragma: no cover", r"#\s*pragma[:\s]?\s*no\s*cover\b"),
        ("# pragma: no branch", r"#\s*pragma[:\s]?\s*no\s*branch\b"),
        ("# pragma: allowlist secret", r"#\s*pragma:\s*(?:allow|white)list[ -](?:nextline[ -])?secret\b"),
    )
)
_ANY_COMMENT: Final = re.compile(
    r"#.*(?:noqa|nosec|(?:type|pyright|ty|mypy):\s*ignore|fmt:\s*(?:off|skip)|pragma)", re.IGNORECASE
)
_MARKS: Final = frozenset({"skip", "skipif", "xfail"})
_SKIPPING: Final = frozenset({"skip", "skipIf", "skipUnless", "expectedFailure"})
_CALLS: Final = frozenset({"skip", "xfail"})
_ANY_SKIP: Final = "skip|xfail|expectedFailure"
# They skip a test only somewhere, or only in some runs: one that is new takes nothing away.
_CONDITIONAL: Final = frozenset({"pytest.mark.skipif", "unittest.skipIf", "unittest.skipUnless"})
_FUNCTION: Final = re.compile(r"^\s*(?:async\s+)?def\s+(\w+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Suppression:
    """One suppression at one place."""

    kind: str
    codes: frozenset[str] = frozenset()
    """What it is limited to; empty for everything."""
    text: str = ""
    """The line for a comment, the expression for a skipped test: the same where it only moved."""
    scope: str = ""
    """The function or class around it, or that it decorates; only for skipped tests."""
    line: int
    conditional: bool = False
    """Whether it only counts on a test that was there before."""

    @property
    def function(self) -> str:
        """The name of the function, without the classes around it."""
        return self.scope.rpartition(".")[2]

    def __str__(self) -> str:
        """Render as it is written: `# noqa: E501`."""
        codes = ", ".join(sorted(self.codes))
        if not codes:
            return self.kind
        return f"{self.kind}[{codes}]" if self.kind.endswith("ignore") else f"{self.kind}: {codes}"


@dataclass(frozen=True, kw_only=True)
class Changed:
    """A Python file before and after; empty where it was not, or is not any more."""

    path: str
    before: str
    after: str


_Find = Callable[[str], Iterator[Suppression]]


def added(
    files: Sequence[Changed], markers: frozenset[str], problems: list[str]
) -> Iterator[tuple[str, Suppression]]:
    """Yield each suppression that is new, with its file; what cannot be parsed is added to `problems`.

    `markers` are those whose tests the project leaves out: a test that gets one is not run any more.
    """
    for pattern, find in _kinds(markers):
        yield from _added(files, pattern, find, problems)


def _added(
    files: Sequence[Changed], pattern: re.Pattern[str], find: _Find, problems: list[str]
) -> Iterator[tuple[str, Suppression]]:
    """Yield what is new of one kind, which is on lines that a pattern matches."""
    touched = [file for file in files if file.before != file.after]
    suspects = [file for file in touched if _lines(pattern, file.after) - _lines(pattern, file.before)]
    # Only if there is a new one, it matters what is gone elsewhere: it may have moved.
    others = [
        file for file in touched if suspects and _lines(pattern, file.before) - _lines(pattern, file.after)
    ]
    fresh: list[tuple[str, Suppression]] = []
    gone: list[Suppression] = []
    names: set[str] = set()
    for file in dict.fromkeys([*suspects, *others]):
        try:
            left, rest = _unmatched([*find(file.before)], [*find(file.after)])
        except UnreadableError as error:
            problems.append(f"{file.path}: {error}")
            continue
        names |= {*_FUNCTION.findall(file.before)}
        gone += left
        fresh += [(file.path, one) for one in rest]
    moved = Counter(_moved(one) for one in gone)
    for path, one in fresh:
        if moved[_moved(one)]:
            moved[_moved(one)] -= 1
        elif not one.conditional or one.function in names:
            yield path, one


def _kinds(markers: frozenset[str]) -> tuple[tuple[re.Pattern[str], _Find], ...]:
    skips = re.compile("|".join([_ANY_SKIP, *map(re.escape, sorted(markers))]), re.IGNORECASE)
    return (_ANY_COMMENT, _comments), (skips, lambda text: _skips(text, markers))


def _moved(one: Suppression) -> Hashable:
    return one.kind, one.codes, one.text


def _lines(pattern: re.Pattern[str], text: str) -> Counter[str]:
    if not pattern.search(text):
        return Counter()
    return Counter(line.strip() for line in text.split("\n") if pattern.search(line))


def _comments(text: str) -> Iterator[Suppression]:
    try:
        for token in tokenize.generate_tokens(StringIO(text).readline):
            if token.type == tokenize.COMMENT and _ANY_COMMENT.search(token.string):
                yield from _of_comment(token.string, token.line.strip(), token.start[0])
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError(f"it cannot be split into tokens ({type(error).__name__})") from error


def _of_comment(comment: str, line: str, number: int) -> Iterator[Suppression]:
    for kind, pattern in _COMMENTS:
        for match in pattern.finditer(comment):
            codes = match.groupdict().get("codes") or ""
            found = frozenset(re.split(r"[\s,]+", codes.strip().strip(","))) - {""}
            yield Suppression(kind=kind, codes=found, text=line, line=number)


def tree_of(text: str) -> ast.Module:
    """Parse a file of Python; raises `UnreadableError`."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError(f"it cannot be parsed ({type(error).__name__})") from error


def _skips(text: str, markers: frozenset[str]) -> Iterator[Suppression]:
    waiting: list[tuple[ast.AST, str, bool]] = [(tree_of(text), "", False)]
    while waiting:
        node, scope, function = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            scope = f"{scope}.{node.name}" if scope else node.name
            function = not isinstance(node, ast.ClassDef)
            for one in node.decorator_list:
                target = one.func if isinstance(one, ast.Call) else one
                if isinstance(target, ast.Name) and target.id in _SKIPPING:  # from unittest
                    yield _skip(f"unittest.{target.id}", one, scope, markers, function=function)
        elif kind := _kind(node, markers):
            yield _skip(kind, node, scope, markers, function=function)
        waiting += [(child, scope, function) for child in ast.iter_child_nodes(node)]


def _kind(node: ast.AST, markers: frozenset[str]) -> str:
    """Return which skip an expression is; empty if it is none."""
    if isinstance(node, ast.Attribute):
        owner = node.value
        around = (
            owner.attr
            if isinstance(owner, ast.Attribute)
            else owner.id if isinstance(owner, ast.Name) else ""
        )
        if around == "mark" and node.attr in _MARKS | markers:
            return f"pytest.mark.{node.attr}"
        if around == "unittest" and node.attr in _SKIPPING | {"SkipTest"}:
            return f"unittest.{node.attr}"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if (
            isinstance(node.func.value, ast.Name)
            and node.func.value.id == "pytest"
            and node.func.attr in _CALLS
        ):
            return f"pytest.{node.func.attr}()"
        if node.func.attr == "skipTest":
            return "self.skipTest()"
    return ""


def _skip(kind: str, node: ast.AST, scope: str, markers: frozenset[str], *, function: bool) -> Suppression:
    return Suppression(
        kind=kind,
        text=f"{scope} {ast.unparse(node)}",
        scope=scope,
        line=getattr(node, "lineno", 1),
        conditional=function and (kind in _CONDITIONAL or kind.rpartition(".")[2] in markers),
    )


def _unmatched(
    before: Sequence[Suppression], after: Sequence[Suppression]
) -> tuple[list[Suppression], list[Suppression]]:
    """Take out of both what is in both: first the same at the same line, then the same anywhere, then wider by narrower."""
    old, new = list(before), list(after)
    for key in (_moved, lambda one: (one.kind, one.codes, one.scope), lambda one: (one.kind, one.codes)):
        there = Counter(map(key, old))
        rest = []
        taken: Counter[Hashable] = Counter()
        for one in new:
            if taken[key(one)] < there[key(one)]:
                taken[key(one)] += 1
            else:
                rest.append(one)
        old = [*_without(old, key, taken)]
        new = rest
    wider = [one for one in new if not any(_covers(other, one) for other in old)]
    return old, wider


def _without(
    found: Sequence[Suppression], key: Callable[[Suppression], Hashable], taken: Counter[Hashable]
) -> Iterator[Suppression]:
    left = Counter(taken)
    for one in found:
        if left[key(one)]:
            left[key(one)] -= 1
        else:
            yield one


def _covers(wide: Suppression, narrow: Suppression) -> bool:
    """Whether a suppression that is gone held for all that a new one is limited to."""
    return wide.kind == narrow.kind and bool(narrow.codes) and (not wide.codes or narrow.codes <= wide.codes)
