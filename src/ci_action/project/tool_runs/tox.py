"""The runs of tools in the environments of tox, with what tox installs for them.

Read are tox.ini, setup.cfg, tox.toml and pyproject.toml, as text: nothing is executed, and of the substitutions only those
that depend on no machine are made.
"""

import configparser
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any, Final, Protocol

from ci_action.project.evidence.calls import call_of
from ci_action.project.evidence.shell import lines_in
from ci_action.project.layout import Layout
from ci_action.project.tool_runs.model import Installs, ToolRun, variables_of
from ci_action.system.project_files import find_project_text

_CONDITION: Final = re.compile(r"([!\w.{},-]+):(?:\s+|$)(.*)", re.DOTALL)
_BRACES: Final = re.compile(r"\{([^{}]*)\}")
_RANGE: Final = re.compile(r"(\d+)-(\d+)")
_PYTHON: Final = re.compile(r"(?:py(?:thon)?)?(3)\.?(\d{1,2})")
_REFERENCE: Final = re.compile(r"\{\[([^\]]+)\](\w+)\}")
_MOST: Final = 500
_DEEPEST: Final = 8
_TRUE: Final = frozenset({"true", "1", "yes", "on", True})
# The names of tox 3.
_OLD: Final = {
    "base_python": "basepython", "set_env": "setenv", "change_dir": "changedir", "env_list": "envlist",
}  # fmt: skip


class _Config(Protocol):
    """The configuration of tox in one of its forms."""

    def names(self) -> tuple[list[str], list[str]]:
        """Return the environments that tox runs by default, and the others."""
        ...

    def lines(self, env: str, key: str) -> list[str]:
        """Return the lines of a value for an environment; empty if it is not set."""
        ...

    def commands(self, env: str) -> Iterator[list[str]]:
        """Yield the words of each command."""
        ...

    def variables(self, env: str) -> dict[str, str]:
        """Return the variables of the commands."""
        ...


def runs(layout: Layout, tools: Sequence[str]) -> Iterator[ToolRun]:
    """Yield every run of the tools; raises `ValueError` for a file that cannot be read."""
    for name, config in _configs(layout):
        default, others = config.names()
        found = list(_runs(name, config, default, layout, tools))
        named = {run.tool for run in found}
        found += [run for run in _runs(name, config, others, layout, tools) if run.tool not in named]
        if found:
            yield from _merged(found)
            return


def _merged(runs: Sequence[ToolRun]) -> Iterator[ToolRun]:
    """Join the runs that differ in their environment alone, such as one for each Python."""
    known: dict[tuple[str, tuple[str, ...], str], list[ToolRun]] = {}
    for run in runs:
        known.setdefault((run.tool, run.words, run.folder), []).append(run)
    for same in known.values():
        pythons = [python for run in same for python in run.pythons]
        free = any(not run.pythons for run in same)
        yield replace(same[0], pythons=() if free else tuple(dict.fromkeys(pythons)))


def _configs(layout: Layout) -> Iterator[tuple[str, _Config]]:
    root, workspace = layout.root, layout.workspace
    for name, prefix in (("tox.ini", ""), ("setup.cfg", "tox:")):
        text = find_project_text(root / name, workspace)
        if "testenv" in text or "[tox" in text:
            yield name, _Ini(text, root, prefix)
    if text := find_project_text(root / "tox.toml", workspace):
        yield "tox.toml", _Toml(tomllib.loads(text), root)
    tool = layout.pyproject.get("tool")
    table = tool.get("tox") if isinstance(tool, dict) else None
    if isinstance(table, dict):
        old = table.get("legacy_tox_ini")
        yield "pyproject.toml", _Ini(old, root, "") if isinstance(old, str) else _Toml(table, root)


def _runs(
    name: str, config: _Config, envs: Sequence[str], layout: Layout, tools: Sequence[str]
) -> Iterator[ToolRun]:
    root = layout.root
    for env in envs[:_MOST]:
        calls = []
        for words in config.commands(env):
            advisory = bool(words) and words[0].startswith("-")
            call = call_of(words, lambda word: (root / word).exists())
            if call is not None and call.tool in tools:
                calls.append((call, advisory))
        if not calls:
            continue
        needs = _installs(config, env, layout).dependencies(f"{name}: {env}", layout)
        folder = "".join(config.lines(env, "change_dir")[:1])
        for call, advisory in calls:
            yield ToolRun(
                tool=call.tool.value,
                words=call.words,
                source=f"{name}: {env}",
                folder=folder.removeprefix(str(root)).strip("/"),
                advisory=advisory,
                variables=variables_of(config.variables(env)),
                needs=needs,
                pythons=tuple(_pythons(config, env, layout)),
            )


def _installs(config: _Config, env: str, layout: Layout) -> Installs:
    found = Installs(root=layout.root)
    for line in config.lines(env, "deps"):
        option, blank, value = line.partition(" ")
        # One requirement a line: its markers and ranges may contain blanks.
        found.add([option, value.strip()] if option.startswith("-") and blank else [line])
    found.groups += [name for line in config.lines(env, "dependency_groups") for name in _split(line)]
    skip = any(
        config.lines(env, key)[:1] == [value] for key in ("skip_install",) for value in ("true", "True", "1")
    )
    if not skip and config.lines(env, "package")[:1] != ["skip"]:
        found.project = True
        found.extras += [name for line in config.lines(env, "extras") for name in _split(line)]
    if config.lines(env, "runner")[:1] == ["uv-venv-lock-runner"] and (layout.root / "uv.lock").is_file():
        found.sync = ["--no-default-groups"]
    return found


def _pythons(config: _Config, env: str, layout: Layout) -> Iterator[str]:
    named = config.lines(env, "base_python")
    for line in config.lines(env, "base_python_file"):
        named += find_project_text(layout.root / line, layout.workspace).split()[:1]
    for text in named or env.split("-"):
        if match := _PYTHON.fullmatch(text.removeprefix("cpython")):
            yield f"{match[1]}.{match[2]}"


def _split(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]


def expanded(text: str) -> list[str]:
    """Return the names in a list of tox: `py3{10-12}-{test,mypy}`, separated by commas and lines."""
    found: list[str] = []
    for name in re.split(r"[\s,]+(?![^{}]*\})", text):
        parts = _BRACES.split(name)
        # What was in braces is at the odd places.
        choices = [_choices(part) if index % 2 else [part] for index, part in enumerate(parts)]
        found += ["".join(one) for one in product(*choices)][:_MOST] if name else []
    return found


def _choices(text: str) -> list[str]:
    found: list[str] = []
    for part in text.split(","):
        if numbers := _RANGE.fullmatch(part.strip()):
            found += [str(number) for number in range(int(numbers[1]), min(int(numbers[2]) + 1, _MOST))]
        else:
            found.append(part.strip())
    return found


def applies(condition: str, env: str) -> bool:
    """Whether the condition of a line, such as `py310,!mypy`, holds for an environment."""
    factors = set(env.split("-")) | {env}
    return any(
        all((factor.lstrip("!") in factors) is not factor.startswith("!") for factor in one.split("-"))
        for one in expanded(condition)
    )


@dataclass
class _Ini:
    """The form of tox.ini."""

    text: str
    root: Path
    prefix: str
    parser: configparser.RawConfigParser = field(init=False)

    def __post_init__(self) -> None:
        self.parser = configparser.RawConfigParser(
            strict=False, allow_no_value=True, inline_comment_prefixes=None
        )
        try:
            self.parser.read_string(self.text)
        except configparser.Error as error:
            raise ValueError(str(error).splitlines()[0]) from error

    def names(self) -> tuple[list[str], list[str]]:
        listed = expanded(self._raw(f"{self.prefix}tox" if self.prefix else "tox", "env_list") or "")
        sections = [name for one in self.parser.sections() for name in self._of_section(one)]
        default = list(dict.fromkeys(listed))
        return default, [name for name in dict.fromkeys(sections) if name not in default] or (
            [] if default else ["testenv"]
        )

    def _of_section(self, section: str) -> list[str]:
        kind, colon, name = section.partition(":")
        return expanded(name) if kind == "testenv" and colon else []

    def _raw(self, section: str, key: str) -> str | None:
        for name in (key, _OLD.get(key, key)):
            if self.parser.has_option(section, name):
                return self.parser.get(section, name) or ""
        return None

    def _value(self, env: str, key: str) -> str | None:
        for section in self.parser.sections():
            if env in self._of_section(section):
                value = self._raw(section, key)
                if value is not None:
                    return value
        return self._raw("testenv", key)

    def lines(self, env: str, key: str) -> list[str]:
        return list(self._lines(self._value(env, key) or "", env, 0))

    def _lines(self, text: str, env: str, depth: int) -> Iterator[str]:
        """Yield the lines that apply, with the lines of other sections that they refer to."""
        for row in text.replace("\\\n", " ").splitlines():
            condition = _CONDITION.fullmatch(row.strip())
            if row.strip().startswith("#") or (condition and not applies(condition[1], env)):
                continue
            line = condition[2].strip() if condition else row.strip()
            reference = _REFERENCE.fullmatch(line)
            if reference and depth < _DEEPEST:
                yield from self._lines(self._raw(reference[1], reference[2]) or "", env, depth + 1)
            elif line:
                yield self._substituted(line, env)

    def _substituted(self, line: str, env: str) -> str:
        def other(match: re.Match[str]) -> str:
            return " ".join((self._raw(match[1], match[2]) or match[0]).split())

        return substituted(_REFERENCE.sub(other, line), env, self.root)

    def commands(self, env: str) -> Iterator[list[str]]:
        for line in self.lines(env, "commands"):
            for one in lines_in(line):
                yield list(one.words)

    def variables(self, env: str) -> dict[str, str]:
        pairs = (line.partition("=") for line in self.lines(env, "set_env"))
        return {name.strip(): value.strip() for name, _, value in pairs}


def substituted(text: str, env: str, root: Path) -> str:
    """Replace the substitutions of tox that depend on no machine; arguments of the user are empty."""
    text = text.replace("{/}", "/").replace("{:}", ":")
    known = {
        "toxinidir": str(root), "tox_root": str(root), "envname": env, "env_name": env, "envpython": "python",
        "env_python": "python", "posargs": "", "package_root": str(root), "setupdir": str(root),
    }  # fmt: skip

    def value(match: re.Match[str]) -> str:
        name, colon, default = match[1].partition(":")
        if name == "posargs":
            return default
        if name == "env" and colon:
            return default.partition(":")[2] if ":" in default else match[0]
        return known.get(name, match[0])

    for _ in range(_DEEPEST):
        fuller = _BRACES.sub(value, text)
        if fuller == text:
            break
        text = fuller
    return re.sub(r"(?:^|\s)\[\](?=\s|$)", "", text)


@dataclass
class _Toml:
    """The form of tox.toml and of `[tool.tox]`."""

    table: Mapping[str, Any]
    root: Path

    def names(self) -> tuple[list[str], list[str]]:
        listed = [name for one in _texts(self.table.get("env_list")) for name in expanded(one)]
        envs = self.table.get("env")
        others = [name for name in envs if name not in listed] if isinstance(envs, dict) else []
        return listed, others

    def _value(self, env: str, key: str) -> Any:
        envs, base = self.table.get("env"), self.table.get("env_run_base")
        own = envs.get(env) if isinstance(envs, dict) else None
        for table in (own, base):
            if isinstance(table, dict) and key in table:
                return table[key]
        return None

    def lines(self, env: str, key: str) -> list[str]:
        value = self._value(env, key)
        if isinstance(value, str) and key == "deps":
            value = value.splitlines()
        found = [str(value).lower()] if isinstance(value, bool) else _texts(value)
        return [substituted(line, env, self.root) for line in found]

    def commands(self, env: str) -> Iterator[list[str]]:
        value = self._value(env, "commands")
        for command in value if isinstance(value, list) else ():
            if isinstance(command, list):
                yield [substituted(word, env, self.root) for word in _texts(command)]

    def variables(self, env: str) -> dict[str, str]:
        value = self._value(env, "set_env")
        found = value.items() if isinstance(value, dict) else ()
        return {name: substituted(text, env, self.root) for name, text in found if isinstance(text, str)}


def _texts(value: object) -> list[str]:
    """Return the texts of a list; an argument of the user is its default."""
    if isinstance(value, str):
        return [value]
    found: list[str] = []
    for one in value if isinstance(value, list) else ():
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, dict) and one.get("replace") == "posargs":
            found += _texts(one.get("default"))
    return found
