"""The real bandit: the same findings as alone, its configuration, its silence, and what can go wrong with it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import bare
from support.builders import context

from ci_action.engine.execute import check
from ci_action.model.result import Broken, Report, Skipped, ToolResult
from ci_action.project.programs import BundledTools
from ci_action.stages.security.bandit import LEAST_SHARE, TOOL
from ci_action.system.process import Command, Completed, Processes

BUNDLED = BundledTools.of(Path(sys.prefix))
WEAK = 'import pickle\n\nassert pickle.loads(b"")\npassword = "correct horse"\n'


class Counting:
    """Starts programs and notes which."""

    def __init__(self, tempdir: Path) -> None:
        self.started: list[str] = []
        self._run = Processes(os.environ, tempdir).run

    def __call__(self, command: Command, /) -> Completed:
        self.started.append(Path(command.argv[0]).name)
        return self._run(command)


def bandit(folder: Path, **overrides: Any) -> tuple[ToolResult, list[str]]:
    """Run the tool alone in a folder; return its result and the programs that were started."""
    tempdir = folder.parent / "programs"
    tempdir.mkdir(exist_ok=True)
    run = Counting(tempdir)
    return check(TOOL, context(folder, run=run, **{"bundled": BUNDLED, **overrides})), run.started


def rules(found: ToolResult) -> list[tuple[str, str, bool]]:
    return [(one.location.path if one.location else "", one.rule, one.counts) for one in found.findings]


def test_a_project_with_everything_that_is_odd(project, tmp_path):
    folder = project({
        "weak.py": WEAK,
        "tests/test_it.py": WEAK,
        "-dash.py": WEAK,
        "a blank.py": WEAK,
        "n\nl.py": WEAK,
        os.fsdecode(b"b\xff.py"): WEAK,
        "empty.py": "",
        "syntax.py": "def f(:\n",
        "bytes.py": b"x = '\xff'\n",
        "nul.py": b"x = 1\0\n",
        "half.py": 'password = "\\ud800"\n',
        "large_a.py": WEAK + "#" * LEAST_SHARE,
        "large_b.py": WEAK + "#" * LEAST_SHARE,
        "tar.py": "import tarfile\n\nx.extractall(members=a.b('correct horse'))\n",
        "latin.py": "# coding: latin-1\nx = 'é'; exec('')\n".encode("latin-1"),
    })  # fmt: skip
    (folder / "link.py").symlink_to("weak.py")
    bare.git_add(folder)
    cache = tmp_path / "cache"
    found, started = bandit(folder, cache=cache)
    assert isinstance(found.outcome, Report)
    assert found.outcome.examined == {"files": 15, "unreadable": 4}
    odd = {("bytes.py", "parse"), ("nul.py", "parse"), ("syntax.py", "parse")}
    assert {(path, rule) for path, rule, _ in rules(found) if not rule.startswith("B")} == {
        *odd,
        ("half.py", "unreadable"),
        ("tar.py", "test-failed"),
    }
    (latin,) = (one for one in found.findings if one.location and one.location.path == "latin.py")
    assert (latin.location and (latin.location.line, latin.location.column)) == (2, 10)
    muted = [path for path, rule, counts in rules(found) if not counts]
    assert muted == ["tests/test_it.py"]
    assert "correct horse" not in str(found) + "".join(file.read_text() for file in cache.rglob("*.kept"))

    (folder / "half.py").unlink()  # of which bandit alone cannot report at all
    (folder / "link.py").unlink()
    found, again = bandit(folder, cache=cache)
    assert (started.count("bandit") > 1, set(again)) == (True, {"git"})
    assert bare.of_bandit(found) == bare.bandit_findings(folder)


def test_a_real_package(package, tmp_path):
    folder = shutil.copytree(package, tmp_path / "package")
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    bare.git_add(folder)
    found, started = bandit(folder)
    assert started.count("bandit") == min(len(os.sched_getaffinity(0)), 3)
    assert bare.of_bandit(found) == bare.bandit_findings(folder)


CONFIGURATIONS: dict[str, tuple[dict[str, str], str, list[str]]] = {
    "none": ({}, "", ["B101", "B105", "B301", "B403"]),
    "pyproject": ({"pyproject.toml": "[tool.bandit]\nskips = ['B105']\n"}, "", ["B101", "B301", "B403"]),
    "YAML": ({".bandit.yml": "tests: [B105]\n"}, "", ["B105"]),
    "INI": ({".bandit": "[bandit]\nskips = B105,B101\n"}, "", ["B301", "B403"]),
    "both": ({".bandit": "[bandit]\nskips = B105\n", "bandit.yaml": "skips: [B101]\n"}, "", ["B301", "B403"]),
    "options": ({"bandit.yaml": "skips: [B101]\n"}, "-ll", ["B301"]),
    "another file": ({"bandit.yaml": "skips: [B101]\n", "x.yaml": "tests: [B403]\n"}, "-c x.yaml", ["B403"]),
    "a test that is gone": ({"bandit.yaml": "skips: [B322, B101]\n"}, "", ["B105", "B301", "B403"]),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_the_configuration_is_that_of_the_project(name, project):
    files, options, expected = CONFIGURATIONS[name]
    folder = project({"weak.py": WEAK, **files})
    bare.git_add(folder)
    found, _ = bandit(folder, settings={"bandit_args": options})
    assert sorted(rule for _, rule, _ in rules(found)) == expected


@pytest.mark.parametrize(
    ("files", "options", "expected"),
    [
        ({"bandit.yaml": "skips: [B999]\n"}, "", "(bandit.yaml): unknown test 'B999'"),
        ({}, "-s B1010", "(bandit-args): unknown test 'B1010'"),
        ({"bandit.yaml": "skips: [B101]\ntests: [B101]\n"}, "", "Non-exclusive include/exclude"),
        ({"pyproject.toml": "[tool.bandit]\nskips = 'B101'\n"}, "", "must be a list of strings"),
        ({}, "-p none", "Unable to find profile (none)"),
    ],
)
def test_a_wrong_configuration_is_broken(files, options, expected, project):
    folder = project({"weak.py": WEAK, **files})
    bare.git_add(folder)
    found, _ = bandit(folder, settings={"bandit_args": options})
    assert isinstance(found.outcome, Broken)
    assert expected in found.outcome.reason


def test_what_the_configuration_leaves_out_is_no_pass(project):
    folder = project({"src/contest/weak.py": WEAK, "bandit.yaml": "exclude_dirs: [test]\n"})
    bare.git_add(folder)
    found, _ = bandit(folder)
    assert found.outcome == Skipped("bandit.yaml excludes the only file")
    assert found.warnings[0].endswith("hence also 'src/contest/weak.py'")


def test_a_baseline_of_bandit_alone_works(project):
    folder = project({"weak.py": WEAK, "sub/b.py": WEAK})
    (folder / "base.json").write_text(bare.bandit_report(folder))
    (folder / "sub" / "b.py").write_text(WEAK + "exec('')\n")
    bare.git_add(folder)
    found, _ = bandit(folder, settings={"bandit_args": "-b base.json"})
    assert rules(found) == [("sub/b.py", "B102", True)]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("sleep 60", "timed out"),
        ("kill -9 $$", "SIGKILL"),
        ("echo '{\"results\": ['; exit 1", "invalid JSON"),
        ("", "printed nothing"),
    ],
)
def test_a_fault_is_broken(script, expected, project, tmp_path):
    folder = project({"weak.py": WEAK})
    bare.git_add(folder)
    found, _ = bandit(folder, bundled=faulty(tmp_path, script), settings={"timeout": 1})
    assert isinstance(found.outcome, Broken)
    assert expected in found.outcome.reason


def test_an_absent_bandit_is_broken(project, tmp_path):
    tools = faulty(tmp_path, "")
    (tools.scripts / "bandit").unlink()
    found, _ = bandit(project({"weak.py": WEAK}), bundled=tools)
    assert isinstance(found.outcome, Broken)
    assert "reinstall ci-action" in found.outcome.reason


def faulty(tmp_path: Path, script: str) -> BundledTools:
    """Make an environment whose bandit is a script of the test."""
    folder = tmp_path / "faulty"
    (folder / "bin").mkdir(parents=True)
    (folder / "lib" / "bandit-9.9.dist-info").mkdir(parents=True)
    (folder / "bin" / "bandit").write_text(f"#!/bin/bash\n{script}\n")
    (folder / "bin" / "bandit").chmod(0o755)
    return BundledTools(scripts=folder / "bin", libraries=folder / "lib", uv=BUNDLED.uv)


# Of another Python than the one of these tests: pyenv's, where it is at hand.
PYENV = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
NEWER = [
    minor
    for minor in range(sys.version_info.minor + 1, 20)
    if [*PYENV.glob(f"versions/3.{minor}.*/bin/python3.{minor}")]
]
NEW_SYNTAX = "import subprocess\ntype Words = list[str]\nsubprocess.run(input(), shell=True)\n"


@pytest.mark.skipif(
    not NEWER or sys.version_info >= (3, 12), reason="needs an older Python here, and a newer one of pyenv"
)
def test_bandit_runs_on_the_newer_python_of_the_project(project, ci_action, tmp_path):
    version = f"3.{NEWER[-1]}"
    folder = project({"a.py": NEW_SYNTAX, ".python-version": f"{version}\n"})
    env = {"PYENV_ROOT": str(PYENV), "UV_PYTHON_DOWNLOADS": "never"}
    words = ("run", "security", "--fail-on=high")
    for more in ({}, {"UV_OFFLINE": "1", "UV_NO_CACHE": "1"}):
        ran = ci_action(folder, *words, env={**env, **more})
        assert ran.code == 1, ran.out
        assert "B602" in [one["rule"] for one in ran.findings("bandit")]
        assert ran.tool("bandit")["version_source"] == "bundled"
    folder = project({".python-version": "3.39\n"})
    ran = ci_action(folder, *words, env=env)
    assert (ran.code, ran.report["conclusion"]) == (0, "warned"), "what it cannot parse is not severe"
    assert [(one["rule"], one["severity"]) for one in ran.findings("bandit")] == [("parse", "")]
    assert ran.tool("bandit")["examined"] == {"files": 1, "unreadable": 1}
    assert any("3.39" in note for note in ran.report["warnings"])
