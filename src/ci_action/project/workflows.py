"""Workflows of GitHub Actions: their steps, with the places of the values, unresolved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ci_action.project.config_files import Field, fields_of

WORKFLOWS: Final = ".github/workflows"
"""The folder of the workflows, relative to the workspace."""
_FOLDER: Final = "working-directory"


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step, or a job by a reusable workflow."""

    job: str
    name: str
    """Its `id` or its name; empty if it has none."""
    uses: str
    """The action or workflow that it runs; empty for a step with `run`."""
    inputs: Mapping[str, Field]
    run: str = ""
    """The script that it runs."""
    condition: str = ""
    """Its `if`."""
    folder: str = ""
    """Its working directory, as written in the step, the job or the workflow."""


def steps_of(text: str) -> list[Step]:
    """Return the jobs of a workflow, each followed by its steps; raises `ValueError` and `RecursionError`."""
    document = fields_of(text)
    jobs = document.at("jobs")
    found = []
    for job in jobs.names():
        body = jobs.at(job)
        folders = [one.at("defaults").at("run").at(_FOLDER).text for one in (body, document)]
        for step in (body, *body.at("steps").items()):
            given = step.at("with")
            inputs = {name: given.at(name) for name in given.names()}
            name = step.at("id").text or step.at("name").text
            found.append(
                Step(
                    job=job,
                    name=name,
                    uses=step.at("uses").text,
                    inputs=inputs,
                    run=step.at("run").text,
                    condition=step.at("if").text,
                    folder=next(filter(None, (step.at(_FOLDER).text, *folders)), ""),
                )
            )
    return found
