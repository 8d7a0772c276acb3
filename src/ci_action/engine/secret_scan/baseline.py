"""The baseline of detect-secrets: accepted secrets by file, type and SHA-1 of the value.

A SHA-1 is only written to the baseline, as detect-secrets requires: a short value can be guessed from it.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from ci_action.project.file_kinds import SECRETS_BASELINE
from ci_action.project.layout import Layout
from ci_action.settings import Settings
from ci_action.system.errors import ToolError
from ci_action.system.folder import Place, opened
from ci_action.system.ownership import ids_of
from ci_action.system.project_files import read_project_file

COMMAND: Final = "ci-action secrets baseline"
# File, type and SHA-1 of the value.
Key = tuple[str, str, str]
# Whole tokens of which detect-secrets only finds the beginning have their own key, which it preserves: it would
# remove them from its results.
_TOKENS: Final = "whole_tokens"
_WHOLE: Final = " (whole)"
_NO_CONFIGURATION: Final = frozenset({"results", "generated_at", _TOKENS})


def baseline_mistakes(settings: Settings, workspace: Path, *, written: bool = False) -> list[str]:
    """Return the mistakes in `secrets-baseline`; with `written` it need not exist yet."""
    given = settings.secrets_baseline
    if not given:
        return []
    file = workspace / settings.working_directory / given
    about = f"secrets-baseline = {given!r}"
    if not _inside(file, workspace):
        return [f"{about}: outside the workspace {str(workspace)!r}"]
    if file.is_dir() or (written and not file.resolve().parent.is_dir()):
        return [f"{about}: must be a file in an existing folder"]
    if not written and not file.is_file():
        return [f"{about}: file not found; create it with `{COMMAND} --secrets-baseline={given}`"]
    return []


def _inside(file: Path, workspace: Path) -> bool:
    try:
        return file.resolve().is_relative_to(workspace.resolve())
    except (OSError, RuntimeError, ValueError):
        return False


def hash_of(value: str) -> str:
    """Return the hash that detect-secrets stores for a value."""
    return hashlib.sha1(value.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


class Entry(msgspec.Struct, frozen=True):
    """An accepted secret."""

    type: str
    hashed_secret: str
    is_verified: bool = False
    is_secret: bool | None = None
    """Whether somebody has audited it as a real secret."""


class _Document(msgspec.Struct):
    version: str
    results: dict[str, list[Entry]]
    whole_tokens: dict[str, list[Entry]] = {}


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """A baseline, or the absence of one."""

    file: Path
    root: Path
    """The folder that the names of its files are relative to."""
    document: Mapping[str, Any] = field(default_factory=dict)
    entries: Mapping[Key, Entry] = field(default_factory=dict)

    @property
    def exists(self) -> bool:
        """Whether the file exists."""
        return bool(self.document)

    @property
    def configuration(self) -> dict[str, Any]:
        """Everything but its entries: plugins, filters, and their counterparts of older releases."""
        return {key: value for key, value in self.document.items() if key not in _NO_CONFIGURATION}

    def key(self, file: Path, kind: str, value: str) -> Key:
        """Return the key of a value in a file."""
        return self.name(file), kind, hash_of(value)

    def entry(self, file: Path, kind: str, value: str, token: str) -> Entry | None:
        """Return the entry that accepts a value, or None.

        detect-secrets only hashes the beginning of some tokens, which is the same for all of them. So the hashes of whole
        tokens are written as well; if a file has some, only they count.
        """
        short = self.entries.get(self.key(file, kind, value))
        if not token or short is None or self.token_key(file, kind, token) in self.entries:
            return short
        whole = any(one[:2] == (self.name(file), kind + _WHOLE) for one in self.entries)
        return None if whole else short

    def token_key(self, file: Path, kind: str, token: str) -> Key:
        """Return the key of a whole token in a file."""
        return self.name(file), kind + _WHOLE, hash_of(token)

    def name(self, file: Path) -> str:
        """Return the name of a file in the baseline."""
        return _plain(os.path.relpath(file, self.root))


def load(layout: Layout, settings: Settings) -> Baseline:
    """Read the baseline, if it exists. Raises `ToolError` if it is invalid."""
    file = layout.root / (settings.secrets_baseline or SECRETS_BASELINE)
    shown = layout.relative(file)
    # Above the project its names are relative to its own folder, as detect-secrets wrote them there.
    folder = Path(os.path.normpath(file)).parent
    root = folder if Path(os.path.normpath(layout.root)).is_relative_to(folder) else layout.root
    if not os.path.lexists(file):
        return Baseline(file=file, root=root)
    try:
        document = json.loads(read_project_file(file, layout.workspace))
    except (ValueError, RecursionError) as error:
        raise ToolError(_unusable(shown, "it is not JSON")) from error
    return Baseline(file=file, root=root, document=document, entries=entries_of(document, shown))


def _unusable(shown: str, reason: str) -> str:
    return f"{shown} cannot be used as a baseline of detect-secrets: {reason}; fix it, or remove it and run `{COMMAND}`"


def entries_of(document: object, shown: str) -> dict[Key, Entry]:
    """Return the entries of a parsed baseline. Raises `ToolError` if it is invalid."""
    try:
        baseline = msgspec.convert(document, _Document)
    except msgspec.ValidationError as error:
        raise ToolError(_unusable(shown, str(error))) from error
    return {
        (_plain(name), entry.type + suffix, entry.hashed_secret): entry
        for files, suffix in ((baseline.results, ""), (baseline.whole_tokens, _WHOLE))
        for name, entries in files.items()
        for entry in entries
    }


def _plain(name: str) -> str:
    # detect-secrets treats a backslash as a separator everywhere.
    return name.replace("\\", "/")


def is_whole(key: Key) -> bool:
    """Whether an entry is that of a whole token."""
    return key[1].endswith(_WHOLE)


def render(
    baseline: Baseline, version: str, configuration: Mapping[str, Any], accepted: Iterable[Key]
) -> bytes:
    """Return a baseline in the format of detect-secrets, without line numbers and time, so that it is reproducible."""
    results: dict[str, list[Mapping[str, Any]]] = {}
    tokens: dict[str, list[Mapping[str, Any]]] = {}
    for key in sorted(set(accepted)):
        name, kind, digest = key
        if is_whole(key):
            entry = {"type": kind.removesuffix(_WHOLE), "hashed_secret": digest}
            tokens.setdefault(name, []).append(entry)
            continue
        before = baseline.entries.get(key, Entry(type=kind, hashed_secret=digest))
        mark = {} if before.is_secret is None else {"is_secret": before.is_secret}
        written = {"type": kind, "filename": name, "hashed_secret": digest, "is_verified": before.is_verified}
        results.setdefault(name, []).append(written | mark)
    document = {"version": version, **configuration, "results": results}
    document |= {_TOKENS: tokens} if tokens else {}
    return (json.dumps(document, indent=2) + "\n").encode()


def write(baseline: Baseline, text: bytes) -> None:
    """Write a baseline atomically; a symbolic link is followed. Raises `ToolError`."""
    target = baseline.file.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with opened(Place(target.parent, ())) as folder:
            folder.write(
                target.name, text, ids_of(target.parent)
            )  # in the container it must belong to the user
    except OSError as error:
        raise ToolError(f"could not write {str(target)!r}: {error.strerror}") from error


def accepted_in(keys: Iterable[Key]) -> int:
    """Return the number of secrets among the keys of entries: a whole token also has the entry of its beginning."""
    return sum(not is_whole(key) for key in keys)
