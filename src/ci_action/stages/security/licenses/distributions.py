"""The packages that are installed in an environment, as their metadata describes them."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from packaging.metadata import RawMetadata, parse_email
from packaging.utils import canonicalize_name

# No metadata is larger, descriptions included.
_LARGEST: Final = 10_000_000
# No name and no version is longer.
_LONGEST: Final = 100


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """An installed package."""

    name: str
    version: str
    metadata: RawMetadata | None
    """None where it cannot be read."""
    source: Path | None = None
    """The folder or file on this machine that it was installed from; None where it came from elsewhere."""


def distributions(folders: Iterable[Path]) -> list[Distribution]:
    """Return the packages of some folders by name, each once: the first folder counts, as for Python."""
    found: dict[str, Distribution] = {}
    for folder in folders:
        for entry in sorted(_entries(folder)):
            one = _read(entry)
            found.setdefault(canonicalize_name(one.name), one)
    return [found[name] for name in sorted(found)]


def _entries(folder: Path) -> Iterator[Path]:
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if name.startswith("~"):  # what pip left of a package that it took away
            continue
        if name.endswith((".dist-info", ".egg-info")):
            yield folder / name
        elif name.endswith(".egg") and (folder / name / "EGG-INFO").is_dir():
            yield folder / name / "EGG-INFO"


def _read(entry: Path) -> Distribution:
    named = entry.parent.name if entry.name == "EGG-INFO" else entry.name
    stem = os.fsencode(named.rpartition(".")[0]).decode("utf-8", "replace")
    name, version, *_ = [*stem.split("-"), ""]
    metadata = _metadata(_file(entry))
    if metadata is not None and metadata.get("name"):
        name, version = metadata["name"], metadata.get("version", version)
    return Distribution(
        name=name[:_LONGEST], version=version[:_LONGEST], metadata=metadata, source=_source(entry)
    )


def _file(entry: Path) -> Path:
    if entry.name.endswith(".dist-info"):
        return entry / "METADATA"
    return entry / "PKG-INFO" if entry.is_dir() else entry


def _metadata(file: Path) -> RawMetadata | None:
    try:
        if file.stat().st_size > _LARGEST:
            return None
        # What a field says twice, or with bytes that are no UTF-8, is left out: such a field says nothing.
        return parse_email(file.read_bytes())[0]
    except (OSError, ValueError):
        return None


def _source(entry: Path) -> Path | None:
    """Return where PEP 610 says that the package came from, where that is a place on this machine."""
    try:
        document = json.loads((entry / "direct_url.json").read_bytes())
        address = urlsplit(document["url"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Path(unquote(address.path)) if address.scheme == "file" and "\0" not in address.path else None


def own_names(found: Sequence[Distribution], workspace: Path) -> set[str]:
    """Return the names of the packages that were installed out of the workspace: the project's own."""
    places = (workspace, workspace.resolve())
    return {
        canonicalize_name(one.name)
        for one in found
        if one.source and any(one.source.is_relative_to(place) for place in places)
    }
