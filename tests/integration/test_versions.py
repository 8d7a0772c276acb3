"""Whose version of a tool runs: the project's through uv, or the bundled one and why."""

import os
import shutil
import sys
from pathlib import Path

import pytest
from support.package_index import make_wheel, served

REAL = {tool: str(Path(sys.prefix) / "bin" / tool) for tool in ("black", "ruff")}
STANDIN = """
import os, sys
def main():
    if "--version" in sys.argv:
        print("{tool}, {version} (compiled: no)")
    else:
        os.execv({real!r}, [{real!r}, *sys.argv[1:]])
"""


@pytest.fixture
def index(tmp_path, environ):
    """Variables for an index with black 24.1.0 and 25.1.0, ruff 0.4.0, and a black 23.1.0 that does not start."""
    folder = tmp_path / "index"
    for tool, version in (("black", "24.1.0"), ("black", "25.1.0"), ("ruff", "0.4.0")):
        make_wheel(folder / tool, tool, version, STANDIN.format(tool=tool, version=version, real=REAL[tool]))
    make_wheel(folder / "black", "black", "23.1.0", "import nothing_like_it")
    for name in [name for name in environ if name.startswith(("UV_", "PIP_"))]:
        del environ[name]
    with served(folder) as address:
        # pip's variable: uv does not read it, we translate it.
        yield {"PIP_INDEX_URL": address, "UV_CACHE_DIR": str(tmp_path / "uv-cache")}


LOCK = '[[package]]\nname = "black"\nversion = "24.1.0"\nsource = { registry = "x" }\n'
PRE_COMMIT = "repos:\n- repo: https://github.com/psf/black\n  rev: 25.1.0\n  hooks: [{id: black}]\n"


@pytest.mark.parametrize(
    ("files", "version", "source"),
    [
        ({}, "bundled", "bundled"),
        ({"uv.lock": LOCK}, "24.1.0", "uv.lock"),
        (
            {"pyproject.toml": '[tool.black]\nrequired-version = "24"\n'},
            "24.1.0",
            "pyproject.toml: tool.black.required-version",
        ),
        (
            {"pyproject.toml": '[dependency-groups]\nlint = ["black==24.1.0"]\n'},
            "24.1.0",
            "pyproject.toml: dependency-groups.lint",
        ),
        (
            {"pyproject.toml": '[dependency-groups]\nlint = ["black~=24.1"]\n'},
            "24.1.0",
            "pyproject.toml: dependency-groups.lint",
        ),
        ({"pyproject.toml": '[dependency-groups]\nlint = ["black>=24"]\n'}, "bundled", "bundled"),
        ({"requirements-dev.txt": "black==25.1.0  # fixed\n"}, "25.1.0", "requirements-dev.txt"),
        ({".pre-commit-config.yaml": PRE_COMMIT}, "25.1.0", ".pre-commit-config.yaml: psf/black"),
        ({"uv.lock": LOCK, ".pre-commit-config.yaml": PRE_COMMIT}, "24.1.0", "uv.lock"),
    ],
)
def test_the_pinned_version_runs_and_its_source_is_told(files, version, source, project, ci_action, index):
    ran = ci_action(project({"a.py": "x  = 1\n", **files}), "quality", env=index)
    tool = ran.tool("black")
    if version != "bundled":
        assert tool["version"] == version
    assert tool["version_source"] == source
    disagree = [note for note in ran.report["warnings"] if "conflicting pins" in note]
    assert len(disagree) == (len(files) == 2)
    if "required-version" in source:  # the stand-in is today's Black, which refuses to be an older one
        return
    assert ran.code == 1
    assert len(ran.findings("black")) == 1


def test_ruff_is_pinned_in_the_same_way(project, ci_action, index):
    ran = ci_action(
        project({"a.py": "import os\n", "requirements.txt": "ruff==0.4.0\n"}), "quality", env=index
    )
    assert (ran.tool("ruff")["version"], ran.tool("ruff")["version_source"]) == ("0.4.0", "requirements.txt")
    assert [finding["rule"] for finding in ran.findings("ruff")] == ["F401"]


@pytest.mark.parametrize("version", ["1.2.3", "23.1.0"], ids=["not on the index", "does not start"])
def test_a_version_that_cannot_be_had_falls_back_with_the_reason(version, project, ci_action, index):
    folder = project({"a.py": "x = 1\n", "requirements.txt": f"black=={version}\n"})
    ran = ci_action(folder, "quality", env=index)
    assert (ran.code, ran.report["conclusion"]) == (0, "warned")
    assert ran.tool("black")["version_source"] == "bundled"
    [note] = ran.report["warnings"]
    assert f"black=={version}" in note
    assert "using the bundled" in note
    [reason] = ran.report["reasons"]
    assert f"black=={version}" in reason
    (folder / "a.py").write_text("x  = 1\n")
    fixed = ci_action(folder, "fix", env=index)
    assert fixed.code == 3
    assert (folder / "a.py").read_text() == "x  = 1\n", "the bundled version writes nothing"


def test_without_an_index_it_falls_back(project, ci_action, index):
    folder = project({"a.py": "x = 1\n", "requirements.txt": "black==24.1.0\n"})
    ran = ci_action(
        folder, "quality", env={**index, "PIP_INDEX_URL": "http://127.0.0.1:9", "UV_HTTP_RETRIES": "0"}
    )
    assert ran.code == 0
    assert "using the bundled" in ran.report["warnings"][0]


@pytest.mark.parametrize("pin", ["==24.1.0", "<25"])
def test_a_kept_version_needs_neither_index_nor_uv(pin, tmp_path, project, ci_action, index):
    """The wheels are in a folder that is removed: the settings of the index stay those of the first run."""
    folder = project({"a.py": "x = 1\n", "requirements.txt": f"black{pin}\n"})
    wheels = tmp_path / "index" / "black"
    env = {"PIP_FIND_LINKS": str(wheels), "UV_OFFLINE": "1", "UV_NO_CACHE": "1"}
    first = ci_action(folder, "quality", env=env)
    assert (first.tool("black")["version"], first.report["warnings"]) == ("24.1.0", [])
    shutil.rmtree(wheels)
    again = ci_action(folder, "quality", env=env)
    assert (again.code, again.tool("black")["version"], again.report["warnings"]) == (0, "24.1.0", [])
    other = ci_action(folder, "quality", "--cache-dir=none", env=env)
    assert other.report["conclusion"] == "warned", "without the cache there is none"


def test_a_kept_version_without_its_interpreter_is_made_again(project, ci_action, index, environ):
    folder = project({"a.py": "x = 1\n", "requirements.txt": "black==24.1.0\n"})
    trees = Path(environ["HOME"]) / ".cache" / "ci-action" / "results" / "trees"
    for number in (1, 2):
        ran = ci_action(folder, "quality", env=index)
        assert (ran.code, ran.tool("black")["version"]) == (0, "24.1.0")
        found = sorted(trees.iterdir())
        assert len(found) == number
        for tree in found:
            (tree / "black" / "bin" / "python").unlink(missing_ok=True)


def test_bundled_looks_at_no_pins(project, ci_action, index):
    folder = project({"a.py": "x = 1\n", "requirements.txt": "black==24.1.0\n"})
    ran = ci_action(folder, "quality", "--tool-versions=bundled", env=index)
    assert ran.tool("black")["version_source"] == "bundled"
    assert ran.report["warnings"] == []


@pytest.mark.parametrize(
    "line",
    [
        "black==24.1.0; echo pwned > pwned",
        "black @ file:///etc/passwd",
        "black==$(touch pwned)",
        "--index-url=x black==1",
    ],
)
def test_a_hostile_pin_is_no_command(line, project, ci_action, index):
    folder = project({"a.py": "x = 1\n", "requirements.txt": line + "\n"})
    assert ci_action(folder, "quality", env=index).code == 0
    assert not (folder / "pwned").exists()


def test_pins_above_the_working_directory_count(project, ci_action, index):
    folder = project({"backend/a.py": "x  = 1\n", "uv.lock": LOCK})
    ran = ci_action(folder, "quality", "--working-directory=backend", env=index)
    assert ran.tool("black")["version_source"] == "uv.lock"
    assert [finding["path"] for finding in ran.findings("black")] == ["backend/a.py"]


def test_the_real_black_of_the_index_runs(project, ci_action):
    folder = project({"a.py": "x  = 1\n", "requirements.txt": "black==24.10.0\nruff==0.9.10\n"})
    ran = ci_action(
        folder,
        "quality",
        env={"UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", "")} if "UV_CACHE_DIR" in os.environ else {},
    )
    assert ran.tool("black")["version"] == "24.10.0"
    assert ran.tool("ruff")["version"] == "0.9.10"
    assert (ran.code, len(ran.findings("black"))) == (1, 1)
