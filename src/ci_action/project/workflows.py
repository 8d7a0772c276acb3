"""Workflows of GitHub Actions: their steps, with the places of the values, unresolved."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ci_action.project.config_files import Field, fields_of

WORKFLOWS: Final = ".github/workflows"
"""The folder of the workflows, relative to the workspace."""
_FOLDER: Final = "working-directory"
_TOLERANT: Final = "continue-on-error"
_SEVERAL: Final = 2


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step, or a job by a reusable workflow."""

    job: str
    """Empty for a step of a composite action."""
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
    tolerated: bool = False
    """Whether its failure is ignored."""
    spread: bool = False
    """Whether a matrix makes several jobs of it."""

    def uses_action(self, name: str) -> bool:
        """Whether it runs any version of an action."""
        return self.uses.startswith(f"{name}@")


@dataclass(frozen=True)
class Workflow:
    """A workflow, or a composite action."""

    triggers: frozenset[str]
    """The events that start it."""
    steps: tuple[Step, ...]
    """Its jobs, each followed by its steps."""


def workflow_of(text: str) -> Workflow:
    """Return a workflow or a composite action; raises `ValueError` and `RecursionError`."""
    document = fields_of(text)
    events = document.at("on")
    triggers = (events.text, *(one.text for one in events.items()), *events.names())
    jobs = document.at("jobs")
    bodies = [(job, jobs.at(job)) for job in jobs.names()]
    bodies += [("", runs)] if (runs := document.at("runs")).names() else []
    found = []
    for job, body in bodies:
        folders = [one.at("defaults").at("run").at(_FOLDER).text for one in (body, document)]
        spread = _is_spread(body.at("strategy").at("matrix"))
        for step in (body, *body.at("steps").items()):
            given = step.at("with")
            found.append(
                Step(
                    job=job,
                    name=step.at("id").text or step.at("name").text,
                    uses=step.at("uses").text,
                    inputs={name: given.at(name) for name in given.names()},
                    run=step.at("run").text,
                    condition=step.at("if").text,
                    folder=next(filter(None, (step.at(_FOLDER).text, *folders)), ""),
                    tolerated=any(one.at(_TOLERANT).text.lower() == "true" for one in (body, step)),
                    spread=spread,
                )
            )
    return Workflow(frozenset(filter(None, triggers)), tuple(found))


def _is_spread(matrix: Field) -> bool:
    """Whether a matrix makes several jobs; an expression counts as a list."""
    values = [matrix.at(name) for name in matrix.names()]
    return any("${{" in one.text for one in (matrix, *values)) or any(
        len(one.items()) >= _SEVERAL for one in values
    )
