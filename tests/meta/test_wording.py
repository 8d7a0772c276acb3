"""Tests quote few sentences of ours: what a message says is in the golden files, and can be reworded there at once."""

import ast
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from support.paths import SOURCES, TESTS
from support.wording import FOLDER, golden_of

# So many words of ours in a row are a quotation.
RUN = 4
# What is left, in tests that run whole programs above all. It may only become less: use the fixture `wording` instead.
AT_MOST = 365
FOLDERS = ("e2e", "integration", "meta", "support", "unit")
WORD = re.compile(r"[A-Za-z`'][A-Za-z`'_-]*")


def texts(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a module with their lines, docstrings left out."""
    tree = ast.parse(file.read_text("utf-8"))
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.lineno, node.value


def runs(text: str) -> set[tuple[str, ...]]:
    words = [word.lower() for word in WORD.findall(re.sub(r"https?:\S+", "1", text))]
    return {tuple(words[place : place + RUN]) for place in range(len(words) - RUN + 1)}


def quotations(files: Iterable[Path]) -> list[str]:
    ours = {run for file in SOURCES.rglob("*.py") for _, text in texts(file) for run in runs(text)}
    return [
        f"{file.relative_to(TESTS)}:{line}: {text}"
        for file in files
        for line, text in texts(file)
        if runs(text) & ours
    ]


def test_no_more_sentences_of_ours_are_quoted():
    found = quotations(sorted(file for folder in FOLDERS for file in (TESTS / folder).rglob("*.py")))
    assert len(found) <= AT_MOST, "\n".join(found)


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.json")), ids=lambda file: file.stem)
def test_sentences_that_are_kept_belong_to_a_test(file: Path):
    module = (TESTS / file.relative_to(FOLDER)).with_suffix(".py")
    assert golden_of(module) == file
    defined = {
        node.name
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    assert {name.partition("[")[0] for name in json.loads(file.read_text("utf-8"))} <= defined
