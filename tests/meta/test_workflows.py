"""Our own workflows, and those that other repositories call: pinned, bounded, without credentials and with few rights."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.paths import PAGES, ROOT

from ci_action.reporters.outputs import ABOUT
from ci_action.settings import SETTINGS

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
# With the stage that each runs.
REUSABLE = {
    "pr-checks": "pr",
    "tests": "test",
    "migrations": "migrations",
    "docker": "docker",
    "security": "security",
}
PINNED = re.compile(r"uses: ([\w-]+/[\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$", re.MULTILINE)


def loaded(name: str) -> dict[str, Any]:
    text = (ROOT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8")
    # YAML 1.1, which PyYAML reads, takes the key `on` for true.
    return {"on" if key is True else key: value for key, value in yaml.safe_load(text).items()}


def only_job(name: str) -> dict[str, Any]:
    (job,) = loaded(name)["jobs"].values()
    assert isinstance(job, dict)
    return job


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_others_have_made_is_pinned_and_every_job_ends(file: Path):
    text = file.read_text("utf-8")
    foreign = [
        use for use in re.findall(r"uses: (\S+)", text) if not use.startswith(("./", "org/ci-action@"))
    ]
    assert sorted(foreign) == sorted(f"{name}@{commit}" for name, commit, _ in PINNED.findall(text))
    for job in loaded(file.stem)["jobs"].values():
        assert job["timeout-minutes"] <= 60
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False


def test_one_version_of_an_action_is_used_everywhere():
    found = {pin for page in (*FILES, *PAGES) for pin in PINNED.findall(page.read_text("utf-8"))}
    assert len({name for name, _, _ in found}) == len(found)


@pytest.mark.parametrize(("name", "stage"), REUSABLE.items())
def test_a_reusable_workflow_hands_every_input_of_its_stage_on(name: str, stage: str):
    inputs = loaded(name)["on"]["workflow_call"]["inputs"]
    own = {name for name, setting in SETTINGS.items() if setting.stage == stage}
    assert own <= set(inputs) <= {*SETTINGS, "artifact"}
    # An unset boolean would be false, and an unset number 0.
    assert {one["type"] for one in inputs.values()} == {"string"}
    (step,) = (one for one in only_job(name)["steps"] if one.get("uses") == "org/ci-action@v1")
    assert step["with"] == {"stage": stage} | {
        one: f"${{{{ inputs.{one} }}}}" for one in inputs if one != "artifact"
    }


@pytest.mark.parametrize("name", REUSABLE)
def test_a_reusable_workflow_hands_outputs_back_through_its_job(name: str):
    called, job = loaded(name)["on"]["workflow_call"], only_job(name)
    (key,) = loaded(name)["jobs"]
    (step,) = (one["id"] for one in job["steps"] if "id" in one)
    assert set(job["outputs"]) == set(called["outputs"]) <= set(ABOUT)
    for output in called["outputs"]:
        assert called["outputs"][output]["value"] == f"${{{{ jobs.{key}.outputs.{output} }}}}"
        assert job["outputs"][output] == f"${{{{ steps.{step}.outputs.{output} }}}}"


@pytest.mark.parametrize("name", REUSABLE)
def test_a_reusable_workflow_waits_for_nobody_and_runs_code_with_the_right_to_read_only(name: str):
    workflow = loaded(name)
    assert "concurrency" not in workflow
    # `pr` runs no code of the project, and takes from the caller what its reports need.
    given = None if name == "pr-checks" else {"contents": "read"}
    assert only_job(name).get("permissions") == given


def test_all_green_needs_every_other_job():
    jobs = loaded("ci")["jobs"]
    assert {*jobs["all-green"]["needs"], "all-green"} == set(jobs)
