"""The tool `build` with the engine of this machine: from a shell, and from our container, which has only its socket."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from support.container.image import BASE, docker
from support.container.projects import GROUP, OWNER
from support.container.projects import write as write_project
from support.container.runner import Machine
from support.docker_runs import (
    Shell,
    image_id,
    new_tag,
    nothing_left,
    processes_with,
    remove,
    wait_for_process,
)

pytestmark = pytest.mark.docker
# Starts at once and stays up; the file makes each run build something.
GOOD: Final = f"FROM {BASE}\nCOPY app.py ./\nCMD python -c 'import time; time.sleep(60)'\n"
SECRET: Final = "hunter-2-of-the-registry"


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    with nothing_left():
        yield


@pytest.fixture
def tag() -> Iterator[str]:
    name = new_tag()
    yield name
    remove(name)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(folder=tmp_path / "w")


def files(dockerfile: str) -> dict[str, str]:
    return {"Dockerfile": dockerfile, "app.py": f"print({time.time_ns()})\n"}


def steps(tool: dict[str, Any]) -> dict[str, bool]:
    return {one["name"]: one["cached"] for one in tool["image"]["steps"]}


def test_an_image_and_its_steps(shell: Shell, tag: str):
    shell.write(files(GOOD))
    first = shell.run(image_tag=tag)
    assert first.outputs["image"] == tag
    assert first.outputs["image-id"] == image_id(tag) != ""
    assert steps(first.tool("build"))["[2/2] COPY app.py ./"] is False
    again = shell.run(image_tag=tag)
    assert steps(again.tool("build"))["[2/2] COPY app.py ./"] is True
    assert again.outputs["image-id"] == first.outputs["image-id"]


def test_a_secret_of_a_build_argument(shell: Shell):
    dockerfile = (
        f"FROM {BASE}\nARG NPM_TOKEN\nARG VERSION\nRUN echo $NPM_TOKEN; echo version $VERSION; exit 3\n"
    )
    ran = shell.write(files(dockerfile)).run(build_args=f"NPM_TOKEN={SECRET}\nVERSION=1.2.3")
    assert ran.code == 1
    [found] = [one for one in ran.tool("build")["findings"] if one["rule"] == "build-failed"]
    assert found["line"] == 4
    assert "version 1.2.3" in found["message"]
    assert SECRET not in ran.out
    reports = [path.read_text() for path in shell.folder.with_name("w-report").iterdir() if path.is_file()]
    assert len(reports) > 2
    assert not any(SECRET in text for text in reports)


def test_a_build_that_hangs(shell: Shell):
    word = f"1000.{time.time_ns()}"
    ran = shell.write(files(f"FROM {BASE}\nRUN echo first\nRUN sleep {word}\n")).run(timeout="4")
    build = ran.tool("build")
    assert (ran.code, build["outcome"]) == (3, "broken")
    assert word in build["reason"]
    assert any("RUN echo first" in one["name"] for one in build["image"]["steps"])
    wait_for_process(word, 15, gone=True)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_nothing_goes_on_after_an_interruption(shell: Shell, number: signal.Signals, code: int):
    word = f"1000.{time.time_ns()}"
    process = shell.write(files(f"FROM {BASE}\nRUN sleep {word}\n")).start()
    wait_for_process(f"sleep {word}")
    process.send_signal(number)
    assert shell.end(process, 0).code == code
    wait_for_process(word, 15, gone=True)
    wait_for_process(str(shell.folder), 15, gone=True)


def test_a_client_that_is_killed(shell: Shell):
    word = f"1000.{time.time_ns()}"
    process = shell.write(files(f"FROM {BASE}\nRUN sleep {word}\n")).start()
    wait_for_process(f"sleep {word}")
    for one in processes_with(str(shell.folder)):
        if Path(f"/proc/{one}/cmdline").read_bytes().startswith(b"docker\0"):
            os.kill(one, signal.SIGKILL)
    ran = shell.end(process, 0)
    assert (ran.code, ran.tool("build")["outcome"]) == (3, "broken")
    assert word in ran.tool("build")["reason"]
    wait_for_process(word, 15, gone=True)


@pytest.mark.parametrize(
    ("dockerfile", "environ", "part"),
    [
        ("FROM registry.invalid/nope:1\nCOPY app.py ./\n", {}, "registry.invalid"),
        (GOOD, {"DOCKER_HOST": "unix:///nonexistent.sock"}, "DOCKER_HOST"),
        (GOOD, {"DOCKER_API_VERSION": "1.10"}, "DOCKER_API_VERSION"),
        (GOOD, {"PATH": "/nonexistent"}, "command line"),
        (GOOD, {"BUILDX_BUILDER": "nope"}, "BUILDX_BUILDER"),
    ],
)
def test_what_is_not_the_fault_of_the_project(
    shell: Shell, dockerfile: str, environ: dict[str, str], part: str
):
    shell.environ = environ
    ran = shell.write(files(dockerfile)).run()
    assert (ran.code, ran.tool("build")["outcome"]) == (3, "broken")
    assert part in ran.tool("build")["reason"]
    assert ran.tool("hadolint")["outcome"] == "report"


def test_all_without_docker(shell: Shell):
    shell.environ = {"DOCKER_HOST": "unix:///nonexistent.sock"}
    ran = shell.write(files(GOOD)).run("all")
    [stage] = [one for one in ran.report["stages"] if one["name"] == "docker"]
    assert stage["conclusion"] == "skipped"
    assert any("DOCKER_HOST" in one for one in ran.report["warnings"])


def test_by_name_without_a_dockerfile(shell: Shell):
    ran = shell.write({"app.py": ""}).run()
    assert (ran.code, ran.report["conclusion"]) == (2, "empty")


def test_in_our_container(image: str, tmp_path: Path, tag: str):
    """buildx and the client are root there: no setting at the home of the project's code counts."""
    machine = Machine(image=image, root=tmp_path)
    write_project(machine.workspace, files(GOOD))
    for place in (machine.home / ".docker", machine.home / ".docker" / "config.json"):
        if place.suffix:
            place.write_text('{"currentContext": "elsewhere"}')
        else:
            place.mkdir()
        os.chown(place, OWNER, GROUP)
    ran = machine.run(inputs={"stage": "docker", "image-tag": tag}, environ={"BUILDX_BUILDER": "of-the-job"})
    assert ran.outputs["image-id"] == docker("image", "inspect", "--format={{.Id}}", tag)
    assert not list(machine.workspace.rglob("*.lock"))
    strange = [path for path in machine.workspace.rglob("*") if path.lstat().st_uid != OWNER]
    assert not strange
