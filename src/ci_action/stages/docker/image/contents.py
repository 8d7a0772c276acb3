"""What the layers of an image hold: Python packages, and the files of the project to search for secrets. Pure.

Layers are read in their order. A later one can remove what an earlier one holds: a package counts if it is left at the end,
but a secret counts in every layer that this Dockerfile adds, because everybody who gets the image gets all layers.
"""

import csv
import json
import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from email.parser import BytesHeaderParser
from typing import Final

from packaging.utils import canonicalize_name

from ci_action.stages.docker.image.archive import Entry, Kind, LayerReader
from ci_action.system.text import plain

LARGEST_TEXT: Final = 1_000_000
"""The size of the largest file that is searched for secrets."""
_LARGEST_METADATA: Final = 100_000
_LARGEST_LIST: Final = 20_000_000
_LONGEST_NAME: Final = 200
_DIST: Final = ".dist-info"
_EGG: Final = ".egg-info"
_EGG_FOLDER: Final = "EGG-INFO"
_ORIGIN: Final = "direct_url.json"
_RECORD: Final = "RECORD"
_DPKG_LIST: Final = re.compile(r"/var/lib/dpkg/info/[^/]+\.list")
_APK_LIST: Final = re.compile(r"/(?:usr/)?lib/apk/db/installed")
# What belongs to the system or to packages without a list of their files: the standard library of Python, of which a copy
# of an interpreter consists, the folders of npm, documentation, and the databases and caches of package managers.
_OF_SYSTEM: Final = re.compile(
    r"/(?:proc|sys|dev)/|.*/(?:node_modules|\.cache/(?:uv|pip|pypoetry|pdm))/|.*/lib/python3(?:\.\d+t?)?/(?!site-packages/|dist-packages/)"
    r"|/usr/(?:share/(?:doc|man|info|locale|zoneinfo|perl5?|i18n|ca-certificates|debconf|fonts|icons|mime)|include|lib/ssl)/"
    r"|/etc/ssl/certs/|/var/lib/(?:dpkg|apt|rpm)/|/(?:usr/)?lib/(?:apk|sysimage)/|/var/cache/(?:apt|debconf|apk|dnf|yum)/"
    r"|/var/log/|/etc/(?:pam\.d/|(?:nsswitch|login|deluser|adduser)\.(?:conf|defs)$)"
)
# /bin, /lib and others are links to these in most images, and lists of packages use both names.
_MERGED: Final = re.compile(r"/(?=(?:bin|sbin|lib|lib32|lib64|libx32)/)")
_EDITABLE: Final = "dir_info"
_REPOSITORY: Final = "vcs_info"


@dataclass(frozen=True)
class Installed:
    """A Python package in the image."""

    name: str
    """As its metadata spells it; the name of its folder if that has none."""
    version: str
    """Empty if the metadata has none."""
    path: str
    """Its metadata."""
    layer: int
    """The number of the layer, from 0."""
    origin: str = ""
    """`dir_info` for a folder, such as the project itself, `vcs_info` for a repository; empty for anything else."""

    @property
    def folder(self) -> str:
        """The folder that it is installed in."""
        above = posixpath.dirname(self.path)
        return posixpath.dirname(above) if above.endswith((_DIST, _EGG, f"/{_EGG_FOLDER}")) else above


@dataclass(kw_only=True)
class Texts:
    """The files of one layer to search for secrets."""

    files: list[Entry] = field(default_factory=list)
    """In their order in the layer."""
    of_packages: int = 0
    """Number of files that belong to packages: they are not searched."""
    large: int = 0
    """Number of files that are too large."""


@dataclass(kw_only=True)
class Packages:
    """The Python packages of the layers that were read until now."""

    found: dict[str, Installed] = field(default_factory=dict)
    """By the path of their metadata."""
    _folders: dict[str, set[str]] = field(default_factory=dict)
    """The metadata of earlier layers in every folder and below it."""

    def read(self, number: int, reader: LayerReader, entries: Iterator[Entry]) -> Iterator[Entry]:
        """Add the packages of a layer, and remove those that it removes; yields its entries again."""
        earlier = dict(self.found)
        self._folders = _by_folder(earlier)
        origins: dict[str, str] = {}
        for entry in entries:
            if entry.kind in {Kind.REMOVED, Kind.EMPTIED, Kind.FILE, Kind.OTHER}:
                self._remove(entry, earlier)
            source = self.found.get(entry.target)
            if source and is_metadata(entry.path):
                self.found[entry.path] = replace(source, path=plain(entry.path), layer=number)
            elif entry.kind is Kind.FILE:
                if is_metadata(entry.path):
                    raw = reader.content(entry, _LARGEST_METADATA)
                    self.found[entry.path] = described(entry.path, raw, number)
                elif posixpath.basename(entry.path) == _ORIGIN:
                    raw = reader.content(entry, _LARGEST_METADATA)
                    origins[posixpath.dirname(entry.path)] = origin_of(raw)
            yield entry
        for path, one in self.found.items():
            origin = origins.get(posixpath.dirname(path))
            if origin is not None:
                self.found[path] = replace(one, origin=origin)

    def _remove(self, entry: Entry, earlier: dict[str, Installed]) -> None:
        gone = set(self._folders.get(entry.path, ()))
        if entry.kind is Kind.REMOVED:
            gone |= {entry.path} & earlier.keys()
        for path in gone:
            if self.found.get(path) is earlier[path]:
                del self.found[path]


def _by_folder(found: dict[str, Installed]) -> dict[str, set[str]]:
    folders: dict[str, set[str]] = {}
    for path in found:
        above = posixpath.dirname(path)
        while above not in {"", "/"}:
            folders.setdefault(above, set()).add(path)
            above = posixpath.dirname(above)
    return folders


def is_metadata(path: str) -> bool:
    """Return whether a file holds the metadata of a Python package."""
    folder, name = posixpath.split(path)
    above = posixpath.basename(folder)
    if name == "METADATA":
        return above.endswith(_DIST)
    if name == "PKG-INFO":
        return above.endswith(_EGG) or above == _EGG_FOLDER
    return name.endswith(_EGG)


def described(path: str, raw: bytes, layer: int) -> Installed:
    """Return a package by its metadata."""
    message = BytesHeaderParser().parsebytes(raw)
    folder, name = posixpath.split(path)
    stem = posixpath.basename(folder) if name in {"METADATA", "PKG-INFO"} else name
    if stem == _EGG_FOLDER:
        stem = posixpath.basename(posixpath.dirname(folder))
    guessed = stem.rpartition(".")[0].partition("-")[0] or stem
    return Installed(
        name=_header(message.get("Name")) or plain(guessed)[:_LONGEST_NAME],
        version=_header(message.get("Version")),
        path=plain(path),
        layer=layer,
    )


def _header(value: object) -> str:
    return plain(str(value or "")).strip()[:_LONGEST_NAME]


def origin_of(raw: bytes) -> str:
    """Return what `direct_url.json` names as the origin of a package (PEP 610); empty for a package index or an archive."""
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    keys = document.keys() if isinstance(document, dict) else ()
    return next((one for one in (_EDITABLE, _REPOSITORY) if one in keys), "")


@dataclass(kw_only=True)
class TextFinder:
    """Finds the files of one layer to search for secrets: those that no package has installed."""

    own: frozenset[str]
    """The names of the project's own packages in their normal form: their files are searched."""
    _small: list[Entry] = field(default_factory=list)
    _owned: dict[str, int] = field(default_factory=dict)
    """Files of packages with their sizes; negative for an unknown one."""
    _system: int = 0
    _large: list[Entry] = field(default_factory=list)

    def see(self, entry: Entry, reader: LayerReader) -> None:
        """Note an entry of the layer."""
        if entry.kind is not Kind.FILE or not entry.size:
            return
        path = entry.path
        if _DPKG_LIST.fullmatch(path):
            self._own_all(dpkg_files(reader.content(entry, _LARGEST_LIST)))
        elif _APK_LIST.fullmatch(path):
            self._own_all(apk_files(reader.content(entry, _LARGEST_LIST)))
        elif path.endswith(f"{_DIST}/{_RECORD}") and not self._is_own(path):
            self._owned |= record_files(path, reader.content(entry, _LARGEST_LIST))
        if _OF_SYSTEM.match(path):
            self._system += 1
        elif entry.size > LARGEST_TEXT:
            self._large.append(entry)
        else:
            self._small.append(entry)

    def _own_all(self, paths: Iterator[str]) -> None:
        self._owned |= dict.fromkeys(paths, -1)

    def _is_own(self, record: str) -> bool:
        stem = posixpath.basename(posixpath.dirname(record)).removesuffix(_DIST)
        return canonicalize_name(stem.partition("-")[0]) in self.own

    def texts(self) -> Texts:
        """Return the files of the layer."""
        files = [one for one in self._small if not self._is_owned(one)]
        large = sum(not self._is_owned(one) for one in self._large)
        owned = self._system + len(self._small) - len(files) + len(self._large) - large
        return Texts(files=files, of_packages=owned, large=large)

    def _is_owned(self, entry: Entry) -> bool:
        size = self._owned.get(canonical(entry.path))
        # A file that has changed since its package was installed is not that of the package.
        return size is not None and size in {-1, entry.size}


def canonical(path: str) -> str:
    """Return a path with `/usr` before the folders that are links to it in most images."""
    return _MERGED.sub("/usr/", path, count=1) if _MERGED.match(path) else path


def record_files(record: str, raw: bytes) -> dict[str, int]:
    """Return the files of an installed Python package with their sizes, by its RECORD."""
    folder = posixpath.dirname(record)
    root = posixpath.dirname(folder)
    # Its own entry, and metadata that installers write later without one.
    written = (_RECORD, "INSTALLER", "REQUESTED", _ORIGIN, "METADATA", "WHEEL")
    found = {canonical(f"{folder}/{name}"): -1 for name in written}
    try:
        for row in csv.reader(raw.decode("utf-8", "surrogateescape").splitlines()):
            if row and row[0]:
                name, _, size, *_ = (*row, "", "")  # path, hash, size; the last two may be missing
                path = posixpath.normpath(posixpath.join(root, name))
                found[canonical(path)] = int(size) if size.isdecimal() else -1
    except (csv.Error, ValueError):  # the rest of its files is searched
        pass
    return found


def dpkg_files(raw: bytes) -> Iterator[str]:
    """Yield the files in a list of dpkg."""
    for line in raw.decode("utf-8", "surrogateescape").splitlines():
        yield canonical(line)


def apk_files(raw: bytes) -> Iterator[str]:
    """Yield the files in the database of apk."""
    folder = ""
    for line in raw.decode("utf-8", "surrogateescape").splitlines():
        kind, _, value = line.partition(":")
        if kind == "F":
            folder = value
        elif kind == "R":
            yield canonical(f"/{folder}/{value}")


@dataclass(frozen=True)
class Removal:
    """What a layer removes of earlier ones."""

    layer: int
    path: str

    def removes(self, layer: int, path: str) -> bool:
        """Return whether it removes a file of a layer."""
        return layer < self.layer and (path == self.path or path.startswith(f"{self.path.rstrip('/')}/"))


def removals(number: int, keep: Callable[[Removal], None], entries: Iterator[Entry]) -> Iterator[Entry]:
    """Yield entries again, and keep what they remove."""
    for entry in entries:
        if entry.kind in {Kind.REMOVED, Kind.EMPTIED}:
            keep(Removal(number, plain(entry.path)))
        yield entry
