"""Projects for the container: written, committed, and owned by the user of a hosted runner."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from support.paths import PROJECTS

# The user `runner` of GitHub's machines; without permission to change it, we stay the owner.
OWNER: Final = 1001 if os.geteuid() == 0 else os.geteuid()
SOCKET: Final = Path("/var/run/docker.sock")
# On GitHub's Ubuntu 22.04 the group of that user is `docker`, which may use the engine's socket.
GROUP: Final = SOCKET.stat().st_gid if os.geteuid() == 0 and SOCKET.exists() else -1

Files = Mapping[str, str] | Mapping[bytes, bytes]

CLEAN: Final = {
    "pyproject.toml": '[project]\nname = "small"\nversion = "1"\n',
    "src/small/__init__.py": '"""A small package."""\n',
    "src/small/sums.py": "def add(a: int, b: int) -> int:\n    return a + b\n",
}
# Ruff and Black report: F401 in line 1, a format finding in line 4 and one in line 6.
MESSY: Final = {
    **CLEAN,
    "src/small/messy.py": "import os\n\nNAME = 'x'\nOTHER = [ 1,2 ]\n\ndef f( ): return None\n",
}


def write(folder: Path, files: Files, *, git: bool = True) -> str:
    """Write and commit a project of the runner's user; return the commit."""
    put(folder, files)
    return settle(folder, git=git)


def put(folder: Path, files: Files) -> None:
    """Write files, whatever their names are."""
    for name, content in files.items():
        raw = name if isinstance(name, bytes) else name.encode()
        path = os.path.join(os.fsencode(folder), raw)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as stream:
            stream.write(content if isinstance(content, bytes) else content.encode())


def sample(folder: Path, name: str) -> str:
    """Copy one of the sample projects."""
    leave = shutil.ignore_patterns(".*_cache", "__pycache__", "ci-action-report")
    shutil.copytree(PROJECTS / name, folder, dirs_exist_ok=True, ignore=leave)
    return settle(folder)


def settle(folder: Path, *, git: bool = True) -> str:
    """Commit all files and change their owner to the runner's user."""
    folder.mkdir(parents=True, exist_ok=True)
    commit = ""
    if git:
        commands(
            folder,
            "init --quiet --initial-branch=main",
            "add --all --force .",
            "commit --quiet -m sample --allow-empty",
        )
        commit = git_output(folder, "rev-parse", "HEAD")
    for found, folders, names in os.walk(os.fsencode(folder)):
        for entry in (b".", *folders, *names):
            os.chown(os.path.join(found, entry), OWNER, GROUP, follow_symlinks=False)
    return commit


def commands(folder: Path, *lines: str) -> None:
    """Run git commands that must succeed."""
    for line in lines:
        git_output(folder, *line.split())


def git_output(folder: Path, *words: str) -> str:
    """Run git without anything of the machine's configuration."""
    who = {
        f"GIT_{role}_{what}": "e2e@example.invalid"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    trust = ("-c", "safe.directory=*", "-c", "core.quotepath=off")
    done = subprocess.run(
        ["git", *trust, *words],
        cwd=folder,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **who},
        check=False,
    )
    assert done.returncode == 0, f"git {words}: {done.stderr!r}"
    return done.stdout.decode("utf-8", "replace").strip()


def hanging() -> str:
    """Return a source file that Ruff reads at once, and that Black chews on for more than a minute."""
    lines = (f"  [1,{{'k':[1,2,(3,{n})]}}] if  1  else  ( {n} )  ,\n" for n in range(80_000))
    return f"x = [\n{''.join(lines)}]\n"
