"""The advisory service: its address, and the records of advisories, which pip-audit does not pass on.

The only place that talks to the network. A few threads, each limited in the time of a connection, of an answer and of the
whole, and in the size of an answer. What cannot be fetched is omitted, and reported by the caller.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote, urljoin, urlsplit

from ci_action import __version__
from ci_action.engine.advisories.audit import PAUSES, Key
from ci_action.engine.advisories.osv import Record, is_id, record_of
from ci_action.system.redaction import without_password

if TYPE_CHECKING:
    import requests

DEFAULT: Final = "https://api.osv.dev"
_ENDINGS: Final = ("/v1/query", "/v1/querybatch", "/v1")
_THREADS: Final = 8
# Of a connection and of an answer.
_SECONDS: Final = (10.0, 15.0)
# The largest advisories of the database have some hundred kilobytes.
_LARGEST: Final = 5_000_000
_FOUND: Final = 200
_RETRIED: Final = frozenset({408, 425, 429})
_SERVER: Final = 500

Question = TypeVar("Question")
Found = TypeVar("Found")


def base_of(address: str) -> str:
    """Return the address to which `/v1/...` is added; common endings are removed."""
    base = (address.strip() or DEFAULT).rstrip("/")
    return next((base.removesuffix(ending) for ending in _ENDINGS if base.endswith(ending)), base).rstrip("/")


def host_of(address: str) -> str:
    """Return host and port of an address, for messages."""
    try:
        parts = urlsplit(base_of(address))
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    except ValueError:
        return "the advisory service"


def address_mistakes(address: str) -> list[str]:
    """Return the mistakes in `advisory-url`, without a password in it."""
    if not address.strip() or _is_address(address.strip()):
        return []
    shown = without_password(address.strip())
    return [f"advisory-url = {shown!r}: not the http or https address of an OSV service, such as '{DEFAULT}'"]


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return False
    return bool(valid) and not parts.query and not parts.fragment and not re.search(r"[\s\x00-\x1f\\]", text)


@dataclass(kw_only=True)
class Service:
    """An OSV service, or a mirror of one."""

    base: str
    seconds: float
    pauses: Sequence[float] = PAUSES
    stopped: Callable[[], bool] = lambda: False
    _down: threading.Event = field(default_factory=threading.Event)
    _end: float = 0.0

    def records(self, names: Iterable[str]) -> dict[str, Record]:
        """Return the records of advisories that could be fetched, by the requested names."""
        wanted = [name for name in dict.fromkeys(names) if is_id(name)]
        found = self._each(wanted, self._record)
        return {name: record for name, record in zip(wanted, found, strict=True) if record is not None}

    def about(self, packages: Iterable[Key]) -> dict[str, Record]:
        """Return the records in the answers about packages, by name: a mirror may have no other place for them."""
        self._down.clear()  # this request may work where the other does not
        found = self._each(list(dict.fromkeys(packages)), self._answer)
        return {name: record for records in found for name, record in records.items()}

    def _each(
        self, questions: Sequence[Question], ask: Callable[["requests.Session", Question], Found]
    ) -> list[Found]:
        if not questions:
            return []
        self._end = time.monotonic() + self.seconds
        with _session() as session, ThreadPoolExecutor(min(_THREADS, len(questions))) as pool:
            return list(pool.map(lambda question: ask(session, question), questions))

    def _record(self, session: "requests.Session", name: str) -> Record | None:
        record = record_of(_document(self._asked(session, "GET", f"/v1/vulns/{quote(name, safe='')}")))
        return record if record is not None and name in record.ids else None

    def _answer(self, session: "requests.Session", package: Key) -> dict[str, Record]:
        question = {"package": {"name": package[0], "ecosystem": "PyPI"}, "version": package[1]}
        document = _document(self._asked(session, "POST", "/v1/query", question))
        entries = document.get("vulns") if isinstance(document, dict) else None
        every = ((entry, record_of(entry)) for entry in entries) if isinstance(entries, list) else ()
        return {str(entry["id"]): record for entry, record in every if record is not None}

    def _asked(self, session: "requests.Session", method: str, path: str, question: object = None) -> bytes:
        """Return the answer; empty if there was none. A pause ends early if the service is down or the time is up."""
        for pause in (*self.pauses, None):
            if self._down.is_set() or self.stopped() or self._left() <= 0:
                return b""
            try:
                with session.request(
                    method, self.base + path, json=question, timeout=_SECONDS, stream=True
                ) as answer:
                    if answer.status_code in _RETRIED or answer.status_code >= _SERVER:
                        answer.raise_for_status()
                    return self._body(answer) if answer.status_code == _FOUND else b""
            except ValueError:  # an invalid address
                return b""
            except OSError:  # as all errors of requests are
                if pause is not None:
                    self._down.wait(min(pause, max(0.0, self._left())))
        self._down.set()
        return b""

    def _left(self) -> float:
        return self._end - time.monotonic()

    def _body(self, answer: "requests.Response") -> bytes:
        body = bytearray()
        for piece in answer.iter_content(65_536):
            body += piece
            if len(body) > _LARGEST or self._left() <= 0:
                return b""
        return bytes(body)


def _session() -> "requests.Session":
    """Return a session for all threads that follows redirects to the same scheme, host and port only."""
    import requests  # only needed if something was found

    class Session(requests.Session):
        def get_redirect_target(self, resp: "requests.Response") -> str | None:
            target = super().get_redirect_target(resp)
            if target is not None and _place(urljoin(resp.url, target)) != _place(resp.url):
                raise requests.RequestException("redirected to another host")
            return target

    session = Session()
    session.max_redirects = 5
    session.headers["User-Agent"] = f"ci-action/{__version__}"
    return session


def _place(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _document(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
