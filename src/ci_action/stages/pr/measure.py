"""How large a pull request is: what counts, what is left out and why, and which folders make it large."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pathspec import GitIgnoreSpec

from ci_action.project.file_kinds import is_lock
from ci_action.stages.pr.changed_files import ChangedFile, PullFiles
from ci_action.system.patterns import gitignore
from ci_action.system.text import listed

# The thresholds of Prow's size plugin, which the apps for GitHub have taken over: the class holds from this many lines.
CLASSES: Final = {"XS": 0, "S": 10, "M": 30, "L": 100, "XL": 500, "XXL": 1000}
_VENDORED: Final = frozenset({
    "vendor", "vendors", "_vendor", "vendored", "third_party", "third-party", "node_modules", "bower_components",
})  # fmt: skip
# Folders are divided until none holds more than this part of the files, or there are enough of them.
_TOO_LARGE_A_PART: Final = 0.5
_MOST_FOLDERS: Final = 12


class Reason(StrEnum):
    """Why a file does not count."""

    MOVED = "moved without a change"
    LOCK = "lock files"
    GENERATED = "generated, says .gitattributes"
    VENDORED = "vendored"
    IGNORED = "in size-ignore"


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a pull request is, without what is left out."""

    files: int
    lines: int
    counted: tuple[ChangedFile, ...]
    """The files that count, as far as they are known."""
    left_out: Mapping[Reason, tuple[ChangedFile, ...]]

    @property
    def name(self) -> str:
        """The class: XS, S, M, L, XL or XXL."""
        return [name for name, least in CLASSES.items() if self.lines >= least][-1]

    @property
    def left(self) -> int:
        """How many files are left out."""
        return sum(map(len, self.left_out.values()))


@dataclass(frozen=True, kw_only=True)
class Folder:
    """What a pull request changes below a folder; `.` is the top of the repository."""

    name: str
    files: int
    lines: int


def measure(pull: PullFiles, ignore: Sequence[str] = ()) -> Size:
    """Say what counts of a pull request; `ignore` are patterns of `.gitignore`.

    Of files that GitHub does not list nothing is known but their number and their lines: they count.
    """
    spec = gitignore(ignore)
    counted: list[ChangedFile] = []
    left_out: dict[Reason, list[ChangedFile]] = {}
    for file in pull.files:
        reason = _why_left_out(file, pull, spec)
        (left_out.setdefault(reason, []) if reason else counted).append(file)
    without = [file for files in left_out.values() for file in files]
    return Size(
        files=pull.total - len(without),
        lines=pull.lines - sum(file.lines for file in without),
        counted=tuple(counted),
        left_out={reason: tuple(left_out[reason]) for reason in Reason if reason in left_out},
    )


def _why_left_out(file: ChangedFile, pull: PullFiles, ignore: GitIgnoreSpec) -> Reason | None:
    marks = pull.marks.get(file.name)
    generated, vendored = (marks.generated, marks.vendored) if marks else (None, None)
    if file.moved:
        return Reason.MOVED
    if generated is None and is_lock(file.name):
        return Reason.LOCK
    if generated:
        return Reason.GENERATED
    if vendored if vendored is not None else not _VENDORED.isdisjoint(file.name.split("/")[:-1]):
        return Reason.VENDORED
    return Reason.IGNORED if ignore.match_file(file.name) else None


def folders(files: Iterable[ChangedFile]) -> list[Folder]:
    """Return the folders that the files are in, those with the most files first.

    A folder that holds most of them is shown by its parts: `src` alone would say nothing.
    """
    known = list(files)
    groups = _grouped(known, "")
    while groups and len(groups) < _MOST_FOLDERS:
        name, inside = max(groups.items(), key=lambda group: len(group[1]))
        if len(inside) <= len(known) * _TOO_LARGE_A_PART:
            break
        parts = _grouped(inside, f"{name}/")
        if name == "." or list(parts) == [name]:
            break
        del groups[name]
        groups |= parts
    found = (Folder(name=name, files=len(inside), lines=_lines(inside)) for name, inside in groups.items())
    return sorted(found, key=lambda folder: (-folder.files, -folder.lines, folder.name))


def _grouped(files: Sequence[ChangedFile], prefix: str) -> dict[str, list[ChangedFile]]:
    groups: dict[str, list[ChangedFile]] = {}
    for file in files:
        head, separator, _ = file.name.removeprefix(prefix).partition("/")
        name = prefix + head if separator else prefix.removesuffix("/") or "."
        groups.setdefault(name, []).append(file)
    return groups


def _lines(files: Iterable[ChangedFile]) -> int:
    return sum(file.lines for file in files)


def told(size: Size, most: int = 3) -> list[str]:
    """Say what is left out, a line for each reason, with some names."""
    lines = []
    for reason, files in size.left_out.items():
        lines.append(f"{reason} ({len(files):,}): {listed([file.name for file in files], most)}")
    return lines


def largest(files: Iterable[ChangedFile], key: Callable[[Folder], int], most: int = 5) -> list[Folder]:
    """Return the folders that weigh most."""
    return [
        folder for folder in sorted(folders(files), key=lambda one: (-key(one), one.name)) if key(folder)
    ][:most]
