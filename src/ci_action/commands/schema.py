"""What is generated from the definitions: action.yml, the tables of README.md and docs/, the published schemas.

Only developers run this: `make generate` writes the files, the tests compare them.
"""

import json
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from ci_action.reporters import REPORTERS
from ci_action.reporters.outputs import ABOUT
from ci_action.reporters.report_json.schema import json_schema, schema_address
from ci_action.settings import SETTINGS
from ci_action.settings.field import Setting
from ci_action.stages import load_all, outputs_of, tool_of_every_run
from ci_action.system.exit_codes import ExitCode


def action_inputs() -> str:
    """Return the inputs of action.yml.

    No input but the token has a default there: the runner hands defaults over like values of the user, and they
    would win over pyproject.toml.
    """
    return "\n".join(_action_inputs())


def _action_inputs() -> Iterator[str]:
    for name, setting in SETTINGS.items():
        yield f"  {name}:"
        yield f"    description: {_described(setting)}"
        if name == "github-token":
            yield f"    default: {setting.default_text}"


def _described(setting: Setting[Any]) -> str:
    """Return what an input does, its default, and whether it is read from pyproject.toml as well, as YAML."""
    text = setting.description.replace("`", "'")
    default = setting.default_text if setting.name != "github-token" else ""
    shown = f" Default: '{default}'." if default else ""
    key = "" if setting.is_key else " Not read from pyproject.toml."
    return json.dumps(f"{text}{shown}{key}", ensure_ascii=False)


def action_outputs() -> str:
    """Return the outputs of action.yml."""
    rows = []
    for name, text in ABOUT.items():
        rows += [f"  {name}:", f"    description: {json.dumps(text.replace('`', chr(39)))}"]
    return "\n".join(rows)


# A reusable workflow names the inputs and outputs of every run that it hands on; those of its stage it has all.


def _handed_on(stage: str, general: Collection[str]) -> Iterator[Setting[Any]]:
    return (one for name, one in SETTINGS.items() if name in general or one.stage == stage)


def _handed_back(stage: str, general: Collection[str]) -> tuple[str, ...]:
    return (*general, *(output.name for output in outputs_of(stage)))


def workflow_inputs(stage: str, *general: str) -> str:
    """Return the inputs of the reusable workflow of a stage: all text, so that an empty one counts as not set."""
    rows = []
    for one in _handed_on(stage, general):
        rows += [f"      {one.name}:", f"        description: {_described(one)}", "        type: string"]
    return "\n".join(rows)


def workflow_with(stage: str, *general: str) -> str:
    """Return the step's inputs in the reusable workflow of a stage."""
    names = (one.name for one in _handed_on(stage, general))
    return "\n".join(f"          {name}: ${{{{ inputs.{name} }}}}" for name in names)


def workflow_outputs(stage: str, job: str, *general: str) -> str:
    """Return the outputs of the reusable workflow of a stage."""
    rows = []
    for name in _handed_back(stage, general):
        described = json.dumps(ABOUT[name].replace("`", "'"))
        value = f"${{{{ jobs.{job}.outputs.{name} }}}}"
        rows += [f"      {name}:", f"        description: {described}", f"        value: {value}"]
    return "\n".join(rows)


def job_outputs(stage: str, step: str, *general: str) -> str:
    """Return the outputs of the job in the reusable workflow of a stage."""
    handed = _handed_back(stage, general)
    return "\n".join(f"      {name}: ${{{{ steps.{step}.outputs.{name} }}}}" for name in handed)


def inputs_table(*chosen: str) -> str:
    """Return a table of inputs: of those that are chosen, in that order, else of all."""
    rows = ["| input | for | key | default | what |", "| --- | --- | --- | --- | --- |"]
    for name in chosen or SETTINGS:
        setting = SETTINGS[name]
        default = setting.default_text
        key = "yes" if setting.is_key else "**no**"
        text = setting.description.replace("|", "\\|")
        shown = f"`{default}`" if default and "`" not in default else default
        rows.append(f"| `{name}` | {setting.stage} | {key} | {shown} | {text} |")
    return "\n".join(rows)


def outputs_table() -> str:
    """Return the table of outputs."""
    rows = ["| output | what |", "| --- | --- |"]
    return "\n".join([*rows, *(f"| `{name}` | {text} |" for name, text in ABOUT.items())])


def exit_codes_table() -> str:
    """Return the table of exit codes."""
    rows = ["| exit code | means |", "| --- | --- |"]
    return "\n".join([*rows, *(f"| {code.value} | {code.meaning} |" for code in ExitCode)])


def stages_table() -> str:
    """Return the table of stages and their tools."""
    other = tool_of_every_run()
    rows = ["| stage | tool | what |", "| --- | --- | --- |"]
    return "\n".join(
        [
            *rows,
            *(
                f"| `{stage.name}` | [{tool.name}]({tool.url}) | {tool.summary} |"
                for stage in load_all()
                for tool in stage.tools
            ),
            f"| every run | [{other.name}]({other.url}) | {other.summary} |",
        ]
    )


def files_table() -> str:
    """Return the table of the files that a run writes: the reporters with the name of one."""
    rows = ["| file | what |", "| --- | --- |"]
    files = (reporter for reporter in REPORTERS if "." in reporter.name)
    return "\n".join([*rows, *(f"| `{file.name}` | {file.summary} |" for file in files)])


def settings_schema() -> dict[str, Any]:
    """Return the JSON schema of `[tool.ci-action]`: what editors complete and check.

    It is of draft 7, the one that validate-pyproject and SchemaStore accept for a table of pyproject.toml.
    """
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": schema_address("settings"),
        "title": "[tool.ci-action]",
        "description": "Settings of ci-action.",
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _property(one) for name, one in SETTINGS.items() if one.is_key},
    }


def _property(setting: Setting[Any]) -> dict[str, Any]:
    return {
        "description": setting.description,
        **setting.kind.schema,
        "default": list(setting.default) if setting.is_list else setting.default,
        "x-default": setting.default_text,
        "x-set-by": setting.set_by,
        "x-stage": setting.stage,
    }


def schema_files() -> dict[str, str]:
    """Return the text of the published schemas by their file names: what `ci-action schema` prints."""
    schemas = {"report": json_schema(), "settings": settings_schema()}
    return {f"{name}.schema.json": json.dumps(schema, indent=2) + "\n" for name, schema in schemas.items()}


if __name__ == "__main__":
    for name, text in schema_files().items():
        Path(sys.argv[1], name).write_text(text, encoding="utf-8")
