"""`fix` writes what is safe, `plan` and `run` write nothing, whatever the project's configuration says."""

import sys
from pathlib import Path
from typing import Any

import pytest
from support import bare

# Both tools are required by the project, and have no certain version.
NAMED = {"requirements-dev.txt": "black\nruff\n"}
MESSY = {
    **NAMED,
    "pyproject.toml": "[tool.ruff.lint]\nselect = ['E', 'F', 'UP', 'B']\n",
    "a.py": "import os\nimport sys\nx  =  {  'a':1 }\nprint(sys)\n",
    "b.py": "def f(a=[]):\n    if a == None:\n        return 1\n",
}


def test_fix_writes_the_safe_fixes_and_tells_what_is_left(project, ci_action):
    folder = project(MESSY)
    ran = ci_action(folder, "fix")
    assert ran.code == 1
    assert (folder / "a.py").read_text() == 'import sys\n\nx = {"a": 1}\nprint(sys)\n'
    assert "B006" in ran.out  # its fix is not safe
    assert "E711" in ran.out
    assert not (folder / "ci-action-report").exists()


def test_fix_with_nothing_left_is_exit_0(project, ci_action):
    folder = project({**NAMED, "a.py": "import os\nx  = 1\n"})
    assert ci_action(folder, "fix").code == 0
    assert (folder / "a.py").read_text() == "x = 1\n"
    assert ci_action(folder, "fix").code == 0


def test_fix_lists_what_it_wrote(project, ci_action):
    folder = project({**NAMED, "a.py": "x  = 1\n", "b.py": "x = 1\n"})
    rows = ci_action(folder, "fix").out.splitlines()
    assert "  a.py" in rows
    assert "  b.py" not in rows


def test_fix_writes_with_no_tool_that_the_project_does_not_name(project, ci_action):
    messy = "import os\nx  = 1\n"
    folder = project({"a.py": messy, "pyproject.toml": "[tool.ruff]\nline-length = 100\n"})
    assert ci_action(folder, "fix", "--linter=none").code == 0
    assert (folder / "a.py").read_text() == messy
    assert ci_action(folder, "fix", "--formatter=black", "--linter=none").code == 0
    assert (folder / "a.py").read_text() == "import os\n\nx = 1\n"


def levels(ran: Any) -> set[tuple[str, str, str]]:
    tools = [tool for stage in ran.report["stages"] for tool in stage["tools"]]
    return {(one["name"], found["level"], found["fix"]) for one in tools for found in one["findings"]}


@pytest.mark.parametrize(
    ("files", "arguments", "code", "expected"),
    [
        ({}, ["all"], 0, {("black", "warning", ""), ("ruff", "warning", "")}),
        ({}, ["quality"], 1, {("black", "error", "safe"), ("ruff", "error", "safe")}),
        ({}, ["all", "--formatter=black", "--linter=none"], 1, {("black", "error", "safe")}),
        ({}, ["all", "--formatter=none", "--linter=ruff"], 1, {("ruff", "error", "safe")}),
        (NAMED, ["all"], 1, {("black", "error", "safe"), ("ruff", "error", "safe")}),
    ],
)
def test_what_nothing_requires_warns_in_all(files, arguments, code, expected, project, ci_action):
    folder = project({**files, "a.py": "import os\nx  = 1\n"})
    ran = ci_action(folder, "run", *arguments)
    assert ran.code == code
    assert levels(ran) == expected


def test_the_choice_is_named_on_every_channel(project, ci_action):
    hook = "repos:\n- repo: local\n  hooks:\n  - id: black\n    entry: black\n    language: system\n"
    folder = project({"a.py": "x = 1\n", ".pre-commit-config.yaml": hook, ".flake8": ""})
    planned = ci_action(folder, "plan", "quality").out
    ran = ci_action(folder, "run", "quality")
    for text in (planned, ran.out):
        assert "black, from .pre-commit-config.yaml" in text
    (stage,) = ran.report["stages"]
    tools = {one["name"]: one for one in stage["tools"]}
    assert tools["black"]["because"] == "black, from .pre-commit-config.yaml"
    assert tools["ruff"]["outcome"] == "skipped"
    assert "flake8" in tools["ruff"]["reason"]
    assert stage["conclusion"] == "passed"


HOOKS = """
exclude: ^vendored/
repos:
- repo: local
  hooks:
  - {id: black, name: black, entry: black, language: system, args: [--line-length=30], exclude: ^docs/}
  - {id: ruff, name: ruff, entry: ruff check, language: system}
"""
LONG = "x = [1111111111, 2222222222, 3333333333]\n"
WRAPPED = "x = [\n    1111111111,\n    2222222222,\n    3333333333,\n]\n"


def test_what_the_hooks_leave_out_is_left_out(project, ci_action):
    messy = "import os\nx  = 1\n"
    files = {
        "a.py": WRAPPED,
        "docs/conf.py": "x  = 1\n",
        "vendored/a.py": messy,
        ".pre-commit-config.yaml": HOOKS,
    }
    folder = project(files)
    ran = ci_action(folder, "run", "all")
    assert ran.code == 0
    tools = {one["name"]: one for stage in ran.report["stages"] for one in stage["tools"]}
    assert [tools[name]["examined"]["files"] for name in ("black", "ruff")] == [1, 2]
    assert [tools[name]["findings"] for name in ("black", "ruff")] == [[], []]
    assert [bool(tools[name]["details"]) for name in ("black", "ruff")] == [True, True]
    assert ci_action(folder, "fix").code == 0
    assert (folder / "docs/conf.py").read_text() == "x  = 1\n"
    assert (folder / "vendored/a.py").read_text() == messy


def test_the_options_of_the_hooks_are_used(project, ci_action):
    folder = project({"a.py": LONG, "docs/conf.py": LONG, ".pre-commit-config.yaml": HOOKS})
    ran = ci_action(folder, "run", "all")
    assert ran.code == 1
    assert levels(ran) == {("black", "error", "safe")}
    ci_action(folder, "fix")
    assert ((folder / "a.py").read_text(), (folder / "docs/conf.py").read_text()) == (WRAPPED, LONG)


def test_paths_of_the_user_stand_above_the_hooks(project, ci_action):
    folder = project({"docs/conf.py": "x  = 1\n", ".pre-commit-config.yaml": HOOKS})
    assert ci_action(folder, "run", "quality").code == 0
    assert ci_action(folder, "run", "quality", "--paths=docs").code == 1


def test_evidence_that_cannot_be_read_is_said(project, ci_action):
    folder = project({"a.py": "x = 1\n", ".pre-commit-config.yaml": "black: ["})
    ran = ci_action(folder, "run", "quality")
    assert any(".pre-commit-config.yaml" in text for text in ran.report["warnings"])


def test_fix_keeps_line_endings_and_leaves_what_cannot_be_parsed(project, ci_action):
    folder = project({**NAMED, "a.py": b"x  = 1\r\n", "b.py": b"def f(:\n"})
    assert ci_action(folder, "fix").code == 1
    assert (folder / "a.py").read_bytes() == b"x = 1\r\n"
    assert (folder / "b.py").read_bytes() == b"def f(:\n"


def test_fix_with_a_broken_tool_is_exit_3(project, ci_action, fake_tools):
    folder = project({**NAMED, "a.py": "x  = 1\n"})
    assert ci_action(folder, "fix", prefix=fake_tools(ruff="kill -9 $$")).code == 3
    assert (folder / "a.py").read_text() == "x = 1\n"


@pytest.mark.parametrize(
    "configuration",
    [
        "[tool.ruff]\nfix = true\n",
        "[tool.ruff]\nfix = true\nunsafe-fixes = true\n",
        "[tool.ruff]\nfix-only = true\n",
        "[tool.ruff]\nfix = true\nshow-fixes = true\noutput-format = 'full'\n",
        "[tool.black]\nquiet = true\n",
        "[tool.black]\nverbose = true\ncolor = true\n",
        "[tool.black]\nworkers = 1\nfast = true\n",
        "[tool.black]\ncheck = false\ndiff = false\n",
    ],
)
def test_a_check_leaves_the_tree_as_it_was(configuration, project, ci_action):
    folder = project({"a.py": MESSY["a.py"], "b.py": "y = 1\n", "pyproject.toml": configuration})
    before = bare.snapshot(folder)
    ran = ci_action(folder, "quality")
    assert ran.code == 1
    assert "F401" in {finding["rule"] for finding in ran.findings("ruff")}
    assert len(ran.findings("black")) == 1
    assert bare.snapshot(folder) == before


def test_plan_runs_no_tool_but_ruffs_list_of_files_and_tells_all(project, ci_action, fake_tools, tmp_path):
    note = tmp_path / "starts"
    real = Path(sys.prefix) / "bin"
    prefix = fake_tools(
        black=f'echo "black $@" >> "{note}"', ruff=f'echo "ruff $@" >> "{note}"; exec "{real}/ruff" "$@"'
    )
    folder = project({**MESSY, "requirements.txt": "black==24.1.0\n"})
    ran = ci_action(folder, "plan", "quality", "--timeout=30", prefix=prefix)
    assert ran.code == 0
    assert "24.1.0 from requirements.txt, 2 files" in ran.out
    assert "99.1.0 from bundled, 2 files" in ran.out
    assert "30 s for each tool" in ran.out
    assert all("--show-files" in line for line in note.read_text().splitlines())
    assert not (folder / "ci-action-report").exists()


def test_plan_with_wrong_settings_is_exit_2(project, ci_action):
    ran = ci_action(project({"a.py": ""}), "plan", "qualty", "--paths=nowhere")
    assert ran.code == 2
    assert "did you mean 'quality'" in ran.out
    assert "nowhere" in ran.out


def test_nested_configurations_of_ruff_rule_their_folders(project, ci_action):
    folder = project({
        "a.py": "import os\nx = 'y'\n",
        "back/ruff.toml": "lint.select = ['Q']\n",
        "back/b.py": "import os\nx = 'y'\n",
        "deep/er/pyproject.toml": "[tool.ruff.lint]\nselect = ['Q']\n",
        "deep/er/c.py": "x = 'y'\n",
        "deep/d.py": "import re\n",
    })  # fmt: skip
    ran = ci_action(folder, "quality")
    found = sorted((finding["path"], finding["rule"]) for finding in ran.findings("ruff"))
    assert found == [("a.py", "F401"), ("back/b.py", "Q000"), ("deep/d.py", "F401"), ("deep/er/c.py", "Q000")]
    assert ran.tool("ruff")["examined"]["files"] == 4
    only = ci_action(folder, "quality", "--paths=back", "--paths=deep/er/c.py")
    assert sorted(finding["path"] for finding in only.findings("ruff")) == ["back/b.py", "deep/er/c.py"]


def test_the_configuration_at_home_is_never_read(project, ci_action, environ):
    home = Path(environ["HOME"])
    for file, text in {
        ".config/ruff/ruff.toml": "lint.select = ['ALL']\n",
        ".config/black": "[tool.black]\nskip-string-normalization = true\n",
        "ruff.toml": "lint.select = ['ALL']\n",
    }.items():
        (home / file).parent.mkdir(parents=True, exist_ok=True)
        (home / file).write_text(text)
    ran = ci_action(project({"a.py": "x = 'a'\n"}), "quality")
    assert ran.findings("ruff") == []
    assert len(ran.findings("black")) == 1


def test_ignore_patterns_mean_the_same_from_the_project_and_from_above(project, ci_action):
    table = "[tool.ci-action]\nignore = ['ruff:F401@/tests/']\n[tool.ruff]\n"
    folder = project({"m/pyproject.toml": table, "m/tests/a.py": "import os\n", "m/b.py": "import os\n"})
    inside = ci_action(folder / "m", "quality")
    above = ci_action(folder, "quality", "--working-directory=m")
    for ran in (inside, above):
        assert [bool(finding["muted"]) for finding in ran.findings("ruff")] == [False, True]


def test_plan_tells_what_the_test_stage_would_do(project, ci_action):
    folder = project({
        "pyproject.toml": "[project]\nname = 'x'\nversion = '0'\nrequires-python = '>=3.10'\n",
        "requirements-dev.txt": "pytest\n",
        "test_a.py": "def test_a(): pass\n",
    })  # fmt: skip
    ran = ci_action(folder, "plan", "test", "--coverage-min=89.5", "--wait-for=tcp://u:secretword@a:1")
    assert ran.code == 0
    for words in (
        "Python >=3.10 (requires-python), dependencies from requirements-dev.txt",
        "1 file named like tests",
        "at least 89.5 %",
        "waits for 1 service",
    ):
        assert words in ran.out
    assert "secretword" not in ran.out
