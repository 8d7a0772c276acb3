"""Reads git's diff: the changed lines of each file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ci_action.system.errors import ToolError

# No path in git has an empty component, so these prefixes separate the two names of a header.
SOURCE_PREFIX: Final = "s://"
TARGET_PREFIX: Final = "d://"
_UNMERGED: Final = re.compile(r"^\* Unmerged path (.+)$", re.MULTILINE)
_ESCAPE: Final = re.compile(r"\\([0-7]{3}|.)")
_LETTERS: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass(frozen=True, kw_only=True)
class Diff:
    """Changed lines by paths relative to the top of the repository."""

    lines: Mapping[str, frozenset[int]] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()
    """Files without lines in the diff: binary, or in a conflict."""


def parse(stdout: bytes) -> Diff:
    """Read `git diff --unified=0` with our two prefixes; raises `ToolError` for anything else."""
    from unidiff.errors import UnidiffParseError  # only a run with a base commit needs it
    from unidiff.patch import PatchSet  # see above

    # Each file is in its own encoding: Latin-1 keeps every byte apart, and unidiff then splits at newlines alone.
    text = stdout.decode("latin-1")
    try:
        patch = PatchSet(text, metadata_only=True)
    except UnidiffParseError as error:
        raise ToolError(f"git printed an invalid diff: {error}") from error
    lines: dict[str, frozenset[int]] = {}
    whole = {_name(given) for given in _UNMERGED.findall(text)}
    for file in patch:
        name = _name(file.target_file)
        if not name.startswith(TARGET_PREFIX):  # removed
            continue
        name = name.removeprefix(TARGET_PREFIX)
        if file.is_binary_file:
            whole.add(name)
        touched = (range(hunk.target_start, hunk.target_start + hunk.target_length) for hunk in file)
        lines[name] = frozenset(number for numbers in touched for number in numbers)
    return Diff(lines=lines, whole=frozenset(whole))


def _name(given: str) -> str:
    """Return a file name of a header without git's quotes; other bytes than UTF-8 are surrogates."""
    if given.startswith('"') and given.endswith('"'):
        given = _ESCAPE.sub(_unescaped, given[1:-1])
    return given.encode("latin-1").decode("utf-8", "surrogateescape")


def _unescaped(match: re.Match[str]) -> str:
    word = match[1]
    return chr(int(word, 8)) if len(word) > 1 else _LETTERS.get(word, word)
