"""Accepting the secrets of today: what is written, and when nothing is."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.builders import write
from support.secret_scans import KEYWORD, VALUE, Script, accepted, cut, project, ready

from ci_action.commands.baseline import accept
from ci_action.engine.secret_scan.baseline import hash_of
from ci_action.project.file_kinds import SECRETS_BASELINE
from ci_action.system.errors import InterruptedRunError, TimedOutError, ToolError


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return project(tmp_path)


def test_accepting_writes_what_is_found_and_keeps_what_was_not_looked_at(one: Path):
    accepted(one, {"type": KEYWORD, "hashed_secret": "0" * 40}, is_secret=False)
    document = json.loads((one / SECRETS_BASELINE).read_text())
    document["results"]["other/x.py"] = document["results"]["gone.py"] = [
        {"type": KEYWORD, "hashed_secret": "1" * 40}
    ]
    write(one, {SECRETS_BASELINE: json.dumps(document), "other/x.py": ""})
    lines = tuple(accept(ready(one, Script(one), tracked=["a.py"])))
    written = json.loads((one / SECRETS_BASELINE).read_text())
    hashes = {name: [one["hashed_secret"] for one in found] for name, found in written["results"].items()}
    assert hashes == {"a.py": [hash_of(VALUE)], "other/x.py": ["1" * 40]}
    assert written["results"]["a.py"][0]["is_secret"] is False
    assert lines == ("2 accepted in .secrets.baseline (0 new, 2 gone)",)


@pytest.mark.parametrize("change", [cut, lambda _: ToolError("no"), lambda _: TimedOutError("late")])
def test_a_scan_that_breaks_writes_nothing(change: Any, one: Path):
    with pytest.raises(ToolError):
        tuple(accept(ready(one, Script(one, change))))
    assert not (one / SECRETS_BASELINE).exists()


def test_an_interruption_writes_nothing_and_is_no_answer(one: Path):
    script = Script(one, lambda _: InterruptedRunError("python was interrupted"))
    with pytest.raises(InterruptedRunError):
        tuple(accept(ready(one, script, stopped=lambda: True)))
    assert not (one / SECRETS_BASELINE).exists()
