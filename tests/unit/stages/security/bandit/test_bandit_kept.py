"""Cached results of bandit: which files are taken from the cache, and which are scanned again."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.builders import completed, program
from support.fake_bandit import Bandit, checked, findings, in_project

from ci_action.stages.security.bandit import IN_A_TEST, check

FILES = {"a.py": "B602", "bad.py": "", "left.py": "", "d.py": "", "bandit.yaml": "exclude_dirs: [left]\n"}


def test_unchanged_files_start_no_process(tmp_path: Path):
    cache = tmp_path / "cache"
    first, commands = checked(tmp_path, FILES, cache=cache)
    assert len(commands) == 1
    second, commands = checked(tmp_path, FILES, cache=cache)
    assert commands == []
    assert second.outcome == first.outcome
    assert second.warnings == first.warnings


def test_a_file_that_may_be_readable_another_time_is_looked_at_again(tmp_path: Path):
    failed = {"filename": "././a.py", "reason": "exception while scanning file"}
    out = {"results": [], "errors": [failed], "metrics": {"./a.py": {"loc": 1}}}
    for _ in range(2):
        bandit = Bandit(a=completed(json.dumps(out)))
        found, commands = checked(tmp_path, {"a.py": ""}, bandit, cache=tmp_path / "cache")
        assert [one.rule for one in findings(found)] == ["unreadable"]
        assert len(commands) == 1


@pytest.mark.parametrize(
    ("change", "overrides", "given"),
    [
        ({"a.py": "B601"}, {}, ["./a.py"]),
        (
            {"bandit.yaml": "exclude_dirs: [left]\nskips: [B1]\n"},
            {},
            ["./a.py", "./bad.py", "./d.py", "./left.py"],
        ),
        ({}, {"settings": {"bandit_args": "-ll"}}, ["./a.py", "./bad.py", "./d.py", "./left.py"]),
    ],
)
def test_what_changed_is_looked_at_again(
    tmp_path: Path, change: dict[str, str], overrides: Any, given: list[str]
):
    checked(tmp_path, FILES, cache=tmp_path / "cache")
    _, (command,) = checked(tmp_path, {**FILES, **change}, cache=tmp_path / "cache", **overrides)
    assert list(command.argv[command.argv.index("--") + 1 :]) == given


def test_another_version_is_another_result(tmp_path: Path):
    for version, starts in (("1.9.4", 1), ("1.9.4", 0), ("1.9.5", 1)):
        ctx, run = in_project(tmp_path, FILES, cache=tmp_path / "cache")
        check(ctx, program("bandit", version=version))
        assert sum(command.argv[0] != "git" for command in run.asked) == starts


def test_the_mute_and_what_is_new_are_not_kept(tmp_path: Path):
    cache = tmp_path / "cache"
    checked(tmp_path, {"tests/a.py": "B101"}, cache=cache)
    assert IN_A_TEST not in (cache / "results" / "bandit.kept").read_text()
    found, _ = checked(tmp_path, {"tests/a.py": "B101"}, cache=cache)
    assert [one.muted for one in findings(found)] == [IN_A_TEST]
