"""A headless Chromium, spoken to by the DevTools protocol over two pipes: no driver and no port between us."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_LIMIT: Final = 60.0
# Descriptors below are the shell's own to move.
_FIRST_DESCRIPTOR: Final = 20


def program() -> str:
    """Return the browser; its absence is a failure, since nothing else looks at the page as people do."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    assert found, f"no browser here: install Chromium (Debian: apt-get install chromium); looked for {_NAMES}"
    return found


@dataclass
class Page:
    """A page in the browser."""

    _sent: int
    _received: int
    session: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    """Everything that the browser told unasked."""
    _number: int = 0
    _buffer: bytes = b""

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its answer."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._sent, data) :]
        while True:
            heard = self._hear()
            if heard.get("id") == self._number:
                assert "error" not in heard, f"{method}: {heard['error']}"
                answer: dict[str, Any] = heard["result"]
                return answer
            self.events.append(heard)

    def _hear(self, limit: float = _LIMIT) -> dict[str, Any]:
        end = time.monotonic() + limit
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._received], [], [], max(0.0, end - time.monotonic()))
            assert ready, "the browser does not answer"
            more = os.read(self._received, 1 << 20)
            assert more, "the browser has ended"
            self._buffer += more
        message, _, self._buffer = self._buffer.partition(b"\0")
        heard: dict[str, Any] = json.loads(message)
        return heard

    def wait_for(self, event: str) -> None:
        """Wait until the browser has told of an event."""
        while not any(one.get("method") == event for one in self.events):
            self.events.append(self._hear())

    def told(self, event: str) -> list[dict[str, Any]]:
        """Return what the browser told of events of a kind."""
        return [one["params"] for one in self.events if one.get("method") == event]

    def open(self, address: str) -> None:
        """Open an address and wait until it is there."""
        self.events.clear()
        self.ask("Page.navigate", url=address)
        self.wait_for("Page.loadEventFired")

    def run(self, script: str) -> Any:
        """Return the value of an expression of JavaScript, a promise awaited."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str, code: int = 0, text: str = "") -> None:
        """Press a key and let it go."""
        common = {"key": key, "windowsVirtualKeyCode": code}
        self.ask("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **common)
        self.settle()

    def type(self, text: str) -> None:
        """Write a text into what has the focus."""
        self.ask("Input.insertText", text=text)
        self.settle()

    def settle(self) -> None:
        """Wait until what was asked for is painted."""
        self.run(
            "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
        )

    def look(self, *, width: int = 1200, height: int = 900, scheme: str = "light") -> None:
        """Choose the size of the window and the colours that the system prefers."""
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, file: Path, *, whole: bool = True) -> None:
        """Write a picture of the page."""
        answer = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(answer["data"]))


@contextmanager
def browser(*options: str) -> Iterator[Page]:
    """Start a browser with a page in it; it is gone afterwards."""
    to_browser, from_us = _pipe()
    to_us, from_browser = _pipe()
    with tempfile.TemporaryDirectory(prefix="ci-action-browser-", ignore_cleanup_errors=True) as home:
        words = [
            program(),
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--remote-debugging-pipe",
            f"--user-data-dir={home}",
            *options,
            "about:blank",
        ]
        # The protocol is spoken on the descriptors 3 and 4.
        child = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{to_browser} 4>&{from_browser}', "bash", *words],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        try:
            yield _first_page(Page(from_us, to_us))
        finally:
            os.close(from_us)  # ends the browser
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            os.close(to_us)


def _pipe() -> tuple[int, int]:
    ends = os.pipe()
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _FIRST_DESCRIPTOR) for end in ends)
    for end in ends:
        os.close(end)
    return moved[0], moved[1]


def _first_page(page: Page) -> Page:
    target = page.ask("Target.createTarget", url="about:blank")["targetId"]
    page.session = page.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Network", "Runtime", "Log", "Security"):
        page.ask(f"{domain}.enable")
    return page
