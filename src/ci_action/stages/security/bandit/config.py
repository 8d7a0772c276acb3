"""Finds, reads and validates the project's configuration of bandit.

bandit itself only finds a `.bandit` file below its targets, so every other file is passed as an option. What bandit would
silently ignore is an error.
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
# Keys that are only read in a .bandit file or on the command line, and what to use instead.
_ELSEWHERE: Final = {
    "exclude": "exclude_dirs", "exclude-dirs": "exclude_dirs", "excludes": "exclude_dirs", "skip": "skips", "test": "tests",
    "targets": "paths of ci-action", "level": "--severity-level in bandit-args",
    "severity": "--severity-level in bandit-args", "confidence": "--confidence-level in bandit-args",
    "baseline": "--baseline in bandit-args",
}  # fmt: skip
# A table of a test replaces all its defaults: without one of these keys the test fails at every call.
_WHOLE: Final = {
    "shell_injection": {"subprocess", "shell", "no_shell"},
    "ssl_with_bad_version": {"bad_protocol_versions"},
    "hardcoded_tmp_directory": {"tmp_dirs"},
    "try_except_pass": {"check_typed_exception"},
    "try_except_continue": {"check_typed_exception"},
}
# bandit reads these from a .bandit file as text and then crashes.
_FATAL: Final = ("level", "confidence", "output")
# bandit's default for `exclude` (bandit.core.constants).
_EXCLUDES: Final = ".svn,CVS,.bzr,.hg,.git,__pycache__,.tox,.eggs,*.egg"


@dataclass(frozen=True, kw_only=True)
class BanditConfig:
    """The configuration that bandit uses."""

    options: tuple[str, ...] = ()
    """The options that pass the files that were found."""
    sources: tuple[str, ...] = ()
    """The files that were read, for messages."""
    table: Mapping[str, Any] | None = None
    """The parsed file; None if there is none."""
    content: str = ""
    """The digest of the file; of pyproject.toml only that of bandit's table."""
    ini: Mapping[str, str] = field(default_factory=dict)
    baseline: str = ""
    """The digest of the baseline, if one is used."""
    excludes: tuple[str, ...] = ()
    """The patterns of excluded files, as bandit matches them."""
    warnings: tuple[str, ...] = ()

    def takes(self, name: str) -> bool:
        """Whether `bandit -r` would scan a file of this name, apart from exclusions."""
        # Without a configuration bandit takes .pyw as well.
        default = ["*.py", "*.pyw"] if self.table is None else ["*.py"]
        return any(fnmatch(f"./{name}", pattern) for pattern in (self.table or {}).get("include") or default)

    def by_accident(self, name: str) -> bool:
        """Whether a file is excluded only because a pattern matches inside a name: `test` in `contest`."""
        path = f"./{name}"
        return not any(
            fnmatch(path, pattern) or f"/{pattern.removeprefix('./').strip('/')}" in f"/{name}"
            for pattern in self.excludes
        )

    def explain(self, left_out: Iterable[str]) -> None:
        """Raise `ToolError` if no pattern matches an excluded file: bandit possibly scanned nothing."""
        for name in left_out:
            path = f"./{name}"
            if not any(fnmatch(path, pattern) or pattern in path for pattern in self.excludes):
                raise ToolError(f"bandit did not report on {name!r}, and no exclude pattern matches it")

    def __str__(self) -> str:
        """Return everything that the results depend on."""
        what = (self.content, dict(self.ini), self.baseline, self.excludes)
        return json.dumps(what, sort_keys=True)


class _Arguments(argparse.ArgumentParser):
    """Parses bandit's options as bandit does, including abbreviations."""

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
        raise ToolError(f"bandit-args: {message} (ci-action itself sets output, targets and messages)")


def argument_mistakes(words: Sequence[str]) -> list[str]:
    """Return the mistakes in `bandit-args`."""
    try:
        _arguments(words)
    except ToolError as error:
        return [error.reason]
    return []


def _arguments(words: Sequence[str]) -> argparse.Namespace:
    given = _Arguments().parse_args([*words])
    if given.targets:
        raise ToolError(f"bandit-args: {given.targets[0]!r} is not an option; select files with `paths`")
    return given


def bandit_config(layout: Layout, words: Sequence[str], tempdir: Path) -> BanditConfig:
    """Find and read the configuration. Raises `ToolError` for what bandit would crash on or ignore."""
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
    left_out = given.exclude if given.exclude is not None else ini.get("exclude", _EXCLUDES)
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
        if "bandit" in tool_table(read_toml(pyproject, layout.workspace)):
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
        raise ToolError(f"{layout.shown(file)} cannot be read: {error}") from error


def _ini(file: Path, layout: Layout) -> dict[str, str]:
    parser = configparser.ConfigParser()
    try:
        parser.read_string(_text(file, layout), layout.shown(file))
        options = dict(parser.items("bandit"))
    except configparser.Error as error:
        problem = " ".join(str(error).split())
        raise ToolError(f"{layout.shown(file)} is not valid as options of bandit: {problem}") from error
    for key in _FATAL:
        if key in options:
            raise ToolError(
                f"{layout.shown(file)}: bandit does not support {key!r} in this file; set it in bandit-args"
            )
    return options


def _table(file: Path, layout: Layout) -> tuple[Mapping[str, Any], str]:
    shown = layout.shown(file)
    text = _text(file, layout)
    try:
        if file.name.endswith(".toml"):
            tool = read_toml(file, layout.workspace).get("tool", {})
            table = tool.get("bandit", {}) if isinstance(tool, dict) else tool
            text = json.dumps(table, sort_keys=True, default=str)
        else:
            table = from_yaml(text)
    except (ValueError, RecursionError) as error:
        problem = " ".join(str(error).split())
        raise ToolError(f"{shown} is not valid YAML: {problem}") from error
    if not isinstance(table, dict):
        raise ToolError(f"{shown} is not a configuration of bandit: it is not a mapping")
    for key in _LISTS:
        value = table.get(key)
        if value is not None and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
            raise ToolError(f"{shown}: {key} must be a list of strings, such as {key} = ['…']")
    for key, needed in _WHOLE.items():
        lacking = needed - set(table[key]) if isinstance(table.get(key), dict) else set()
        if lacking and table[key]:
            raise ToolError(
                f"{shown}: {key} replaces all defaults of bandit and lacks {', '.join(sorted(lacking))}"
            )
    return table, sha256(text.encode()).hexdigest()


def _unread(
    layout: Layout, file: Path | None, table: Mapping[str, Any], ini_file: Path | None, ini: Mapping[str, str]
) -> Iterator[str]:
    shown = layout.shown(file) if file else ""
    for key in sorted(table.keys() & _ELSEWHERE.keys()):
        yield f"bandit ignores {key!r} in {shown}: use {_ELSEWHERE[key]}"
    if ini_file and "targets" in ini:
        yield f"the targets in {layout.shown(ini_file)} are ignored: select files with `paths`"


def _excludes(layout: Layout, table: Mapping[str, Any], given: str) -> Iterator[str]:
    yield from table.get("exclude_dirs") or ()
    for pattern in given.split(","):
        yield (
            os.path.join(pattern, "*")
            if os.path.isdir(layout.root / pattern.replace("\0", "\ufffd"))
            else pattern
        )


def _baseline(layout: Layout, given: str, tempdir: Path) -> tuple[str, str]:
    """Write a copy of a baseline with the names that bandit uses for files; return its option and its digest."""
    text = _text(layout.root / given, layout)
    try:
        document = json.loads(text)
        for entry in document["results"]:
            path = os.path.relpath(layout.root / entry["filename"], layout.root)
            entry["filename"] = os.path.join(".", ".", path)
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise ToolError(
            f"{given} is not a JSON report of bandit, so it cannot be used as a baseline"
        ) from error
    copy = tempdir / "bandit-baseline.json"
    copy.write_text(json.dumps(document), encoding="utf-8")
    return f"--baseline={copy}", sha256(text.encode()).hexdigest()
