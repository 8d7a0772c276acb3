"""The wording of our messages and docs, and the number of messages that tests quote instead of using the golden files."""

import ast
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from support.paths import ROOT, SOURCES, TESTS
from support.wording import FOLDER, golden_of

# Words in a row that make a quotation.
RUN = 4
# Mostly tests that run whole programs. Only lower this number: use the fixture `wording` instead.
AT_MOST = 309
FOLDERS = ("e2e", "integration", "meta", "support", "unit")
WORD = re.compile(r"[A-Za-z`'][A-Za-z`'_-]*")


def texts(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts of a module with their lines, without docstrings."""
    tree = ast.parse(file.read_text("utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
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


def test_no_more_messages_are_quoted():
    found = quotations(sorted(file for folder in FOLDERS for file in (TESTS / folder).rglob("*.py")))
    assert len(found) <= AT_MOST, "\n".join(found)


@pytest.mark.parametrize("file", sorted(FOLDER.rglob("*.json")), ids=lambda file: file.stem)
def test_every_golden_wording_belongs_to_a_test(file: Path):
    module = (TESTS / file.relative_to(FOLDER)).with_suffix(".py")
    assert golden_of(module) == file
    defined = {
        node.name
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    assert {name.partition("[")[0] for name in json.loads(file.read_text("utf-8"))} <= defined


# Plain technical English: each expression has a shorter or more precise one, with the noun of the field.
AVOIDED = re.compile(
    r"""\b(?:
        (?<!there\ )(?:is|are)\ no\ (?!longer)[a-z]+          # is not a, unknown, not set
        | cannot\ be\ had | is\ not\ there | is\ not\ here | that\ are\ here   # unavailable, not found
        | nobody | anew | shall | by\ hand | went\ away | much
        | tells | told | says | said | stands                                 # reports, is
        | looks?\ at | looked\ at                                            # checks
        | whose\ word | its\ word | in\ force | held\ against | holds?\ against
        | how\ (?:often|many) | the\ least                                    # number of, minimum
        | what\ (?:the|a)\ \w+\ (?:brought|says|said|left|is)                  # new, reported
        | where\ (?:there|nothing|no)\b                                      # if
    )\b""",
    re.VERBOSE | re.IGNORECASE,
)
# None is left.
AT_MOST_AVOIDED = 0
PAGES = sorted({ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("*.toml")})


def avoided() -> list[str]:
    lines = [
        (file, number, line)
        for file in (*sorted(SOURCES.rglob("*.py")), *PAGES)
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
    ]
    return [
        f"{file.relative_to(ROOT)}:{number}: {match[0]}: {line.strip()}"
        for file, number, line in lines
        for match in AVOIDED.finditer(line)
    ]


def test_messages_and_docs_use_plain_words():
    found = avoided()
    assert len(found) <= AT_MOST_AVOIDED, "\n".join(found)
