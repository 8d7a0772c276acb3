"""New findings come before old ones on every channel, tools share the room, and `all` names each stage."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from support.repositories import checkout, commit, git, pull_request
from support.runner_model import commands

# The project names both tools, so that all findings are errors.
TOOLS = "[tool.black]\n[tool.ruff.lint]\nselect = ['F']\n"
UGLY = "x = {  'a':1 }\n"
FLOOD = 600


@pytest.fixture
def pulled(origin: Path, tmp_path: Path) -> Any:
    """Return a function that makes a pull request on an old project, checks it out and returns folder and payload."""

    def make(old: dict[str | bytes, str | bytes], new: dict[str | bytes, str | bytes]) -> tuple[Path, Any]:
        commit(origin, {"pyproject.toml": TOOLS, "both.py": "x = 1\n", "old.py": "x = 1\n", **old})
        payload = pull_request(origin, new)
        git(origin, "checkout", "--quiet", "main")
        return checkout(origin, tmp_path / "clone", "refs/pull/7/merge"), payload

    return make


def files_of_errors(out: str, tool: str) -> list[str]:
    return [
        one.properties.get("file", "")
        for one in commands(out)
        if one.name == "error" and one.properties.get("title", "").startswith(f"{tool}:")
    ]


def test_old_findings_of_one_tool_do_not_push_out_new_ones_of_another(pulled, ci_action, under_actions):
    old = {f"ugly{number}.py": UGLY for number in range(30)}
    folder, payload = pulled(old, {"both.py": "import os\nx = 1\n"})
    ran = ci_action(folder, "quality", env=under_actions(folder, "pull_request", payload))
    assert ran.code == 1
    assert files_of_errors(ran.out, "ruff")[0] == "both.py"
    shown = [one for one in commands(ran.out) if one.name == "error"]
    assert (len(shown), shown[0].properties["file"]) == (10, "both.py")
    assert len(files_of_errors(ran.out, "black")) >= 7
    [note] = [one for one in commands(ran.out) if one.name == "notice" and " of " in one.data]
    findings = int(ran.report["outputs"]["findings"])
    assert f"10 of {findings} " in note.data


def test_many_findings_of_one_rule_in_a_file_are_a_row_everywhere_but_in_the_report(
    pulled, ci_action, under_actions, tmp_path
):
    imports = "".join(f"import m{number}\n" for number in range(40))
    folder, payload = pulled({"many.py": imports}, {"both.py": "import os\nx = 1\n"})
    ran = ci_action(folder, "quality", env=under_actions(folder, "pull_request", payload))
    found = [one for one in ran.findings("ruff") if one["path"] == "many.py"]
    assert len(found) == 40
    assert files_of_errors(ran.out, "ruff").count("many.py") == 1
    reports = tmp_path / "reports"
    summary, page, sarif = (
        (reports / name).read_text("utf-8") for name in ("summary.md", "report.html", "ci-action.sarif")
    )
    assert summary.count("and 39 more") == page.count("and 39 more") == 1
    results = [one for run in json.loads(sarif)["runs"] for one in run["results"]]
    assert len(results) == sum(
        len(tool["findings"]) for stage in ran.report["stages"] for tool in stage["tools"]
    )
    local = ci_action(folder, "quality")
    assert local.out.count("many.py:") == 1


def test_hashes_of_data_do_not_push_out_the_issues_of_bandit(project, ci_action, tmp_path):
    chance = random.Random(1)
    hashes = [{"sha256": f"{chance.getrandbits(256):064x}"} for _ in range(FLOOD)]
    others = {f"data/{number}.json": json.dumps(hashes[number]) for number in range(30)}
    folder = project(
        {**others, "fixtures/all.json": json.dumps(hashes, indent=1), "run.py": "import subprocess\n" * 3}
    )
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    ran = ci_action(folder, "run", "security")
    secrets = ran.findings("detect-secrets")
    assert len(secrets) >= FLOOD
    assert {one["severity"] for one in secrets} == {"medium"}
    assert ran.out.count("run.py:") == len(ran.findings("bandit")) == 3
    assert ran.out.count("fixtures/all.json:") == 1


def test_all_names_every_stage_with_its_reason_on_every_channel(project, ci_action, tmp_path):
    folder = project({"pyproject.toml": TOOLS, "a.py": "import os\n", "test_a.py": "def test():\n    pass\n"})
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    ran = ci_action(folder, "run", "all")
    reports = tmp_path / "reports"
    texts = [ran.out, *((reports / name).read_text("utf-8") for name in ("summary.md", "report.html"))]
    for stage in ran.report["stages"]:
        reason = stage["not_run"] or stage["because"]
        assert reason
        assert any(reason in text for text in stage["reasons"])
        for text in texts:
            assert all(part in text for part in (f"{stage['name']}", reason))
    quality, *others = ran.report["stages"]
    assert quality["conclusion"] == "failed"
    assert {one["not_run"] for one in others} == {"quality failed"}
    assert "test: not run, quality failed" in ran.out.splitlines()
    ran = ci_action(folder, "run", "all", "--fail-fast=false")
    assert not any(one["not_run"] == "quality failed" for one in ran.report["stages"])
    assert ran.code == 1
