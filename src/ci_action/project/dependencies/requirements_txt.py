"""Requirements files, also those that resolvers print: what their lines name, pin and say of who needs it.

Files that a line includes are read along; nothing is started, nothing is fetched.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from ci_action.model.finding import Location
from ci_action.project.dependencies.inventory import Needed, Unauditable, unique
from ci_action.project.dependencies.pyproject import requirement_of
from ci_action.system.errors import AbsentFileError, ProjectFileError, ToolError
from ci_action.system.project_files import outside, read_project_file

_COMMENT: Final = re.compile(r"(^|\s+)#(.*)$")
_OPTION: Final = re.compile(r"(--?[a-z][a-z-]*)(?:\s*=\s*|\s+|$)(.*)")
_VIA: Final = re.compile(r"\s*via(?:\s+(.*))?$")
_HASH: Final = re.compile(r"\s--hash[=\s]\S+")
_TRAILING_OPTION: Final = re.compile(r"\s--[a-z][a-z-]*[=\s].*$")
# A path as pip and uv take it: `.`, `./part`, `../part[extra]`, `part/sub`, `file:///part`.
_LOCAL: Final = re.compile(r"\.{0,2}/|\.(?=\[|$)|file:|[\w.-]+/[\w./-]*(?=\[|$)")
_ARCHIVE: Final = re.compile(r"\.(whl|zip|tar|tar\.gz|tgz|tar\.bz2|tar\.xz)(?![\w.])", re.IGNORECASE)
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_INCLUDING: Final = frozenset({"-r", "--requirement", "-c", "--constraint"})
_DEEPEST: Final = 20
_FROM_ELSEWHERE: Final = "it comes from a repository or a URL, not from a package index"
_FROM_A_FILE: Final = "it comes from a file, not from a package index"


@dataclass(frozen=True)
class Line:
    """A line of a requirements file, joined where it goes on in the next one."""

    text: str
    number: int
    hashed: bool = False
    via: tuple[str, ...] = ()
    """Who needs it, as a resolver has written below or behind it."""


@dataclass
class Listed:
    """What requirements files say."""

    pinned: list[Needed] = field(default_factory=list)
    unauditable: list[Unauditable] = field(default_factory=list)
    places: dict[str, Location] = field(default_factory=dict)
    """Where packages are named."""
    loose: list[str] = field(default_factory=list)
    """The lines that leave the version open."""
    whole: bool = True
    """Whether every line was read, and names a version with its hash: then there is nothing left to resolve."""
    files: list[Path] = field(default_factory=list)
    folders: dict[str, Location] = field(default_factory=dict)
    """The folders that are to be installed, as the lines name them: only a resolver knows what they need in turn."""


def lines_of(text: str) -> Iterator[Line]:
    """Yield the lines that say something."""
    waiting: Line | None = None
    via: list[str] = []
    inside = False
    for number, joined in _joined(text):
        comment = _COMMENT.search(joined)
        body = joined[: comment.start()].strip() if comment else joined.strip()
        if body:
            if waiting:
                yield replace(waiting, via=tuple(via))
            waiting, via, inside = _line(body, number), [], False
        if not comment:
            continue
        match = _VIA.match(comment[2])
        if match:
            inside, words = True, match[1] or ""
        elif inside and comment[2].startswith("   "):
            words = comment[2]
        else:
            inside = False
            continue
        via += [word.strip() for word in words.split(", ") if word.strip()]
    if waiting:
        yield replace(waiting, via=tuple(via))


def _line(body: str, number: int) -> Line:
    stripped, hashes = _HASH.subn("", body)
    if not stripped.startswith("-"):
        stripped = _TRAILING_OPTION.sub("", stripped)
    return Line(stripped.strip(), number, hashed=hashes > 0)


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
    """Read requirements files and those that they include; `relative` says what findings call a file."""
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
    for line in lines_of(text):
        option = _OPTION.fullmatch(line.text)
        if option and option[1] in {"-r", "--requirement"}:
            if _URL.match(option[2]):
                found.whole = False
                _left_out(line, relative(file), found)
            else:
                _read(_included(file, option[2]), relative, workspace, found, depth + 1)
        elif not option or option[1] in {"-e", "--editable"}:
            _take(line, Location(path=relative(file), line=line.number), found)


def refuse_endless(files: Iterable[Path], workspace: Path) -> None:
    """Raise `ToolError` for a pipe, a device or a far too large file among these and those that they include.

    uv reads them as well, until the memory is full or the time is over.
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
        for line in lines_of(text):
            option = _OPTION.fullmatch(line.text)
            if option and option[1] in _INCLUDING and not _URL.match(option[2]):
                waiting.append((_included(file, option[2]), f", which {file.name} includes"))


def _included(file: Path, name: str) -> Path:
    return Path(os.path.realpath(file.parent / name.replace("\0", "\ufffd")))


def _left_out(line: Line, path: str, found: Listed) -> None:
    place = Location(path=path, line=line.number)  # the address may hold a password
    name, reason = "what an included file lists", "the file lies at an address, which is not fetched"
    found.unauditable.append(Unauditable(name=name, reason=reason, location=place))


def decoded(raw: bytes) -> str:
    """Return the text of a requirements file, whose encoding pip reads from its first bytes, as we do."""
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return raw.decode(encoding, "replace")


def of_text(text: str, path: str) -> Listed:
    """Read one requirements file from its text; what it includes is not read."""
    found = Listed()
    for line in lines_of(text):
        option = _OPTION.fullmatch(line.text)
        if option and option[1] in {"-r", "--requirement"}:
            found.whole = False
            if _URL.match(option[2]):
                _left_out(line, path, found)
        elif not option or option[1] in {"-e", "--editable"}:
            _take(line, Location(path=path, line=line.number), found)
    found.pinned = list(unique(found.pinned))
    return found


def _take(line: Line, place: Location, found: Listed) -> None:
    option = _OPTION.fullmatch(line.text)
    text = option[2] if option else line.text
    if _LOCAL.match(text):  # the project itself, or a part of it, unless somebody has built it before
        if _ARCHIVE.search(text):
            name = canonicalize_name(re.split(r"[\\/]", text.partition("#")[0])[-1].partition("-")[0])
            found.unauditable.append(Unauditable(name=name, reason=_FROM_A_FILE, location=place))
        else:
            _take_folder(text, place, found)
        return
    if option or _URL.match(text) or text.startswith("git+"):
        found.unauditable.append(Unauditable(name=_egg(text), reason=_FROM_ELSEWHERE, location=place))
        return
    try:
        requirement = requirement_of(text)
    except InvalidRequirement:
        found.whole = False
        found.unauditable.append(
            Unauditable(name="a line", reason="it is no requirement that can be read", location=place)
        )
        return
    name = canonicalize_name(requirement.name)
    found.places.setdefault(name, place)
    if requirement.url:
        if _ARCHIVE.search(requirement.url) and requirement.url.startswith("file:"):
            found.unauditable.append(Unauditable(name=name, reason=_FROM_A_FILE, location=place))
        elif requirement.url.startswith("file:"):
            _take_folder(text, place, found)
        else:
            found.unauditable.append(Unauditable(name=name, reason=_FROM_ELSEWHERE, location=place))
        return
    version = pin_of(requirement)
    if not version:
        found.whole = False
        found.loose.append(text)
        return
    found.whole = found.whole and line.hashed
    parents, direct = _needed_by(line.via)
    needed = Needed(name=name, version=version, location=place, parents=parents, direct=direct)
    found.pinned.append(replace(needed, named=True, pinned=True))


def _take_folder(text: str, place: Location, found: Listed) -> None:
    found.whole = False
    found.folders.setdefault(text, place)


def _egg(text: str) -> str:
    match = re.search(r"[#&]egg=([\w.-]+)", text)
    return canonicalize_name(match[1]) if match else "a package without a name"


def pin_of(requirement: Requirement) -> str:
    """Return the one version that a requirement allows, or an empty text."""
    only = list(requirement.specifier)
    if len(only) != 1 or only[0].operator not in {"==", "==="}:
        return ""
    try:
        return str(Version(only[0].version)) and only[0].version
    except ValueError:  # also of a number that is too long
        return ""


def _needed_by(via: Iterable[str]) -> tuple[tuple[str, ...], bool | None]:
    """Return the packages among those who need it, and whether a file of the project is one of them."""
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
            parents.append(canonicalize_name(name))
    return tuple(dict.fromkeys(parents)), direct


def of_resolver(text: str) -> Listed:
    """Read what `uv pip compile` prints; whoever needs a package and is none of the list is the project itself."""
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
    """Say in which lines of a pyproject.toml or setup file packages are named: as a requirement, or as a key."""
    found: dict[str, Location] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for match in _MENTION.finditer(line):
            name = canonicalize_name(match[1] or match[2])
            found.setdefault(name, Location(path=path, line=number))
    return found


_MENTION: Final = re.compile(
    r"""["']([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?=[\[<>=!~;@"'( ])|^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*[=<>!~]"""
)
