"""What is refused in the report folder of a stranger: values, files and folders that no run of ours leaves."""

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


WRONG: dict[str, tuple[Callable[[Document], Any], str]] = {
    "another number": (outputs(**{"pr-number": "8"}), "it is about another pull request: pr-number is '8'"),
    "another branch": (outputs(**{"pr-head": "main\n"}), "pr-head is 'main\\n'"),
    "another schema": (lambda document: document.update(schema=2), "use one version of ci-action"),
    "a word too many": (lambda document: document.update(conclusion="grand"), "it holds what no run writes"),
    "a green lie": (
        lambda document: document.update(exit_code=0),
        "the conclusion 'failed' with the exit code 0",
    ),
    "a greener lie": (
        lambda document: document.update(conclusion="passed", exit_code=0),
        "the conclusion 'passed' over a stage that is worse",
    ),
    "an exit code of its own": (lambda document: document.update(exit_code=77), "the exit code 77"),
    "a stage of Markdown": (lambda document: document["stages"][0].update(name="a|b\n# x"), "the name 'a|b"),
    "a tool of Markdown": (tool(name="<img>"), "the name '<img>'"),
    "an outcome of its own": (tool(outcome="grand"), "the outcome 'grand'"),
    "no number": (tool(seconds=float("nan")), "a number that is none"),
    "no stage": (lambda document: document.update(stages=[]), "0 stages"),
    "too many stages": (lambda document: document.update(stages=document["stages"] * 51), "51 stages"),
    "a wrong type": (tool(findings="x"), "it is no whole report of ci-action"),
    "an upward path": (
        lambda document: document["stages"][0]["tools"][1]["findings"][0].update(path="../../x"),
        "the path '../../x'",
    ),
    "a missing name": (lambda document: document.pop("outputs"), "outputs: Field required"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_no_run_of_ours_writes_is_refused(name: str, tmp_path: Path):
    change, said = WRONG[name]
    github = Feedback()
    file = report_folder(tmp_path)
    document = json.loads(file.read_bytes())
    change(document)
    file.write_text(json.dumps(document))
    conclusion, code, reason = ended(posted(tmp_path, github))
    assert (conclusion, code) == ("broken", 3)
    assert said in reason
    assert github.found == []


def linked(file: Path) -> None:
    file.rename(file.with_name("other"))
    file.symlink_to("other")


def folder_instead(file: Path) -> None:
    file.unlink()
    file.mkdir()


FILES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "empty": (lambda file: file.unlink(), "the folder holds none"),
    "no JSON": (lambda file: file.write_bytes(b"\0\xff"), "it is no report of ci-action"),
    "deep": (lambda file: file.write_bytes(b'{"a":' * 100_000), "it is no report of ci-action"),
    "a link": (linked, "is a link"),
    "a link to a folder": (lambda file: (file.parent / "x").symlink_to("/etc"), "is a link"),
    "a pipe": (lambda file: os.mkfifo(file.parent / "pipe"), "is no ordinary file"),
    "huge": (lambda file: os.truncate(file, LARGEST + 1), "larger than 50 MB"),
    "a folder": (folder_instead, "the folder holds none"),
}


@pytest.mark.parametrize("name", FILES)
def test_folders_that_no_run_leaves(name: str, tmp_path: Path):
    change, said = FILES[name]
    change(report_folder(tmp_path))
    github = Feedback()
    conclusion, code, reason = ended(posted(tmp_path, github))
    assert (conclusion, code) == ("broken", 3)
    assert said in reason
    assert github.calls == []
