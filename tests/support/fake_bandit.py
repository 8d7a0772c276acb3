"""A bandit that answers as the real one does, and the tool run with it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from support.builders import FakeRun, completed, context, program, write

from ci_action.engine.context import Context
from ci_action.engine.tool import Checked
from ci_action.model.finding import Finding
from ci_action.model.result import Skipped
from ci_action.stages.security.bandit import LEAST_SHARE, check
from ci_action.system.process import Command, Completed


def result(name: str, rule: str = "B602", **overrides: Any) -> dict[str, Any]:
    return {
        "filename": f"././{name}",
        "test_id": rule,
        "issue_text": "It is weak.",
        "issue_severity": "MEDIUM",
        "issue_confidence": "LOW",
        "line_number": 1,
        "line_range": [1],
        "more_info": "",
        **overrides,
    }


class Bandit:
    """Answers like bandit: findings as the files list them, excluded files, syntax errors."""

    def __init__(self, **answers: Completed | Exception) -> None:
        self.answers = answers
        self.stderr = ""

    def __call__(self, command: Command) -> Completed:
        names = [os.path.normpath(word) for word in command.argv[command.argv.index("--") + 1 :]]
        for name in names:
            answer = self.answers.get(Path(name).stem)
            if isinstance(answer, Exception):
                raise answer
            if answer is not None:
                return answer
        seen = [name for name in names if "left" not in name]
        errors = [
            {"filename": f"././{name}", "reason": "syntax error while parsing"}
            for name in seen
            if "bad" in name
        ]
        results = [result(name, rule) for name in seen for rule in rules_of(command.cwd / name)]
        metrics = {f"././{name}": {"loc": 1} for name in seen} | {"_totals": {"loc": 1}}
        out = {"results": results, "errors": errors, "metrics": metrics}
        return completed(json.dumps(out), self.stderr, int(bool(results)))


def rules_of(file: Path) -> list[str]:
    return [word for word in file.read_text().split() if word.startswith("B")]


def run_of(bandit: Bandit, *names: str) -> FakeRun:
    listed = completed(b"".join(os.fsencode(name) + b"\0" for name in names))
    return FakeRun(git=listed, bandit=bandit)


def in_project(
    tmp_path: Path, files: Mapping[str, str | bytes], bandit: Bandit | None = None, **overrides: Any
) -> tuple[Context, FakeRun]:
    run = run_of(bandit or Bandit(), *files)
    return context(write(tmp_path / "w", files), run, **overrides), run


def checked(
    tmp_path: Path, files: Mapping[str, str | bytes], bandit: Bandit | None = None, **overrides: Any
) -> tuple[Checked, list[Command]]:
    ctx, run = in_project(tmp_path, files, bandit, **overrides)
    found = check(ctx, program("bandit"))
    return found, [command for command in run.asked if command.argv[0].endswith("bandit")]


def findings(found: Checked) -> tuple[Finding, ...]:
    assert not isinstance(found.outcome, Skipped)
    return found.outcome.findings


def places(found: Checked) -> list[tuple[str, str]]:
    return [(one.location.path if one.location else "", one.rule) for one in findings(found)]


def large(rules: str = "") -> str:
    return f"{rules}\n" + "#" * LEAST_SHARE
