"""Tests are shown while they run: in the log of a job their own output, elsewhere counts and failures."""

import subprocess
import sys
import time
from pathlib import Path

from support.runner_model import commands

PROGRAM = Path(sys.executable).parent / "ci-action"
SECRET = "ghs_" + "abcdef0123SECRET" + "token456789"
SLOW = """\
import sys, time
def test_prints():
    for text in ("::error::forged\\n", "::endgroup::\\n", "##[error]x\\n", "\\x1b[31mred\\n", {secret}):
        sys.__stdout__.write(text)
        sys.__stdout__.flush()
    assert True
def test_waits():
    time.sleep(3)
def test_fails():
    time.sleep(1)
    assert 1 == 2
"""


def stamped(folder: Path, environ: dict[str, str], *words: str) -> list[tuple[float, str]]:
    """Run the tests of a project; return each line with its time."""
    argv = [str(PROGRAM), "run", "test", f"--report-dir={folder.parent}/reports", *words]
    with subprocess.Popen(
        argv, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as child:
        assert child.stdout is not None
        return [(time.monotonic(), line.rstrip("\n")) for line in child.stdout]


def of_actions(folder: Path, environ: dict[str, str]) -> dict[str, str]:
    for name in ("output", "summary"):
        (folder.parent / name).touch()
    (folder.parent / "event.json").write_text("{}")
    return {
        **environ,
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(folder),
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_EVENT_PATH": f"{folder.parent}/event.json",
        "GITHUB_OUTPUT": f"{folder.parent}/output",
        "GITHUB_STEP_SUMMARY": f"{folder.parent}/summary",
        "INPUT_GITHUB-TOKEN": SECRET,
    }


def at(lines: list[tuple[float, str]], text: str) -> float:
    return next(when for when, line in lines if text in line)


def test_the_output_arrives_while_the_tests_run_and_is_only_text(project, environ):
    parts = ", ".join(repr(SECRET[start : start + 9]) for start in range(0, len(SECRET), 9))
    folder = project({
        "requirements.txt": "pytest\n",
        "test_a.py": SLOW.replace("{secret}", f'{parts}, "\\n"'),
        "test_b.py": "def test_b(): pass\n",
    })  # fmt: skip
    environ = of_actions(folder, {**environ, "INPUT_PYTEST-ARGS": "-s -v"})
    lines = stamped(folder, environ)
    text = "\n".join(line for _, line in lines)
    # The first test is shown seconds before the last one has ended.
    assert at(lines, "test_b.py::test_b") - at(lines, "error::forged") > 2
    seen = commands(text)
    names = [one.name for one in seen]
    opened = names.index("group")
    assert set(names[opened:]) <= {
        "group",
        "stop-commands",
        "endgroup",
        "error",
        "warning",
        "notice",
        "add-mask",
    }
    assert not [one for one in seen if one.data == "forged"]
    assert "##[" not in text
    assert "\x1b" not in text
    assert SECRET not in text.replace(f"::add-mask::{SECRET}", "")
    # Groups are never nested.
    depth = 0
    for name in names:
        depth += {"group": 1, "endgroup": -1}.get(name, 0)
        assert depth in {0, 1}


def test_without_a_terminal_failures_are_lines_while_others_run(project, environ):
    folder = project({
        "requirements.txt": "pytest\n",
        "test_a.py": "def test_a(): assert 1 == 2\n",
        "test_b.py": "import time\ndef test_b(): time.sleep(3)\n",
    })  # fmt: skip
    lines = stamped(folder, environ)
    assert at(lines, "pytest 9") - at(lines, "FAILED test_a.py::test_a: assert 1 == 2") > 2


def test_a_suite_that_cannot_start_shows_the_error_and_its_place(project, environ):
    folder = project({
        "requirements.txt": "pytest\n",
        "app.py": "import absent_module\n",
        "conftest.py": "import os\nimport app\n",
        "test_a.py": "def test_a(): pass\n",
    })  # fmt: skip
    lines = [line for _, line in stamped(folder, environ)]
    assert lines[-1].endswith("exit 3")
    assert "ModuleNotFoundError: No module named 'absent_module'" in lines[-1]
    assert any(line.startswith("app.py:1: pytest start") for line in lines)
    assert "    |     import app" in lines
