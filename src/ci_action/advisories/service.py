"""The records of advisories, from the service itself: what pip-audit does not hand over. The only door to the network.

A few threads, each with an end: of the connection, of an answer, of its size, of the whole. What cannot be had is left
out, and told by the caller.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from ci_action import __version__
from ci_action.advisories.auditing import PAUSES
from ci_action.advisories.records import Record, is_id, record_of

if TYPE_CHECKING:
    import requests

_THREADS: Final = 8
_CONNECT_SECONDS: Final = 10.0
_READ_SECONDS: Final = 15.0
# The largest advisories of the database have some hundred kilobytes.
_LARGEST: Final = 5_000_000
_FOUND: Final = 200
_ABSENT: Final = frozenset({400, 404, 410})
_AGAIN: Final = frozenset({408, 425, 429})
_SERVER: Final = 500


class _AgainError(Exception):
    """The same question may get another answer later."""


@dataclass(kw_only=True)
class Service:
    """An OSV service, or a mirror of one."""

    base: str
    seconds: float
    pauses: Sequence[float] = PAUSES
    stopped: Callable[[], bool] = lambda: False
    lost: set[str] = field(default_factory=set)
    """The names of records that could not be had, though they may be there."""
    _down: threading.Event = field(default_factory=threading.Event)
    _local: threading.local = field(default_factory=threading.local)
    _sessions: "list[requests.Session]" = field(default_factory=list)

    def records(self, names: Iterable[str]) -> dict[str, Record]:
        """Return the records of advisories that could be had, by the names that were asked for."""
        wanted = [name for name in dict.fromkeys(names) if is_id(name)]
        if not wanted:
            return {}
        end = time.monotonic() + self.seconds
        self._local = threading.local()
        with ThreadPoolExecutor(max_workers=min(_THREADS, len(wanted))) as pool:
            found = list(pool.map(lambda name: self._record(name, end), wanted))
        while self._sessions:
            self._sessions.pop().close()
        return {name: record for name, record in zip(wanted, found, strict=True) if record is not None}

    def _record(self, name: str, end: float) -> Record | None:
        for pause in (*self.pauses, None):
            if self._down.is_set() or self.stopped() or time.monotonic() >= end:
                break
            try:
                return self._asked(name, end)
            except _AgainError:
                if pause is None:
                    self._down.set()
                    break
                time.sleep(min(pause, max(0.0, end - time.monotonic())))
        self.lost.add(name)
        return None

    def _asked(self, name: str, end: float) -> Record | None:
        import requests  # noqa: PLC0415 - loaded only where something was found

        url = f"{self.base}/v1/vulns/{quote(name, safe='')}"
        try:
            with self._session().get(url, timeout=(_CONNECT_SECONDS, _READ_SECONDS), stream=True) as answer:
                status = answer.status_code
                if status in _ABSENT:
                    return None
                if status in _AGAIN or status >= _SERVER:
                    raise _AgainError
                raw = self._body(answer, end) if status == _FOUND else b""
        except (requests.RequestException, OSError) as error:
            raise _AgainError from error
        except ValueError:  # an address that cannot be one
            raw = b""
        record = _read(raw)
        if record is None or name not in record.ids:
            self.lost.add(name)
            return None
        return record

    def _body(self, answer: "requests.Response", end: float) -> bytes:
        body = bytearray()
        for piece in answer.iter_content(65_536):
            body += piece
            if len(body) > _LARGEST or time.monotonic() >= end:
                return b""
        return bytes(body)

    def _session(self) -> "requests.Session":
        import requests  # noqa: PLC0415 - see above

        if not hasattr(self._local, "session"):
            session = requests.Session()
            session.max_redirects = 5
            session.headers["User-Agent"] = f"ci-action/{__version__}"
            self._local.session = session
            self._sessions.append(session)
        found: requests.Session = self._local.session
        return found


def _read(raw: bytes) -> Record | None:
    try:
        return record_of(json.loads(raw))
    except (ValueError, RecursionError):
        return None
