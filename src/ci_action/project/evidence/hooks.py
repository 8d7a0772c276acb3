"""Hooks of pre-commit that run a formatter, linter or type checker."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from ci_action.project.evidence.calls import Exists, call_of
from ci_action.project.evidence.model import Named

_IDS: Final[Mapping[str, Named]] = {
    "black": Named.BLACK,
    "black-jupyter": Named.BLACK,
    "ruff": Named.RUFF_CHECK,
    "ruff-check": Named.RUFF_CHECK,
    "ruff-format": Named.RUFF_FORMAT,
    "yapf": Named.YAPF,
    "autopep8": Named.AUTOPEP8,
    "blue": Named.BLUE,
    "pyink": Named.PYINK,
    "darker": Named.DARKER,
    "flake8": Named.FLAKE8,
    "pylint": Named.PYLINT,
    "pycodestyle": Named.PYCODESTYLE,
    "pyflakes": Named.PYFLAKES,
    "mypy": Named.MYPY,
    "pyright": Named.PYRIGHT,
    "basedpyright": Named.BASEDPYRIGHT,
    "ty": Named.TY,
    "ty-check": Named.TY,
    "pyrefly-check": Named.PYREFLY,
    "pyrefly-typecheck": Named.PYREFLY,
}
_MANUAL: Final = "manual"


@dataclass(frozen=True, kw_only=True)
class Hook:
    """One hook that runs a tool."""

    tool: Named
    id: str
    words: tuple[str, ...]
    advisory: bool
    gets_files: bool
    files: tuple[str, ...]
    exclude: tuple[str, ...]


def hooks_in(document: object, exists: Exists) -> Iterator[Hook]:
    """Yield the hooks of a .pre-commit-config.yaml."""
    config = _mapping(document)
    for repository in map(_mapping, _list(config.get("repos"))):
        local = repository.get("repo") == "local"
        for hook in map(_mapping, _list(repository.get("hooks"))):
            yield from _hook(hook, config, exists, local=local)


def _hook(
    hook: Mapping[str, Any], config: Mapping[str, Any], exists: Exists, *, local: bool
) -> Iterator[Hook]:
    name = str(hook.get("id", ""))
    words = _texts(hook.get("args"))
    tool = _IDS.get(name)
    if local or hook.get("entry"):
        entry: list[str] = []
        with suppress(ValueError):
            entry = shlex.split(str(hook.get("entry", "")))
        # pre-commit appends the names of files unless the hook forbids it.
        call = call_of([*entry, *words, *([] if hook.get("pass_filenames") is False else ["./"])], exists)
        if call is not None:
            tool = call.tool
            words = tuple(word for word in call.words if word != "./")
    if tool is None:
        return
    stages = _texts(hook.get("stages")) or _texts(config.get("default_stages"))
    yield Hook(
        tool=tool,
        id=name,
        words=words,
        advisory=bool(stages) and all(stage == _MANUAL for stage in stages),
        gets_files=hook.get("pass_filenames") is not False,
        files=tuple(filter(None, (_text(config.get("files")), _text(hook.get("files"))))),
        exclude=tuple(filter(None, (_text(config.get("exclude")), _text(hook.get("exclude"))))),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in _list(value))
