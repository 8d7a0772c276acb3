"""The program as the runner starts it: inputs as variables, read through the toolkit, no shell in between."""

import json
import subprocess
import sys
from pathlib import Path


def test_inputs_of_the_runner_reach_the_settings(project, environ, tmp_path):
    folder = project({"src/a.py": "import os\n", "b.py": "import re\n"})
    for name in ("output", "summary"):
        (tmp_path / name).touch()
    inputs = {
        "INPUT_STAGE": "  quality ",
        "INPUT_PATHS": "src\n",
        "INPUT_REPORT-DIR": str(tmp_path / "reports"),
        "INPUT_TOOL-VERSIONS": "",
        "INPUT_IGNORE": "x" * 100_000 + "\nruff:E501",
    }
    command_files = {
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    run = {**environ, **inputs, **command_files, "GITHUB_ACTIONS": "true"}
    argv = [str(Path(sys.prefix) / "bin" / "python"), "-I", "-m", "ci_action"]
    wrong = subprocess.run(argv, cwd=folder, env=run, capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert "unknown tool 'xxx" in wrong.stdout
    del run["INPUT_IGNORE"]
    done = subprocess.run(argv, cwd=folder, env=run, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    report = json.loads((tmp_path / "reports" / "report.json").read_text())
    found = {finding["path"] for tool in report["stages"][0]["tools"] for finding in tool["findings"]}
    assert found == {"src/a.py"}
