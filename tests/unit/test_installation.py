"""Who runs the commands of `install`."""

import os
from pathlib import Path

import pytest
from builders import FakeRun, completed, context, write

from ci_action.installation import installed
from ci_action.process import Owner

# Ourselves: to anybody else only root can give a folder.
OWNER = Owner(uid=os.getuid(), gid=os.getgid())


@pytest.mark.parametrize(
    ("of_project", "owner", "expected"),
    [
        (frozenset(), OWNER, None),
        (frozenset({"install"}), OWNER, OWNER),
        (frozenset({"timeout"}), OWNER, None),
        (frozenset({"install"}), None, None),
    ],
    ids=["the workflow", "the project", "another key of the project", "the project, without an owner"],
)
def test_root_is_for_words_of_the_workflow(
    tmp_path: Path, of_project: frozenset[str], owner: Owner | None, expected: Owner | None
):
    workspace = tmp_path / "w"
    workspace.mkdir()
    run = FakeRun(uv=completed("[]"), python=completed("3.12.1"), make=completed())
    ctx = context(workspace, run, settings={"install": "make it"}, owner=owner, of_project=of_project)
    write(ctx.bundle.uv.parent, {"uv": ""})
    installed(ctx)
    (made,) = [command for command in run.asked if command.argv == ("make", "it")]
    assert made.owner == ctx.installer == expected
