"""`make demo`: every stage on a pull request of the sample `exposed`, as a user would run them in a terminal.

No network is needed: the advisories are a few real ones, from a service on this machine, and the tests run in a copy of
our own environment. Exit code 0 exactly when every stage reached its expected conclusion and no report contains a planted
secret.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import venv
from pathlib import Path
from typing import Final

EXPECTED: Final = {
    "quality": "warned",
    "types": "skipped",
    "test": "failed",
    "security": "failed",
    "migrations": "skipped",
    "docker": "skipped",
    "pr": "failed",
}
# The base branch has these; the pull request adds the rest.
BASE: Final = ("pyproject.toml", "uv.lock", "README.md")
SAMPLE: Final = Path(__file__).resolve().with_name("exposed")
REPORTS: Final = SAMPLE.parents[2] / "ci-action-report" / "demo"
sys.path[:0] = [str(SAMPLE.parents[1]), str(SAMPLE.parent)]

from support.advisory_service import served  # noqa: E402 - found by the line above
from support.repositories import commit  # noqa: E402 - found by the line above
from plant import plant  # noqa: E402 - found by the line above


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="ci-action-demo-") as folder, served() as service:
        project = Path(folder, "beacon")
        secrets, event = pull_request(project)
        run(project, environment(Path(folder, "venv"), event), f"--advisory-url={service.address}")
    report = json.loads((REPORTS / "report.json").read_text("utf-8"))
    found = {stage["name"]: stage["conclusion"] for stage in report["stages"]}
    texts = [file.read_text("utf-8") for file in REPORTS.iterdir()]
    problems = [f"expected {EXPECTED}, got {found}"] if found != EXPECTED else []
    problems += (
        ["a report contains a planted secret"]
        if any(one in text for one in secrets for text in texts)
        else []
    )
    print(f"demo: {'; '.join(problems) or 'as expected, the sample is wrong on purpose'}")
    print(f"demo: open {os.path.relpath(REPORTS / 'report.html')} in a browser")
    return 1 if problems else 0


def pull_request(project: Path) -> tuple[list[str], Path]:
    """Write a repository with a pull request; return the planted secrets and the file of the event."""
    project.mkdir()
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(project)], check=True)
    base = commit(project, {name: (SAMPLE / name).read_text("utf-8") for name in BASE})
    ignored = shutil.ignore_patterns(".*_cache", "__pycache__", "ci-action-report", ".venv")
    shutil.copytree(SAMPLE, project, ignore=ignored, dirs_exist_ok=True)
    secrets = plant(project)
    refs = {"base": {"sha": base, "ref": "main"}, "head": {"sha": commit(project, {}), "ref": "lights"}}
    event = project.with_name("event.json")
    event.write_text(
        json.dumps({"pull_request": {"number": 7, "title": "Added the lights.", "body": "", **refs}})
    )
    return secrets, event


def environment(folder: Path, event: Path) -> dict[str, str]:
    """Return the variables of the run: of the event, and of a copy of our environment with the locked packages.

    These have the names and versions of uv.lock and no content: the real ones would have to be downloaded.
    """
    venv.create(folder)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    locked = {
        one["name"]: one["version"]
        for one in tomllib.loads((SAMPLE / "uv.lock").read_text("utf-8"))["package"]
    }
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.endswith(".dist-info"):
            (packages / entry.name).symlink_to(entry)
        elif entry.name.partition("-")[0] not in locked:
            shutil.copytree(entry, packages / entry.name)  # uv does not follow links to these
    for name, version in locked.items():
        info = packages / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    ours = ("GITHUB_", "INPUT_", "RUNNER_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    event_variables = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(event)}
    return {**kept, **event_variables, "VIRTUAL_ENV": str(folder)}


def run(project: Path, variables: dict[str, str], *words: str) -> None:
    shutil.rmtree(REPORTS, ignore_errors=True)
    command = [
        "ci-action",
        "run",
        "all",
        "--install=none",
        *words,
        f"--report-dir={REPORTS}",
        "--cache-dir=none",
    ]
    print(f"$ {shlex.join(command)}", flush=True)
    program = Path(sys.executable).parent / "ci-action"
    done = subprocess.run(command, executable=program, cwd=project, env=variables, check=False)
    print(f"\nexit code: {done.returncode}")


if __name__ == "__main__":
    raise SystemExit(main())
