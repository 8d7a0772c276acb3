"""Gate changes: what is less strict in the configuration of each tool, in both directions."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.stages.gate_changes.configs import Side, line_of
from ci_action.stages.gate_changes.loosened import grown
from ci_action.stages.gate_changes.settings_of_tools import compare

Files = Mapping[str, str]
LOWER, ADDED, NARROWER = "lower-minimum", "added-ignore", "narrower-paths"


def compared(
    before: Files, after: Files, problems: list[str] | None = None
) -> list[tuple[str, str, int | None]]:
    noted: list[str] = [] if problems is None else problems
    found = compare(Side(dict(before)), Side(dict(after)), noted)
    return [(one.rule, one.path, one.line) for one in found]


def toml(section: str, *rows: str) -> Files:
    return {"pyproject.toml": "\n".join([f"[tool.{section}]", *rows, ""])}


def ini(name: str, section: str, *rows: str) -> Files:
    return {name: "\n".join([f"[{section}]", *rows, ""])}


PY = "pyproject.toml"
# Stricter, less strict, rule, file and line of the less strict one. The other direction is silent.
CASES = {
    "fail_under": (
        toml("coverage.report", "show_missing = true", "fail_under = 90"),
        toml("coverage.report", "show_missing = true", "fail_under = 89.9"),
        (LOWER, PY, 3),
    ),
    "fail_under is gone": (
        toml("coverage.report", "fail_under = 90"),
        toml("coverage.report", "show_missing = true"),
        (LOWER, PY, 1),
    ),
    "fail_under, .coveragerc": (
        ini(".coveragerc", "report", "fail_under = 90"),
        ini(".coveragerc", "report", "fail_under = 0"),
        (LOWER, ".coveragerc", 2),
    ),
    "fail_under, setup.cfg": (
        ini("setup.cfg", "coverage:report", "fail_under: 90"),
        ini("setup.cfg", "coverage:report", "fail_under: 80"),
        (LOWER, "setup.cfg", 2),
    ),
    "fail_under, tox.ini": (
        ini("tox.ini", "coverage:report", "fail_under=90"),
        ini("tox.ini", "coverage:report", "fail_under=80"),
        (LOWER, "tox.ini", 2),
    ),
    "an empty .coveragerc takes its place": (
        toml("coverage.report", "fail_under = 90"),
        {**toml("coverage.report", "fail_under = 90"), ".coveragerc": ""},
        (LOWER, ".coveragerc", None),
    ),
    "dotted key": (
        toml("coverage", "report.fail_under = 90"),
        toml("coverage", "report.fail_under = 80"),
        (LOWER, PY, 2),
    ),
    "omit": (
        toml("coverage.run", 'omit = ["a/*"]'),
        toml("coverage.run", "omit = [", '  "a/*",', '  "b/*",', "]"),
        (ADDED, PY, 4),
    ),
    "omit, ini": (
        ini(".coveragerc", "run", "omit =", "  a/*"),
        ini(".coveragerc", "run", "omit =", "  a/*", "  b/*"),
        (ADDED, ".coveragerc", 4),
    ),
    "exclude_lines": (
        toml("coverage.report", 'exclude_lines = ["if x"]'),
        toml("coverage.report", 'exclude_lines = ["if x", "if y"]'),
        (ADDED, PY, 2),
    ),
    "exclude_also": (
        toml("coverage.report"),
        toml("coverage.report", 'exclude_also = ["def "]'),
        (ADDED, PY, 2),
    ),
    "source": (
        toml("coverage.run", 'source = ["src", "lib"]'),
        toml("coverage.run", 'source = ["src"]'),
        (NARROWER, PY, 2),
    ),
    "testpaths": (
        toml("pytest.ini_options", 'testpaths = ["tests"]'),
        toml("pytest.ini_options", 'testpaths = ["tests/unit"]'),
        (NARROWER, PY, 2),
    ),
    "testpaths, none before": (
        toml("pytest.ini_options"),
        toml("pytest.ini_options", 'testpaths = "tests"'),
        (NARROWER, PY, 2),
    ),
    "python_files": (
        ini("pytest.ini", "pytest"),
        ini("pytest.ini", "pytest", "python_files = test_*.py"),
        (NARROWER, "pytest.ini", 2),
    ),
    "norecursedirs": (
        ini("tox.ini", "pytest", "norecursedirs = .* build"),
        ini("tox.ini", "pytest", "norecursedirs = .* build slow"),
        (ADDED, "tox.ini", 2),
    ),
    "addopts --ignore": (
        toml("pytest.ini_options", 'addopts = "-ra"'),
        toml("pytest.ini_options", 'addopts = "-ra --ignore=tests/slow"'),
        (ADDED, PY, 2),
    ),
    "addopts, a list": (
        toml("pytest.ini_options", 'addopts = ["-ra"]'),
        toml("pytest.ini_options", 'addopts = ["-ra", "--deselect", "tests/a.py::b"]'),
        (ADDED, PY, 2),
    ),
    "addopts -m": (
        ini("setup.cfg", "tool:pytest", "addopts = -ra"),
        ini("setup.cfg", "tool:pytest", "addopts = -ra -m 'not slow'"),
        (ADDED, "setup.cfg", 2),
    ),
    "addopts -m, one more": (
        toml("pytest.ini_options", "addopts = \"-m 'not slow'\""),
        toml("pytest.ini_options", "addopts = \"-m 'not slow and not net'\""),
        (ADDED, PY, 2),
    ),
    "addopts -k": (
        toml("pytest.ini_options"),
        toml("pytest.ini_options", 'addopts = "-kone"'),
        (ADDED, PY, 2),
    ),
    "addopts --no-cov": (
        toml("pytest.ini_options"),
        toml("pytest.ini_options", 'addopts = "--no-cov"'),
        (ADDED, PY, 2),
    ),
    "addopts -p no:cov": (
        toml("pytest.ini_options"),
        toml("pytest.ini_options", 'addopts = "-p no:cov"'),
        (ADDED, PY, 2),
    ),
    "addopts --cov-fail-under": (
        toml("pytest.ini_options", 'addopts = "--cov-fail-under=90"'),
        toml("pytest.ini_options", 'addopts = "--cov-fail-under 80"'),
        (LOWER, PY, 2),
    ),
    "an empty pytest.ini takes its place": (
        toml("pytest.ini_options", 'addopts = "--cov-fail-under=90"'),
        {**toml("pytest.ini_options", 'addopts = "--cov-fail-under=90"'), "pytest.ini": ""},
        (LOWER, "pytest.ini", None),
    ),
    "Black, first exclude": (
        toml("black", "line-length = 100"),
        toml("black", "line-length = 100", "extend-exclude = '/generated/'"),
        (ADDED, PY, 3),
    ),
    "Black, one more": (
        toml("black", "extend-exclude = '/(a|b)/'"),
        toml("black", "extend-exclude = '/(a|b|c)/'"),
        (ADDED, PY, 2),
    ),
    "Ruff, exclude": (
        toml("ruff", 'extend-exclude = ["a"]'),
        toml("ruff", 'extend-exclude = ["a", "b"]'),
        (ADDED, PY, 2),
    ),
    "Ruff, ignore": (
        toml("ruff.lint", 'select = ["E", "F"]'),
        toml("ruff.lint", 'select = ["E", "F"]', 'ignore = ["E501"]'),
        (ADDED, PY, 3),
    ),
    "Ruff, ruff.toml": (
        {"ruff.toml": 'line-length = 80\n[lint]\nignore = ["E501"]\n'},
        {"ruff.toml": 'line-length = 80\n[lint]\nignore = [\n  "E501",\n  "E502",\n]\n'},
        (ADDED, "ruff.toml", 5),
    ),
    "Ruff, per file": (
        toml("ruff.lint.per-file-ignores", '"tests/*" = ["S101"]'),
        toml("ruff.lint.per-file-ignores", '"tests/*" = ["S101"]', '"src/*" = ["S101"]'),
        (ADDED, PY, 3),
    ),
    "Ruff, select": (
        toml("ruff.lint", 'select = ["E", "F"]'),
        toml("ruff.lint", 'select = ["F"]'),
        (ADDED, PY, 2),
    ),
    "Ruff, from all to some": (
        toml("ruff.lint", 'select = ["ALL"]'),
        toml("ruff.lint", 'select = ["E"]'),
        (ADDED, PY, 2),
    ),
    "squawk, excluded_rules": (
        {".squawk.toml": 'excluded_rules = ["ban-drop-column"]'},
        {".squawk.toml": 'excluded_rules = [\n    "ban-drop-column",\n    "ban-drop-table",\n]\n'},
        (ADDED, ".squawk.toml", 3),
    ),
    "squawk, a new file": (
        {},
        {".squawk.toml": 'excluded_rules = ["ban-drop-table"]'},
        (ADDED, ".squawk.toml", 1),
    ),
    "hadolint, ignored": (
        {".hadolint.yaml": "ignored: [DL3008]\n"},
        {".hadolint.yaml": "ignored:\n  - DL3008\n  - DL3006\n"},
        (ADDED, ".hadolint.yaml", 3),
    ),
    "hadolint, a new file": ({}, {".hadolint.yml": "ignored: [DL3008]\n"}, (ADDED, ".hadolint.yml", 1)),
    "hadolint, a lower level": (
        {".hadolint.yaml": "override:\n  error: [DL3008]\n"},
        {".hadolint.yaml": "override:\n  style: [DL3008]\n"},
        (ADDED, ".hadolint.yaml", 2),
    ),
    "hadolint, registries": (
        {".hadolint.yaml": "trustedRegistries: [quay.io]\n"},
        {".hadolint.yaml": "trustedRegistries: [quay.io, docker.io]\n"},
        (ADDED, ".hadolint.yaml", 1),
    ),
    "hadolint, all registries": (
        {".hadolint.yaml": "trustedRegistries: [quay.io]\n"},
        {".hadolint.yaml": "{}\n"},
        (ADDED, ".hadolint.yaml", None),
    ),
    "bandit, skips": (toml("bandit"), toml("bandit", 'skips = ["B101"]'), (ADDED, PY, 2)),
    "bandit, exclude_dirs": (
        {"bandit.yaml": "skips: [B101]\n"},
        {"bandit.yaml": "skips: [B101]\nexclude_dirs:\n  - tests\n"},
        (ADDED, "bandit.yaml", 3),
    ),
    "bandit, tests": (toml("bandit"), toml("bandit", 'tests = ["B101"]'), (ADDED, PY, 2)),
    "bandit, fewer tests": (
        toml("bandit", 'tests = ["B101", "B102"]'),
        toml("bandit", 'tests = ["B101"]'),
        (ADDED, PY, 2),
    ),
    "bandit, .bandit": (
        ini(".bandit", "bandit", "skips = B101"),
        ini(".bandit", "bandit", "skips = B101,B102"),
        (ADDED, ".bandit", 2),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_less_strict_is_found_on_its_line(name: str):
    strict, loose, expected = CASES[name]
    assert compared(strict, loose) == [expected]


@pytest.mark.parametrize("name", CASES)
def test_stricter_and_the_same_are_silent(name: str):
    strict, loose, _ = CASES[name]
    assert compared(loose, strict) == []
    assert compared(strict, strict) == compared(loose, loose) == []


SILENT = {
    "moved to another file": (
        ini(".coveragerc", "report", "fail_under = 90"),
        toml("coverage.report", "fail_under = 90"),
    ),
    "pytest moved": (
        ini("pytest.ini", "pytest", "addopts = --ignore=a -m 'not slow'", "testpaths = tests"),
        toml("pytest.ini_options", 'addopts = ["--ignore=a", "-m", "not slow"]', 'testpaths = ["tests"]'),
    ),
    "pragmas that count anyway": (
        toml("coverage.report"),
        toml("coverage.report", "exclude_lines = ['pragma: no cover', '# pragma:? no.?cover']"),
    ),
    "a wider source": (toml("coverage.run", 'source = ["src/a"]'), toml("coverage.run", 'source = ["src"]')),
    "a first source": (toml("coverage.run"), toml("coverage.run", 'source = ["src"]')),
    "another expression": (
        toml("pytest.ini_options", "addopts = \"-m 'not slow'\""),
        toml("pytest.ini_options", "addopts = \"-m 'fast'\""),
    ),
    "the same options in another order": (
        toml("pytest.ini_options", 'addopts = "--ignore=a --ignore=b"'),
        toml("pytest.ini_options", 'addopts = "--ignore b --ignore a"'),
    ),
    "another regular expression": (
        toml("black", "exclude = '/(a|b)/'"),
        toml("black", "exclude = '/(a|c|d)/'"),
    ),
    "Ruff, more rules": (
        toml("ruff.lint", 'select = ["E", "F"]'),
        toml("ruff.lint", 'select = ["ALL"]', 'ignore = ["D", "ANN"]'),
    ),
    "Ruff, a first selection": (toml("ruff"), toml("ruff.lint", 'select = ["ALL"]', 'ignore = ["D"]')),
    "Ruff, a part of what was ignored": (
        toml("ruff.lint", 'ignore = ["E"]'),
        toml("ruff.lint", 'ignore = ["E501"]'),
    ),
    "Ruff, moved below lint": (toml("ruff", 'ignore = ["E501"]'), toml("ruff.lint", 'ignore = ["E501"]')),
    "Ruff, in single files only": (
        toml("ruff.lint", 'ignore = ["S101"]'),
        toml("ruff.lint.per-file-ignores", '"tests/*" = ["S101"]'),
    ),
    "Ruff, a family by its parts": (
        toml("ruff.lint", 'select = ["PL"]'),
        toml("ruff.lint", 'select = ["PLC", "PLE", "PLR", "PLW"]'),
    ),
    "Ruff, what is left out anyway": (toml("ruff"), toml("ruff", 'exclude = [".venv", "build"]')),
    "Ruff, another file to extend": (
        {"ruff.toml": 'extend = "a.toml"\n'},
        {"ruff.toml": 'extend = "b.toml"\nexclude = ["x"]\n'},
    ),
}


@pytest.mark.parametrize("name", SILENT)
def test_what_is_not_less_strict_or_cannot_be_read_exactly(name: str):
    assert compared(*SILENT[name]) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (toml("coverage.report", "fail_under = 90"), {PY: "[tool.coverage"}),
        (
            ini(".coveragerc", "report", "fail_under = 90"),
            ini(".coveragerc", "report", "fail_under = ${MIN}"),
        ),
        (ini("pytest.ini", "pytest"), ini("pytest.ini", "pytest", "addopts = 'x")),
        ({"bandit.yaml": "skips: []\n"}, {"bandit.yaml": "a: [\n"}),
    ],
)
def test_unreadable_settings_are_problems_and_no_findings(before: Files, after: Files):
    problems: list[str] = []
    assert compared(before, after, problems) == []
    assert problems


@pytest.mark.parametrize(
    ("before", "after", "more"),
    [
        ("", "x", "x"), ("a|b", "a|b|c", "c"), ("a|b", "c|a|b", "c"), ("(a|b)x", "(a|c|b)x", "c"), ("^/(a)/", "^/(a|aa)/", "aa"),
        ("(\n  a\n)", "(\n  a\n  | b  # note\n)", "b"), ("a", "b", ""), ("a|b", "a|b", ""), ("ab", "a|b", ""), ("a|b", "a", ""),
        ("[a]", "[a|b]", ""), ("(a)", "(a|b", ""), ("a", "a|(b", ""), ("a|b", "x|a|b|y", ""),
    ],
)  # fmt: skip
def test_a_regular_expression_with_one_more_alternative(before: str, after: str, more: str):
    assert grown(before, after) == more


@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")  # which `re` gives, and which ends nothing
@given(st.text(alphabet="ab|()[\\*", max_size=12), st.text(alphabet="ab|()[\\*", max_size=12))
def test_an_expression_never_grows_in_both_directions(before: str, after: str):
    assert not (before and after and grown(before, after) and grown(after, before))


@given(
    st.dictionaries(st.sampled_from([PY, ".coveragerc", "setup.cfg", "pytest.ini", "ruff.toml"]), st.text())
)
def test_any_text_in_the_files(files: dict[str, str]):
    problems: list[str] = []
    assert compared(files, files, problems) == []


@given(st.text(alphabet='[]ab.="\n# '), st.lists(st.sampled_from("ab"), min_size=1, max_size=3))
def test_a_line_is_one_of_the_file(text: str, path: list[str]):
    found = line_of(text, path)
    assert found is None or 1 <= found <= text.count("\n") + 1
