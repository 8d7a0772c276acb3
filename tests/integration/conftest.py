"""Real runs of the program in this process, on projects written by the tests."""

import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.advisory_service import served
from support.repositories import OLD, commit, git
from support.runs import PREFIX, Ran, Write

from ci_action.cli import main


def repository_at(folder: Path) -> Write:
    """Make an empty repository; return what writes files into it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)

    def write(files: Mapping[str, str | bytes]) -> Path:
        for name, content in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    return write


@pytest.fixture
def project(tmp_path: Path) -> Write:
    """Write files into the project's folder, which is a repository of its own."""
    return repository_at(tmp_path / "project")


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one cache for all: the environments of the projects that are tested are mostly the same."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def standing(kept: Path) -> Write:
    """Write files into a folder that is the same for every test, and emptied for each.

    An environment is kept for a folder: here that of one test is the one of the next, where nothing about it changes.
    """
    return repository_at(kept.with_name(f"{kept.name}-project"))


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real package from the index, with its own configuration of Ruff: the source of Flask."""
    folder = tmp_path_factory.mktemp("package")
    argv = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--no-binary",
        "flask",
        "flask==3.1.1",
    ]
    subprocess.run([*argv, "--dest", str(folder)], check=True, cwd=folder)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        archive.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment of a shell: a home of its own, the path, the settings of package indexes."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(
            ("PIP_", "UV_", "SSL_", "REQUESTS_", "CURL_", "HTTP", "http", "NO_PROXY", "no_proxy")
        )
    }
    return {**kept, "PATH": os.environ["PATH"], "HOME": str(home)}


@pytest.fixture(scope="session")
def advisories() -> Iterator[str]:
    """Serve the advisories of the tests: no run asks a service of the internet."""
    with served() as service:
        yield service.address


@pytest.fixture
def ci_action(
    environ: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> Callable[..., Ran]:
    """Run the program in a project; reports go to a folder of the test, advisories come from the service of the tests."""

    def run(folder: Path, *words: str, prefix: Path = PREFIX, env: Mapping[str, str] | None = None) -> Ran:
        monkeypatch.chdir(folder)
        reports = tmp_path / "reports"
        shutil.rmtree(reports, ignore_errors=True)
        capsys.readouterr()
        argv = [*words] if words[:1] != ("quality",) else ["run", *words]
        if argv[0] == "run":
            argv += [f"--report-dir={reports}"]
        known = {}
        if {"security", "all"} & set(argv) and not any(word.startswith("--advisory-url") for word in argv):
            known = {"INPUT_ADVISORY-URL": request.getfixturevalue("advisories")}
        code = main(argv, {**environ, **known, **(env or {})}, prefix)
        file = reports / "report.json"
        return Ran(code, capsys.readouterr().out, json.loads(file.read_text()) if file.is_file() else {})

    return run


@pytest.fixture
def fake_tools(tmp_path: Path) -> Callable[..., Path]:
    """Make an environment whose black and ruff are scripts of the test; those not given are the real ones."""

    def make(**scripts: str) -> Path:
        prefix = tmp_path / "prefix"
        libraries = (
            prefix / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
        )
        for tool in ("black", "ruff"):
            real = PREFIX / "bin" / tool
            script = prefix / "bin" / tool
            script.parent.mkdir(parents=True, exist_ok=True)
            body = scripts.get(tool, f'exec "{real}" "$@"')
            script.write_text(f"#!/bin/bash\n{body}\n")
            script.chmod(script.stat().st_mode | stat.S_IXUSR)
            (libraries / f"{tool}-99.1.0.dist-info").mkdir(parents=True, exist_ok=True)
        (prefix / "bin" / "uv").symlink_to(PREFIX / "bin" / "uv")
        return prefix

    return make


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """Make a repository with a main branch that serves every commit by its name, as GitHub does."""
    folder = tmp_path / "origin"
    git(tmp_path, "init", "--quiet", "-b", "main", str(folder))
    for key in ("allowAnySHA1InWant", "allowFilter"):
        git(folder, "config", f"uploadpack.{key}", "true")
    commit(folder, {"old.py": OLD, "both.py": OLD, "README": "x\n"})
    return folder


@pytest.fixture
def under_actions(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Return the variables of a run for an event."""

    def make(folder: Path, name: str, payload: Mapping[str, Any], **more: str) -> dict[str, str]:
        file = tmp_path / "event.json"
        file.write_text(json.dumps(payload))
        values = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(folder),
            "GITHUB_EVENT_NAME": name,
            "GITHUB_EVENT_PATH": str(file),
            "GITHUB_SHA": git(folder, "rev-parse", "HEAD"),
            "GITHUB_OUTPUT": str(tmp_path / "output"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        }
        return {**values, **more}

    return make
