"""Commands of Alembic for people to copy: the names of a project are quoted, or there is no command."""

import os
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ci_action.stages.migrations.configuration.options import MAIN
from ci_action.stages.migrations.model import Alembic

_USUAL: Final = "alembic.ini"
_PLAIN: Final = re.compile(r"[\w.]{1,100}", re.ASCII)
_PATH: Final = re.compile(r"[\w./+@ -]{1,200}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Commands:
    """How Alembic is started for a history."""

    words: tuple[str, ...] = ("alembic",)
    folder: str = ""
    """Where it is started, relative to the workspace; empty for the workspace."""

    @classmethod
    def of(cls, alembic: Alembic, folder: str) -> "Commands":
        """Return the commands for a configuration, started in a folder relative to the workspace."""
        where = "" if folder == "." else folder
        if alembic.flask:
            directory = os.path.relpath(alembic.script_location, alembic.folder)
            return cls(
                words=("flask", "db", *(() if directory == "migrations" else ("-d", directory))), folder=where
            )
        words = ["alembic"]
        if alembic.ini and (found := os.path.relpath(alembic.ini, alembic.folder)) != _USUAL:
            words += ["-c", found]
        if alembic.section != MAIN:
            words += ["-n", alembic.section]
        return cls(words=tuple(words), folder=where)

    def merge(self, names: Sequence[str]) -> str:
        """Return the command that merges heads; empty if a name is not a plain word."""
        if not all(_PLAIN.fullmatch(name) for name in names):
            return ""
        if not all(_PATH.fullmatch(word) for word in (*self.words, self.folder or ".")):
            return ""
        words = list(self.words)
        if words[:2] == ["flask", "db"]:  # its option for the folder belongs to the last word
            words = [*words[:2], "merge", *words[2:]]
        else:
            words.append("merge")
        command = shlex.join([*words, "-m", "merge heads", *names])
        return f"cd {shlex.quote(self.folder)} && {command}" if self.folder else command
