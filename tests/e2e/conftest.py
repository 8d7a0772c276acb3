"""The image, built once as the runner builds it, and a machine for each test."""

from pathlib import Path

import pytest
from e2e.image import build
from e2e.runner import Machine


@pytest.fixture(scope="session")
def image() -> str:
    return build()


@pytest.fixture(scope="session")
def buildkit_image() -> str:
    return build(buildkit=True)


@pytest.fixture
def machine(image: str, tmp_path: Path) -> Machine:
    return Machine(image=image, root=tmp_path)
