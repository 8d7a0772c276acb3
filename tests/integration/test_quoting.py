"""What Black would write quotes lines of the project: no secret in them is shown, though the security stage never ran."""

import subprocess

import pytest
from support import planted_secrets


def test_a_red_quality_stage_shows_no_secret(project, ci_action, tmp_path):
    # Blanks that Black puts back, so that its findings quote these lines.
    files = {
        name: text.replace(' = "', '="').replace("# ", "#", 1)
        for name, text in planted_secrets.everything().items()
    }
    folder = project(files)
    subprocess.run(["git", "add", "--all", "--force"], cwd=folder, check=True)
    for _ in range(2):  # the second is answered from what was kept
        ran = ci_action(
            folder, "run", "all", "--formatter=black", "--verbose", f"--cache-dir={tmp_path / 'cache'}"
        )
        assert ran.report["reasons"][0].startswith("black: ")
        assert [stage["name"] for stage in ran.report["stages"] if stage["tools"]] == ["quality"]
        quoted = [one for one in ran.findings("black") if "***" in one["before"]]
        assert len(quoted) > 10
        assert planted_secrets.readable_in(tmp_path / "reports", ran.out) == set()


def test_where_nobody_can_look_that_is_said(project, ci_action):
    folder = project({"a.py": "x=1\n", ".secrets.baseline": "no JSON"})
    ran = ci_action(folder, "quality")
    (notice,) = [one for one in ran.report["warnings"] if "could not search" in one]
    assert ".secrets.baseline cannot be used" in notice
    assert ran.code == 1


QUOTES = """
import glob, pathlib, sys
import pytest

FILES = sorted(glob.glob("*.py"))

@pytest.mark.parametrize("file", [name for name in FILES if not name.startswith("test_")])
def test_quotes(file):
    text = pathlib.Path(file).read_text()
    print(text)
    print(repr(text), file=sys.stderr)
    assert text == ""
"""


@pytest.mark.parametrize("actions", [True, False], ids=["actions", "shell"])
@pytest.mark.parametrize("words", [["test"], ["test", "--paths=test_quotes.py", "--scope=changed"]])
def test_a_test_stage_alone_shows_no_secret_that_its_tests_print(
    project, ci_action, tmp_path, actions, words
):
    folder = project({**planted_secrets.everything(), "test_quotes.py": QUOTES})
    subprocess.run(["git", "add", "--all", "--force"], cwd=folder, check=True)
    env = {}
    if actions:
        for name in ("output", "summary"):
            (tmp_path / "reports-of-runner").mkdir(exist_ok=True)
            (tmp_path / "reports-of-runner" / name).touch()
        env = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_OUTPUT": str(tmp_path / "reports-of-runner" / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "reports-of-runner" / "summary"),
            "GITHUB_WORKSPACE": str(folder),
        }
    ran = ci_action(folder, "run", *words, "--install=none", f"--cache-dir={tmp_path / 'cache'}", env=env)
    assert len(ran.findings("pytest")) == len(planted_secrets.everything())
    log = "\n".join(line for line in ran.out.splitlines() if not line.startswith("::add-mask::"))
    assert planted_secrets.readable_in(tmp_path / "reports", log) == set()
    if actions:
        assert planted_secrets.readable_in(tmp_path / "reports-of-runner") == set()
