"""Dangerous statements in the container: squawk and the configuration for it are read as the runner's user."""

import pytest
from support.container import projects
from support.container.runner import Machine
from support.shop import NEW, SHOP

pytestmark = pytest.mark.docker


@pytest.mark.parametrize(
    ("files", "source", "version"),
    [
        ({}, "bundled", "2.70.0"),
        ({"requirements-lint.txt": "squawk-cli==2.40.0\n"}, "requirements-lint.txt", "2.40.0"),
    ],
)
def test_dangerous_statements(machine: Machine, files: dict[str, str], source: str, version: str):
    texts = {str(name): str(text) for name, text in {**SHOP, **NEW}.items()}
    config = {".squawk.toml": 'excluded_rules = ["prefer-robust-stmts"]\n'}
    projects.put(machine.workspace, {**texts, **config, **files})
    projects.settle(machine.workspace)
    ran = machine.run(inputs={"stage": "migrations", "migration-danger": "fail"})
    tool = ran.tool("danger")
    assert (tool["version"], tool["version_source"]) == (f"squawk {version}", source)
    rules = {(one["path"], one["line"], one["rule"]) for one in tool["findings"] if not one["muted"]}
    assert ("migrations/versions/b2.py", 10, "changing-column-type") in rules
    assert ("migrations/versions/b2.py", 9, "changing-column-type") not in rules
    assert ("migrations/versions/b2.py", 9, "prefer-robust-stmts") not in rules
    assert ran.code == 1
    assert set(ran.owners.values()) == {projects.OWNER}
