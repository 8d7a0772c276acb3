"""What the README shows works: its workflows, its commands, its settings, its links, its pictures."""

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from importlib.resources import files
from typing import Any

import click
import cmarkgfm
import jsonschema
import pytest
import yaml
from cmarkgfm.cmark import Options
from support.paths import ROOT

from ci_action.cli import cli
from ci_action.commands.schema import schema_files
from ci_action.reporters.outputs import ABOUT
from ci_action.settings import names

PAGES = ("README.md", ".github/CONTRIBUTING.md", ".github/SECURITY.md", "tests/projects/README.md")
README = (ROOT / "README.md").read_text(encoding="utf-8")
ACTION = re.compile(r"^org/ci-action@")
REUSABLE = re.compile(r"^org/ci-action/(\.github/workflows/[\w-]+\.yml)@v1$")
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def workflows() -> list[str]:
    return [block for block in blocks("yaml") if re.search(r"^(on|jobs):", block, re.MULTILINE)]


def loaded(block: str) -> dict[str, Any]:
    # YAML 1.1, which PyYAML reads, takes the key `on` for true.
    return {"on" if key is True else key: value for key, value in yaml.safe_load(block).items()}


def steps(block: str) -> list[dict[str, Any]]:
    return [step for job in loaded(block)["jobs"].values() for step in job.get("steps", [])]


def calls(block: str) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Return the jobs that call one of our workflows, each with what that workflow declares."""
    found = {}
    for name, job in loaded(block)["jobs"].items():
        if "uses" in job:
            match = REUSABLE.match(job["uses"])
            assert match, job["uses"]
            found[name] = job, loaded((ROOT / match[1]).read_text("utf-8"))["on"]["workflow_call"]
    return found


def commands(page: str) -> list[list[str]]:
    lines = [line for block in blocks("sh", page) for line in block.splitlines()]
    words = [shlex.split(line, comments=True) for line in lines]
    return [line[1:] for line in words if line[:1] == ["ci-action"]]


def schema_of_workflows() -> dict[str, Any]:
    file = files("check_jsonschema") / "builtin_schemas" / "vendor" / "github-workflows.json"
    schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return schema


def test_the_first_block_is_a_workflow_and_stands_at_the_top():
    assert workflows()[0] == blocks("yaml")[0]
    assert README.index("```yaml") < 1_000
    assert len(workflows()) > 5


@pytest.mark.parametrize("block", workflows())
def test_a_workflow_is_one_by_the_public_schema(block):
    jsonschema.validate(loaded(block), schema_of_workflows())


@pytest.mark.parametrize("block", workflows())
def test_a_workflow_pins_what_it_uses_and_keeps_no_credentials(block):
    assert loaded(block)["permissions"] == {"contents": "read"}
    for step in steps(block):
        assert "uses" not in step or ACTION.match(step["uses"]) or PINNED.match(step["uses"])
        if step.get("uses", "").startswith("actions/checkout@"):
            given = {key: value for key, value in step["with"].items() if key != "fetch-depth"}
            assert given == {"persist-credentials": False}


@pytest.mark.parametrize("block", workflows())
def test_a_workflow_names_inputs_and_outputs_that_exist(block):
    ours = [step for step in steps(block) if ACTION.match(step.get("uses", ""))]
    called = calls(block)
    assert ours or called
    assert all(set(step["with"]) <= set(names()) for step in ours)
    assert all(set(job["with"]) <= set(declared["inputs"]) for job, declared in called.values())
    jobs = loaded(block)["jobs"]
    for where, name, output in re.findall(r"(steps|needs)\.([\w-]+)\.outputs\.([\w-]+)", block):
        if where == "steps":
            assert output in ABOUT
        else:
            assert output in (called[name][1]["outputs"] if name in called else jobs[name]["outputs"])


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not here")
@pytest.mark.parametrize("block", workflows())
def test_a_workflow_passes_actionlint(block):
    done = subprocess.run(["actionlint", "-"], input=block.encode(), capture_output=True, check=False)
    assert done.stdout.decode() == ""
    assert done.returncode == 0


@pytest.mark.parametrize(
    "words", [words for page in PAGES for words in commands((ROOT / page).read_text("utf-8"))]
)
def test_a_command_has_a_name_and_flags_that_exist(words):
    group = cli.make_context("ci-action", list(words), obj={"environ": {}})
    name, command, rest = cli.resolve_command(group, [*group._protected_args, *group.args])
    assert isinstance(command, click.Command)
    command.make_context(name, rest, parent=group)


@pytest.mark.parametrize("block", blocks("toml"))
def test_settings_are_valid_by_the_published_schema(block):
    schema = json.loads((ROOT / ".github/schema/settings.schema.json").read_bytes())
    jsonschema.validate(tomllib.loads(block)["tool"]["ci-action"], schema)


@pytest.mark.parametrize(("name", "text"), schema_files().items())
def test_a_published_schema_is_the_one_of_the_code(name, text):
    assert (ROOT / ".github/schema" / name).read_text(encoding="utf-8") == text, "run `make generate`"


def test_the_marks_of_cog_do_not_show():
    html = cmarkgfm.github_flavored_markdown_to_html(README, options=Options.CMARK_OPT_UNSAFE)
    shown = re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL)
    assert "cog" not in shown
    assert "[[[" not in shown
    assert shown.count("<table>") == 12


@pytest.mark.parametrize("page", PAGES)
def test_a_link_inside_the_repository_leads_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        there = (ROOT / page).parent / file if file else ROOT / page
        assert there.exists(), target
        if anchor:
            assert anchor in anchors(there.read_text(encoding="utf-8")), target


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_pictures_are_small():
    pictures = [file for file in (ROOT / ".github/images").iterdir() if file.suffix in {".svg", ".png"}]
    assert {picture.name for picture in pictures} == {"terminal.svg", "summary.png"}
    assert all(picture.stat().st_size < 300_000 for picture in pictures)
