"""What is generated from the definitions."""

import json

import pytest
import yaml
from jsonschema.validators import validator_for

from ci_action.commands import schema
from ci_action.reporters import REPORTERS
from ci_action.reporters.outputs import ABOUT
from ci_action.settings import SETTINGS
from ci_action.stages import load_all
from ci_action.system.exit_codes import ExitCode

ACCEPTED = {"package": "a", "id": "CVE-1", "expires": "2026-12-31", "reason": "why"}
VALIDATOR = validator_for(schema.settings_schema())


def test_every_input_is_declared_and_only_the_token_has_a_default():
    inputs = yaml.safe_load("inputs:\n" + schema.action_inputs())["inputs"]
    assert tuple(inputs) == tuple(SETTINGS)
    assert all(entry["description"] for entry in inputs.values())
    assert [name for name, entry in inputs.items() if "default" in entry] == ["github-token"]


def test_every_output_is_declared():
    outputs = yaml.safe_load("outputs:\n" + schema.action_outputs())["outputs"]
    assert list(outputs) == list(ABOUT)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (schema.inputs_table(), list(SETTINGS)),
        (schema.outputs_table(), list(ABOUT)),
        (schema.exit_codes_table(), [str(code.value) for code in ExitCode]),
        (
            schema.stages_table(),
            [*(tool.name for stage in load_all() for tool in stage.tools), "gate-changes"],
        ),
        (schema.files_table(), [reporter.name for reporter in REPORTERS if "." in reporter.name]),
    ],
    ids=["inputs", "outputs", "exit codes", "stages", "files"],
)
def test_tables_have_a_row_for_everything(table: str, words: list[str]):
    rows = table.split("\n")
    assert len(rows) == len(words) + 2
    assert len({row.replace("\\|", "").count("|") for row in rows}) == 1
    assert all(word in row for word, row in zip(words, rows[2:], strict=True))


@pytest.mark.parametrize(
    ("table", "valid"),
    [
        ({}, True),
        ({"paths": ["a"], "timeout": 5}, True),
        ({"paths": "a\nb"}, True),
        ({"tool-versions": "bundled"}, True),
        ({"tool-versions": "mine"}, False),
        ({"timeout": "x"}, False),
        ({"stage": "quality"}, True),
        ({"stage": "qualty"}, False),
        ({"python-version": "3.12"}, True),
        ({"python-version": "3.1"}, False),
        ({"time-out": 5}, False),
        ({"github-token": "x"}, False),
        ({"areas": {"api": ["src/api/", "tests/api/"], "docs": "docs/"}}, True),
        ({"areas": ["api: src/api/"]}, True),
        ({"areas": "api: src/api/\ndocs: docs/"}, True),
        ({"areas": {"api": 3}}, False),
        ({"areas": {"api": [3]}}, False),
        ({"areas": 3}, False),
        ({"secrets-verify": True}, False),
        ({"run-as": "owner"}, False),
        ({"fail-on": "new"}, True),
        ({"fail-on": "severe"}, False),
        ({"ignore-vulnerabilities": "a CVE-1 2026-12-31 why"}, True),
        ({"ignore-vulnerabilities": ["a CVE-1 2026-12-31 why", ACCEPTED]}, True),
        ({"ignore-vulnerabilities": [{**ACCEPTED, "owner": "me"}]}, False),
        ({"ignore-vulnerabilities": [{"package": "a"}]}, False),
        ({"ignore-vulnerabilities": ACCEPTED}, False),
    ],
)
def test_the_schema_of_the_settings(table: dict[str, object], valid: bool):
    VALIDATOR.check_schema(schema.settings_schema())
    assert VALIDATOR(schema.settings_schema()).is_valid(table) is valid


def test_the_published_schemas_are_those_of_the_command_line():
    files = schema.schema_files()
    assert set(files) == {"report.schema.json", "settings.schema.json"}
    assert json.loads(files["settings.schema.json"]) == schema.settings_schema()
