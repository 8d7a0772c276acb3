"""An OSV service on this machine with the advisories of `tests/golden/advisories`, and the ways in which one can fail."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version
from support.paths import GOLDEN

ADVISORIES = GOLDEN / "advisories"


def advisories() -> dict[str, dict[str, Any]]:
    """Return the advisories by their names."""
    return {file.stem: json.loads(file.read_text()) for file in sorted(ADVISORIES.glob("*.json"))}


def affects(advisory: dict[str, Any], name: str, version: Version) -> bool:
    """Whether a version of a package lies in the ranges of an advisory."""
    for affected in advisory["affected"]:
        if canonicalize_name(affected["package"]["name"]) != name:
            continue
        for one in affected["ranges"]:
            events = one["events"]
            starts = [event["introduced"] for event in events if "introduced" in event]
            ends = [event["fixed"] for event in events if "fixed" in event] or ["99999"]
            if any(Version(start) <= version < Version(end) for start, end in zip(starts, ends, strict=True)):
                return True
    return False


@dataclass
class Failing:
    """How the service misbehaves: for every question, or for some packages alone."""

    status: int = 0
    """Answer with this status instead."""
    half: bool = False
    """Announce the whole answer, send a half, hang up."""
    hang: bool = False
    """Never answer."""
    body: bytes | None = None
    """Answer with this instead."""
    location: str = ""
    """Redirect there instead."""
    only: frozenset[str] = frozenset()
    """The affected packages; empty for all."""
    records: bool = False
    """Whether it is about the records of advisories too."""
    times: int = 1_000_000
    """Number of failures."""


@dataclass
class AdvisoryService:
    """What is served, how, and what was asked."""

    known: dict[str, dict[str, Any]] = field(default_factory=advisories)
    failing: Failing | None = None
    delay: float = 0.0
    """Seconds before every answer."""
    asked: list[tuple[str, str]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    address: str = ""
    stopped: threading.Event = field(default_factory=threading.Event)

    def found(self, name: str, version: str) -> list[dict[str, Any]]:
        """Return the advisories about a version, those that were withdrawn among them, as the real service does."""
        return [one for one in self.known.values() if affects(one, canonicalize_name(name), Version(version))]

    def failure(self, package: str | None) -> Failing | None:
        """Return how to misbehave for a package, or for a record; None to answer."""
        failing = self.failing
        if failing is None or failing.times <= 0:
            return None
        if package is None and not failing.records:
            return None
        if package is not None and failing.only and package not in failing.only:
            return None
        failing.times -= 1
        return failing


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65_536  # one write for an answer: small ones would wait for each other
    disable_nagle_algorithm = True
    service: AdvisoryService

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name, version = question["package"]["name"], question["version"]
        self.service.asked.append((name, version))
        if self.path != "/v1/query":
            self._answer(404, b'{"code": 5, "message": "Not Found"}')
            return
        found = self.service.found(name, version)
        self._send(json.dumps({"vulns": found} if found else {}).encode(), self.service.failure(name))

    def do_GET(self) -> None:
        name = self.path.removeprefix("/v1/vulns/")
        self.service.fetched.append(name)
        if name not in self.service.known:
            self._answer(404, b'{"code": 5, "message": "Bug not found."}')
            return
        self._send(json.dumps(self.service.known[name]).encode(), self.service.failure(None))

    def _send(self, body: bytes, failing: Failing | None) -> None:
        if failing is None:
            self._answer(200, body)
        elif failing.hang:
            self.service.stopped.wait(60)
            self.close_connection = True
        elif failing.half:
            self._answer(200, body[: len(body) // 2], announced=len(body) + 10)
            self.close_connection = True
        elif failing.location:
            self._answer(307, b"", location=failing.location)
        elif failing.body is not None:
            self._answer(200, failing.body)
        else:
            self._answer(failing.status, b"{}")

    def _answer(self, status: int, body: bytes, announced: int | None = None, location: str = "") -> None:
        self.service.stopped.wait(self.service.delay)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body) if announced is None else announced))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Log nothing."""


@contextmanager
def served(service: AdvisoryService | None = None, *, host: str = "127.0.0.1") -> Iterator[AdvisoryService]:
    """Serve until the end of the block; what was given is yielded, with its address.

    `host` is an address of this machine: containers reach it by another one than loopback.
    """
    one = service or AdvisoryService()
    handler = type("Handler", (_Handler,), {"service": one})
    server = ThreadingHTTPServer((host, 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    one.address = f"http://{host}:{server.server_port}"
    try:
        yield one
    finally:
        one.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()
