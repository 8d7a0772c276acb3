"""Find the tool that a command starts, behind all that can stand before it: `uv run`, `python -m`, `poetry run`, `xargs`."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ci_action.project.tool_names import SPELLINGS, Named, by

if TYPE_CHECKING:
    from ci_action.project.pre_commit import Hook

Exists = Callable[[str], bool]
"""Whether a word is the path of a file or folder."""

# Words before a command: of shells, make, and programs that start another one.
_BEFORE: Final = frozenset({
    "if", "then", "else", "elif", "do", "while", "until", "!", "{", "||", "time", "exec", "command", "sudo", "nohup",
    "eval", "env", "xargs", "@", "-", "uvx", "nice",
})  # fmt: skip
# Programs that start another one by a word of their own.
_RUNNERS: Final = {
    "uv": ("run", "tool"), "poetry": ("run",), "pdm": ("run",), "pipenv": ("run",), "rye": ("run",), "pipx": ("run",),
    "hatch": ("run",), "pixi": ("run",), "conda": ("run",), "mamba": ("run",), "micromamba": ("run",),
    "docker": ("run", "exec", "compose"), "podman": ("run", "exec"),
    "docker-compose": ("run", "exec"),
}  # fmt: skip
_VALUED: Final = frozenset({
    "--with", "--from", "--group", "--only-group", "--no-group", "--extra", "--python", "-p", "--package", "--project",
    "--directory", "--env-file", "-e", "--env", "--environment", "-n", "--name", "-C", "--spec", "--with-requirements",
    "--with-editable", "--index-url", "--index", "--manifest-path", "-I", "-P", "-u", "--user", "-w", "--workdir", "-v",
    "--volume", "-X", "-W", "-f", "--file",
})  # fmt: skip
_PATH: Final = re.compile(r"(?:.*/|\$\{\w+\}|\$\(\w+\)|\$\w+(?=/)|\{\w+\})+")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*=(?!=)")
_VERSIONED: Final = re.compile(r"[\[@=<>~!].*", re.DOTALL)
_PYTHON: Final = re.compile(r"(?:python|py|pypy)[\d.]*|[$%{(]+\w*py\w*[)}%]*", re.IGNORECASE)
_MARKED: Final = re.compile(r"[-./$*{%\[`:]")
_INFORMS: Final = frozenset({"--version", "-V", "--help", "-h"})
_BARE: Final = frozenset({
    Named.FLAKE8, Named.MYPY, Named.PYRIGHT, Named.BASEDPYRIGHT, Named.PYRE, Named.PYREFLY, Named.PYTYPE,
})  # fmt: skip
HOOKS: Final = by(lambda one: one.hooks)
"""The tools by the ids of their hooks of pre-commit."""
_SUBCOMMANDS: Final = {words: one.tool for one in SPELLINGS for words in one.subcommands}
_PROGRAMS: Final = by(lambda one: one.programs)
_RUFF_OTHERS: Final = frozenset({
    "rule", "config", "linter", "clean", "server", "version", "help", "analyze", "generate-shell-completion",
})  # fmt: skip


@dataclass(frozen=True)
class Call:
    """A tool that a command starts, and its arguments."""

    tool: Named
    words: tuple[str, ...]


def call_of(words: Sequence[str], exists: Exists) -> Call | None:
    """Return the tool that a command starts; None for any other command."""
    rest = list(words)
    while rest:
        rest[0] = rest[0].lstrip("@-+") if rest[0].strip("@-+") else rest[0]
        program = _PATH.sub("", rest[0])
        following = _behind(program, rest)
        if following is None:
            return _call(_VERSIONED.sub("", program), rest[1:], exists)
        rest = following
    return None


def call_of_hook(hook: "Hook", exists: Exists) -> Call | None:
    """Return the tool that the own command of a hook starts, without the files that pre-commit appends."""
    call = call_of(hook.command, exists) if hook.starts_command else None
    return Call(call.tool, tuple(word for word in call.words if word != "./")) if call else None


def _behind(program: str, words: list[str]) -> list[str] | None:
    """Return the command that another one starts; None if it starts none."""
    if program in _BEFORE or _ASSIGNMENT.match(words[0]):
        return _without_options(words[1:])
    if program in _RUNNERS:
        options = _without_options(words[1:])
        if not options or options[0] not in _RUNNERS[program]:
            return None
        inner = _without_options(options[1:])
        if options[0] in {"tool", "compose"}:
            inner = _without_options(inner[1:])
        if program.startswith(("docker", "podman")):  # the image or service
            inner = inner[1:]
        elif program == "hatch" and inner:
            inner = [inner[0].rpartition(":")[2], *inner[1:]]
        return inner[1:] if inner[:1] == ["-m"] else inner
    if "-m" in words and (_PYTHON.fullmatch(program) or not program or "python" in words[0].lower()):
        return words[words.index("-m") + 1 :]
    return None


def _without_options(words: list[str]) -> list[str]:
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "-m":
        at += 2 if words[at] in _VALUED else 1
    return words[at:]


def _call(program: str, words: list[str], exists: Exists) -> Call | None:
    if _INFORMS.intersection(words):
        return None
    subcommand = next(iter(_without_options(words)), "")
    if tool := _SUBCOMMANDS.get((program, subcommand)):
        words = list(words)
        words.remove(subcommand)
        return Call(tool, tuple(words))
    tool = _PROGRAMS.get(program)
    if tool is None or subcommand in _RUFF_OTHERS:
        return None
    if not words:
        return Call(tool, ()) if tool in _BARE else None
    # Prose and lists of words have neither options nor paths.
    if any(_MARKED.search(word) or exists(word) for word in words):
        return Call(tool, tuple(words))
    return None
