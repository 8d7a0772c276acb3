"""What is generated from the definitions: action.yml, the tables of README.md and docs/, the published schemas.

Only developers run this: `make generate` writes the files, the tests compare them.
"""

import json
import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final

from ci_action.reporters import REPORTERS
from ci_action.reporters.outputs import ABOUT
from ci_action.reporters.report_json.schema import json_schema, schema_address
from ci_action.settings import Settings, about, may_be_a_key, names
from ci_action.settings.general import WORDS
from ci_action.stages import load_all, outputs_of, tool_of_every_run
from ci_action.system.exit_codes import ExitCode


def action_inputs() -> str:
    """Return the inputs of action.yml.

    No input but the token has a default there: the runner hands defaults over like values of the user, and they
    would win over pyproject.toml.
    """
    return "\n".join(_action_inputs())


def _action_inputs() -> Iterator[str]:
    for name in names():
        yield f"  {name}:"
        yield f"    description: {_described(name)}"
        if name == "github-token":
            yield f"    default: {about(name)['x-default']}"


def _described(name: str) -> str:
    """Return what an input does, its default, and whether it is read from pyproject.toml as well, as YAML."""
    text = (Settings.model_fields[name.replace("-", "_")].description or "").replace("`", "'")
    default = str(about(name)["x-default"]).strip()
    said = f" Default: '{default}'." if default and name != "github-token" else ""
    key = "" if may_be_a_key(name) else " Not read from pyproject.toml."
    return json.dumps(f"{text}{said}{key}", ensure_ascii=False)


def action_outputs() -> str:
    """Return the outputs of action.yml."""
    rows = []
    for name, text in ABOUT.items():
        rows += [f"  {name}:", f"    description: {json.dumps(text.replace('`', chr(39)))}"]
    return "\n".join(rows)


# A reusable workflow names the inputs and outputs of every run that it hands on; those of its stage it has all.


def _handed_on(stage: str, general: Collection[str]) -> Iterator[str]:
    return (name for name in names() if name in general or about(name)["x-stage"] == stage)


def _handed_back(stage: str, general: Collection[str]) -> tuple[str, ...]:
    return (*general, *(output.name for output in outputs_of(stage)))


def workflow_inputs(stage: str, *general: str) -> str:
    """Return the inputs of the reusable workflow of a stage: all text, so that an empty one counts as not set."""
    rows = []
    for name in _handed_on(stage, general):
        rows += [f"      {name}:", f"        description: {_described(name)}", "        type: string"]
    return "\n".join(rows)


def workflow_with(stage: str, *general: str) -> str:
    """Return the step's inputs in the reusable workflow of a stage."""
    return "\n".join(f"          {name}: ${{{{ inputs.{name} }}}}" for name in _handed_on(stage, general))


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
    for name in chosen or names():
        default = str(about(name)["x-default"]).strip()
        key = "yes" if may_be_a_key(name) else "**no**"
        text = (Settings.model_fields[name.replace("-", "_")].description or "").replace("|", "\\|")
        shown = f"`{default}`" if default and "`" not in default else default
        rows.append(f"| `{name}` | {about(name)['x-stage']} | {key} | {shown} | {text} |")
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
            f"| first of a run | [{other.name}]({other.url}) | {other.summary} |",
        ]
    )


def files_table() -> str:
    """Return the table of the files that a run writes: the reporters with the name of one."""
    rows = ["| file | what |", "| --- | --- |"]
    files = (reporter for reporter in REPORTERS if "." in reporter.name)
    return "\n".join([*rows, *(f"| `{file.name}` | {file.summary} |" for file in files)])


_PATTERNS: Final[dict[str, Any]] = {
    "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]
}
# The table that TOML writes best: names of areas to their patterns.
_AREAS: Final[dict[str, Any]] = {"type": "object", "additionalProperties": _PATTERNS}


def settings_schema() -> dict[str, Any]:
    """Return the JSON schema of `[tool.ci-action]`: what editors complete and check.

    It is of draft 7, the one that validate-pyproject and SchemaStore take for a table of pyproject.toml. There the
    neighbours of a `$ref` do not count, so what it names is written in its place.
    """
    schema = Settings.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs", {})
    properties = {name: entry for name, entry in schema["properties"].items() if may_be_a_key(name)}
    for entry in properties.values():
        if "$ref" in entry:
            entry.update({**definitions[entry.pop("$ref").rpartition("/")[2]], **entry})
        if entry.get("type") == "array":  # a list may be written as one text too
            items = entry.pop("items")
            if "$ref" in items:  # a table, which may be written as a line of text too
                items = {"anyOf": [definitions[items["$ref"].rpartition("/")[2]], {"type": "string"}]}
            entry["anyOf"] = [{"type": "array", "items": items}, {"type": "string"}]
            entry.pop("type")
    properties["areas"]["anyOf"] = [_AREAS, *properties["areas"]["anyOf"]]
    stages = {"type": "string", "enum": list(WORDS)}
    properties["stage"]["anyOf"] = [{"type": "array", "items": stages}, stages]
    properties["python-version"]["pattern"] = r"^(3\.([3-9]|[1-9][0-9])(\.[0-9]+)?|[<>=!~].*)?$"
    head = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": schema_address("settings"),
        "title": "[tool.ci-action]",
    }
    return {**schema, **head, "properties": properties}


def schema_files() -> dict[str, str]:
    """Return the text of the published schemas by their file names: what `ci-action schema` prints."""
    schemas = {"report": json_schema(), "settings": settings_schema()}
    return {f"{name}.schema.json": json.dumps(schema, indent=2) + "\n" for name, schema in schemas.items()}


if __name__ == "__main__":
    for name, text in schema_files().items():
        Path(sys.argv[1], name).write_text(text, encoding="utf-8")
