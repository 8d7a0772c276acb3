"""What the reporters write of a run of the tests and of one of the security stage, to the letter.

After a wanted change: `PYTHONPATH=tests python tests/golden/capture_reports.py`, and read the difference.
"""

from pathlib import Path

import pytest
from support.builders import event, printed, publication
from support.paths import GOLDEN
from support.security_sample import security_run
from support.tests_sample import sample_run

from ci_action import __version__
from ci_action.reporters import cobertura, console, job_summary, junit

REPORTS = GOLDEN / "reports"
NAMES = ["console.txt", "coverage.xml", "junit.xml", "lcov.info", "summary.md"]


@pytest.mark.parametrize("name", NAMES)
def test_a_report_is_as_it_was(tmp_path: Path, name: str):
    shown = publication(tmp_path, event=event())
    for reporter in (junit.report, cobertura.report, job_summary.write, console.report):
        reporter(sample_run(), shown)
    found = printed(shown) if name == "console.txt" else (shown.folder / name).read_text("utf-8")
    assert found.replace(f'"ci-action {__version__}"', '"ci-action"') == (REPORTS / name).read_text("utf-8")


@pytest.mark.parametrize("name", ["security.md", "security.txt"])
def test_a_report_of_the_security_stage_is_as_it_was(tmp_path: Path, name: str):
    shown = publication(tmp_path, event=event())
    for reporter in (job_summary.write, console.report):
        reporter(security_run(), shown)
    found = printed(shown) if name == "security.txt" else (shown.folder / "summary.md").read_text("utf-8")
    assert found == (REPORTS / name).read_text("utf-8")
