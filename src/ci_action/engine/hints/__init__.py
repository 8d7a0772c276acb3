"""Hints: known errors in the output of tools, with their cause, a fix and a link.

A stage has a table in its package; those beside this file apply to every stage and come after it. Entries are in the
order in which they are shown. An entry has:

- `name`, `cause`, `fix`, `url`: the hint; `{group}` is replaced by the match of a group in `patterns`, and
  `{group:package}` by its translation;
- `patterns`: regular expressions, one of which must match; every repetition in them has a small limit, so that matching
  takes linear time (tested);
- `needs`: all of these must match too; `unless`: none of these may match;
- `tools`: the tools whose output is searched (by default all);
- `reported`: whether it also applies to a tool that reported errors, such as a build that failed; the text then ends with
  its errors, each with its rule before it. By default it applies if the tool was broken, or if tests failed;
- `container`: whether it applies only inside or only outside of our image;
- `where`: a condition for the match of a group: `module is ours`, `variable is empty`, `option is translated`, `path is
  absent` (a submodule, which the text names with `submodule not checked out:`), or `is not`;
- `translate.package`: the packages to install for matches; the name "" is the default;
- `hidden-by`: names of more precise hints.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from ci_action.engine.context import Context
from ci_action.model.finding import Level
from ci_action.model.result import Broken, Hint, Outcome, Report, Skipped, StageResult, ToolResult
from ci_action.system.errors import ProjectFileError
from ci_action.system.project_files import find_project_text, outside
from ci_action.system.text import plain

_SHARED: Final = ("install.toml", "machine.toml")
# Longer output is searched at its end, where a tool reports why it failed.
LONGEST_TEXT: Final = 200_000
MOST: Final = 5
# Matches that one hint lists.
_MOST_NAMES: Final = 3
_ANSI: Final = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")
_PLACE: Final = re.compile(r"\{(?P<group>[a-z]+)(?::(?P<table>[a-z]+))?\}")

# The maximum length of failures of tests in the text, so that the end of the output is searched too.
_LONGEST_FAILURES: Final = LONGEST_TEXT // 2
_MOST_ENTRIES: Final = 1_000
_SUBMODULE: Final = re.compile(r"^[ \t]*path[ \t]*=[ \t]*(\S[^\n]{0,250}?)[ \t]*$", re.MULTILINE)
_CREDENTIAL: Final = re.compile(r"KEY|TOKEN|SECRET|PASS|PWD|CREDENTIAL|AUTH|URL|URI|DSN|HOST|USER|LOGIN")
_NOT_THEIRS: Final = ("INPUT_", "GITHUB_", "RUNNER_", "ACTIONS_")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the entries depend on besides the text."""

    tool: str = ""
    """The tool that wrote the text; empty to try every entry."""
    container: bool = False
    """Whether we run in our image."""
    packages: frozenset[str] = frozenset()
    """The import names of the project's own code."""
    empty: frozenset[str] = frozenset()
    """Environment variables that are set but empty."""
    submodules: frozenset[str] = frozenset()
    """The git submodules whose folders are empty."""
    reported: bool = False
    """Whether the tool finished, and reported errors."""


class Entry(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """One known error, as in the tables."""

    name: str
    cause: str
    fix: str
    url: str
    patterns: tuple[re.Pattern[str], ...]
    needs: tuple[re.Pattern[str], ...] = ()
    unless: tuple[re.Pattern[str], ...] = ()
    tools: frozenset[str] = frozenset()
    reported: bool = False
    container: bool | None = None
    where: str = ""
    translate: dict[str, dict[str, str]] = {}
    hidden_by: frozenset[str] = frozenset()

    def concerns(self, facts: Facts) -> bool:
        """Whether the entry applies to this tool here."""
        if facts.tool and self.tools and facts.tool not in self.tools:
            return False
        if facts.reported and not self.reported:
            return False
        return self.container is None or self.container is facts.container

    def found(self, text: str, facts: Facts) -> dict[str, list[str]] | None:
        """Return the matches of each group, without duplicates; None if the entry does not apply."""
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
            "absent": value in facts.submodules,
            "translated": any(value in table for table in self.translate.values()),
        }
        return bool(value) and known[word] is wanted

    def hint(self, names: Mapping[str, list[str]]) -> Hint:
        """Return the hint for these matches."""

        def shown(place: re.Match[str]) -> str:
            found = names.get(place["group"], [])
            if table := self.translate.get(place["table"] or ""):
                found = list(dict.fromkeys(table.get(name) or table.get("") or name for name in found))
            more = ["…"] if len(found) > _MOST_NAMES else []
            return ", ".join([*found[:_MOST_NAMES], *more])

        cause, fix = (re.sub(r"\s+", " ", _PLACE.sub(shown, text)) for text in (self.cause, self.fix))
        return Hint(name=self.name, cause=cause, fix=fix, url=self.url)


def entries(own: Path | None) -> tuple[Entry, ...]:
    """Return the entries of a stage's own table, if any, then those for every stage."""
    shared = (Path(__file__).with_name(name) for name in _SHARED)
    return tuple(entry for table in (own, *shared) if table for entry in _entries(table))


@cache
def _entries(table: Path) -> tuple[Entry, ...]:
    read = tomllib.loads(table.read_text("utf-8"))["hint"]
    return msgspec.convert(read, tuple[Entry, ...], dec_hook=lambda _, text: re.compile(text, re.MULTILINE))


def recognise(text: str, facts: Facts, own: Path | None = None) -> tuple[Hint, ...]:
    """Return the known errors in the output of a tool, at most five; `own` is the table of its stage."""
    shown = _ANSI.sub("", text[-LONGEST_TEXT:])
    if not shown.strip():
        return ()
    shown = "\n".join([shown, *(f"submodule not checked out: {path}" for path in sorted(facts.submodules))])
    found: dict[str, tuple[Entry, Mapping[str, list[str]]]] = {}
    for entry in entries(own):
        if entry.concerns(facts) and (names := entry.found(shown, facts)) is not None:
            found[entry.name] = entry, names
    hints = (entry.hint(names) for entry, names in found.values() if not entry.hidden_by & found.keys())
    return tuple(islice(hints, MOST))


def evidence(outcome: Outcome, log: str) -> str:
    """Return the text that is searched for known errors; empty if the tool succeeded."""
    match outcome:
        case Broken(reason, detail):
            return "\n".join((log, *_failures(outcome), detail, reason))
        case Skipped(reason, empty):
            return f"{log}\n{reason}" if empty else ""
        case Report():
            failures = list(_failures(outcome))
            return "\n".join((log, *failures)) if failures else ""


def errors_in(outcome: Outcome, log: str) -> str:
    """Return the text that is searched if a tool reported errors; empty without errors."""
    errors = [f"{one.rule}: {one.message}" for one in outcome.findings if one.level is Level.ERROR]
    return "\n".join((log, *errors)) if errors and isinstance(outcome, Report) else ""


def _failures(outcome: Report | Broken) -> Iterator[str]:
    room = _LONGEST_FAILURES
    for case in outcome.tests:
        if case.outcome.is_red and room > 0:
            yield (text := f"{case.message}\n{case.detail}"[:room])
            room -= len(text)


def facts(
    tool: str,
    root: Path,
    environ: Mapping[str, str],
    *,
    container: bool,
    workspace: Path | None = None,
    reported: bool = False,
) -> Facts:
    """Return the facts about a run of a tool; `root` is the project's folder, by default the workspace itself."""
    return Facts(
        tool=tool,
        container=container,
        reported=reported,
        packages=frozenset(_packages(root)),
        submodules=frozenset(_absent_submodules(workspace or root)),
        empty=frozenset(
            name
            for name, value in environ.items()
            if not value and _CREDENTIAL.search(name) and not name.startswith(_NOT_THEIRS)
        ),
    )


def _absent_submodules(workspace: Path) -> Iterator[str]:
    """Yield the submodules whose folders do not exist or are empty."""
    with suppress(ProjectFileError):
        for path in _SUBMODULE.findall(find_project_text(workspace / ".gitmodules", workspace))[
            :_MOST_ENTRIES
        ]:
            folder = workspace / path
            if not outside(folder, workspace) and not (folder.is_dir() and any(folder.iterdir())):
                yield path


def _packages(root: Path) -> Iterator[str]:
    """Yield the import names of the modules and packages of the project."""
    yield root.name
    for folder in (root, root / "src", root / "lib"):
        try:
            with os.scandir(folder) as entries:
                for entry in islice(entries, _MOST_ENTRIES):
                    name, extension = os.path.splitext(entry.name)
                    if extension == ".py" or (not extension and _holds_python(entry)):
                        yield name
        except OSError:
            continue


def _holds_python(entry: "os.DirEntry[str]") -> bool:
    if not entry.is_dir():
        return False
    with os.scandir(entry.path) as inside:
        return any(one.name.endswith(".py") for one in islice(inside, _MOST_ENTRIES))


def with_hints(result: ToolResult, ctx: Context, own: Path | None = None) -> ToolResult:
    """Return a result with hints: those of its tool, then the known errors in its output.

    `own` is the table of its stage. A tool that succeeded gets no hints.
    """
    text = evidence(result.outcome, result.log)
    reported = not text and any(entry.reported for entry in entries(own))
    if reported:
        text = errors_in(result.outcome, result.log)
    if not text:
        return result
    known = facts(
        result.tool,
        ctx.layout.root,
        ctx.environ,
        container=ctx.container,
        workspace=ctx.layout.workspace,
        reported=reported,
    )
    known_to_tool = {hint.name for hint in result.hints}
    found = (hint for hint in recognise(text, known, own) if hint.name not in known_to_tool)
    return replace(result, hints=(*result.hints, *found))


def limited(stages: tuple[StageResult, ...]) -> tuple[StageResult, ...]:
    """Return the stages with at most five hints, each at the first tool that has it."""
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
