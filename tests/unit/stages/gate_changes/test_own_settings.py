"""Gate changes: what is less strict in our own settings, by key and by workflow, in both directions; baselines."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.settings.types import GateChanges
from ci_action.stages.gate_changes.baselines import larger, of_bandit, of_secrets
from ci_action.stages.gate_changes.configs import Side, own
from ci_action.stages.gate_changes.loosened import Changed
from ci_action.stages.gate_changes.own_settings import COMPARED, of_keys, of_table, of_workflow, steps_of
from ci_action.system.errors import ToolError

PY = "pyproject.toml"
LOWER, ADDED, NARROWER, SOFTER = "lower-minimum", "added-ignore", "narrower-paths", "softer-fail-on"
# Stricter, less strict, rule.
KEYS = [
    ("coverage-min = 90", "coverage-min = 89.5", LOWER),
    ("coverage-min = 90", "", LOWER),
    ("patch-coverage-min = 90", "patch-coverage-min = 80", LOWER),
    ('fail-on = "low"', 'fail-on = "high"', SOFTER),
    ('fail-on = "critical"', "", SOFTER),
    ('fail-on = "low"', 'fail-on = "new"', SOFTER),
    ('fail-on = "new"', 'fail-on = "never"', SOFTER),
    ('migration-danger = "fail"', 'migration-danger = "warn"', SOFTER),
    ("", 'migration-danger = "off"', SOFTER),
    ('migration-depth = "all"', "", SOFTER),
    ("", 'downgrade-from = "a1b2"', NARROWER),
    ("", 'ignore = ["heads:multiple-heads"]', ADDED),
    ('max-image-size = "300MB"', 'max-image-size = "301MB"', LOWER),
    ('max-image-size = "300MB"', "", LOWER),
    ('smoke-url = "http://localhost/"', "", NARROWER),
    ('smoke-command = ["a b", "c"]', 'smoke-command = ["c"]', NARROWER),
    ('scope = "all"', 'scope = "changed"', NARROWER),
    ('ignore = ["ruff:E501"]', 'ignore = ["ruff:E501", "bandit"]', ADDED),
    ("", 'ignore = ["gate-changes"]', ADDED),
    ("", 'paths = ["src"]', NARROWER),
    ('paths = ["src", "lib"]', 'paths = ["src"]', NARROWER),
    ('coverage-source = ["a", "b"]', 'coverage-source = ["a"]', NARROWER),
    ("", 'ignore-vulnerabilities = ["a CVE-1 2030-01-01 because"]', ADDED),
    (
        'ignore-vulnerabilities = ["a CVE-1 2029-01-01 because"]',
        'ignore-vulnerabilities = ["a CVE-1 2030-01-01 because"]',
        ADDED,
    ),
    ('licenses-allow = ["MIT"]', 'licenses-allow = ["MIT", "GPL-*"]', ADDED),
    ('licenses-allow = ["MIT"]', "", ADDED),
    ('licenses-deny = ["GPL-*"]', "", ADDED),
    ("", 'pytest-args = "--ignore=tests/slow"', ADDED),
    ("", "ruff-args = '--ignore E501,E502'", ADDED),
    ("", "ruff-args = '--exit-zero'", ADDED),
    ("", "black-args = '--extend-exclude=gen'", ADDED),
    ("bandit-args = '-s B101'", "bandit-args = '--skip=B101,B102'", ADDED),
]
SILENT = [
    ('fail-on = "critical"', 'fail-on = "new"'),
    ('paths = ["src/a"]', 'paths = ["src"]'),
    ("coverage-min = 90", "coverage-min = 'many'"),
    ("", 'title-types = ["x"]'),
    ("", "no-such-key = 1"),
    ('max-image-size = "300MB"', 'max-image-size = "300000KB"'),
    ('smoke-url = "http://localhost/"', 'smoke-url = "http://localhost/x"'),
    ('smoke-command = ["a"]', 'smoke-command = ["b"]'),
]


def keys(before: str, after: str, fixed: frozenset[str] = frozenset()) -> list[tuple[str, str, int | None]]:
    old, new = (own(Side({PY: f"[tool.ci-action]\n{text}\n"})) for text in (before, after))
    return [(one.rule, one.path, one.line) for one in of_keys(old, new, fixed)]


@pytest.mark.parametrize(("strict", "loose", "rule"), KEYS)
def test_a_key(strict: str, loose: str, rule: str):
    line = 2 if loose else 1
    assert keys(strict, loose) == [(rule, PY, line)]
    assert keys(loose, strict) == keys(strict, strict) == []


def test_a_key_that_the_workflow_overrides_is_not_compared():
    assert keys("coverage-min = 90", "coverage-min = 50", frozenset({"coverage-min"})) == []


@pytest.mark.parametrize(("before", "after"), SILENT[:2] + SILENT[3:])
def test_a_key_that_is_not_less_strict(before: str, after: str):
    assert keys(before, after) == []


def workflow(*rows: str, uses: str = "org/ci-action@v1", job: str = "test", name: str = "") -> str:
    head = [
        "on: push",
        "jobs:",
        f"  {job}:",
        "    steps:",
        "      - uses: actions/checkout@v5",
        f"      - uses: {uses}",
    ]
    head += [f"        id: {name}"] if name else []
    return "\n".join([*head, "        with:", *(f"          {row}" for row in rows), ""])


def steps(before: str, after: str, table: dict[str, Any] | None = None) -> list[tuple[str, int | None]]:
    file = Changed(path=".github/workflows/ci.yml", before=before, after=after)
    return [(one.rule, one.line) for one in of_workflow(file, (table or {}, table or {}))]


@pytest.mark.parametrize(
    ("strict", "loose", "rule"),
    [
        ("coverage-min: 90", "coverage-min: 80", LOWER),
        ("coverage-min: '90'", "stage: test", LOWER),
        ("fail-on: high", "fail-on: never", SOFTER),
        ("gate-changes: fail", "gate-changes: warn", SOFTER),
        ("gate-changes: warn", "gate-changes: off", SOFTER),
        ("migration-danger: fail", "migration-danger: off", SOFTER),
        ("ignore: ruff", "ignore: ruff, bandit", ADDED),
        ("paths: .", "paths: src", NARROWER),
        ("max-image-size: 1GB", "max-image-size: 1GiB", LOWER),
        ("smoke-command: ./check", "stage: docker", NARROWER),
        ("pytest-args: -ra", "pytest-args: -ra -k one", ADDED),
    ],
)
def test_an_input_of_a_step(strict: str, loose: str, rule: str):
    assert steps(workflow(strict), workflow(loose)) == [(rule, 8)]
    assert steps(workflow(loose), workflow(strict)) == steps(workflow(loose), workflow(loose)) == []


def test_an_entry_of_an_input_has_its_own_line():
    before, after = workflow("ignore: |", "  ruff"), workflow("ignore: |", "  ruff", "  bandit")
    assert steps(before, after) == [(ADDED, 10)]


def test_an_input_that_gives_way_to_a_key():
    table = of_table(own(Side({PY: "[tool.ci-action]\ncoverage-min = 90\n"})))
    assert steps(workflow("coverage-min: 90"), workflow("stage: test"), table) == []
    assert steps(workflow("coverage-min: 95"), workflow("stage: test"), table) == [(LOWER, 8)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (workflow("coverage-min: 90"), workflow("coverage-min: ${{ vars.MIN }}")),
        (workflow("coverage-min: 90"), workflow("coverage-min: 80", job="other")),
        (workflow("coverage-min: 90", name="a"), workflow("coverage-min: 80", name="b")),
        (
            workflow("coverage-min: 90", uses="org/other@v1"),
            workflow("coverage-min: 80", uses="org/other@v1"),
        ),
        (workflow("coverage-min: 90"), "jobs: [1, 2]"),
        (workflow("coverage-min: 90"), "- a"),
        (workflow("coverage-min: 90"), ""),
        (workflow("coverage-min: 90"), "jobs: {test: {steps: {a: 1}, uses: [2]}}"),
    ],
)
def test_a_step_that_cannot_be_compared_exactly(before: str, after: str):
    assert steps(before, after) == []


def test_a_job_of_a_reusable_workflow_and_another_name_of_the_action():
    text = "jobs:\n  a:\n    uses: org/ci-action/.github/workflows/tests.yml@v1\n    with:\n      coverage-min: {}\n"
    assert steps(text.format(90), text.format(80)) == [(LOWER, 5)]
    mine = workflow("coverage-min: 90", uses="me/gates@main")
    assert steps_of(mine) == []
    assert len(steps_of(mine, "me/gates")) == 1


def test_every_order_ends_with_the_strictest():
    assert [*GateChanges] == ["off", "warn", "fail"]
    assert {"fail-on", "coverage-min", "ignore", "paths"} <= set(COMPARED)


@given(st.text())
def test_any_text_in_a_workflow(text: str):
    try:
        found = steps_of(text)
    except (ValueError, RecursionError):
        return
    assert found == [] or "ci-action" in text


def secrets(**files: list[str]) -> str:
    results = {
        name: [{"type": "Key", "hashed_secret": one} for one in found] for name, found in files.items()
    }
    return json.dumps({"version": "1.5.0", "results": results})


@pytest.mark.parametrize(
    ("before", "after", "more"),
    [
        (secrets(a=["1"]), secrets(a=["1", "2"]), True),
        (None, secrets(a=["1"]), True),
        (secrets(a=["1"]), secrets(a=["1"], b=["1"]), True),
        (secrets(a=["1"]), secrets(b=["1"]), False),
        (secrets(a=["1", "2"]), secrets(a=["1"]), False),
        (secrets(a=["1"]), None, False),
    ],
)
def test_a_baseline_of_secrets(before: str | None, after: str | None, more: bool):
    found = list(larger(Changed(path=".secrets.baseline", before=before, after=after), of_secrets))
    expected = [("larger-baseline", ".secrets.baseline")] if more else []
    assert [(one.rule, one.path) for one in found] == expected


def test_a_baseline_of_bandit():
    one = {"test_id": "B101", "filename": "a.py", "code": "assert x"}
    small, large = json.dumps({"results": [one]}), json.dumps({"results": [one, {**one, "code": "assert y"}]})
    assert list(larger(Changed(path="b.json", before=small, after=large), of_bandit))
    assert list(larger(Changed(path="b.json", before=large, after=small), of_bandit)) == []


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"version": "1", "results": {"a": [1]}}'])
def test_an_invalid_baseline(text: str):
    for read in (of_secrets, of_bandit):
        with pytest.raises(ToolError):
            list(larger(Changed(path="b.json", before=secrets(), after=text), read))
