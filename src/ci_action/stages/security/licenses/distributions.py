"""The packages that are installed in an environment, as their metadata describes them.

Not by `importlib.metadata`: it has no name for a package whose metadata is missing, cannot read a file that is not UTF-8,
takes the first of two licences where a field is repeated, and returns what pip left of removed packages.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from packaging.metadata import RawMetadata, parse_email
from packaging.utils import canonicalize_name

from ci_action.system.text import plain

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
    """None if it cannot be read."""
    source: Path | None = None
    """The local folder or file that it was installed from; None if it came from elsewhere."""


def distributions(folders: Iterable[Path]) -> list[Distribution]:
    """Return the packages in some folders by name, each once: the first folder counts, as for Python."""
    found: dict[str, Distribution] = {}
    for folder in folders:
        for entry in _entries(folder):
            one = _read(entry)
            found.setdefault(canonicalize_name(one.name), one)
    return [found[name] for name in sorted(found)]


def _entries(folder: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError, NotADirectoryError):
        for name in sorted(os.listdir(folder)):
            if name.startswith("~"):  # what pip left of a removed package
                continue
            if name.endswith((".dist-info", ".egg-info")):
                yield folder / name
            elif name.endswith(".egg") and (folder / name / "EGG-INFO").is_dir():
                yield folder / name / "EGG-INFO"


def _read(entry: Path) -> Distribution:
    named = entry.parent if entry.name == "EGG-INFO" else entry
    name, version, *_ = [*plain(named.stem).split("-"), ""]
    metadata = _metadata(next(filter(Path.exists, (entry / "METADATA", entry / "PKG-INFO")), entry))
    if metadata is not None and metadata.get("name"):
        name, version = metadata["name"], metadata.get("version", version)
    return Distribution(
        name=name[:_LONGEST], version=version[:_LONGEST], metadata=metadata, source=_source(entry)
    )


def _metadata(file: Path) -> RawMetadata | None:
    try:
        if file.stat().st_size > _LARGEST:
            return None
        # It omits a field that is repeated, or that is not UTF-8.
        return parse_email(file.read_bytes())[0]
    except (OSError, ValueError):
        return None


def _source(entry: Path) -> Path | None:
    """Return the local path that PEP 610 records as the origin of the package."""
    try:
        document = json.loads((entry / "direct_url.json").read_bytes())
        address = urlsplit(document["url"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Path(unquote(address.path)) if address.scheme == "file" and "\0" not in address.path else None


def installed_from(found: Sequence[Distribution], workspace: Path) -> set[str]:
    """Return the names of the project's own packages: those that were installed from the workspace."""
    places = (workspace, workspace.resolve())
    return {
        canonicalize_name(one.name)
        for one in found
        if one.source and any(one.source.is_relative_to(place) for place in places)
    }
