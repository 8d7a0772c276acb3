"""The image itself: what is in it, where it comes from, how large it is."""

import json
import tomllib
from typing import Any, Final

import pytest
from e2e.image import REPOSITORY, docker, layers
from e2e.runner import Machine

pytestmark = pytest.mark.docker
BUDGET: Final = 300_000_000
PYTHON: Final = "/opt/ci-action/bin/python"
LIST: Final = (
    "import importlib.metadata as m; print(*sorted({d.name.lower().replace('_', '-') + '==' + d.version for d in m.distributions()}))"
)


def inside(image: str, program: str, *arguments: str) -> str:
    return docker("run", "--rm", "--network", "none", "--entrypoint", program, image, *arguments)


@pytest.fixture(scope="module")
def config(image: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(docker("image", "inspect", image))[0]["Config"]
    return found


@pytest.fixture(scope="module")
def locked() -> set[str]:
    lock = tomllib.loads((REPOSITORY / "uv.lock").read_text("utf-8"))
    return {f"{package['name']}=={package.get('version', '')}" for package in lock["package"]}


def installed(image: str, python: str) -> set[str]:
    return set(inside(image, python, "-I", "-c", LIST).split())


def test_it_starts_as_the_runner_wants_it(config: dict[str, Any]):
    program, *options = config["Entrypoint"]
    assert program == PYTHON
    assert options == ["-I", "-X", "utf8", "-m", "ci_action"]
    assert not config["User"]
    assert not config["WorkingDir"]
    assert not config.get("Volumes")


def test_it_builds_with_buildkit_too(buildkit_image: str):
    assert docker("run", "--rm", buildkit_image, "--version").startswith("ci-action ")


def test_our_layers_keep_to_the_budget(image: str):
    ours = layers(image)
    assert sum(layer.size for layer in ours) <= BUDGET, "\n".join(map(str, ours))


def test_our_environment_is_that_of_the_lock_file_without_the_tools(image: str, locked: set[str]):
    found = installed(image, PYTHON)
    assert found <= locked
    names = {one.partition("==")[0] for one in found}
    assert {"click", "pydantic", "actions-toolkit", "uv"} <= names
    assert not names & {"black", "ruff", "pip", "setuptools", "pytest", "mypy"}


def test_the_tools_have_an_environment_of_their_own(image: str, locked: set[str]):
    found = installed(image, "/opt/ci-action/tools/bin/python")
    assert found <= locked
    names = {one.partition("==")[0] for one in found}
    assert {"black", "ruff"} <= names
    assert not names & {"pydantic", "rich", "uv", "pip"}


def test_uv_is_the_one_of_the_lock_file(image: str, locked: set[str]):
    assert f"uv=={inside(image, '/opt/ci-action/bin/uv', '--version').split()[1]}" in locked


def test_nothing_is_needed_at_the_home_of_the_build(image: str):
    assert not inside(image, "/usr/bin/find", "/root", "-mindepth", "2", "-newer", "/etc/gitconfig")
    assert inside(image, "/usr/bin/git", "config", "--system", "safe.directory") == "*"


def test_bytecode_is_there_so_that_no_start_compiles(machine: Machine):
    # Whatever a start would compile, it would write: nothing may change in a container of ours.
    name = f"ci-action-e2e-{machine.root.name}"[:60]
    docker("create", "--name", name, machine.image, "--help")
    try:
        docker("start", "--attach", name)
        changed = docker("diff", name)
    finally:
        docker("rm", "--force", name)
    assert not [line for line in changed.splitlines() if ".pyc" in line]
