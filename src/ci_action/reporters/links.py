"""Where places in the project's files are on GitHub."""

from urllib.parse import quote

from ci_action.github.event import Event
from ci_action.reporters.markdown import link
from ci_action.system.text import as_bytes


def blob(path: str, line: int, event: Event) -> str:
    """Return the address of a line on GitHub; empty where there is none."""
    if not (event.server_url.startswith("https://") and event.repository and event.sha):
        return ""
    return f"{event.server_url}/{event.repository}/blob/{event.sha}/{quote(as_bytes(path))}#L{line}"


def where(path: str, line: int | None, event: Event, end: int | None = None) -> str:
    """Return the lines of a place as Markdown: a link, where it is known to where."""
    if not line:
        return "—"
    return link(blob(path, line, event), f"line {line}–{end}" if end and end > line else f"line {line}")
