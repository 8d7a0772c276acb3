"""A pull request that makes the checks less strict, in the container: the event, a checkout of the runner's user, exit codes."""

from pathlib import Path
from typing import Any, Final

import pytest
from support.container import projects
from support.container.pull_requests import Change, change, tell, variables
from support.container.runner import Machine, Ran

pytestmark = pytest.mark.docker
TABLE: Final = "[tool.ci-action]\ncoverage-min = 90\n"
TESTS: Final = "def test_a():\n    assert True\n"
BEFORE: Final = {"pyproject.toml": TABLE, "src/a.py": "X = 1\n", "tests/test_a.py": TESTS}
# The change would also like to have nothing said of it.
AFTER: Final = {
    "pyproject.toml": TABLE.replace("90", "10") + 'ignore = ["gate-changes"]\n',
    "tests/test_a.py": "import pytest\n\n\n@pytest.mark.skip\n" + TESTS,
}
FOUND: Final = [
    ("lower-minimum", "pyproject.toml", 2),
    ("added-ignore", "pyproject.toml", 3),
    ("added-suppression", "tests/test_a.py", 4),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Change:
    return change(tmp_path_factory.mktemp("gates") / "origin", AFTER, before=BEFORE)


def run(machine: Machine, made: Change, depth: int = 2, **inputs: str) -> Ran:
    sha = made.checkout(machine.workspace, depth)
    tell(machine.workflow, made.from_fork(title="feat: say more"))
    given = {
        "stage": "pr",
        "github-token": "",
        **{name.replace("_", "-"): value for name, value in inputs.items()},
    }
    return machine.run(inputs=given, environ=variables("pull_request", sha))


def found(ran: Ran) -> list[tuple[Any, ...]]:
    return [
        (one["rule"], one["path"], one["line"])
        for one in ran.tool("gate-changes")["findings"]
        if not one["muted"]
    ]


@pytest.mark.parametrize(
    ("mode", "level", "code", "result"), [("", "warning", 0, "warned"), ("fail", "error", 1, "failed")]
)
def test_a_fork_that_loosens_its_own_checks(
    mode: str, level: str, code: int, result: str, machine: Machine, made: Change
):
    ran = run(machine, made, gate_changes=mode)
    assert (ran.code, ran.outputs["result"]) == (code, result), ran.log
    assert found(ran) == FOUND
    places = {(seen.properties.get("file"), seen.properties.get("line")) for seen in ran.annotations(level)}
    assert places >= {("pyproject.toml", "2"), ("tests/test_a.py", "4")}
    assert ran.summary.index("less strict in 3 places") < ran.summary.index("<th>Stage</th>")
    assert set(ran.owners.values()) == {projects.OWNER}


@pytest.mark.parametrize(
    ("mode", "code", "outcome"), [("", 0, "skipped"), ("fail", 3, "broken"), ("off", 0, "")]
)
def test_a_shallow_clone_that_lacks_the_base(
    mode: str, code: int, outcome: str, machine: Machine, made: Change, tmp_path: Path
):
    ran = run(machine, made, depth=1, gate_changes=mode)
    assert ran.code == code, ran.log
    tools = {tool["name"]: tool for stage in ran.report["stages"] for tool in stage["tools"]}
    assert tools.get("gate-changes", {"outcome": ""})["outcome"] == outcome
    if outcome:
        assert "fetch-depth: 2" in tools["gate-changes"]["reason"]
