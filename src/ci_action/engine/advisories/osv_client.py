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
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, urljoin, urlsplit

from ci_action import __version__
from ci_action.engine.advisories.audit import PAUSES, Key
from ci_action.engine.advisories.osv import Record, is_id, record_of

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


Question = TypeVar("Question")
Said = TypeVar("Said")


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
        found = self._each(wanted, self._record)
        return {name: record for name, record in zip(wanted, found, strict=True) if record is not None}

    def about(self, packages: Iterable[Key]) -> dict[str, Record]:
        """Return the records in the answers about packages, by their names: a mirror may have no other place for them."""
        self._down.clear()  # one may answer where the other does not
        found = self._each(list(dict.fromkeys(packages)), self._answer)
        return {name: record for records in found for name, record in records.items()}

    def _each(self, questions: Sequence[Question], ask: Callable[[Question, float], Said]) -> list[Said]:
        if not questions:
            return []
        end = time.monotonic() + self.seconds
        self._local = threading.local()
        with ThreadPoolExecutor(max_workers=min(_THREADS, len(questions))) as pool:
            found = list(pool.map(lambda question: ask(question, end), questions))
        while self._sessions:
            self._sessions.pop().close()
        return found

    def _record(self, name: str, end: float) -> Record | None:
        raw = self._asked(end, "GET", f"{self.base}/v1/vulns/{quote(name, safe='')}")
        if raw is None:
            return None
        record = record_of(_document(raw))
        if record is None or name not in record.ids:
            self.lost.add(name)
            return None
        return record

    def _answer(self, package: Key, end: float) -> dict[str, Record]:
        question = {"package": {"name": package[0], "ecosystem": "PyPI"}, "version": package[1]}
        document = _document(self._asked(end, "POST", f"{self.base}/v1/query", question) or b"")
        entries = document.get("vulns") if isinstance(document, dict) else None
        every = ((entry, record_of(entry)) for entry in entries) if isinstance(entries, list) else ()
        return {str(entry["id"]): record for entry, record in every if record is not None}

    def _asked(self, end: float, method: str, url: str, question: object = None) -> bytes | None:
        """Return an answer, an empty one where there was none to be had; None where it is known that there is none."""
        for pause in (*self.pauses, None):
            if self._down.is_set() or self.stopped() or time.monotonic() >= end:
                break
            try:
                return self._asked_once(end, method, url, question)
            except _AgainError:
                if pause is None:
                    self._down.set()
                    break
                time.sleep(min(pause, max(0.0, end - time.monotonic())))
        return b""

    def _asked_once(self, end: float, method: str, url: str, question: object) -> bytes | None:
        import requests  # noqa: PLC0415 - loaded only where something was found

        limits = (_CONNECT_SECONDS, _READ_SECONDS)
        try:
            with self._session().request(method, url, json=question, timeout=limits, stream=True) as answer:
                status = answer.status_code
                if status in _ABSENT:
                    return None
                if status in _AGAIN or status >= _SERVER:
                    raise _AgainError
                return self._body(answer, end) if status == _FOUND else b""
        except (requests.RequestException, OSError) as error:
            raise _AgainError from error
        except ValueError:  # an address that cannot be one
            return b""

    def _body(self, answer: "requests.Response", end: float) -> bytes:
        body = bytearray()
        for piece in answer.iter_content(65_536):
            body += piece
            if len(body) > _LARGEST or time.monotonic() >= end:
                return b""
        return bytes(body)

    def _session(self) -> "requests.Session":
        import requests  # noqa: PLC0415 - loaded only where something was found

        if not hasattr(self._local, "session"):
            session = _same_place(requests)()
            session.max_redirects = 5
            session.headers["User-Agent"] = f"ci-action/{__version__}"
            self._local.session = session
            self._sessions.append(session)
        found: requests.Session = self._local.session
        return found


def _same_place(library: Any) -> "type[requests.Session]":
    """Return a session that follows redirects to the same scheme, host and port alone."""

    class Session(library.Session):  # type: ignore[misc]  # the library is imported where it is needed
        def get_redirect_target(self, answer: "requests.Response") -> str | None:
            target: str | None = super().get_redirect_target(answer)
            if target is not None and _place(urljoin(answer.url, target)) != _place(answer.url):
                raise library.RequestException("redirected to another place")
            return target

    return Session


def _place(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _document(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
