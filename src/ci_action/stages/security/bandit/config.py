"""The project's own configuration of bandit: where it is, what bandit makes of it, and what is wrong with it.

bandit itself reads a `.bandit` file below its targets, and every other one only where it is named. So they are looked
for and named here. What it would silently leave aside is an error.
"""

import argparse
import configparser
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NoReturn

from ci_action.project.config_files import from_yaml, read_toml, tool_table
from ci_action.project.file_kinds import BANDIT_FILES
from ci_action.project.layout import Layout
from ci_action.system.errors import ToolError
from ci_action.system.project_files import read_project_file

_INI: Final = ".bandit"
_SECTION: Final = re.compile(r"^\[bandit\]", re.MULTILINE)
_LISTS: Final = ("tests", "skips", "exclude_dirs", "include")
# Keys that belong into a .bandit file or on the command line: elsewhere nobody reads them.
_ELSEWHERE: Final = {
    "exclude": "exclude_dirs", "exclude-dirs": "exclude_dirs", "excludes": "exclude_dirs", "skip": "skips", "test": "tests",
    "targets": "paths of ci-action", "level": "--severity-level in bandit-args",
    "severity": "--severity-level in bandit-args", "confidence": "--confidence-level in bandit-args",
    "baseline": "--baseline in bandit-args",
}  # fmt: skip
# A table of a test takes the place of its defaults: with a key left out the test fails at every call that it looks at.
_WHOLE: Final = {
    "shell_injection": {"subprocess", "shell", "no_shell"},
    "ssl_with_bad_version": {"bad_protocol_versions"},
    "hardcoded_tmp_directory": {"tmp_dirs"},
    "try_except_pass": {"check_typed_exception"},
    "try_except_continue": {"check_typed_exception"},
}
# It takes these from a .bandit file as text and ends with an error of its own.
_FATAL: Final = ("level", "confidence", "output")
# What bandit leaves out where nobody says otherwise (bandit.core.constants).
_NEVER: Final = ".svn,CVS,.bzr,.hg,.git,__pycache__,.tox,.eggs,*.egg"


@dataclass(frozen=True, kw_only=True)
class BanditConfig:
    """What bandit is given beside the files."""

    options: tuple[str, ...] = ()
    """The files that were found, as options."""
    sources: tuple[str, ...] = ()
    """The files that decide, for people."""
    table: Mapping[str, Any] | None = None
    """What stands in the configuration; None where there is none."""
    content: str = ""
    """The digest of the configuration's own text; of TOML that of its table alone, beside which other tools have theirs."""
    ini: Mapping[str, str] = field(default_factory=dict)
    baseline: str = ""
    """The digest of the baseline, if one is used."""
    excludes: tuple[str, ...] = ()
    """The patterns of files that are left out, as bandit compares them."""
    warnings: tuple[str, ...] = ()

    def takes(self, name: str) -> bool:
        """Whether `bandit -r` would look at a file of this name, but for what is left out."""
        # Without a configuration bandit takes .pyw as well.
        default = ["*.py", "*.pyw"] if self.table is None else ["*.py"]
        return any(fnmatch(f"./{name}", pattern) for pattern in (self.table or {}).get("include") or default)

    def by_accident(self, name: str) -> bool:
        """Whether a file is left out only because a pattern stands somewhere inside a name: `test` in `contest`."""
        path = f"./{name}"
        return not any(
            fnmatch(path, pattern) or f"/{pattern.removeprefix('./').strip('/')}" in f"/{name}"
            for pattern in self.excludes
        )

    def explain(self, left_out: Iterable[str]) -> None:
        """Raise `ToolError` for a file that bandit left out and that no pattern names: it may have seen nothing at all."""
        for name in left_out:
            path = f"./{name}"
            if not any(fnmatch(path, pattern) or pattern in path for pattern in self.excludes):
                raise ToolError(f"bandit says nothing of {name!r}, which no configuration leaves out")

    def __str__(self) -> str:
        """Return all that decides about the results."""
        what = (self.content, dict(self.ini), self.baseline, self.excludes)
        return json.dumps(what, sort_keys=True)


class _Arguments(argparse.ArgumentParser):
    """Reads bandit's options as bandit does: by argparse, abbreviations included."""

    def __init__(self) -> None:
        super().__init__(add_help=False)
        self.add_argument("targets", nargs="*")
        for name in ("configfile", "profile", "tests", "skip", "exclude", "baseline"):
            self.add_argument(f"-{'x' if name == 'exclude' else name[0]}", f"--{name}")
        for name in ("--ini", "--severity-level", "--confidence-level"):
            self.add_argument(name)
        self.add_argument("-l", "--level", action="count")
        self.add_argument("-i", "--confidence", action="count")
        self.add_argument("--ignore-nosec", action="store_true")

    def error(self, message: str) -> NoReturn:
        raise ToolError(
            f"bandit-args: {message} (its output, targets and messages are set by ci-action itself)"
        )


def argument_mistakes(words: Sequence[str]) -> list[str]:
    """Say what is wrong with the options that the user gives bandit."""
    try:
        _arguments(words)
    except ToolError as error:
        return [error.reason]
    return []


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    given = _Arguments().parse_args([*words])
    if given.targets:
        raise ToolError(f"bandit-args: {given.targets[0]!r} is no option; what to look at is said by `paths`")
    return given


def bandit_config(layout: Layout, words: Sequence[str], tempdir: Path) -> BanditConfig:
    """Find and read the configuration; raises `ToolError` for what bandit would stumble over or leave aside."""
    given = _arguments(words)
    ini_file = layout.root / given.ini if given.ini else _nearest_ini(layout)
    ini = _ini(ini_file, layout) if ini_file else {}
    options = [f"--ini={ini_file}"] if ini_file and not given.ini else []
    named = given.configfile or ini.get("configfile")
    file = layout.root / named if named else _nearest(layout)
    table, content = _table(file, layout) if file else (None, "")
    options += [f"--configfile={file}"] if file and not named else []
    baseline, digest = given.baseline or ini.get("baseline"), ""
    if baseline:
        option, digest = _baseline(layout, baseline, tempdir)
        options.append(option)
    left_out = given.exclude if given.exclude is not None else ini.get("exclude", _NEVER)
    return BanditConfig(
        options=tuple(options),
        sources=tuple(layout.shown(one) for one in (file, ini_file) if one),
        table=table,
        content=content,
        ini=ini,
        baseline=digest,
        excludes=tuple(_excludes(layout, table or {}, left_out)),
        warnings=tuple(_unread(layout, file, table or {}, ini_file, ini)),
    )


def _nearest(layout: Layout) -> Path | None:
    for folder in layout.folders:
        pyproject = folder / "pyproject.toml"
        if "bandit" in tool_table(read_toml(pyproject, layout.shown(pyproject), layout.workspace)):
            return pyproject
        for name in BANDIT_FILES:
            if os.path.lexists(folder / name):
                return folder / name
        if os.path.lexists(folder / _INI) and not _SECTION.search(_text(folder / _INI, layout)):
            return folder / _INI
    return None


def _nearest_ini(layout: Layout) -> Path | None:
    files = (folder / _INI for folder in layout.folders)
    return next(
        (file for file in files if os.path.lexists(file) and _SECTION.search(_text(file, layout))), None
    )


def _text(file: Path, layout: Layout) -> str:
    try:
        return read_project_file(file, layout.workspace).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ToolError(f"{layout.shown(file)} cannot be read for bandit: {error}") from error


def _ini(file: Path, layout: Layout) -> dict[str, str]:
    parser = configparser.ConfigParser()
    try:
        parser.read_string(_text(file, layout), layout.shown(file))
        options = dict(parser.items("bandit"))
    except configparser.Error as error:
        problem = " ".join(str(error).split())
        raise ToolError(f"{layout.shown(file)} cannot be read as options of bandit: {problem}") from error
    for key in _FATAL:
        if key in options:
            raise ToolError(f"{layout.shown(file)}: bandit fails at {key!r} there; give it in bandit-args")
    return options


def _table(file: Path, layout: Layout) -> tuple[Mapping[str, Any], str]:
    shown = layout.shown(file)
    text = _text(file, layout)
    try:
        if file.name.endswith(".toml"):
            tool = read_toml(file, shown, layout.workspace).get("tool", {})
            table = tool.get("bandit", {}) if isinstance(tool, dict) else tool
            text = json.dumps(table, sort_keys=True, default=str)
        else:
            table = from_yaml(text)
    except (ValueError, RecursionError) as error:
        problem = " ".join(str(error).split())
        raise ToolError(f"{shown} cannot be read as YAML for bandit: {problem}") from error
    if not isinstance(table, dict):
        raise ToolError(f"{shown} is no configuration of bandit: it holds no keys with values")
    for key in _LISTS:
        value = table.get(key)
        if value is not None and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
            raise ToolError(f"{shown}: {key} of bandit must be a list of texts, such as {key} = ['…']")
    for key, needed in _WHOLE.items():
        lacking = needed - set(table[key]) if isinstance(table.get(key), dict) else set()
        if lacking and table[key]:
            raise ToolError(
                f"{shown}: {key} of bandit takes the place of all defaults and lacks {', '.join(sorted(lacking))}"
            )
    return table, sha256(text.encode()).hexdigest()


def _unread(
    layout: Layout, file: Path | None, table: Mapping[str, Any], ini_file: Path | None, ini: Mapping[str, str]
) -> Iterator[str]:
    shown = layout.shown(file) if file else ""
    for key in sorted(table.keys() & _ELSEWHERE.keys()):
        yield f"bandit does not read {key!r} in {shown}: that is {_ELSEWHERE[key]}"
    if ini_file and "targets" in ini:
        yield f"the targets in {layout.shown(ini_file)} are not used: what to look at is said by `paths`"


def _excludes(layout: Layout, table: Mapping[str, Any], given: str) -> Iterator[str]:
    yield from table.get("exclude_dirs") or ()
    for pattern in given.split(","):
        yield (
            os.path.join(pattern, "*")
            if os.path.isdir(layout.root / pattern.replace("\0", "\ufffd"))
            else pattern
        )


def _baseline(layout: Layout, given: str, tempdir: Path) -> tuple[str, str]:
    """Rewrite a baseline so that its names of files are those that bandit has for files given by name."""
    text = _text(layout.root / given, layout)
    try:
        document = json.loads(text)
        for entry in document["results"]:
            path = os.path.relpath(layout.root / entry["filename"], layout.root)
            entry["filename"] = os.path.join(".", ".", path)
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ToolError(f"{given} is no report of bandit in JSON, so it cannot be its baseline") from error
    copy = tempdir / "bandit-baseline.json"
    copy.write_text(json.dumps(document), encoding="utf-8")
    return f"--baseline={copy}", sha256(text.encode()).hexdigest()
