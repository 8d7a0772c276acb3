"""A runner that is not ours: nektos/act, on our own workflow and on repositories that use the action."""

import re
from pathlib import Path
from typing import Final

import pytest
from support.container import projects
from support.container.act import ACTION, CHECKOUT, UPLOAD, act, consumer, recipe

pytestmark = pytest.mark.docker
# A stage and nothing else.
PLAIN: Final = f"""
on: push
permissions:
  contents: read
jobs:
  quality:
    runs-on: ubuntu-latest
    steps:
      - uses: {CHECKOUT}
      - uses: {ACTION}
        with:
          stage: quality
"""
READING: Final = f"""
on: push
permissions:
  contents: read
jobs:
  quality:
    runs-on: ubuntu-latest
    steps:
      - uses: {CHECKOUT}
      - id: quality
        uses: {ACTION}
        continue-on-error: true
        with:
          stage: quality
      - env:
          OUTCOME: ${{{{ steps.quality.outcome }}}}
          RESULT: ${{{{ steps.quality.outputs.result }}}}
          FINDINGS: ${{{{ steps.quality.outputs.findings }}}}
          REPORT: ${{{{ steps.quality.outputs.report }}}}
        run: |
          test "$OUTCOME" = failure
          test "$RESULT" = failed
          test "$FINDINGS" -gt 0
          jq --exit-status --arg result "$RESULT" '.conclusion == $result' "$REPORT"
          grep -q '^# .*failed' ci-action-report/quality/summary.md
          echo "the later step has read $FINDINGS findings"
      - id: pull
        uses: {ACTION}
        with:
          stage: pr
      - env:
          FIRST: ${{{{ steps.quality.outputs.report }}}}
          SECOND: ${{{{ steps.pull.outputs.report }}}}
        run: |
          jq --exit-status '.stages[0].name == "quality"' "$FIRST"
          jq --exit-status '.stages[0].name == "pr"' "$SECOND"
          test -z "$(git status --porcelain)"
          echo "both reports are here: $FIRST $SECOND"
      - if: always()
        uses: {UPLOAD}
        with:
          name: report
          path: ci-action-report/
          if-no-files-found: error
"""


@pytest.mark.parametrize("job", ["ourselves", "messy", "migrations"])
def test_our_own_workflow(checkout: Path, job: str):
    code, log = act(checkout, "push", "--job", job)
    assert code == 0, log
    assert "Job succeeded" in log


def test_a_consumer_with_nothing_but_a_stage_passes(checkout: Path, tmp_path: Path):
    project = consumer(tmp_path / "clean", projects.CLEAN, PLAIN)
    code, log = act(project, "push", "--local-repository", f"{ACTION}={checkout}")
    assert code == 0, log
    assert "ci-action: passed" in log
    assert "Job succeeded" in log


def test_the_example_of_the_readme_passes(checkout: Path, tmp_path: Path):
    project = consumer(tmp_path / "example", projects.CLEAN, recipe("name: ci\non:\n  push:"))
    code, log = act(project, "push", "--local-repository", f"{ACTION}={checkout}")
    assert code == 0, log
    assert "quality: run, " in log
    assert "security: run, " in log
    assert "pr: not run, " in log
    assert re.search(r"ci-action: (passed|warned) ?.*exit 0", log)


def test_a_messy_consumer_fails(checkout: Path, tmp_path: Path):
    project = consumer(tmp_path / "messy", projects.MESSY, PLAIN)
    code, log = act(project, "push", "--local-repository", f"{ACTION}={checkout}")
    assert code != 0, log
    assert re.search(r"ci-action: failed .*exit 1", log)
    assert "src/small/messy.py" in log
    assert "Job failed" in log


def test_a_later_step_reads_the_outputs_and_the_report_is_uploaded(checkout: Path, tmp_path: Path):
    project = consumer(tmp_path / "reading", projects.MESSY, READING)
    code, log = act(project, "push", "--local-repository", f"{ACTION}={checkout}")
    assert code == 0, log
    assert re.search(r"the later step has read \d+ findings", log)
    assert (
        "both reports are here: ci-action-report/quality/report.json ci-action-report/pr/report.json" in log
    )
    assert re.search(r"Artifact report.* has been successfully uploaded", log)


def test_four_shards_are_joined_as_the_readme_says(checkout: Path, tmp_path: Path):
    names = range(8)
    sources = "".join(f"def add_{n}(a, b):\n    return a + b + {n}\n\n\n" for n in names)
    tests = "".join(f"def test_{n}():\n    assert sums.add_{n}(1, 2) == {n + 3}\n\n\n" for n in names)
    files = {
        "pyproject.toml": '[project]\nname = "small"\nversion = "1"\n[tool.coverage.run]\nsource = ["sums"]\n',
        "sums.py": sources,
        "test_sums.py": f"import sums\n\n\n{tests}",
    }
    project = consumer(tmp_path / "shards", files, recipe("stage: merge"))
    code, log = act(project, "push", "--local-repository", f"{ACTION}={checkout}")
    assert code == 0, log
    assert len(re.findall(r"Artifact shard-\d .*has been successfully uploaded", log)) == 4
    assert re.search(r"8 tests, 4 shards", log)
    assert re.search(r"coverage 100\.00 %: 16 of 16 statements", log)
    # No shard alone reaches the minimum of the last job.
    assert set(re.findall(r"coverage (\d\d\.\d\d) %", log)) == {"62.50"}
