"""Forged report folders are refused: values, files and folders that no run of ci-action writes."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.comment_runs import Document, ended, posted, report_folder
from support.fake_feedback import Feedback

from ci_action.commands.comment.report_folder import LARGEST


def outputs(**values: str) -> Callable[[Document], Any]:
    return lambda document: document["outputs"].update(values)


def tool(**values: Any) -> Callable[[Document], Any]:
    return lambda document: document["stages"][0]["tools"][0].update(values)


WRONG: dict[str, Callable[[Document], Any]] = {
    "another number": outputs(**{"pr-number": "8"}),
    "another branch": outputs(**{"pr-head": "main\n"}),
    "another schema": lambda document: document.update(schema=2),
    "a word too many": lambda document: document.update(conclusion="grand"),
    "a green lie": lambda document: document.update(exit_code=0),
    "a greener lie": lambda document: document.update(conclusion="passed", exit_code=0),
    "an unknown exit code": lambda document: document.update(exit_code=77),
    "a stage of Markdown": lambda document: document["stages"][0].update(name="a|b\n# x"),
    "a tool of Markdown": tool(name="<img>"),
    "an unknown outcome": tool(outcome="grand"),
    "no number": tool(seconds=float("nan")),
    "no stage": lambda document: document.update(stages=[]),
    "too many stages": lambda document: document.update(stages=document["stages"] * 51),
    "a wrong type": tool(findings="x"),
    "an upward path": lambda document: document["stages"][0]["tools"][1]["findings"][0].update(
        path="../../x"
    ),
    "a missing name": lambda document: document.pop("outputs"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_no_run_writes_is_refused(name: str, tmp_path: Path, wording: Any):
    change = WRONG[name]
    github = Feedback()
    file = report_folder(tmp_path)
    document = json.loads(file.read_bytes())
    change(document)
    file.write_text(json.dumps(document))
    conclusion, code, reason = ended(posted(tmp_path, github))
    assert (conclusion, code) == ("broken", 3)
    assert reason == wording
    assert github.found == []


def linked(file: Path) -> None:
    file.rename(file.with_name("other"))
    file.symlink_to("other")


def folder_instead(file: Path) -> None:
    file.unlink()
    file.mkdir()


FILES: dict[str, Callable[[Path], Any]] = {
    "empty": lambda file: file.unlink(),
    "no JSON": lambda file: file.write_bytes(b"\0\xff"),
    "deep": lambda file: file.write_bytes(b'{"a":' * 100_000),
    "a link": linked,
    "a link to a folder": lambda file: (file.parent / "x").symlink_to("/etc"),
    "a pipe": lambda file: os.mkfifo(file.parent / "pipe"),
    "huge": lambda file: os.truncate(file, LARGEST + 1),
    "a folder": folder_instead,
}


@pytest.mark.parametrize("name", FILES)
def test_folders_that_no_run_leaves(name: str, tmp_path: Path, wording: Any):
    change = FILES[name]
    change(report_folder(tmp_path))
    github = Feedback()
    conclusion, code, reason = ended(posted(tmp_path, github))
    assert (conclusion, code) == ("broken", 3)
    assert reason == wording
    assert github.calls == []
