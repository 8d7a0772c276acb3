"""A fake of GitHub's REST API on the loopback: it has state, pages, rate limits, permissions and failures as GitHub does.

Where GitHub's published description is at hand (`github_description.VARIABLE`), every request and every answer is held
against it, and whoever asks or answers otherwise fails the test.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from support.builders import event
from support.github_bodies import refused
from support.github_description import description
from support.github_hub import TOKEN, Fault, Hub, Request, Token
from support.github_routes import RefusedError, answer

from ci_action.github.client import GitHub
from ci_action.github.transport import open_api

# Longer than any request may take; the test ends it.
_HANG = 60.0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Or the body of each answer waits 40 ms until its head is acknowledged.
    disable_nagle_algorithm = True

    @property
    def _hub(self) -> Hub:
        assert isinstance(self.server, _Server)
        return self.server.hub

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the library
        """Do not log."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        hub = self._hub
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = json.loads(raw) if raw else None
        url = urlsplit(self.path)
        path = url.path.removeprefix(hub.prefix)
        data: Any
        with hub.lock:
            fault = hub.fault(self.command, path)
            if fault is not None:
                status, data, headers = (
                    fault.status,
                    refused(fault.status, fault.text or "it failed"),
                    dict(fault.headers),
                )
            else:
                status, data, headers = self._answer(path, url.query, body)
            hub.requests.append(Request(self.command, path, url.query, body, status))
            self._validate(path, url.query, body, status, data, checked=fault is None)
            text = b"" if data is None else json.dumps(data).encode()
        if fault is not None and fault.kind:
            self._fail(fault)
            return
        self._send(status, text, headers)

    def _answer(self, path: str, query: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        hub = self._hub
        token = hub.tokens.get(self.headers.get("Authorization", "").partition(" ")[2])
        if token is None:
            return 401, refused(401, "Bad credentials"), {}
        headers: dict[str, str] = {}
        try:
            headers = _counted(token, self.command)
            status, data = answer(hub, token, self.command, path, body)
        except _LimitedError as error:
            return error.status, error.body, error.headers
        except RefusedError as error:
            return error.status, error.body, headers
        if isinstance(data, list) and self.command == "GET":
            data, link = _page(data, f"{hub.root}{path}", query)
            headers |= {"Link": link} if link else {}
        return status, data, headers

    def _validate(self, path: str, query: str, body: Any, status: int, data: Any, *, checked: bool) -> None:
        known = description()
        if known is None:
            return
        self._hub.problems += known.request(self.command, path, query, body)
        if checked:
            self._hub.problems += known.answer(self.command, path, status, data)

    def _fail(self, fault: Fault) -> None:
        assert isinstance(self.server, _Server)
        self.close_connection = True
        if fault.kind == "hang":
            self.server.ended.wait(_HANG)
        elif fault.kind == "half":
            self._head(fault.status or 200, 1000, {})
            self.wfile.write(b'{"message": "this is hal')
        elif fault.kind == "drip":
            self._head(fault.status or 200, 100_000, {})
            while not self.server.ended.wait(0.05):
                try:
                    self.wfile.write(b" ")
                except OSError:
                    return
        elif fault.kind == "text":
            self._send(fault.status or 200, fault.text.encode(), dict(fault.headers))

    def _send(self, status: int, text: bytes, headers: Mapping[str, str]) -> None:
        self._head(status, len(text), headers)
        self.wfile.write(text)

    def _head(self, status: int, length: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()


class _LimitedError(RefusedError):
    """A rate limit was reached."""

    def __init__(self, message: str, headers: dict[str, str], status: int = 403) -> None:
        super().__init__(status, message)
        self.headers = headers


def _counted(token: Token, verb: str) -> dict[str, str]:
    """Count a request; return the headers with the number of remaining ones. Raises if there are none."""
    if token.remaining is not None:
        token.remaining -= 1
        headers = {
            "X-RateLimit-Limit": "1000",
            "X-RateLimit-Remaining": str(max(0, token.remaining)),
            "X-RateLimit-Reset": str(int(time.time()) + 3000),
        }
        if token.remaining < 0:
            raise _LimitedError("API rate limit exceeded for installation ID 1.", headers)
        return headers
    if token.writes is not None and verb != "GET":
        token.writes -= 1
        if token.writes == -1:  # once refused and waited for, it goes on
            token.writes = None
            after = {} if token.pause is None else {"Retry-After": str(token.pause)}
            raise _LimitedError("You have exceeded a secondary rate limit. Please wait.", after)
    return {}


def _page(entries: list[Any], address: str, query: str) -> tuple[list[Any], str]:
    given = {name: values[-1] for name, values in parse_qs(query).items()}
    size = min(100, int(given.get("per_page", 30)))
    page = int(given.get("page", 1))
    last = max(1, -(-len(entries) // size))
    links = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
    if page >= last:
        links = {name: links[name] for name in ("prev", "first")} if page > 1 else {}
    elif page == 1:
        links = {name: links[name] for name in ("next", "last")}
    shown = (
        f'<{address}?{urlencode({"per_page": size, "page": number})}>; rel="{name}"'
        for name, number in links.items()
    )
    return entries[(page - 1) * size : page * size], ", ".join(shown)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub: Hub, host: str) -> None:
        super().__init__((host, 0), _Handler)
        self.hub = hub
        self.ended = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnected; report other errors."""
        import sys
        import traceback

        if not isinstance(sys.exc_info()[1], OSError):
            self.hub.problems.append(traceback.format_exc())


@contextmanager
def served(hub: Hub, host: str = "127.0.0.1") -> Iterator[Hub]:
    """Serve a repository; `hub.root` is the address for `GITHUB_API_URL`. Fails where the description was not kept."""
    server = _Server(hub, host)
    hub.root = f"http://{host}:{server.server_port}{hub.prefix}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
    assert hub.problems == []


def api(hub: Hub, token: str = TOKEN, **options: Any) -> GitHub:
    made = open_api(token, {"GITHUB_API_URL": hub.root}, event(repository=hub.repository), **options)
    assert made is not None
    return made
