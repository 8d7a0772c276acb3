"""Make the pictures of the README again: `.venv/bin/python .github/images/make.py` (needs Chromium on PATH).

Both show a real run on the messy sample: `terminal.svg` is what the run printed with its colours, `summary.png` is its
summary.md, rendered as GitHub-flavoured Markdown and photographed.
"""

# A script for developers, apart from the package and its rules about doors.
# ruff: noqa: INP001, T201, TID251

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import cmarkgfm
from cmarkgfm.cmark import Options
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

HERE: Final = Path(__file__).resolve().parent
SAMPLE: Final = HERE.parents[1] / "tests" / "projects" / "messy"
PROGRAM: Final = Path(sys.executable).parent / "ci-action"
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
COLUMNS: Final = 100
# Findings shown in the picture of the terminal, from the first and from the last: the whole run is three screens.
FIRST, LAST = 5, 2

THEME: Final = TerminalTheme(
    (250, 250, 248),
    (36, 41, 47),
    [
        (36, 41, 47),
        (190, 30, 45),
        (17, 110, 50),
        (140, 95, 0),
        (20, 90, 180),
        (125, 60, 170),
        (15, 110, 120),
        (110, 118, 125),
    ],
)

PAGE: Final = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; background: #fff; color: #1f2328; font: 16px/1.5 "Liberation Sans", "Noto Color Emoji", sans-serif; }
main { width: 860px; margin: 0 auto; padding: 24px 32px; border: 1px solid #d1d9e0; border-radius: 6px; }
h1, h2 { padding-bottom: .3em; border-bottom: 1px solid #d1d9e0b3; }
h1 { font-size: 2em; margin: 0 0 16px; }
h2 { font-size: 1.5em; margin: 24px 0 16px; }
h3 { font-size: 1.25em; margin: 24px 0 12px; }
a { color: #0969da; text-decoration: none; }
code { font: 85% "DejaVu Sans Mono", monospace; background: #818b981f; border-radius: 6px; padding: .2em .4em; }
pre { background: #f6f8fa; border-radius: 6px; padding: 14px; overflow: hidden; line-height: 1.45; }
pre code { background: none; padding: 0; }
table { border-collapse: collapse; margin: 16px 0; }
th, td { border: 1px solid #d1d9e0; padding: 6px 13px; text-align: left; }
tr:nth-child(2n) td { background: #f6f8fa; }
ul { padding-left: 2em; }
li + li { margin-top: .25em; }
.added { color: #116329; background: #dafbe1; }
.removed { color: #82071e; background: #ffebe9; }
</style><main>"""


def run(folder: Path) -> tuple[str, str]:
    """Run the quality stage on a copy of the sample; return what it printed, and its summary."""
    project = folder / "harbour"
    shutil.copytree(SAMPLE, project, ignore=shutil.ignore_patterns(".*_cache", "ci-action-report"))
    command = [PROGRAM, "run", "quality", "--color=always", "--cache-dir=none"]
    ours = ("GITHUB_", "INPUT_", "RUNNER_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 1:
        raise SystemExit(f"exit code 1 was expected, {done.returncode} came: {done.stdout}{done.stderr}")
    return done.stdout, (project / "ci-action-report" / "quality" / "summary.md").read_text(encoding="utf-8")


def shortened(text: str) -> str:
    """Return the output with its first and last findings."""
    head, *middle = text.split("\n\n")
    if len(middle) > FIRST + LAST:
        note = f"        [… {len(middle) - FIRST - LAST} more findings, left out of this picture …]"
        middle = [*middle[: FIRST - 1], note, *middle[-LAST - 1 :]]
    return "\n\n".join([head, *middle])


def terminal(text: str) -> str:
    """Render what a terminal would show as SVG."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ ci-action run quality"))
    console.print(Text.from_ansi(shortened(text)), soft_wrap=False)
    svg = console.export_svg(title="ci-action run quality", theme=THEME, unique_id="terminal")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # no fonts from elsewhere


def summary(markdown: str) -> str:
    """Render the summary as a page."""
    body = cmarkgfm.github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE)
    return PAGE + re.sub(r'(<pre lang="diff"><code>)(.*?)(</code>)', _painted, body, flags=re.DOTALL)


def _painted(match: re.Match[str]) -> str:
    marks = {"+": "added", "-": "removed"}
    lines = [f'<span class="{marks.get(line[:1], "")}">{line}</span>' for line in match[2].split("\n")]
    return match[1] + "\n".join(lines) + match[3]


def photograph(page: str, folder: Path, picture: Path) -> None:
    """Write a page as a picture."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise SystemExit(f"none of these is on PATH: {', '.join(BROWSERS)}")
    file = folder / "summary.html"
    file.write_text(page, encoding="utf-8")
    command = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={folder / 'browser'}",
        "--window-size=940,1085",
        f"--screenshot={picture}",
        file.as_uri(),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def main() -> None:
    """Make both pictures."""
    with tempfile.TemporaryDirectory(prefix="ci-action-pictures-") as name:
        printed, markdown = run(Path(name))
        (HERE / "terminal.svg").write_text(terminal(printed), encoding="utf-8")
        photograph(summary(markdown), Path(name), HERE / "summary.png")
    for picture in ("terminal.svg", "summary.png"):
        print(f"{picture}: {(HERE / picture).stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
