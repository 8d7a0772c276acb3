"""Requirements files, also those that resolvers print: the packages that they name, pin, and who needs these.

Included files are read as well, unless they have to be fetched.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ci_action.model.finding import Location
from ci_action.project.dependencies.inventory import Needed, Unauditable, canonical, unique
from ci_action.project.dependencies.pyproject import find_requirement
from ci_action.system.errors import AbsentFileError, ProjectFileError, ToolError
from ci_action.system.project_files import outside, read_project_file

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_COMMENT: Final = re.compile(r"(^|\s+)#(.*)$")
_OPTION: Final = re.compile(r"(--?[a-z][a-z-]*)(?:\s*=\s*|\s+|$)(.*)")
_VIA: Final = re.compile(r"\s*via(?:\s+(.*))?$")
_HASH: Final = re.compile(r"\s--hash[=\s]\S+")
_TRAILING_OPTION: Final = re.compile(r"\s--[a-z][a-z-]*[=\s].*$")
# A path as pip and uv accept it: `.`, `./part`, `../part[extra]`, `part/sub`, `file:///part`.
_LOCAL: Final = re.compile(r"\.{0,2}/|\.(?=\[|$)|file:|[\w.-]+/[\w./-]*(?=\[|$)")
_ARCHIVE: Final = re.compile(r"\.(whl|zip|tar|tar\.gz|tgz|tar\.bz2|tar\.xz)(?![\w.])", re.IGNORECASE)
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_MENTION: Final = re.compile(
    r"""["']([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?=[\[<>=!~;@"'( ])|^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*[=<>!~]"""
)
_REQUIREMENT: Final = frozenset({"-r", "--requirement"})
_CONSTRAINT: Final = frozenset({"-c", "--constraint"})
_EDITABLE: Final = frozenset({"-e", "--editable"})
# Options that need no other file: they change what an index offers.
_INDEXES: Final = frozenset({
    "-i", "--index-url", "--extra-index-url", "--no-index", "--pre", "--prefer-binary", "--only-binary", "--no-binary",
    "--require-hashes", "--trusted-host",
})  # fmt: skip
# What comes from a folder, an address or a repository, unlike a name with extras, versions and markers.
_PLACED: Final = re.compile(r"^[^;#]*[@/\\]|^\.")
_DEEPEST: Final = 20
_FROM_ELSEWHERE: Final = "it comes from a repository or a URL, not from a package index"
_FROM_A_FILE: Final = "it comes from a file, not from a package index"


@dataclass
class Line:
    """A line of a requirements file, joined with those that continue it."""

    text: str
    number: int
    option: str = ""
    """The option that it begins with, or an empty text."""
    value: str = ""
    """What follows the option, or the whole text."""
    hashed: bool = False
    via: list[str] = field(default_factory=list)
    """Who needs it, from the comments of a resolver below or behind it."""


@dataclass
class Listed:
    """The content of requirements files."""

    pinned: list[Needed] = field(default_factory=list)
    unauditable: list[Unauditable] = field(default_factory=list)
    places: dict[str, Location] = field(default_factory=dict)
    """Where packages are named."""
    loose: list[str] = field(default_factory=list)
    """The lines without an exact version."""
    whole: bool = True
    """Whether every line was read, and names a version with its hash: then there is nothing left to resolve."""
    files: list[Path] = field(default_factory=list)
    folders: dict[str, Location] = field(default_factory=dict)
    """The folders to install, as the lines name them: only a resolver knows what they need in turn."""


def lines_of(text: str) -> list[Line]:
    """Return the lines that are not empty or comments."""
    found: list[Line] = []
    in_via = False
    for number, joined in _joined(text):
        comment = _COMMENT.search(joined)
        if body := joined[: comment.start() if comment else None].strip():
            found.append(_line(body, number))
            in_via = False
        if comment:
            match = _VIA.match(comment[2])
            in_via = match is not None or (in_via and comment[2].startswith("   "))
            words = (match[1] or "") if match else comment[2]
            if in_via and found:
                found[-1].via += filter(None, map(str.strip, words.split(", ")))
    return found


def _line(body: str, number: int) -> Line:
    stripped, hashes = _HASH.subn("", body)
    if not stripped.startswith("-"):
        stripped = _TRAILING_OPTION.sub("", stripped)
    text = stripped.strip()
    option = _OPTION.fullmatch(text)
    name, value = (option[1], option[2]) if option else ("", text)
    return Line(text, number, name, value, hashed=hashes > 0)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    parts: list[str] = []
    start = 1
    for number, line in enumerate(text.splitlines(), 1):
        if not parts:
            start = number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            parts.append(line[:-1])
            continue
        yield start, "".join([*parts, line])
        parts = []
    if parts:
        yield start, "".join(parts)


def read(files: Iterable[Path], relative: Callable[[Path], str], workspace: Path) -> Listed:
    """Read requirements files and those that they include; `relative` returns the path of a file in findings."""
    found = Listed()
    for file in files:
        _read(file, relative, workspace, found, 0)
    found.pinned = list(unique(found.pinned))
    return found


def _read(file: Path, relative: Callable[[Path], str], workspace: Path, found: Listed, depth: int) -> None:
    if file in found.files or depth > _DEEPEST:
        return
    found.files.append(file)
    try:
        text = decoded(read_project_file(file, workspace))
    except ProjectFileError as error:
        found.whole = False
        reason = f"could not read the file: {error.problem}"
        found.unauditable.append(Unauditable(name=f"what {relative(file)} lists", reason=reason))
        return
    for name in _take_all(text, relative(file), found):
        _read(_included(file, name), relative, workspace, found, depth + 1)


def of_text(text: str, path: str) -> Listed:
    """Read one requirements file from its text, without the files that it includes."""
    found = Listed()
    for _ in _take_all(text, path, found):
        found.whole = False
    found.pinned = list(unique(found.pinned))
    return found


def refuse_endless(files: Iterable[Path], workspace: Path) -> None:
    """Raise `ToolError` for a pipe, a device or a far too large file among these and those that they include.

    uv would read them until the memory is full or the time is over.
    """
    waiting = [(file, "") for file in files]
    seen: set[Path] = set()
    while waiting:
        file, named = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        try:
            text = decoded(read_project_file(file, workspace))
        except AbsentFileError:
            continue
        except ProjectFileError as error:
            if outside(file, workspace) and file.is_file():
                continue
            raise ToolError(f"{error.reason}{named}") from error
        waiting += (
            (_included(file, line.value), f", which {file.name} includes")
            for line in lines_of(text)
            if line.option in _REQUIREMENT | _CONSTRAINT and not _URL.match(line.value)
        )


def inputs_of(files: Iterable[Path], workspace: Path) -> Iterator[bytes]:
    """Yield the content of requirements files and of those that they include, also as constraints.

    Raises `ValueError` if anything else decides about their packages (a folder, an address, a repository), and
    `ProjectFileError`.
    """
    waiting, seen = [*files], set[Path]()
    while waiting:
        file = waiting.pop(0)
        if file in seen:
            continue
        seen.add(file)
        content = read_project_file(file, workspace)
        yield content
        for line in lines_of(decoded(content)):
            includes = line.option in _REQUIREMENT | _CONSTRAINT and not _URL.match(line.value)
            if includes:
                waiting.append(_included(file, line.value))
            elif line.option not in _INDEXES if line.option else _PLACED.search(line.value):
                raise ValueError(f"{line.text!r} is not a package of an index")


def _included(file: Path, name: str) -> Path:
    return Path(os.path.realpath(file.parent / name.replace("\0", "\ufffd")))


def decoded(raw: bytes) -> str:
    """Return the text of a requirements file, whose encoding pip reads from its first bytes, as we do."""
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return raw.decode(encoding, "replace")


def _take_all(text: str, path: str, found: Listed) -> Iterator[str]:
    """Add what the lines of a file name; yield the names of the files that it includes."""
    for line in lines_of(text):
        place = Location(path=path, line=line.number)
        if line.option in _REQUIREMENT:
            if not _URL.match(line.value):
                yield line.value
                continue
            found.whole = False  # the address may hold a password
            reason = "the file lies at an address, which is not fetched"
            found.unauditable.append(
                Unauditable(name="what an included file lists", reason=reason, location=place)
            )
        elif not line.option or line.option in _EDITABLE:
            _take(line, place, found)


def _take(line: Line, place: Location, found: Listed) -> None:
    text = url = line.value
    local = _LOCAL.match(text) is not None
    if local:  # the project itself, or a part of it, unless it is built already
        name = canonical(re.split(r"[\\/]", text.partition("#")[0])[-1].partition("-")[0])
    elif line.option or _URL.match(text) or text.startswith("git+"):
        egg = re.search(r"[#&]egg=([\w.-]+)", text)
        name = canonical(egg[1]) if egg else "a package without a name"
    else:
        requirement = find_requirement(text)
        if requirement is None:
            found.whole = False
            reason = "it is not a valid requirement"
            found.unauditable.append(Unauditable(name="a line", reason=reason, location=place))
            return
        name, url = canonical(requirement.name), requirement.url or ""
        found.places.setdefault(name, place)
        if not url:
            _take_requirement(requirement, line, place, found)
            return
        local = url.startswith("file:")
    if local and not _ARCHIVE.search(url):
        found.whole = False
        found.folders.setdefault(text, place)
    else:
        reason = _FROM_A_FILE if local else _FROM_ELSEWHERE
        found.unauditable.append(Unauditable(name=name, reason=reason, location=place))


def _take_requirement(requirement: "Requirement", line: Line, place: Location, found: Listed) -> None:
    version = pin_of(requirement)
    if not version:
        found.whole = False
        found.loose.append(line.value)
        return
    found.whole = found.whole and line.hashed
    parents, direct = _needed_by(line.via)
    name = canonical(requirement.name)
    needed = Needed(name=name, version=version, location=place, parents=parents, direct=direct)
    found.pinned.append(replace(needed, named=True, pinned=True))


def pin_of(requirement: "Requirement") -> str:
    """Return the only version that a requirement allows, or an empty text."""
    from packaging.version import Version  # not needed in most runs

    only = list(requirement.specifier)
    if len(only) != 1 or only[0].operator not in {"==", "==="}:
        return ""
    try:
        return str(Version(only[0].version)) and only[0].version
    except ValueError:  # also of a number that is too long
        return ""


def _needed_by(via: Iterable[str]) -> tuple[tuple[str, ...], bool | None]:
    """Return the packages that need it, and whether a file of the project needs it."""
    parents: list[str] = []
    direct: bool | None = None
    for word in via:
        if word.startswith(("-c ", "--constraint")):
            continue
        direct = bool(direct)
        name = word.partition("[")[0]
        if word.startswith("-") or "(" in word or not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
            direct = True
        else:
            parents.append(canonical(name))
    return tuple(dict.fromkeys(parents)), direct


def of_resolver(text: str) -> Listed:
    """Read what `uv pip compile` prints; a parent that is not in the list is the project itself."""
    found = of_text(text, "")
    names = {needed.name for needed in found.pinned}
    found.pinned = [
        replace(
            needed,
            location=None,
            named=False,
            pinned=False,
            parents=tuple(name for name in needed.parents if name in names),
            direct=bool(needed.direct) or not names.issuperset(needed.parents) or not needed.parents,
        )
        for needed in found.pinned
    ]
    found.unauditable = [replace(one, location=None) for one in found.unauditable]
    return found


def placed_names(text: str, path: str) -> Mapping[str, Location]:
    """Return the lines of a pyproject.toml or setup file that name packages, as a requirement or as a key."""
    found: dict[str, Location] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for match in _MENTION.finditer(line):
            found.setdefault(canonical(match[1] or match[2]), Location(path=path, line=number))
    return found
