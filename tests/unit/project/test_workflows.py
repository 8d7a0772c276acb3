"""The steps of workflows."""

from ci_action.project.workflows import steps_of

WORKFLOW = """jobs:
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
    assert [(field.text, field.line) for field in gates.inputs.values()] == [("src", 8), ("", 9)]


def test_what_is_no_workflow_has_no_steps():
    assert steps_of("") == steps_of("jobs: [a]") == steps_of("- a") == steps_of("jobs: {a: 1}")[1:] == []
