"""Publish a run of many findings: `python reporters.py FOLDER COUNT` prints the seconds and the peak memory in MB."""

import io
import os
import resource
import sys
import time
from contextlib import redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

from ci_action.gh.workflow import Workflow
from ci_action.model import (
    Finding,
    Fix,
    Location,
    Report,
    RunResult,
    StageResult,
    ToolResult,
    with_fingerprints,
)
from ci_action.policy import judge
from ci_action.project.layout import Layout
from ci_action.reporters.publication import Publication, Screen
from ci_action.run import publish
from ci_action.settings import resolve


def findings(count: int) -> tuple[Finding, ...]:
    """Make findings of fifty rules over two thousand files."""
    return with_fingerprints(
        Finding(
            tool="ruff",
            rule=f"E{number % 50:03}",
            message=f"`name_{number}` is assigned to but never used in this function",
            location=Location(
                path=f"src/package/module_{number % 2000}.py", line=number // 2000 + 1, column=5, end_column=9
            ),
            url="https://docs.astral.sh/ruff/rules/unused-variable",
            fix=Fix.SAFE if number % 3 else Fix.NONE,
            fix_message="Remove assignment",
        )
        for number in range(count)
    )


def main() -> None:
    """Publish and measure."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    folder.mkdir(parents=True)
    for name in ("output", "summary"):
        (folder / name).touch()
    tool = ToolResult(
        tool="ruff", outcome=Report(findings=findings(count), examined={"files": 2000}), version="1.0"
    )
    stages, verdict = judge([StageResult(stage="quality", tools=(tool,))])
    result = RunResult(stages=stages, verdict=verdict, started=datetime.now(UTC), seconds=1.0, version="0")
    environ = {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary")}
    publication = Publication(
        resolved=resolve(),
        layout=Layout(workspace=folder, root=folder),
        folder=folder / "reports",
        screen=Screen(stream=io.StringIO()),
        workflow=Workflow(environ),
    )
    start = time.perf_counter()
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        publish(result, publication)
    took = time.perf_counter() - start
    if publication.problems:
        raise SystemExit(f"a reporter failed: {publication.problems}")
    print(f"{took:.3f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.1f}")


if __name__ == "__main__":
    main()
