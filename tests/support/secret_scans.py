"""A fake of the script that scans for secrets, and a project with a secret."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.builders import FakeRun, bundled_tools, completed, context, write

from ci_action.engine.context import Context
from ci_action.engine.secret_scan.baseline import hash_of
from ci_action.project.file_kinds import SECRETS_BASELINE
from ci_action.system.process import Command, Completed

VALUE = "hunter2-" + "hunter2"
LINE = f'password = "{VALUE}"\n'
KEYWORD = "Secret Keyword"
STATES = {".png": "excluded", ".bin": "binary"}
START = {"event": "start", "engine": "prefilter", "plugins_used": [{"name": "X"}], "filters_used": []}


class Script:
    """Answers like the script: every line with our value is found, the suffix decides the state of a file."""

    def __init__(
        self, root: Path, change: Callable[[list[str]], Any] = lambda lines: lines, **answer: Any
    ) -> None:
        self.root = root
        self.change = change
        self.answer = answer
        self.jobs: list[dict[str, Any]] = []

    def __call__(self, command: Command) -> Completed:
        job = json.loads(command.stdin)
        self.jobs.append(job)
        events = [START, *(self._file(number, name) for number, name in enumerate(job["files"]))]
        events.append({"event": "finish", "files": len(job["files"])})
        answer = self.change([json.dumps(one) for one in events])
        if isinstance(answer, Exception):
            raise answer
        return completed("".join(f"{line}\n" for line in answer), **self.answer)

    def _file(self, number: int, name: str) -> dict[str, Any]:
        state = STATES.get(Path(name).suffix, "scanned")
        rows = (self.root / name).read_text("utf-8", "replace").splitlines() if state == "scanned" else []
        found = [[line, KEYWORD, VALUE.encode().hex()] for line, row in enumerate(rows, 1) if VALUE in row]
        return {"event": "file", "number": number, "state": state, "encoding": "utf-8", "found": found}

    @property
    def files(self) -> list[list[str]]:
        return [job["files"] for job in self.jobs]


def ready(workspace: Path, script: Script, **overrides: Any) -> Context:
    """Return a context in which git tracks all files, or those in `tracked`."""
    names = overrides.pop("tracked", None) or sorted(
        str(file.relative_to(workspace)) for file in workspace.rglob("*") if file.is_file()
    )
    run = FakeRun(git=completed("".join(f"{name}\0" for name in names)), python=script)
    tools = bundled_tools(workspace.parent / "tools", detect_secrets="1.5.0")
    write(workspace.parent / "tools", {"bin/python": ""})
    return context(workspace, run, **{"bundled": tools, **overrides})


def project(folder: Path) -> Path:
    """Return a project with one secret, a clean file, and two files that are not scanned."""
    return write(folder / "w", {"a.py": LINE, "b.py": "x = 1\n", "c.png": "", "d.bin": ""})


def accepted(root: Path, *more: dict[str, Any], **mark: Any) -> None:
    """Write a baseline that accepts the secret of the project."""
    entry = {"type": KEYWORD, "hashed_secret": hash_of(VALUE), "filename": "a.py", **mark}
    write(root, {SECRETS_BASELINE: json.dumps({"version": "1.5.0", "results": {"a.py": [entry, *more]}})})


def cut(lines: list[str]) -> list[str]:
    """Cut an answer off in its middle."""
    return lines[:2]
