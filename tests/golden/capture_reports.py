"""Write anew what the reporters say of the sample runs: `PYTHONPATH=tests python tests/golden/capture_reports.py`."""

import tempfile
from pathlib import Path

from builders import event, printed, publication
from paged import page_publication, page_run, without_constants
from sampled import sample_run
from sampled_security import security_run

from ci_action import __version__
from ci_action.reporters import console, coverage_files, html, junit, summary


def main() -> None:
    """Let each reporter write, and keep its file."""
    kept = Path(__file__).parent / "reports"
    kept.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        shown = publication(Path(folder), event=event())
        for reporter in (junit.report, coverage_files.report, summary.write, console.report):
            reporter(sample_run(), shown)
        page = without_constants(html.document(page_run(), page_publication(Path(folder))))
        texts = {name: (shown.folder / name).read_text("utf-8") for name in shown.written}
        texts |= {"console.txt": printed(shown), "report.html": page}
    with tempfile.TemporaryDirectory() as folder:
        shown = publication(Path(folder), event=event())
        for reporter in (summary.write, console.report):
            reporter(security_run(), shown)
        texts["security.md"] = (shown.folder / "summary.md").read_text("utf-8")
        texts["security.txt"] = printed(shown)
    for name, text in texts.items():
        plain = text.replace(f'"ci-action {__version__}"', '"ci-action"')
        (kept / name).write_text(plain, "utf-8")


if __name__ == "__main__":
    main()
