"""The configuration of pre-commit: its repositories and hooks, with what a run of each of them is given."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from ci_action.project.config_files import from_yaml

_FROZEN: Final = re.compile(
    r"^\s*(?:-\s+)?rev:\s*['\"]?(?P<rev>[\w.]+)['\"]?\s*#\s*frozen:\s*v?(?P<version>\d[\w.]*)", re.MULTILINE
)
_MANUAL: Final = frozenset({"manual"})


@dataclass(frozen=True, kw_only=True)
class Hook:
    """A hook, with what the whole configuration sets for it."""

    id: str
    local: bool
    """Whether it runs a command of the project."""
    version: str
    """The `rev` of its repository, or the version in a comment beside it."""
    entry: tuple[str, ...]
    """The command of a hook of the project, or of one whose command is replaced."""
    args: tuple[str, ...] | None
    """None for those that the hook has by default."""
    gets_files: bool
    """Whether pre-commit appends the names of files."""
    manual: bool
    """Whether it only runs on request."""
    language: str
    python: str
    """The version of Python that it runs with, as written; empty if none is named."""
    added: tuple[str, ...]
    """`additional_dependencies`."""
    files: tuple[str, ...]
    exclude: tuple[str, ...]

    @property
    def starts_command(self) -> bool:
        """Whether the configuration itself names the command."""
        return self.local or bool(self.entry)

    @property
    def command(self) -> tuple[str, ...]:
        """The words of the command, with `./` for the files that pre-commit appends."""
        return (*self.entry, *(self.args or ()), *(("./",) if self.gets_files else ()))


def repositories(text: str) -> list[tuple[str, str]]:
    """Return the address and `rev` of each repository; raises `ValueError` and `RecursionError`."""
    return [
        (str(one.get("repo", "")), str(one.get("rev", "")))
        for one in map(_mapping, _list(_mapping(from_yaml(text)).get("repos")))
    ]


def hooks_in(text: str) -> Iterator[Hook]:
    """Yield the hooks of a configuration; raises `ValueError` and `RecursionError`."""
    frozen = {match["rev"]: match["version"] for match in _FROZEN.finditer(text)}
    config = _mapping(from_yaml(text))
    for repository in map(_mapping, _list(config.get("repos"))):
        rev = str(repository.get("rev", ""))
        for hook in map(_mapping, _list(repository.get("hooks"))):
            entry: list[str] = []
            with suppress(ValueError):  # its quotes do not match
                entry = shlex.split(str(hook.get("entry") or ""))
            default = _mapping(config.get("default_language_version")).get("python", "")
            stages = _texts(hook.get("stages")) or _texts(config.get("default_stages"))
            yield Hook(
                id=str(hook.get("id", "")),
                local=repository.get("repo") == "local",
                version=frozen.get(rev, rev),
                entry=tuple(entry),
                args=_texts(hook["args"]) if "args" in hook else None,
                gets_files=hook.get("pass_filenames") is not False,
                manual={*stages} == _MANUAL,
                language=str(hook.get("language", "python")),
                python=str(hook.get("language_version", default)),
                added=_texts(hook.get("additional_dependencies")),
                files=_expressions("files", config, hook),
                exclude=_expressions("exclude", config, hook),
            )


def _expressions(key: str, *tables: Mapping[str, Any]) -> tuple[str, ...]:
    values = (table.get(key) for table in tables)
    return tuple(one for one in values if isinstance(one, str) and one)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in _list(value))
