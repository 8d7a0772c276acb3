"""Installed tools that are kept in the cache: made once, then started without a package index.

Each is a folder of its own among the trees of the store, in which only we can write. A record names the folder, its
content and the version. An exact version is used as long as it is complete; the version that a range led to is looked up
once a day, and the last one is used if that fails.
"""

import os
import re
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Final

from ci_action.project.pins import Pin
from ci_action.project.programs import Installed, Installer, Wanted
from ci_action.system.cache import Results, Store, key_of, restored
from ci_action.system.errors import ToolError

# The version of the format of a kept tool.
_FORM: Final = "1"
# Those that were not used for so long are removed when another is installed.
_UNUSED_DAYS: Final = 14
_DAY: Final = 86_400.0
# To look for a newer version must not take long, because there is one already.
_LOOK_SECONDS: Final = 20.0
_NO_RETRIES: Final = {"UV_HTTP_RETRIES": "0"}
_PYTHONS: Final = "python"
# What decides which packages uv gets, except credentials, which change with every run.
_DECIDES: Final = re.compile(
    r"UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|INDEX_STRATEGY|EXCLUDE_NEWER\w*"
    r"|NO_BINARY\w*|NO_BUILD\w*|NO_SOURCES\w*|PYTHON_PREFERENCE|PYTHON_INSTALL_MIRROR)"
)
_CREDENTIALS: Final = re.compile(r"//[^/@\s]*@")
_ADDRESSES: Final = frozenset({
    "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_PYTHON_INSTALL_MIRROR",
})  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Record:
    folder: str
    version: str
    content: str
    day: str


@dataclass(frozen=True, kw_only=True)
class KeptPrograms:
    """The installed versions of one tool."""

    store: Store
    results: Results
    """The records."""
    installer: Installer
    interpreter: str
    """The version and the place of the Python that runs tools by default."""
    environ: Mapping[str, str]
    """Our environment: what uv sees of it is part of what decides."""
    today: date
    apart: bool = False
    """Whether another user starts the tools, who can write to everything but this store: so it contains interpreters too."""

    def install(self, wanted: Wanted) -> Installed:
        """Return the kept tool, or install and keep it; raises `ToolError` if it can neither be found nor installed.

        Raises `OSError` if nothing can be kept.
        """
        key = self._key(wanted)
        known = self._found(key, wanted)
        exact = Pin(specifier=wanted.specifier, source="").exact != ""
        if known and (exact or known[0].day == self.today.isoformat()):
            return known[1]
        try:
            return self._made(wanted, key, looks=known is not None)
        except ToolError as error:
            if not known:
                raise
            record, installed = known
            note = (
                f"could not look for a newer {wanted}; using {record.version}, the newest on {record.day}:"
                f" {' '.join(error.reason.split())}"
            )
            return replace(installed, warnings=(note,))

    def _key(self, wanted: Wanted) -> str:
        python = wanted.python or self.interpreter
        decides = decisive({**self.environ, **self.installer.variables})
        facts = (f"{name}={value}" for name, value in sorted(decides.items()))
        return key_of(_FORM, str(wanted), python, *facts)

    def _found(self, key: str, wanted: Wanted) -> tuple[_Record, Installed] | None:
        """Return the record and the tool, if it is complete, and note that it was used."""
        records = restored(_Record, [self.results.get(key)])
        if not records:
            return None
        [record] = records
        with suppress(OSError):
            trees = self.store.trees()
            folder = trees / os.path.basename(record.folder)
            script = wanted.script(folder)
            runs = os.access(script, os.X_OK) and os.access(script.with_name("python"), os.X_OK)
            if runs and content_of(folder / wanted.tool) == record.content:
                for used in (folder, *([trees / _PYTHONS] if wanted.python else [])):
                    with suppress(OSError):  # the cache may be read-only
                        os.utime(used)
                return record, Installed(script=script, version=record.version)
        return None

    def _made(self, wanted: Wanted, key: str, *, looks: bool) -> Installed:
        mode = 0o755 if self.apart else 0o700
        trees = self.store.trees(make=mode)
        _remove_unused(trees, time.time() - _UNUSED_DAYS * _DAY)
        folder = trees / f"{wanted.tool}-{os.urandom(8).hex()}"
        folder.mkdir(mode)
        variables = {**self.installer.variables, **(_NO_RETRIES if looks else {})}
        if wanted.python and self.apart:
            variables |= {
                "UV_PYTHON_INSTALL_DIR": str(trees / _PYTHONS),
                "UV_PYTHON_PREFERENCE": "only-managed",
            }
        installer = replace(self.installer, variables=variables)
        try:
            installed = installer.install(wanted, folder, **({"seconds": _LOOK_SECONDS} if looks else {}))
            installer.compile(wanted, folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        record = _Record(
            folder=folder.name,
            version=installed.version,
            content=content_of(folder / wanted.tool),
            day=self.today.isoformat(),
        )
        self.results.put(key, asdict(record))
        problem = self.results.save()
        return replace(installed, warnings=(problem,)) if problem else installed


def decisive(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that decide which packages uv gets, without credentials."""
    return {
        name: _CREDENTIALS.sub("//", value) for name, value in variables.items() if _DECIDES.fullmatch(name)
    }


def is_local(variables: Mapping[str, str]) -> bool:
    """Whether packages come from a folder of this machine, in which others can write."""
    values = (value for name, value in variables.items() if name in _ADDRESSES for value in value.split())
    return any("://" not in value or "file://" in value.lower() for value in values)


def content_of(folder: Path) -> str:
    """Return a digest of the names and sizes of all files: those of a cache may be removed one by one. Raises `OSError`."""
    lines = sorted(_files(str(folder), ""))
    return sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _files(folder: str, below: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            name = f"{below}/{entry.name}"
            found = entry.stat(follow_symlinks=False)
            if stat.S_ISDIR(found.st_mode):
                yield from _files(entry.path, name)
            else:
                yield f"{name} {found.st_size}"


def _remove_unused(trees: Path, before: float) -> None:
    """Remove what was not used since then, and what is left of interrupted installations."""
    with os.scandir(trees) as entries:
        old = [entry.path for entry in entries if entry.stat(follow_symlinks=False).st_mtime < before]
    for path in old:
        shutil.rmtree(path, ignore_errors=True)
