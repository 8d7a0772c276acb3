"""The options of a configuration of Alembic: of a section of an ini file, then of `[tool.alembic]`, as Alembic reads them."""

import configparser
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ci_action.model.finding import Location
from ci_action.project.config_files import load_toml, tool_table
from ci_action.project.layout import Layout
from ci_action.system.errors import ProjectFileError, SettingsError, ToolError
from ci_action.system.project_files import find_project_text, read_project_file

MAIN: Final = "alembic"
LOCATION: Final = "script_location"
_HEADING: Final = re.compile(r"\s*\[([^\]]+)\]")
_SEPARATORS: Final = {"space": " ", "newline": "\n", "os": os.pathsep, ":": ":", ";": ";"}
_LEGACY: Final = re.compile(r", *|(?: +)")


class WrongConfigurationError(ToolError):
    """A configuration of Alembic is wrong for everybody: a finding, not a failure of ours."""

    def __init__(self, reason: str, place: Location) -> None:
        self.place = place
        super().__init__(reason)


@dataclass(frozen=True, kw_only=True)
class Ini:
    """An ini file."""

    file: Path
    place: str
    """Relative to the workspace."""
    text: str
    parser: configparser.ConfigParser

    @property
    def sections(self) -> tuple[str, ...]:
        """The sections that configure a history: each has a folder with env.py."""
        if self.parser.has_option(configparser.DEFAULTSECT, LOCATION):
            return (MAIN,) if self.parser.has_section(MAIN) else ()
        return tuple(name for name in self.parser.sections() if self.parser.has_option(name, LOCATION))

    def at(self, section: str, option: str = "") -> Location:
        """Return the line of an option, else that of its section, else the file."""
        current, found = "", None
        for number, line in enumerate(self.text.split("\n"), 1):
            if heading := _HEADING.match(line):
                current = heading[1]
                found = number if current == section else found
            elif (
                current == section
                and option
                and re.match(rf"{re.escape(option)}\s*[=:]", line, re.IGNORECASE)
            ):
                return Location(path=self.place, line=number)
        return Location(path=self.place, line=found or 1)


def read_ini(file: Path, layout: Layout) -> Ini:
    """Read an ini file; raises `WrongConfigurationError`."""
    place = layout.relative(file)
    parser = configparser.ConfigParser({"here": _escaped(file.parent)})
    try:
        text = read_project_file(file, layout.workspace).decode("utf-8")
        parser.read_string(text, place)
    except ProjectFileError as error:
        raise WrongConfigurationError(error.reason, Location(path=place)) from error
    except UnicodeDecodeError as error:
        raise WrongConfigurationError("the file is not valid UTF-8", Location(path=place, line=1)) from error
    except configparser.Error as error:
        line = getattr(error, "lineno", None) or next((one for one, _ in getattr(error, "errors", ())), 1)
        reason = f"the file cannot be read: {error.message.splitlines()[0]}"
        raise WrongConfigurationError(reason, Location(path=place, line=line)) from error
    return Ini(file=file, place=place, text=text, parser=parser)


def _escaped(folder: Path) -> str:
    return folder.as_posix().replace("%", "%%")


def alembic_table(file: Path, layout: Layout) -> Mapping[str, Any]:
    """Return `[tool.alembic]` of a pyproject.toml; empty if it has none, or cannot be read."""
    try:
        found = tool_table(load_toml(file, layout.workspace)).get(MAIN)
    except SettingsError:  # of the project's own file it is an error of every run
        return {}
    return found if isinstance(found, dict) else {}


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of one history."""

    layout: Layout
    ini: Ini | None = None
    section: str = MAIN
    toml: Path | None = None
    table: Mapping[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The file that decides where Alembic runs."""
        return self.ini.file if self.ini else (self.toml or self.layout.root / "pyproject.toml")

    @property
    def source(self) -> str:
        """What configures the history, for people."""
        if self.ini is None:
            return f"{self.layout.relative(self.file)}: tool.{MAIN}"
        return self.ini.place if self.section == MAIN else f"{self.ini.place} [{self.section}]"

    def place(self, option: str = "") -> Location:
        """Return where an option is, or would be."""
        if self.ini and (self.toml is None or self.ini.parser.has_option(self.section, option)):
            return self.ini.at(self.section, option)
        file = self.toml or self.file
        text = find_project_text(file, self.layout.workspace)
        return Location(path=self.layout.relative(file), line=_line_of_toml(text, option))

    def text(self, option: str) -> str:
        """Return the text of an option, empty without one; raises `WrongConfigurationError`."""
        written = self._from_ini(option)
        found = self._from_table(option) if written is None else written
        if found is None or isinstance(found, str):
            return found or ""
        raise WrongConfigurationError(f"`{option}` is not a text", self.place(option))

    def flag(self, option: str) -> bool:
        """Return whether an option is set, as Alembic understands it; raises `WrongConfigurationError`."""
        written = self._from_ini(option)
        return self.table.get(option) is True if written is None else written == "true"

    def paths(self, option: str) -> tuple[str, ...]:
        """Return the paths of an option, divided as the configuration defines; raises `WrongConfigurationError`."""
        written = self._from_ini(option)
        if not written:
            found = self._from_table(option) or []
            return (found,) if isinstance(found, str) else tuple(found)
        for divider in ("path_separator", "version_path_separator"):
            if (name := self._from_ini(divider)) is None:
                continue
            if name not in _SEPARATORS:
                allowed = ", ".join(_SEPARATORS)
                raise WrongConfigurationError(
                    f"`{divider}` is {name!r}, expected {allowed}", self.place(divider)
                )
            return tuple(one.strip() for one in written.split(_SEPARATORS[name]) if one.strip())
        return tuple(filter(None, _LEGACY.split(written)))

    def _from_ini(self, option: str) -> str | None:
        """Return the text of an option in the ini file; None if it is not set there."""
        if self.ini is None:
            return None
        try:
            return self.ini.parser.get(self.section, option)
        except (configparser.NoSectionError, configparser.NoOptionError):
            return None
        except configparser.Error as error:
            reason = f"`{option}` cannot be read: {error.message.splitlines()[0]}"
            raise WrongConfigurationError(reason, self.place(option)) from error

    def _from_table(self, option: str) -> str | list[str] | None:
        found = self.table.get(option)
        here = {"here": (self.toml or self.file).parent.as_posix()}
        try:
            if isinstance(found, list):
                return [entry % here for entry in found]
            return found % here if isinstance(found, str) else None
        except (KeyError, ValueError, TypeError) as error:
            reason = f"`{option}` cannot be read: {type(error).__name__}: {error}"
            raise WrongConfigurationError(reason, self.place(option)) from error


def _line_of_toml(text: str, option: str) -> int:
    """Return the line of a key in `[tool.alembic]`, else that of the table."""
    table, current = 1, False
    for number, line in enumerate(text.split("\n"), 1):
        if heading := _HEADING.match(line):
            current = heading[1].strip() == f"tool.{MAIN}"
            table = number if current else table
        elif current and option and re.match(rf"\s*[\"']?{re.escape(option)}[\"']?\s*=", line):
            return number
    return table
