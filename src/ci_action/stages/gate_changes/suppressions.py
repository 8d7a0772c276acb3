"""Suppressions that a change adds: comments by the tokens of a file, skipped tests by its syntax tree. Pure."""

import ast
import re
import tokenize
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Final, TypeVar

from ci_action.stages.gate_changes.loosened import ADDED_SUPPRESSION, Changed, Loosened, tried
from ci_action.system.errors import ToolError

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
    "|".join(pattern.pattern.replace("?P<codes>", "?:") for _, pattern in _COMMENTS), re.IGNORECASE
)
# Of hadolint, and of BuildKit.
_OF_DOCKERFILE: Final = re.compile(
    r"^[ \t]*#[ \t]*(?P<kind>hadolint[ \t]+(?:global[ \t]+)?ignore[ \t]*=|check[ \t]*=[ \t]*skip[ \t]*=)"
    r"[ \t]*(?P<codes>[A-Za-z]+\d*(?:[ \t]*,[ \t]*[A-Za-z]+\d*)*)",
    re.MULTILINE,
)
_MARKS: Final = frozenset({"skip", "skipif", "xfail"})
_SKIPPING: Final = frozenset({"skip", "skipIf", "skipUnless", "expectedFailure"})
_CALLS: Final = frozenset({"skip", "xfail"})
_ANY_SKIP: Final = "skip|xfail|expectedFailure"
# They skip a test on some systems or in some runs: a new test with one removes nothing.
_CONDITIONAL: Final = frozenset({"pytest.mark.skipif", "unittest.skipIf", "unittest.skipUnless"})
_FUNCTION: Final = re.compile(r"^\s*(?:async\s+)?def\s+(\w+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Suppression:
    """One suppression at one place."""

    kind: str
    codes: frozenset[str] = frozenset()
    """What it is limited to; empty for everything."""
    text: str = ""
    """The line for a comment, the expression for a skipped test: the same after a move."""
    scope: str = ""
    """The function or class around it, or that it decorates; only for skipped tests."""
    line: int
    conditional: bool = False
    """Whether it only counts on a test of the base commit."""

    def __str__(self) -> str:
        """Render as in the source: `# noqa: E501`."""
        codes = ", ".join(sorted(self.codes))
        if not codes:
            return self.kind
        if self.kind.endswith("="):
            return f"{self.kind}{codes}"
        return f"{self.kind}[{codes}]" if self.kind.endswith("ignore") else f"{self.kind}: {codes}"


_Kind = tuple[re.Pattern[str], Callable[[str], Iterable[Suppression]]]
_One = TypeVar("_One")


def compare(files: Sequence[Changed], markers: frozenset[str], problems: list[str]) -> Iterator[Loosened]:
    """Yield each new suppression; files that cannot be parsed are added to `problems`.

    `markers` are those whose tests the project deselects: a test that gets one does not run.
    """
    skips = re.compile("|".join([_ANY_SKIP, *map(re.escape, sorted(markers))]), re.IGNORECASE)
    touched = [file for file in files if file.before != file.after]
    for kind in ((_ANY_COMMENT, _comments), (skips, lambda text: _skips(text, markers))):
        yield from _added(touched, kind, problems)


def compare_dockerfiles(files: Sequence[Changed]) -> Iterator[Loosened]:
    """Yield each new suppression in Dockerfiles."""
    touched = [file for file in files if file.before != file.after]
    return _added(touched, (_OF_DOCKERFILE, _of_dockerfile), [])


def _of_dockerfile(text: str) -> Iterator[Suppression]:
    for match in _OF_DOCKERFILE.finditer(text):
        kind = "# " + re.sub(r"\s*=\s*", "=", " ".join(match["kind"].split()))
        codes = frozenset(re.split(r"[\s,]+", match["codes"]))
        line = text.count("\n", 0, match.start("kind")) + 1
        yield Suppression(kind=kind, codes=codes, text=match[0].strip(), line=line)


def _added(touched: Sequence[Changed], kind: _Kind, problems: list[str]) -> Iterator[Loosened]:
    """Yield the new suppressions of one kind, on lines that its pattern matches."""
    pattern, _ = kind
    lines = {file: [_lines(pattern, text or "") for text in (file.before, file.after)] for file in touched}
    suspects = [file for file, (before, after) in lines.items() if after - before]
    # Only if one is new, the removed ones of other files matter: it may have moved.
    others = [file for file, (before, after) in lines.items() if suspects and before - after]
    fresh: list[tuple[str, Suppression]] = []
    gone: Counter[Hashable] = Counter()
    names: set[str] = set()
    for file in dict.fromkeys([*suspects, *others]):
        for left, rest in tried(problems, _unmatched, file, kind, path=file.path):
            names |= {*_FUNCTION.findall(file.before or "")}
            gone.update(map(_moved, left))
            fresh += [(file.path, one) for one in rest]
    for path, one in without(fresh, lambda pair: _moved(pair[1]), gone):
        if not one.conditional or one.scope.rpartition(".")[2] in names:
            around = f" in {one.scope}" if one.scope else ""
            yield Loosened(rule=ADDED_SUPPRESSION, message=f"new `{one}`{around}", path=path, line=one.line)


def _moved(one: Suppression) -> Hashable:
    return one.kind, one.codes, one.text


def _lines(pattern: re.Pattern[str], text: str) -> Counter[str]:
    if not pattern.search(text):
        return Counter()
    return Counter(line.strip() for line in text.split("\n") if pattern.search(line))


def _unmatched(file: Changed, kind: _Kind) -> Iterator[tuple[list[Suppression], list[Suppression]]]:
    """Yield what only one side has, at equal lines first, then anywhere, then a wider one for a narrower one."""
    before, after = (list(kind[1](text or "")) for text in (file.before, file.after))
    for key in (_moved, lambda one: (one.kind, one.codes, one.scope), lambda one: (one.kind, one.codes)):
        both = Counter(map(key, before)) & Counter(map(key, after))
        before, after = (without(side, key, both) for side in (before, after))
    yield before, [one for one in after if not any(_covers(other, one) for other in before)]


def without(
    found: Iterable[_One], key: Callable[[_One], Hashable], taken: Mapping[Hashable, int]
) -> list[_One]:
    """Return what is left if the first ones of each key are taken out, by their number."""
    left, kept = Counter(taken), []
    for one in found:
        if left[key(one)] > 0:
            left[key(one)] -= 1
        else:
            kept.append(one)
    return kept


def _comments(text: str) -> Iterator[Suppression]:
    try:
        for token in tokenize.generate_tokens(StringIO(text).readline):
            if token.type == tokenize.COMMENT and _ANY_COMMENT.search(token.string):
                yield from _of_comment(token.string, token.line.strip(), token.start[0])
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ToolError(f"it cannot be split into tokens ({type(error).__name__})") from error


def _of_comment(comment: str, line: str, number: int) -> Iterator[Suppression]:
    for kind, pattern in _COMMENTS:
        for match in pattern.finditer(comment):
            codes = match.groupdict().get("codes") or ""
            found = frozenset(re.split(r"[\s,]+", codes.strip().strip(","))) - {""}
            yield Suppression(kind=kind, codes=found, text=line, line=number)


def tree_of(text: str) -> ast.Module:
    """Parse a file of Python; raises `ToolError`."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ToolError(f"it cannot be parsed ({type(error).__name__})") from error


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
    """Return the kind of skip that an expression is; empty if it is something else."""
    if isinstance(node, ast.Attribute):
        around = getattr(node.value, "attr", getattr(node.value, "id", ""))
        if around == "mark" and node.attr in _MARKS | markers:
            return f"pytest.mark.{node.attr}"
        if around == "unittest" and node.attr in _SKIPPING | {"SkipTest"}:
            return f"unittest.{node.attr}"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if getattr(node.func.value, "id", "") == "pytest" and node.func.attr in _CALLS:
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


def _covers(wide: Suppression, narrow: Suppression) -> bool:
    """Whether a removed suppression included everything that a new one is limited to."""
    return wide.kind == narrow.kind and bool(narrow.codes) and (not wide.codes or narrow.codes <= wide.codes)
