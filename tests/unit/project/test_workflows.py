"""The steps of workflows."""

import pytest

from ci_action.project.workflows import Step, workflow_of

WORKFLOW = """on: [push]
jobs:
  build:
    steps:
      - uses: actions/checkout@v5
      - id: gates
        uses: me/gates@v1
        with:
          paths: src
          empty:
      - run: make
  reused:
    uses: me/other/.github/workflows/x.yml@main
"""


def steps_of(text: str) -> list[Step]:
    return list(workflow_of(text).steps)


def test_steps_in_their_order_with_jobs_that_are_reused():
    found = [(one.job, one.name, one.uses, sorted(one.inputs)) for one in steps_of(WORKFLOW)]
    assert found == [
        ("build", "", "", []),
        ("build", "", "actions/checkout@v5", []),
        ("build", "gates", "me/gates@v1", ["empty", "paths"]),
        ("build", "", "", []),
        ("reused", "", "me/other/.github/workflows/x.yml@main", []),
    ]


def test_values_keep_their_places():
    gates = steps_of(WORKFLOW)[2]
    assert [(field.text, field.line) for field in gates.inputs.values()] == [("src", 9), ("", 10)]


def test_what_is_no_workflow_has_no_steps():
    assert steps_of("") == steps_of("jobs: [a]") == steps_of("- a") == steps_of("jobs: {a: 1}")[1:] == []


@pytest.mark.parametrize(
    ("text", "triggers"),
    [
        (WORKFLOW, {"push"}),
        ("on: push", {"push"}),
        ("on: {push: {branches: [main]}, schedule: [{cron: x}]}", {"push", "schedule"}),
        ("jobs: {}", set()),
    ],
)
def test_triggers(text: str, triggers: set[str]):
    assert workflow_of(text).triggers == triggers


def test_steps_of_a_composite_action():
    _, step = steps_of("runs: {using: composite, steps: [{run: make, working-directory: x}]}")
    assert (step.job, step.run, step.folder, step.tolerated) == ("", "make", "x", False)


@pytest.mark.parametrize(
    "job", ["continue-on-error: true, steps: [{run: x}]", "steps: [{run: x, continue-on-error: True}]"]
)
def test_whose_failure_is_ignored(job: str):
    assert steps_of(f"jobs: {{a: {{{job}}}}}")[-1].tolerated


@pytest.mark.parametrize(
    ("matrix", "spread"),
    [
        ("{x: [1, 2]}", True),
        ("{x: [1]}", False),
        ("{x: 3.12}", False),
        ("[1, 2]", False),
        ("{include: [{x: 1}, {x: 2}]}", True),
        ("${{ fromJson(x) }}", True),
        ("{x: '${{ fromJson(x) }}'}", True),
    ],
)
def test_a_matrix_that_makes_several_jobs(matrix: str, *, spread: bool):
    text = f"jobs:\n  a:\n    strategy:\n      matrix: {matrix}\n    steps: []\n"
    assert steps_of(text)[0].spread is spread


def test_aliases_that_multiply_are_refused():
    rows = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9))
    with pytest.raises(ValueError, match="aliases"):
        workflow_of(f"a0: &a0 [x]\n{rows}")
