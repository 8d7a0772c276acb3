"""The requirements of a project that name a formatter, linter or type checker.

Not every list counts: a library that needs Black at run time writes code with it, and an extra `black` is a feature.
"""

import ast
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ci_action.project.dependencies.pyproject import MAIN, poetry_entries, requirement_lists
from ci_action.project.tool_names import Named, by

_PACKAGES: Final = by(lambda one: one.packages)
# Words in the names of extras for development.
_DEVELOPMENT: Final = frozenset({
    "dev", "devel", "develop", "development", "developer", "lint", "linting", "linter", "linters", "style", "codestyle",
    "format", "formatting", "formatter", "quality", "check", "checks", "checking", "qa", "ci", "test", "tests", "testing",
    "typing", "types", "type", "typecheck", "mypy", "pyright", "pre", "precommit", "static", "analysis", "tools", "tooling",
    "build", "contrib", "contributing", "all",
})  # fmt: skip
_NAME: Final = re.compile(r"""\s*["']?([A-Za-z0-9][A-Za-z0-9._-]*)""")
_VIA: Final = re.compile(r"#\s*via\b(.*)|^\s+#\s+(.*)")


def _named(text: object) -> Named | None:
    match = _NAME.match(text) if isinstance(text, str) else None
    return _PACKAGES.get(match[1].lower().replace("_", "-")) if match else None


def _is_for_development(name: str) -> bool:
    return not _DEVELOPMENT.isdisjoint(re.split(r"[._\-\s]", name.lower()))


def in_pyproject(document: Mapping[str, Any]) -> Iterator[tuple[Named, str]]:
    """Yield each tool that a pyproject.toml requires, and the list. Raises `ValueError`.

    The dependencies of the project itself count if it cannot be built: an application often has one list for everything.
    """
    builds = "build-system" in document
    for where, entries in requirement_lists(document):
        if _counts(where, builds=builds):
            yield from ((named, where) for named in map(_named, entries) if named)
    for where, name, _ in poetry_entries(document):
        if (where != MAIN or not builds) and (named := _named(name)):
            yield named, where


def _counts(where: str, *, builds: bool) -> bool:
    if where == "project.dependencies":
        return not builds
    extra = where.removeprefix("project.optional-dependencies.")
    return extra == where or _is_for_development(extra)


def in_requirements(text: str) -> Iterator[tuple[Named, str]]:
    """Yield each tool in a requirements file, except those that only another package needs (`# via` of a resolver)."""
    found: tuple[Named, list[str]] | None = None
    for line in [*text.splitlines(), "end"]:
        via = _VIA.search(line)
        if found and via and line.lstrip().startswith("#"):
            found[1].append((via[1] or via[2] or "").strip())
            continue
        if line.lstrip().startswith(("--hash", "#")):
            continue
        if found and _is_direct(found[1]):
            yield found[0], ""
        named = _named(line)
        found = (named, [via[1].strip()] if via and via[1] else []) if named else None


def _is_direct(parents: list[str]) -> bool:
    known = [parent for parent in parents if parent]
    return not known or any(re.search(r"-r\b|-c\b|\(|\.(in|toml|txt|cfg|py)\b", parent) for parent in known)


def in_setup_cfg(text: str) -> Iterator[tuple[Named, str]]:
    """Yield each tool in the extras of a setup.cfg that are for development."""
    section = text.partition("[options.extras_require]")[2].partition("\n[")[0]
    extra = ""
    for line in section.splitlines():
        match = re.match(r"([\w.-]+)\s*=(.*)", line)
        extra = match[1] if match else extra
        entry = match[2] if match else line
        if _is_for_development(extra) and (named := _named(entry)):
            yield named, f"options.extras_require.{extra}"


def in_setup_py(text: str) -> Iterator[tuple[Named, str]]:
    """Yield each tool in the extras of a setup.py, as far as they are written as literals. Raises `SyntaxError`."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Dict):
            continue
        for key, value in zip(node.keys, node.values, strict=True):
            name = key.value if isinstance(key, ast.Constant) else None
            if (
                isinstance(name, str)
                and _is_for_development(name)
                and isinstance(value, ast.List | ast.Tuple)
            ):
                texts = (one.value for one in value.elts if isinstance(one, ast.Constant))
                yield from ((named, f"extras_require.{name}") for named in map(_named, texts) if named)


def in_pipfile(text: str) -> Iterator[tuple[Named, str]]:
    """Yield each tool in a Pipfile. Raises `ValueError`."""
    document = tomllib.loads(text)
    for section in ("dev-packages", "packages"):
        entries = document.get(section)
        for name in entries if isinstance(entries, dict) else ():
            if named := _named(name):
                yield named, section


READERS: Final[Mapping[str, Callable[[str], Iterator[tuple[Named, str]]]]] = {
    "setup.cfg": in_setup_cfg,
    "setup.py": in_setup_py,
    "Pipfile": in_pipfile,
}
PATTERNS: Final = (
    "*requirements*.txt", "*requirements*.in", "requirements/*.txt", "requirements/*.in", "dev-*.txt", "dev.txt",
)  # fmt: skip
"""Requirements files."""
