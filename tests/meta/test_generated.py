"""Files that are generated or that others read: in step with the definitions, and valid."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.paths import ROOT

from ci_action.commands.schema import schema_files
from ci_action.reporters.outputs import ABOUT
from ci_action.settings import SETTINGS
from ci_action.stages import load_all
from ci_action.system.exit_codes import ExitCode

BIN = Path(sys.executable).parent
README = (ROOT / "README.md").read_text("utf-8")
REFERENCE = (ROOT / "docs" / "reference.md").read_text("utf-8")
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))


def run(*argv: str) -> str:
    """Run a program of the environment at the root; returns what it wrote."""
    done = subprocess.run(
        [str(BIN / argv[0]), *argv[1:]],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_what_is_generated_is_in_step_with_the_definitions():
    generated = re.search(r"^GENERATED := (.+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert generated
    run("cog", "--check", *generated[1].split())


def test_action_yml_is_valid_against_the_public_schema():
    run("check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml")


def test_the_workflows_are_valid_against_the_public_schema():
    files = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
    if files:
        run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, files))


def test_the_layers_keep_to_their_order():
    run("lint-imports", "--no-cache")


def test_the_published_schemas_are_in_step_with_the_definitions():
    for name, text in schema_files().items():
        assert (ROOT / ".github" / "schema" / name).read_text("utf-8") == text


def test_the_inputs_of_the_action_are_the_settings():
    assert tuple(ACTION["inputs"]) == tuple(SETTINGS)
    assert [name for name, entry in ACTION["inputs"].items() if "default" in entry] == ["github-token"]
    assert not any(entry.get("required") for entry in ACTION["inputs"].values())


def test_the_outputs_of_the_action_are_those_that_are_set():
    assert list(ACTION["outputs"]) == list(ABOUT)


def test_the_action_is_what_the_marketplace_asks_for():
    assert ACTION["runs"]["using"] == "docker"
    assert set(ACTION["branding"]) == {"icon", "color"}
    assert len(ACTION["description"]) <= 125


@pytest.mark.parametrize("name", SETTINGS)
def test_the_reference_names_every_input(name: str):
    assert f"| `{name}` |" in REFERENCE


@pytest.mark.parametrize("name", list(ABOUT))
def test_the_reference_names_every_output(name: str):
    assert f"| `{name}` |" in REFERENCE


@pytest.mark.parametrize("code", ExitCode)
def test_the_reference_explains_every_exit_code(code: ExitCode):
    assert f"| {code.value} | {code.meaning} |" in REFERENCE


@pytest.mark.parametrize("stage", load_all(), ids=lambda stage: stage.name)
def test_the_readme_names_every_stage_and_tool(stage: Any):
    assert f"| `{stage.name}` |" in README
    assert all(tool.url in README for tool in stage.tools)


LOCKED = {
    package["name"]: package["version"]
    for package in tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
    if "version" in package
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.mark.parametrize(
    "tool",
    ["uv", *(tool.distribution for stage in load_all() for tool in stage.tools if tool.program is None)],
)
def test_tools_are_pinned_to_what_is_locked(tool: str):
    assert f"{tool}=={LOCKED[tool]}" in PROJECT["project"]["dependencies"]


def test_the_image_takes_uv_from_the_lock_file():
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert "uv.lock" in text
    assert set(re.findall(r"\buv==?v?([0-9][0-9.]*)", text)) <= {LOCKED["uv"]}


def test_json_in_the_repository_is_json():
    for file in [*ROOT.glob(".github/schema/*.json"), *ROOT.glob("tests/golden/sarif/*.json")]:
        assert json.loads(file.read_text("utf-8"))
