"""Ask the container over HTTP, once: what it answers, or why it does not.

The server is foreign: whatever it sends, and however slowly, an attempt ends in time and reads a bounded amount.
"""

import errno
import http.client
import io
import socket
import ssl
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote, urlsplit

from ci_action.system.redaction import without_password

SETTLING_SECONDS: Final = 5.0
"""How long an answer is retried that no start-up explains, such as 404."""
_MOST_BYTES: Final = 1_000_000
_EXCERPT_BYTES: Final = 2_000
_GOOD: Final = range(200, 400)
_SERVER_ERRORS: Final = range(500, 600)
_PORTS: Final = {"http": 80, "https": 443}
# What a path and a query can contain as it is.
_PLAIN: Final = "/%:@!$&'()*+,;=~-._?[]"


class Fault(StrEnum):
    """Why there is no status, in words."""

    REFUSED = "connection refused"
    SILENT = "no answer"
    CLOSED = "connection closed without an answer"
    UNREACHABLE = "unreachable"
    ABROAD = "network unreachable"
    TLS = "TLS failed"
    PROTOCOL = "the answer is not HTTP"


# The first that fits counts; `http.client` reports a missing status line as a lost connection.
_ERRORS: Final = (
    (TimeoutError, Fault.SILENT),
    (ConnectionRefusedError, Fault.REFUSED),
    ((ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError), Fault.CLOSED),
    (ssl.SSLError, Fault.TLS),
    (OSError, Fault.UNREACHABLE),
    (Exception, Fault.PROTOCOL),
)
# What may change while the program starts.
_PASSING: Final = frozenset({Fault.REFUSED, Fault.SILENT, Fault.CLOSED, Fault.UNREACHABLE})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of one attempt."""

    status: int = 0
    """0 without one."""
    text: str = ""
    """The server's words for the status, or what the error adds: foreign text."""
    excerpt: str = ""
    """The beginning of what follows a bad status: foreign text."""
    fault: Fault | None = None

    @property
    def is_good(self) -> bool:
        """Whether the status is 2xx or 3xx."""
        return self.status in _GOOD

    @property
    def patience(self) -> float:
        """The seconds for which it is retried: without an end as long as the program may still be starting."""
        passing = self.status in _SERVER_ERRORS or self.fault in _PASSING
        return float("inf") if passing else SETTLING_SECONDS

    def __str__(self) -> str:
        """Describe it: `200 OK`, `connection refused`."""
        if self.fault:
            return f"{self.fault} ({self.text})" if self.text else str(self.fault)
        return f"{self.status} {self.text}".rstrip()


@dataclass(frozen=True, kw_only=True)
class Url:
    """An address of the container, as seen from inside of it."""

    text: str
    host: str
    port: int
    tls: bool
    target: str
    """Path and query."""
    host_header: bytes

    @classmethod
    def of(cls, text: str) -> "Url":
        """Read a setting that was checked to be an address of the web."""
        parts = urlsplit(text)
        query = f"?{parts.query}" if parts.query else ""
        return cls(
            text=without_password(text),
            host=parts.hostname or "",
            port=parts.port or _PORTS[parts.scheme],
            tls=parts.scheme == "https",
            target=quote(f"{parts.path or '/'}{query}", safe=_PLAIN),
            host_header=parts.netloc.rpartition("@")[2].encode("utf-8", "surrogateescape"),
        )


def ask(url: Url, place: tuple[str, int], seconds: float) -> Answer:
    """Ask for an address at the place where the container is reached, within some seconds."""
    end = time.monotonic() + seconds
    try:
        with socket.create_connection(place, timeout=seconds) as sock:
            if not url.tls:
                return read(Line(sock, end), url)
            sock.settimeout(max(end - time.monotonic(), 0.01))
            with _unverified().wrap_socket(sock, server_hostname=url.host) as encrypted:
                return read(Line(encrypted, end), url)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return fault_of(error, seconds)


def read(line: Any, url: Url) -> Answer:
    """Send the request and read the answer; raises what sockets and `http.client` raise."""
    connection = http.client.HTTPConnection(url.host or "localhost", url.port)
    connection.sock = line
    headers: dict[str, str | bytes] = {
        "Host": url.host_header,
        "Accept": "*/*",
        "Connection": "close",
        "User-Agent": "ci-action",
    }
    connection.request("GET", url.target, headers=headers)
    with connection.getresponse() as response:
        status, text = response.status, " ".join(response.reason.split())[:100]
        return Answer(status=status, text=text, excerpt="" if status in _GOOD else _excerpt(response))


def _excerpt(response: http.client.HTTPResponse) -> str:
    try:
        return response.read(_EXCERPT_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException, ValueError):
        return ""


def fault_of(error: Exception, seconds: float) -> Answer:
    """Return what an error of the system, of TLS or of HTTP means."""
    fault = next(fault for kind, fault in _ERRORS if isinstance(error, kind))
    if fault is Fault.UNREACHABLE and getattr(error, "errno", 0) == errno.ENETUNREACH:
        return Answer(fault=Fault.ABROAD)
    texts = {
        Fault.SILENT: f"within {seconds:.0f} s",
        Fault.TLS: getattr(error, "reason", ""),
        Fault.UNREACHABLE: getattr(error, "strerror", ""),
        Fault.PROTOCOL: str(error)[:200],
    }
    return Answer(fault=fault, text=texts.get(fault) or "")


def _unverified() -> ssl.SSLContext:
    """Return what accepts any certificate: that of a container under test is seldom one for its name."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class _Limited(io.RawIOBase):
    """The stream of a socket that ends in time, however slowly the server answers."""

    def __init__(self, sock: Any, end: float) -> None:
        self.sock = sock
        self._end = end
        self._count = 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Receive some bytes."""
        if self._count > _MOST_BYTES:
            raise http.client.HTTPException(f"more than {_MOST_BYTES:,} bytes before its end")
        self.limit()
        size: int = self.sock.recv_into(buffer)
        self._count += size
        return size

    def limit(self) -> None:
        """Set the timeout of the next step; raises `TimeoutError` if no time is left."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left)


class Line:
    """The socket that `http.client` sees; who opened the real one closes it."""

    def __init__(self, sock: Any, end: float) -> None:
        """Wrap a socket until a time of the monotonic clock."""
        self._stream = _Limited(sock, end)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Return the stream of this socket."""
        return io.BufferedReader(self._stream)

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        self._stream.limit()
        self._stream.sock.sendall(data)

    def close(self) -> None:
        """Do nothing: the answer is still being read."""
