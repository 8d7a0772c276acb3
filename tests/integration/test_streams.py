"""A reader that goes away, and a log that takes no more, do not change the verdict."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.paths import PROJECTS

PROGRAM = Path(sys.executable).parent / "ci-action"


@pytest.mark.parametrize(("project", "code"), [("clean", 0), ("messy", 1), ("wrong-settings", 2)])
@pytest.mark.parametrize("way", ["full", "closed", "gone"])
@pytest.mark.parametrize("color", ["never", "always"])
def test_standard_output_that_cannot_be_written(project, code, way, color, tmp_path):
    folder = shutil.copytree(PROJECTS / project, tmp_path / project)
    redirection = {"full": ">/dev/full", "closed": ">&-", "gone": "| true"}[way]
    line = f'"{PROGRAM}" run quality --cache-dir=none --color={color} {redirection}'
    if way == "gone":
        line = (
            f'{{ {line.removesuffix(redirection)}; echo $? >../code; }} {redirection}; exit "$(cat ../code)"'
        )
    done = subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, check=False)
    assert done.returncode == code
    assert done.stderr == b""
    assert (folder / "ci-action-report" / "quality" / "report.json").is_file() is (code < 2)
