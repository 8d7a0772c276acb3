"""The heads after the merge in the container: what the base branch has is fetched as the runner's user."""

import pytest
from support.container import projects
from support.container.pull_requests import change, tell, variables
from support.container.runner import Machine

pytestmark = pytest.mark.docker
VERSIONS = "migrations/versions"
BEFORE = {
    "alembic.ini": "[alembic]\nscript_location = migrations\n",
    "migrations/env.py": "from alembic import context\n",
    f"{VERSIONS}/a.py": "revision = 'a'\ndown_revision = None\n",
}


def test_two_heads_after_the_merge(machine: Machine):
    made = change(
        machine.root / "origin", {f"{VERSIONS}/b.py": "revision = 'b'\ndown_revision = 'a'\n"}, before=BEFORE
    )
    sha = made.checkout(machine.workspace)
    # The base branch moves on after the event.
    projects.commands(made.origin, "checkout --quiet master")
    projects.put(made.origin, {f"{VERSIONS}/c.py": "revision = 'c'\ndown_revision = 'a'\n"})
    projects.commands(made.origin, "add --all", "commit --quiet -m more")
    inside = machine.workspace / ".git" / "origin.git"
    projects.commands(made.origin, f"clone --quiet --bare {made.origin} {inside}")
    projects.commands(machine.workspace, "remote set-url origin file:///github/workspace/.git/origin.git")
    projects.settle(machine.workspace, git=False)
    tell(machine.workflow, made.payload())
    ran = machine.run(inputs={"stage": "migrations"}, environ=variables("pull_request", sha))
    (finding,) = ran.tool("heads")["findings"]
    assert (ran.code, finding["rule"], finding["path"]) == (1, "multiple-heads", f"{VERSIONS}/b.py")
    assert set(ran.outputs["migration-heads"].split(",")) == {"b", "c"}
    assert ran.outputs["migrations"] == "1"
    assert ran.tool("heads")["warnings"] == []
    assert {tool["outcome"] for tool in ran.report["stages"][0]["tools"]} == {"report", "skipped"}
    assert set(ran.owners.values()) == {projects.OWNER}
