"""The HTML report as people use it: opened from disk in Chromium."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, sync_playwright
from projects import hostile
from support.builders import publication
from support.page_sample import everywhere, page_publication, page_run, palettes
from support.paths import PROJECTS

from ci_action.reporters import html

pytestmark = pytest.mark.browser
ROWS = """[...document.querySelectorAll(".finding")].filter(one => one.checkVisibility())
    .map(one => one.querySelector("code").textContent)"""
FOCUSED = "document.activeElement.name || document.activeElement.id || document.activeElement.className"
GROUND = "getComputedStyle(document.body).backgroundColor"
ATTACKS = (
    "<script>owned = 1; document.title = 'owned'</script>",
    "</script><script>owned = 1</script>",
    "</style><script src=https://evil.example/x.js></script>",
    "<img src=https://evil.example/x.png onerror='owned = 1'>",
    "\"><svg onload='owned = 1'>",
    "' autofocus onfocus='owned = 1' x='",
    "<iframe srcdoc='<script>parent.owned = 1</script>'></iframe>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<base href=https://evil.example/>",
    "javascript:owned=1",
    "<!--",
    "]]><b>",
    "</pre></code></textarea></title><plaintext>",
    "<template><img src=https://evil.example/x.png></template>",
    " ".join(hostile.TEXTS.values()),
)

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
EVENTS = (
    "Network.requestWillBeSent",
    "Log.entryAdded",
    "Runtime.exceptionThrown",
    "Runtime.consoleAPICalled",
)


class Tab:
    """A tab of the browser, with the events of the page that is open in it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.protocol = page.context.new_cdp_session(page)
        self.events: dict[str, list[dict[str, Any]]] = {name: [] for name in EVENTS}
        for name, events in self.events.items():
            self.protocol.on(name, lambda event, events=events: events.append(event))
            self.protocol.send(f"{name.partition('.')[0]}.enable")

    def open(self, address: str) -> None:
        """Open an address and wait until it has loaded."""
        for events in self.events.values():
            events.clear()
        self.page.goto(address)

    def run(self, script: str) -> Any:
        """Return the value of a JavaScript expression; unlike Playwright's `evaluate`, no policy of the page forbids it."""
        options = {"expression": script, "returnByValue": True, "awaitPromise": True}
        answer = self.protocol.send("Runtime.evaluate", options)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key."""
        self.page.keyboard.press(key)
        self.settle()

    def type(self, text: str) -> None:
        """Insert text into the focused element."""
        self.page.keyboard.insert_text(text)
        self.settle()

    def settle(self) -> None:
        """Wait until the page has been painted."""
        self.run(
            "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
        )

    def look(self, *, width: int = 1200, scheme: Literal["light", "dark"] = "light") -> None:
        """Set the size of the window and the preferred colour scheme."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(media="screen", color_scheme=scheme)


class Sink(ThreadingTCPServer):
    """Answers for every host name and records the requests; the host name is in clear text in TLS as well."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listener)
        self.received: list[bytes] = []

    @property
    def requests(self) -> list[bytes]:
        """Requests to hosts that pages name, without those of the browser itself."""
        return [one for one in self.received if b"example" in one]


class _Listener(BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Sink)
        with suppress(OSError):
            self.server.received.append(self.request.recv(65536))


@pytest.fixture(scope="module")
def sink() -> Iterator[Sink]:
    with Sink() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def chromium(sink: Sink) -> Iterator[Tab]:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert program, f"found none of {BROWSERS}: install Chromium (Debian: apt-get install chromium)"
    all_hosts_here = f"--host-resolver-rules=MAP * 127.0.0.1:{sink.server_address[1]}"
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=program, args=[all_hosts_here]) as browser,
    ):
        yield Tab(browser.new_page())


@pytest.fixture
def shown(chromium: Tab, tmp_path: Path) -> Tab:
    """Open the page of a run with every kind of result."""
    publication_ = page_publication(tmp_path)
    html.report(page_run(), publication_)
    chromium.look()
    chromium.open((publication_.folder / "report.html").as_uri())
    return chromium


def ran(project: Path, reports: Path) -> str:
    """Run the quality stage as in a shell; return the URL of its page."""
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    words = [
        str(Path(sys.executable).with_name("ci-action")),
        "run",
        "quality",
        f"--report-dir={reports}",
        "--cache-dir=none",
    ]
    done = subprocess.run(words, cwd=project, capture_output=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return (reports / "report.html").as_uri()


def untouched(page: Tab, sink: Sink, address: str) -> None:
    """Assert that only the page was requested, and that only its own script ran."""
    urls = {one["request"]["url"] for one in page.events["Network.requestWillBeSent"]}
    assert urls == {address}
    assert sink.requests == []
    assert page.events["Log.entryAdded"] == []
    assert page.events["Runtime.exceptionThrown"] == []
    assert page.events["Runtime.consoleAPICalled"] == []
    assert page.run("typeof owned") == "undefined"
    assert page.run("document.scripts.length") == 1
    assert page.run("document.title").endswith("ci-action")
    assert (
        page.run(
            "document.querySelectorAll('img, iframe, link, base, object, embed, template, plaintext').length"
        )
        == 0
    )


def test_muted_findings_are_hidden_by_default(shown: Tab):
    assert len(shown.run(ROWS)) == 7
    assert shown.run("document.getElementById('shown').value") == "7 of 9 shown"
    shown.run("document.getElementById('filters').elements.muted.focus()")
    shown.press("n")
    assert shown.run(ROWS) == ["E501", "CVE-2024-3651"]


def test_findings_can_be_filtered_with_the_keyboard(shown: Tab):
    shown.press("/")
    assert shown.run(FOCUSED) == "text"
    shown.type("comparison NONE")
    assert shown.run(ROWS) == ["E711"]
    assert (
        shown.run("[...document.querySelectorAll('.file')].filter(one => one.checkVisibility()).length") == 1
    )
    shown.run("document.querySelector('#filters [type=reset]').focus()")
    shown.press("Enter")
    assert len(shown.run(ROWS)) == 7
    for name, key, rows in (
        ("stage", "s", ["GHSA-462w-v97r-4m45"]),
        ("tool", "b", ["format"]),
        ("level", "w", ["PGH003"]),
        ("severity", "h", ["GHSA-462w-v97r-4m45"]),
    ):
        shown.run(
            f"document.getElementById('filters').reset(), document.getElementById('filters').elements.{name}.focus()"
        )
        shown.press(key)
        assert shown.run(ROWS) == rows, name
    shown.run(
        "document.getElementById('filters').reset(), document.getElementById('filters').elements.path.focus()"
    )
    shown.type("uv.l")
    assert shown.run(ROWS) == ["GHSA-462w-v97r-4m45"]
    shown.type("x")
    assert shown.run(ROWS) == []
    assert shown.run("document.getElementById('shown').value") == "0 of 9 shown"


def test_a_tool_links_to_its_findings(shown: Tab):
    shown.run("document.querySelector('a[data-tool=black]').click()")
    shown.settle()
    assert shown.run(ROWS) == ["format"]
    assert shown.run("location.hash") == "#findings"


def test_the_skip_link_comes_first_and_the_focus_is_visible(shown: Tab):
    shown.press("Tab")
    assert shown.run("document.activeElement.textContent") == "Skip to the verdict"
    assert shown.run("document.activeElement.getBoundingClientRect().top") >= 0
    shown.press("Enter")
    assert shown.run("document.activeElement.id") == "main"
    seen = set()
    for _ in range(50):
        shown.press("Tab")
        seen.add(shown.run("document.activeElement.tagName"))
        ring = "getComputedStyle(document.activeElement).outlineStyle"
        assert shown.run(f"document.activeElement === document.body || {ring} === 'solid'")
    assert {"BUTTON", "A", "SUMMARY", "INPUT", "SELECT"} <= seen


def rgb(colour: str) -> str:
    """Return a colour as a browser computes it."""
    return f"rgb({', '.join(str(int(colour[place : place + 2], 16)) for place in (1, 3, 5))})"


@pytest.mark.parametrize(("scheme", "other"), [("light", "dark"), ("dark", "light")])
def test_the_theme_follows_the_system_until_it_is_switched(
    shown: Tab, scheme: Literal["light", "dark"], other: str
):
    colours = {
        name: rgb(palette["ground"]) for name, palette in zip(("light", "dark"), palettes(), strict=True)
    }
    shown.look(scheme=scheme)
    assert shown.run(GROUND) == colours[scheme]
    shown.run(f"document.querySelector('#theme [value={other}]').click()")
    assert shown.run(GROUND) == colours[other]
    shown.run("document.querySelector('#theme [value=system]').click()")
    assert shown.run(GROUND) == colours[scheme]


def test_without_javascript_everything_but_the_controls_is_visible(shown: Tab):
    address = shown.run("location.href")
    shown.protocol.send("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        shown.open(address)
        assert shown.run("document.querySelector('h1').checkVisibility()")
        assert len(shown.run(ROWS)) == 9
        assert not shown.run("document.getElementById('filters').checkVisibility()")
        assert not shown.run("document.getElementById('theme').checkVisibility()")
    finally:
        shown.protocol.send("Emulation.setScriptExecutionDisabled", {"value": False})


@pytest.mark.parametrize("width", [320, 380, 768, 1200])
def test_nothing_overflows_and_the_layout_is_stable(shown: Tab, width: int):
    shown.look(width=width)
    shown.open(shown.run("location.href"))
    assert shown.run("document.documentElement.scrollWidth <= innerWidth")
    moved = """new Promise(done => new PerformanceObserver(
        list => done(list.getEntries().reduce((sum, one) => sum + one.value, 0))
    ).observe({type: "layout-shift", buffered: true}) || setTimeout(() => done(0), 300))"""
    assert shown.run(moved) == 0


def test_printing_opens_everything_in_light_colours_without_controls(shown: Tab):
    shown.look(scheme="dark")
    shown.page.emulate_media(media="print")
    shown.run("dispatchEvent(new Event('beforeprint'))")
    try:
        assert shown.run("document.querySelectorAll('details:not([open])').length") == 0
        assert not shown.run("document.getElementById('filters').checkVisibility()")
        assert shown.run("getComputedStyle(document.body).color") == rgb(palettes()[0]["text"])
    finally:
        shown.run("dispatchEvent(new Event('afterprint'))")
        shown.page.emulate_media(media="screen")
    assert shown.run("document.querySelectorAll('details:not([open])').length") > 0


def test_the_page_of_the_messy_sample(chromium: Tab, sink: Sink, tmp_path: Path):
    project = tmp_path / "harbour"
    shutil.copytree(PROJECTS / "messy", project)
    address = ran(project, tmp_path / "reports")
    chromium.look()
    chromium.open(address)
    assert chromium.run("document.querySelector('h1').innerText") == "Failed"
    assert len(chromium.run(ROWS)) == 23
    assert chromium.run("document.querySelectorAll('.source').length") == 23  # none of what is muted
    untouched(chromium, sink, address)
    chromium.page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert (tmp_path / "page.png").stat().st_size > 50_000


def test_the_hostile_project_executes_and_requests_nothing(chromium: Tab, sink: Sink, tmp_path: Path):
    project = tmp_path / "hostile"
    assert not hostile.write(project)
    address = ran(project, tmp_path / "reports")
    chromium.look(width=380)
    chromium.open(address)
    chromium.settle()
    untouched(chromium, sink, address)
    assert len(chromium.run(ROWS)) > 100
    assert chromium.run("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("text", ATTACKS)
def test_hostile_text_in_every_place_executes_and_requests_nothing(
    chromium: Tab, sink: Sink, tmp_path: Path, text: str
):
    place = publication(tmp_path)
    html.report(everywhere(text), place)
    address = (place.folder / "report.html").as_uri()
    chromium.look()
    chromium.open(address)
    # A closed element could hide an image that loads when visible; a link could start a script.
    chromium.run("for (const one of document.querySelectorAll('details')) one.open = true")
    chromium.run(
        "for (const one of document.querySelectorAll('a[href^=\"#\"], summary, button')) one.click()"
    )
    chromium.settle()
    untouched(chromium, sink, address)
    assert chromium.run("[...document.links].every(one => /^(https?|file):/.test(one.protocol))")


@pytest.mark.parametrize(
    "attack",
    ["<script>owned = 1</script>", "<img src=http://evil.example/x.png>", "<p><script>throw 1</script>"],
)
def test_the_checks_detect_an_attack(chromium: Tab, sink: Sink, tmp_path: Path, attack: str):
    file = tmp_path / "page.html"
    file.write_text(f"<!doctype html><title>ci-action</title><script></script>{attack}")
    chromium.open(file.as_uri())
    chromium.settle()
    requests = list(sink.requests)
    sink.received.clear()
    with pytest.raises(AssertionError):
        untouched(chromium, sink, file.as_uri())
    assert bool(requests) == ("img" in attack)
