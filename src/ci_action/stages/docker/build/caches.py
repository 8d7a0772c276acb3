"""Caches of layers: what `cache-from` and `cache-to` ask for, and which builder and variables that needs."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

LOCAL: Final = "local"
_GITHUB: Final = "gha"
_INLINE: Final = "inline"
# What Docker's own builder reads and writes without containerd.
_READ: Final = frozenset({"registry", LOCAL, _INLINE})
_DOCKER: Final = "docker"
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_RUNTIME: Final = "ACTIONS_RUNTIME_TOKEN"
_URL: Final = "ACTIONS_CACHE_URL"
_RESULTS: Final = "ACTIONS_RESULTS_URL"
_SECOND: Final = "ACTIONS_CACHE_SERVICE_V2"
# The second version of GitHub's cache service. Old versions of buildx know only the variable of the first one, and BuildKit
# recognises the address.
_RECEIVER: Final = "results-receiver.actions.githubusercontent.com"


@dataclass(frozen=True)
class Cache:
    """One entry of `cache-from` or `cache-to`."""

    fields: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, entry: str) -> "Cache":
        """Read an entry, which is a line of CSV."""
        words = next(csv.reader([entry]), [])
        return cls(tuple((name.strip(), value) for name, _, value in (word.partition("=") for word in words)))

    def get(self, name: str) -> str:
        """Return the value of a field; empty without one."""
        return dict(self.fields).get(name, "")

    @property
    def kind(self) -> str:
        """Its type."""
        return self.get("type")

    @property
    def is_beside(self) -> bool:
        """Whether it is in a registry of this machine."""
        try:
            return urlsplit(f"//{self.get('ref')}").hostname in _LOOPBACK
        except ValueError:
            return False

    def having(self, name: str, value: str) -> "Cache":
        """Return it with another value of a field."""
        return replace(self, fields=tuple((key, value if key == name else old) for key, old in self.fields))

    def __str__(self) -> str:
        """Render as buildx reads it."""
        line = io.StringIO()
        csv.writer(line, lineterminator="").writerow(f"{name}={value}" for name, value in self.fields)
        return line.getvalue()


@dataclass(frozen=True, kw_only=True)
class Caches:
    """All caches of a build."""

    read: tuple[Cache, ...]
    written: tuple[Cache, ...]

    @classmethod
    def of(cls, read: Iterable[str], written: Iterable[str]) -> "Caches":
        """Read the settings."""
        return cls(read=tuple(map(Cache.of, read)), written=tuple(map(Cache.of, written)))

    @property
    def _all(self) -> tuple[Cache, ...]:
        return (*self.read, *self.written)

    @property
    def has_github(self) -> bool:
        """Whether one is in GitHub's cache service."""
        return any(one.kind == _GITHUB for one in self._all)

    @property
    def is_beside(self) -> bool:
        """Whether one is in a registry of this machine, which a builder in a container reaches by the machine's network."""
        return any(one.is_beside for one in self._all)

    def without_github(self) -> "Caches":
        """Return the caches outside of GitHub's service."""
        return Caches(
            read=tuple(one for one in self.read if one.kind != _GITHUB),
            written=tuple(one for one in self.written if one.kind != _GITHUB),
        )

    def need_another(self, driver: str, *, containerd: bool) -> bool:
        """Return whether a builder cannot read or write one of them: only Docker's own one has such limits."""
        if driver != _DOCKER or containerd:
            return False
        if any(one.kind not in _READ for one in self.read) or any(one.kind != _INLINE for one in self.written):
            return True
        # Others have written what is only read: a builder of ours, whose BuildKit names the layers in another way.
        return not self.written and any(one.kind != _INLINE for one in self.read)


def github_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of GitHub's cache service, for buildx alone; none where it is not available."""
    results = environ.get(_RESULTS, "")
    second = _RECEIVER in results or environ.get(_SECOND, "").lower() in {"1", "true"}
    given = {
        _RUNTIME: environ.get(_RUNTIME, ""),
        _URL: results if second else environ.get(_URL, ""),
        _RESULTS: results,
        _SECOND: "true" if second else "",
    }
    return {name: value for name, value in given.items() if value} if given[_RUNTIME] and given[_URL] else {}


NO_CACHES: Final = Caches(read=(), written=())
