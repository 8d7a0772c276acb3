"""Who runs the commands of `install`."""

import os
from pathlib import Path

import pytest
from support.builders import FakeRun, completed, context, write

from ci_action.engine.environment import installed, is_judged
from ci_action.system.folder import Owner

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
    write(ctx.bundled.uv.parent, {"uv": ""})
    installed(ctx)
    (made,) = [command for command in run.asked if command.argv == ("make", "it")]
    assert made.owner == ctx.installer == expected


@pytest.mark.parametrize(
    ("container", "settings", "expected"),
    [
        (True, {"licenses-deny": "AGPL-*"}, True),
        (True, {"licenses-deny": "AGPL-*", "stage": "test, security"}, True),
        (True, {"licenses-deny": "AGPL-*", "stage": "test"}, False),
        (True, {"install": "make it", "stage": "security"}, True),
        (True, {"stage": "security"}, False),
        (False, {"licenses-deny": "AGPL-*"}, False),
    ],
)
def test_an_environment_that_the_security_stage_reads_is_made_anew(
    tmp_path: Path, container: bool, settings: dict[str, str], expected: bool
):
    (tmp_path / "w").mkdir()
    assert is_judged(context(tmp_path / "w", container=container, settings=settings)) is expected
