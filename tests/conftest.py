"""What all tests share: how hypothesis runs, and the wording of our messages."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir
from support.wording import CAPTURE, Book, Wording

# Hypothesis keeps tables of Unicode and of our constants in a folder: a run leaves nothing in the tree.
set_hypothesis_home_dir(Path(tempfile.gettempdir(), f"ci-action-hypothesis-{os.getuid()}"))
# No deadline, since a slow machine is no failure.
settings.register_profile(
    "local", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60
)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "local")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(CAPTURE, action="store_true", help="write the golden files of the wording anew")


@pytest.fixture(scope="session")
def book(request: pytest.FixtureRequest) -> Iterator[Book]:
    kept = Book(capture=request.config.getoption(CAPTURE, default=False))
    yield kept
    kept.write()


@pytest.fixture
def wording(request: pytest.FixtureRequest, book: Book) -> Iterator[Wording]:
    """Return the sentences that the golden file has for this test."""
    folder = str(request.getfixturevalue("tmp_path")) if "tmp_path" in request.fixturenames else ""
    kept = book.of(request.path, request.node.name, folder)
    yield kept
    book.keep(request.path, request.node.name, kept)
