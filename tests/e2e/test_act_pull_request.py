"""Pull requests in nektos/act: the reusable workflow, whose outputs another job reads, and the comment by a second run."""

import json
import re
import shutil
from pathlib import Path
from typing import Final

import pytest
from support.container import projects
from support.container.act import ACTION, DOWNLOAD, TOOLS, UPLOAD, act, recipe
from support.container.image import gateway
from support.container.pull_requests import NUMBER, REPOSITORY, Change, change, tell
from support.container.variables import TOKEN
from support.github_hub import WRITE, Hub
from support.github_service import served
from support.recorded_events import recorded

from ci_action.reporters.comment import parse

pytestmark = pytest.mark.docker
CALLING: Final = """
on: pull_request
permissions:
  contents: read
jobs:
  pr:
    permissions:
      contents: read
      pull-requests: write
    uses: org/ci-action/.github/workflows/pr-checks.yml@v1
    with:
      comment: always
      labels: "true"
      areas: |
        manual: docs/
        code: src/
  later:
    if: needs.pr.outputs.pr-title-valid == 'true' && contains(fromJSON(needs.pr.outputs.changed-areas), 'manual')
    needs: pr
    runs-on: ubuntu-latest
    steps:
      - env:
          SAYS: ${{ needs.pr.outputs.result }} ${{ needs.pr.outputs.pr-number }} ${{ needs.pr.outputs.pr-type }} ${{ needs.pr.outputs.changed-files }} ${{ needs.pr.outputs.is-fork }}
        run: |
          echo "the later job reads: $SAYS"
"""
# What the other run has uploaded, brought to where a second run of act can read it: its artifacts live for one run.
KEEPING: Final = f"""
  keep:
    needs: checks
    if: always()
    runs-on: ubuntu-latest
    steps:
      - uses: {DOWNLOAD}
        with:
          path: reports
"""
FILES: Final = {"src/app.py": "import os\n", "docs/a.md": "text\n"}
# By its address act knows the name of the repository.
ON_GITHUB: Final = f"origin https://github.com/{REPOSITORY}.git"
NAME: Final = ".github/workflows/checks.yml"


def made(folder: Path, workflow: str) -> tuple[Change, Path]:
    """Make a repository with a pull request, and the checkout of its merge."""
    found = change(folder / "origin", FILES, before={NAME: workflow})
    found.checkout(folder / "project")
    projects.commands(folder / "project", f"remote set-url {ON_GITHUB}")
    return found, folder / "project"


def run(folder: Path, event: str, payload: object, hub: Hub, checkout: Path, *more: str) -> tuple[int, str]:
    tell(folder.parent, payload)
    return act(
        folder,
        event,
        f"--eventpath={folder.parent / 'event.json'}",
        f"--secret=GITHUB_TOKEN={TOKEN}",
        f"--env=GITHUB_API_URL={hub.root}",
        f"--local-repository={ACTION}={checkout}",
        # The reusable workflow names it, in a file that lies elsewhere.
        f"--local-repository={UPLOAD}={TOOLS.parent / 'actions' / 'upload-artifact'}",
        *more,
    )


def test_the_reusable_workflow_tells_later_jobs_what_it_knows(checkout: Path, tmp_path: Path):
    pull, project = made(tmp_path, CALLING)
    title = "docs(manual): say more"
    payload = pull.from_fork(title="Say more", labels=[])
    with served(pull.hub(WRITE, title=title, head_repository="stranger/Hello-World"), gateway()) as hub:
        code, log = run(project, "pull_request", payload, hub, checkout)
    assert code == 0, log
    assert "the later job reads: passed 2 docs 2 true" in log, log
    assert log.count("Job succeeded") == 2
    assert re.search(r"Artifact ci-action-pr.* has been successfully uploaded", log), log
    [comment] = hub.comments[NUMBER]
    assert [section.red for section in parse(comment["body"])] == [False]
    assert sorted(hub.pulls[NUMBER]["labels"]) == ["size/XS", "type: docs"]
    assert TOKEN not in log.replace(f"::add-mask::{TOKEN}", "")


def test_a_wrong_title_stops_the_workflow(checkout: Path, tmp_path: Path):
    pull, project = made(tmp_path, CALLING)
    with served(pull.hub(WRITE, title="Say more"), gateway()) as hub:
        code, log = run(project, "pull_request", pull.payload(), hub, checkout)
    assert code != 0, log
    assert re.search(r"ci-action: failed \(title: 1 finding\), exit 1", log), log
    assert "the later job reads" not in log
    [comment] = hub.comments[NUMBER]
    assert [section.red for section in parse(comment["body"])] == [True]


def test_what_a_fork_may_not_write_a_second_run_posts(checkout: Path, tmp_path: Path):
    pull, project = made(tmp_path / "first", recipe("name: checks\n") + KEEPING)
    payload = pull.from_fork(title="Say more")
    hub = pull.hub(WRITE, title="Say more", head_repository="stranger/Hello-World")
    with served(hub, gateway()):
        code, log = run(project, "pull_request", payload, hub, checkout, "--bind")
        assert code != 0, log
        assert re.search(r"Artifact ci-action-report.* has been successfully uploaded", log), log
        assert hub.comments[NUMBER] == []
        second = tmp_path / "second" / "project"
        workflow, download = re.subn(
            r"      - uses: actions/download-artifact@.*?(?=      - uses)",
            "",
            recipe("workflow_run:"),
            flags=re.DOTALL,
        )
        assert download == 1
        projects.write(second, {".github/workflows/comment.yml": workflow})
        projects.commands(second, f"remote add {ON_GITHUB}")
        shutil.copytree(project / "reports", second / "reports")
        posted = recorded()["workflow_run"][0]
        about = {
            "event": "pull_request", "head_sha": pull.head, "pull_requests": [], "conclusion": "failure",
            "head_repository": {"full_name": "stranger/Hello-World"},
        }  # fmt: skip
        posted = {**posted, "workflow_run": {**posted["workflow_run"], **about}}
        # It checks nothing out, so the folder is there only where it is the same inside.
        code, log = run(second, "workflow_run", posted, hub, checkout, "--bind")
        assert code == 0, log
    assert "1 report" in log, log
    [comment] = hub.comments[NUMBER]
    [section] = parse(comment["body"])
    assert (section.red, section.commit) == (True, pull.head)
    assert section.run == f"{posted['workflow_run']['id']}-{posted['workflow_run']['run_attempt']}"
    assert "`F401`" in section.text
    assert "`title-form`" in section.text
    report = json.loads(next((second / "reports").glob("**/report.json")).read_bytes())
    assert report["outputs"]["pr-number"] == str(NUMBER)
