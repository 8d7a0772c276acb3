"""The colours of the page, light and dark. Each is read on the grounds that the tests name, with the contrast of WCAG AA."""

from typing import Final

LIGHT: Final = {
    "ground": "#f5f6f8",
    "surface": "#ffffff",
    "sunken": "#f2f4f7",
    "line": "#dde1e7",
    "edge": "#7b8593",
    "text": "#1b2027",
    "quiet": "#535d6a",
    "link": "#0b57c9",
    "passed": "#146c38",
    "passed-soft": "#e9f5ed",
    "warned": "#855600",
    "warned-soft": "#fdf4df",
    "failed": "#b0202c",
    "failed-soft": "#fdeeee",
    "broken": "#7433b0",
    "broken-soft": "#f5eefc",
    "empty": "#97430a",
    "empty-soft": "#fdf1e8",
    "skipped": "#535d6a",
    "skipped-soft": "#eef0f3",
    "added": "#e6f6ea",
    "removed": "#fdeaea",
    "marked": "#ffe9a3",
    "track": "#e3e7ec",
}
DARK: Final = {
    "ground": "#0f1216",
    "surface": "#171b21",
    "sunken": "#11151a",
    "line": "#2a3038",
    "edge": "#737d8b",
    "text": "#e3e7ec",
    "quiet": "#9aa4b1",
    "link": "#7db2ff",
    "passed": "#5cc98a",
    "passed-soft": "#14271c",
    "warned": "#e3b341",
    "warned-soft": "#2a2211",
    "failed": "#ff8a8a",
    "failed-soft": "#321a1c",
    "broken": "#c9a0ff",
    "broken-soft": "#271c35",
    "empty": "#f2a36b",
    "empty-soft": "#2e2014",
    "skipped": "#9aa4b1",
    "skipped-soft": "#20262d",
    "added": "#14291c",
    "removed": "#351c1f",
    "marked": "#5c4a12",
    "track": "#2a3038",
}


def themes() -> str:
    """Return both palettes as custom properties: the system chooses, the switch overrules it, paper is light."""
    light, dark = _properties(LIGHT, "light"), _properties(DARK, "dark")
    return (
        f":root{{{light}}}\n"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}\n"
        f":root[data-theme=dark]{{{dark}}}\n"
        f"@media print{{:root:root:root{{{light}}}}}\n"
    )


def _properties(colours: dict[str, str], scheme: str) -> str:
    return f"color-scheme:{scheme};" + "".join(f"--{name}:{value};" for name, value in colours.items())
