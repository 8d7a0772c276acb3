"""Write anew what the reporters say of the sample runs: `PYTHONPATH=tests python tests/golden/capture_reports.py`."""

import tempfile
from pathlib import Path

from support.builders import event, printed, publication
from support.image_sample import docker_run
from support.migrations_sample import migrations_run
from support.page_sample import page_publication, page_run, without_constants
from support.security_sample import security_run
from support.tests_sample import sample_run

from ci_action import __version__
from ci_action.reporters import cobertura, console, html, job_summary, junit

STAGES = {"security": security_run, "migrations": migrations_run, "docker": docker_run}


def main() -> None:
    """Let each reporter write, and keep its file."""
    kept = Path(__file__).parent / "reports"
    kept.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        shown = publication(Path(folder), event=event())
        for reporter in (junit.report, cobertura.report, job_summary.write, console.report):
            reporter(sample_run(), shown)
        page = without_constants(html.document(page_run(), page_publication(Path(folder))))
        texts = {name: (shown.folder / name).read_text("utf-8") for name in shown.written}
        texts |= {"console.txt": printed(shown), "report.html": page}
    for stage, run in STAGES.items():
        with tempfile.TemporaryDirectory() as folder:
            shown = publication(Path(folder), event=event())
            for reporter in (job_summary.write, console.report):
                reporter(run(), shown)
            texts[f"{stage}.md"] = (shown.folder / "summary.md").read_text("utf-8")
            texts[f"{stage}.txt"] = printed(shown)
    for name, text in texts.items():
        plain = text.replace(f'"ci-action {__version__}"', '"ci-action"')
        (kept / name).write_text(plain, "utf-8")


if __name__ == "__main__":
    main()
