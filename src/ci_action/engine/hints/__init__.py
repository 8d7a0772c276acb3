"""Hints: known errors, recognised in what a tool wrote, with their cause, what to do, and where to read.

A stage has a table in its package; those beside this file are for every stage and come after it. Entries are in the order
in which they are shown. An entry has:

- `name`, `cause`, `fix`, `url`: what is told; `{group}` stands for what the group of a pattern has found, and
  `{group:package}` for its translation;
- `patterns`: regular expressions, one of which must be found; every repetition in them has a small limit, so that
  the time they take grows with the text and not faster (a test sees to it);
- `needs`: each of these must be found too; `unless`: none of these may be found;
- `tools`: the tools whose output is looked at (every tool without it);
- `container`: whether it holds only inside or only outside of our image;
- `where`: what a found group must be: `module is ours`, `variable is empty`, `option is translated`, or `is not`;
- `translate.package`: what to install for what was found; the name "" stands for all others;
- `hidden-by`: names of hints that say it better.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from ci_action.engine.context import Context
from ci_action.model.result import Broken, Hint, Outcome, Report, Skipped, StageResult, ToolResult
from ci_action.system.text import plain

_SHARED: Final = ("install.toml", "machine.toml")
# What a tool said last is what it ended with.
LONGEST_TEXT: Final = 200_000
MOST: Final = 5
# So many different names are told of one kind.
_MOST_NAMES: Final = 3
_ANSI: Final = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")
_PLACE: Final = re.compile(r"\{(?P<group>[a-z]+)(?::(?P<table>[a-z]+))?\}")

# The failures of tests take at most so much of the text: what the tool said last must have room too.
_LONGEST_FAILURES: Final = LONGEST_TEXT // 2
_MOST_ENTRIES: Final = 1_000
_CREDENTIAL: Final = re.compile(r"KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|AUTH|URL|URI|DSN|HOST|USER|LOGIN")
_NOT_THEIRS: Final = ("INPUT_", "GITHUB_", "RUNNER_", "ACTIONS_")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known beside the text."""

    tool: str = ""
    """Who wrote the text; empty to try every entry."""
    container: bool = False
    """Whether we run in our image."""
    packages: frozenset[str] = frozenset()
    """The names that the project's own code is imported by."""
    empty: frozenset[str] = frozenset()
    """Environment variables that are set, and empty."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One known error, as the tables have it."""

    name: str
    cause: str
    fix: str
    url: str
    patterns: tuple[re.Pattern[str], ...]
    needs: tuple[re.Pattern[str], ...] = ()
    unless: tuple[re.Pattern[str], ...] = ()
    tools: frozenset[str] = frozenset()
    container: bool | None = None
    where: str = ""
    translate: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    hidden_by: frozenset[str] = frozenset()

    def concerns(self, facts: Facts) -> bool:
        """Whether the entry is about this tool and this place."""
        if facts.tool and self.tools and facts.tool not in self.tools:
            return False
        return self.container is None or self.container is facts.container

    def found(self, text: str, facts: Facts) -> dict[str, list[str]] | None:
        """Return what the groups have found, each name once; None where the entry does not hold."""
        if not all(pattern.search(text) for pattern in self.needs):
            return None
        matches = [
            match.groupdict()
            for pattern in self.patterns
            for match in pattern.finditer(text)
            if self._holds(match.groupdict(), facts)
        ]
        if not matches or any(pattern.search(text) for pattern in self.unless):
            return None
        names: dict[str, dict[str, None]] = {}
        for groups in matches:
            for group, value in groups.items():
                if value:
                    names.setdefault(group, {})[plain(value)] = None
        return {group: list(values) for group, values in names.items()}

    def _holds(self, groups: Mapping[str, str | None], facts: Facts) -> bool:
        if not self.where:
            return True
        group, _, what = self.where.partition(" is ")
        wanted, word = not what.startswith("not "), what.removeprefix("not ")
        value = groups.get(group) or ""
        known: Mapping[str, bool] = {
            "ours": value.partition(".")[0] in facts.packages,
            "empty": value in facts.empty,
            "translated": any(value in table for table in self.translate.values()),
        }
        return bool(value) and known[word] is wanted

    def hint(self, names: Mapping[str, list[str]]) -> Hint:
        """Return what is told, with what was found in it."""

        def shown(place: re.Match[str]) -> str:
            found = names.get(place["group"], [])
            if table := self.translate.get(place["table"] or ""):
                found = list(dict.fromkeys(table.get(name) or table.get("") or name for name in found))
            more = ["…"] if len(found) > _MOST_NAMES else []
            return ", ".join([*found[:_MOST_NAMES], *more])

        told = [re.sub(r"\s+", " ", _PLACE.sub(shown, text)) for text in (self.cause, self.fix)]
        return Hint(name=self.name, cause=told[0], fix=told[1], url=self.url)


def entries(own: Path | None) -> tuple[Entry, ...]:
    """Return the entries of a stage's own table, if it has one, then those for every stage."""
    shared = (Path(__file__).with_name(name) for name in _SHARED)
    return tuple(entry for table in (own, *shared) if table for entry in _entries(table))


@cache
def _entries(table: Path) -> tuple[Entry, ...]:
    return tuple(map(_entry, tomllib.loads(table.read_text("utf-8"))["hint"]))


def _entry(values: Mapping[str, Any]) -> Entry:
    given = {name.replace("-", "_"): value for name, value in values.items()}
    for name in ("patterns", "needs", "unless"):
        given[name] = tuple(re.compile(text, re.MULTILINE) for text in given.get(name, ()))
    for name in ("tools", "hidden_by"):
        given[name] = frozenset(given.get(name, ()))
    return Entry(**given)


def recognise(text: str, facts: Facts, own: Path | None = None) -> tuple[Hint, ...]:
    """Return the known errors in what a tool wrote, at most five; only the end of a long text is looked at.

    `own` is the table of the tool's stage.
    """
    shown = _ANSI.sub("", text[-LONGEST_TEXT:])
    if not shown.strip():
        return ()
    found: dict[str, tuple[Entry, Mapping[str, list[str]]]] = {}
    for entry in entries(own):
        if entry.concerns(facts) and (names := entry.found(shown, facts)) is not None:
            found[entry.name] = entry, names
    told = (entry.hint(names) for entry, names in found.values() if not entry.hidden_by & found.keys())
    return merged(told)[:MOST]


def merged(*several: Iterable[Hint]) -> tuple[Hint, ...]:
    """Join hints, each name once."""
    by_name: dict[str, Hint] = {}
    for hints in several:
        for hint in hints:
            by_name.setdefault(hint.name, hint)
    return tuple(by_name.values())


def evidence(outcome: Outcome, log: str) -> str:
    """Return the text in which known errors are looked for; empty where all went well."""
    match outcome:
        case Broken(reason, detail):
            return "\n".join((log, *_failures(outcome), detail, reason))
        case Skipped(reason, empty):
            return f"{log}\n{reason}" if empty else ""
        case Report():
            failures = list(_failures(outcome))
            return "\n".join((log, *failures)) if failures else ""


def _failures(outcome: Report | Broken) -> Iterator[str]:
    room = _LONGEST_FAILURES
    for case in outcome.tests:
        if case.outcome.is_red and room > 0:
            yield (text := f"{case.message}\n{case.detail}"[:room])
            room -= len(text)


def facts(tool: str, root: Path, environ: Mapping[str, str], *, container: bool) -> Facts:
    """Gather what is known beside the text; `root` is the project's folder."""
    return Facts(
        tool=tool,
        container=container,
        packages=frozenset(_packages(root)),
        empty=frozenset(
            name
            for name, value in environ.items()
            if not value and _CREDENTIAL.search(name) and not name.startswith(_NOT_THEIRS)
        ),
    )


def _packages(root: Path) -> Iterator[str]:
    """Yield the names that modules and packages in the project are imported by."""
    yield root.name
    for folder in (root, root / "src", root / "lib"):
        try:
            with os.scandir(folder) as entries:
                for entry, _ in zip(entries, range(_MOST_ENTRIES), strict=False):
                    name, extension = os.path.splitext(entry.name)
                    if extension == ".py" or (not extension and _holds_python(entry)):
                        yield name
        except OSError:
            continue


def _holds_python(entry: "os.DirEntry[str]") -> bool:
    if not entry.is_dir():
        return False
    with os.scandir(entry.path) as inside:
        return any(one.name.endswith(".py") for one, _ in zip(inside, range(_MOST_ENTRIES), strict=False))


def with_hints(result: ToolResult, ctx: Context, own: Path | None = None) -> ToolResult:
    """Return a result with the known errors in what its tool said, after those that the tool recognised itself.

    `own` is the table of its stage. A tool with which all went well has no hints.
    """
    text = evidence(result.outcome, result.log)
    if not text:
        return result
    known = facts(result.tool, ctx.layout.root, ctx.environ, container=ctx.container)
    return replace(result, hints=merged(result.hints, recognise(text, known, own)))


def limited(stages: tuple[StageResult, ...]) -> tuple[StageResult, ...]:
    """Keep at most five hints in a run, each once, at the first tool that had it."""
    known: set[str] = set()
    kept_stages = []
    for stage in stages:
        tools = []
        for tool in stage.tools:
            kept = [hint for hint in tool.hints if hint.name not in known][: MOST - len(known)]
            known |= {hint.name for hint in kept}
            tools.append(replace(tool, hints=tuple(kept)))
        kept_stages.append(replace(stage, tools=tuple(tools)))
    return tuple(kept_stages)
