"""What the project's own checks cover: the files and options of its hooks and commands for a tool.

A finding in a file that the project itself does not check would be red where its own checks are green. A file is checked if
one of its hooks of pre-commit or of the commands of its continuous integration covers it; other commands decide if
neither runs the tool. Options that decide what a tool reports are passed on, before those of our settings.
"""

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Final

from ci_action.engine.context import Context
from ci_action.project.evidence import Evidence, Gathered, Kind
from ci_action.project.tool_names import Named
from ci_action.settings import SETTINGS
from ci_action.system.patterns import Bounded, Pattern
from ci_action.system.project_files import leading_words
from ci_action.system.text import counted

_PYTHON: Final = (".py", ".pyi", ".pyw")
_NOTEBOOK: Final = ".ipynb"
# Signs that a word has parts which only a shell knows.
_UNKNOWN: Final = re.compile(r"[$`{}\0]")
_GLOB: Final = re.compile(r"[*?\[]")
_SHORT: Final[Mapping[Named, Mapping[str, str]]] = {
    Named.BLACK: {
        "-l": "--line-length", "-t": "--target-version", "-S": "--skip-string-normalization",
        "-C": "--skip-magic-trailing-comma", "-x": "--skip-source-first-line", "-c": "--code", "-W": "--workers",
    },
    Named.RUFF_CHECK: {"-o": "--output-file"},
    Named.RUFF_FORMAT: {},
}  # fmt: skip
_RUFF_VALUES: Final = frozenset({
    "--config", "--exclude", "--extend-exclude", "--line-length", "--target-version",
})  # fmt: skip
# Options that decide what a tool reports: with a value, and without.
_VALUES: Final[Mapping[Named, frozenset[str]]] = {
    Named.BLACK: frozenset({
        "--line-length", "--target-version", "--include", "--exclude", "--extend-exclude", "--force-exclude",
        "--enable-unstable-feature",
    }),
    Named.RUFF_CHECK: _RUFF_VALUES | {
        "--select", "--ignore", "--extend-select", "--extend-ignore", "--per-file-ignores", "--extend-per-file-ignores",
    },
    Named.RUFF_FORMAT: _RUFF_VALUES,
}  # fmt: skip
_FLAGS: Final[Mapping[Named, frozenset[str]]] = {
    Named.BLACK: frozenset({
        "--skip-string-normalization", "--skip-magic-trailing-comma", "--skip-source-first-line", "--preview", "--unstable",
        "--pyi",
    }),
    Named.RUFF_CHECK: frozenset({"--preview", "--no-preview", "--isolated", "--no-respect-gitignore"}),
    Named.RUFF_FORMAT: frozenset({"--preview", "--no-preview", "--isolated", "--no-respect-gitignore"}),
}  # fmt: skip
# Other options with a value, which is not a path to check.
_OTHER_VALUES: Final = frozenset({
    "--code", "--workers", "--config", "--required-version", "--line-ranges", "--stdin-filename", "--python-cell-magics",
    "--fixable", "--unfixable", "--extend-fixable", "--extend-unfixable", "--output-file", "--output-format",
    "--cache-dir", "--range", "--extension", "--color", "--format", "--dummy-variable-rgx",
})  # fmt: skip
_SELECT: Final = "--select"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """The files that one hook or command covers."""

    folder: str = "."
    paths: tuple[str, ...] = (".",)
    """Files and folders relative to the workspace, with wildcards."""
    suffixes: tuple[str, ...] = ()
    """Empty for all."""
    files: tuple[Pattern, ...] = ()
    exclude: tuple[Pattern, ...] = ()

    def covers(self, path: str) -> bool:
        """Whether it checks a file, relative to the workspace; raises `TimedOutError`."""
        if not any(_is_below(path, one) for one in self.paths) or not path.endswith(self.suffixes or ("",)):
            return False
        below = os.path.relpath(path, self.folder)
        return all(one.search(below) for one in self.files) and not any(
            one.search(below) for one in self.exclude
        )


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The files and options of the project's own checks."""

    rules: tuple[Rule, ...] = ()
    """Empty if all files are checked."""
    words: tuple[str, ...] = ()
    """Options for the tool."""
    sources: tuple[str, ...] = ()
    """The files that decide."""

    def covers(self, path: str) -> bool:
        """Whether the project itself checks a file, relative to the workspace; raises `TimedOutError`."""
        return not self.rules or any(rule.covers(path) for rule in self.rules)

    def account(self, number: int) -> tuple[str, ...]:
        """Return a line about the files that it excludes."""
        if not number:
            return ()
        sources = " and ".join(self.sources)
        return (
            f"{counted(number, 'file')} left out, which the project's own checks do not cover: {sources}",
        )


def scope_of(ctx: Context, tool: Named) -> Scope:
    """Return what the project's own checks cover with a tool."""
    scope = scope_in(ctx.evidence, tool, ctx.layout.relative("."))
    if leading_words(scope.words, ctx.layout.root, ctx.layout.workspace):
        scope = replace(scope, words=())
    # What `paths` names is checked in any case.
    return scope if ctx.settings.paths == SETTINGS["paths"].default else replace(scope, rules=())


def scope_in(gathered: Gathered, tool: Named, root: str = ".") -> Scope:
    """Return the same from evidence; `root` is the folder of the run."""
    found = [one for one in gathered.naming(tool) if one.kind.runs and not one.advisory]
    checks = [one for one in found if one.kind is not Kind.COMMAND] or found
    parsed = [_parsed(one) for one in checks]
    rules = [_rule(one, given) for one, given in zip(checks, parsed, strict=True)]
    everything = any(
        rule.paths == (".",) and not (rule.suffixes or rule.files or rule.exclude) for rule in rules
    )
    here = [given for one, given in zip(checks, parsed, strict=True) if one.folder == root]
    return Scope(
        rules=() if everything else tuple(rules),
        words=_options(here),
        sources=tuple(dict.fromkeys(one.source for one in checks)),
    )


@dataclass
class _Given:
    """The arguments of a command, divided."""

    options: dict[str, list[str]] = field(default_factory=dict)
    """Those that decide what the tool reports."""
    paths: list[str] = field(default_factory=list)


def _parsed(one: Evidence) -> _Given:
    values, flags, short = _VALUES[one.tool], _FLAGS[one.tool], _SHORT[one.tool]
    given = _Given()
    words = iter(_spelled(one.words, short))
    for word in words:
        name, equals, value = word.partition("=")
        if not name.startswith("-") or name == "-":
            given.paths.append(word)
        elif name in values or name in _OTHER_VALUES:
            value = value if equals else next(words, "")
            if name in values and not _UNKNOWN.search(value):
                given.options.setdefault(name, []).append(value)
        elif name in flags:
            given.options[name] = []
    return given


def _spelled(words: Iterable[str], short: Mapping[str, str]) -> Iterator[str]:
    """Yield words with long names for the short options that are known: `-l100` and `-Sl 100`."""
    for word in words:
        rest = word[1:] if word.startswith("-") and not word.startswith("--") else ""
        if not rest:
            yield word
        while rest:
            name, rest = short.get(f"-{rest[0]}", ""), rest[1:]
            if name in {"--line-length", "--target-version", "--code", "--workers", "--output-file"}:
                yield f"{name}={rest.removeprefix('=')}" if rest else name
                rest = ""
            elif name:
                yield name


def _options(commands: Sequence[_Given]) -> tuple[str, ...]:
    """Return the options to pass on: those of the first command, and of several `--select` what any of them selects.

    A command that selects rules beside one that does not only adds to it.
    """
    whole = [one for one in commands if _SELECT not in one.options] or list(commands)
    if not whole:
        return ()
    options = dict(whole[0].options)
    if _SELECT in options:
        options[_SELECT] = [",".join(rule for one in whole for rule in one.options.get(_SELECT, []))]
    return tuple(
        word for name, values in options.items() for word in ([f"{name}={one}" for one in values] or [name])
    )


def _rule(one: Evidence, given: _Given) -> Rule:
    if one.kind is Kind.HOOK and one.gets_files:
        notebooks = one.tool is not Named.BLACK or one.source.endswith("black-jupyter")
        return Rule(
            folder=one.folder,
            paths=(os.path.normpath(one.folder),),
            suffixes=(*_PYTHON, _NOTEBOOK) if notebooks else _PYTHON,
            files=tuple(_compiled(one.files)),
            exclude=tuple(_compiled(one.exclude)),
        )
    paths = [os.path.normpath(os.path.join(one.folder, path)) for path in given.paths]
    inside = [path for path in paths if not _UNKNOWN.search(path) and not path.startswith(("/", ".."))]
    if len(inside) < len(paths) or not paths:
        inside = [os.path.normpath(one.folder)]
    return Rule(paths=tuple(inside))


def _compiled(patterns: Iterable[str]) -> Iterator[Pattern]:
    for pattern in patterns:
        with suppress(re.error, OverflowError, RecursionError):  # pre-commit itself refuses it
            yield Bounded(re.compile(pattern))


def _is_below(path: str, outer: str) -> bool:
    if outer in {".", path} or path.startswith(f"{outer}/"):
        return True
    return bool(_GLOB.search(outer)) and fnmatch.fnmatchcase(path, outer)
