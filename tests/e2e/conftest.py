"""The image, built once as the runner builds it, and a machine for each test."""

import subprocess
from pathlib import Path

import pytest
from support.container.image import build
from support.container.runner import Machine
from support.paths import ROOT


@pytest.fixture(scope="session")
def image() -> str:
    return build()


@pytest.fixture(scope="session")
def buildkit_image() -> str:
    return build(buildkit=True)


@pytest.fixture
def machine(image: str, tmp_path: Path) -> Machine:
    return Machine(image=image, root=tmp_path)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone of what is committed: nothing that lies about untracked can help."""
    folder = tmp_path_factory.mktemp("act") / "ci-action"
    clone = [
        "git",
        "-c",
        "safe.directory=*",
        "clone",
        "--quiet",
        "--no-hardlinks",
        str(ROOT),
        str(folder),
    ]
    subprocess.run(clone, check=True)
    return folder
