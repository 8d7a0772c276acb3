"""The docker stage with a real engine: each sample in a shell, some in our own container, interruptions, and what is left."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
from support.advisory_service import served
from support.container import projects
from support.container.image import docker, gateway
from support.container.runner import Machine
from support.docker_runs import (
    Shell,
    ShellRan,
    container_of,
    findings,
    image_id,
    new_tag,
    nothing_left,
    ours,
    remove,
    wait_for_process,
)
from support.docker_samples import SAMPLES, URL, Sample, dockerfile, key

pytestmark = pytest.mark.docker
# They mostly wait for containers.
AT_ONCE: Final = 4
IN_OURS: Final = ("good", "failing-step", "unhealthy", "vulnerable")


@pytest.fixture(scope="module", autouse=True)
def all_is_removed() -> Iterator[None]:
    with nothing_left():
        yield


@pytest.fixture
def tag() -> Iterator[str]:
    name = new_tag()
    yield name
    remove(name)


def expected(sample: Sample) -> set[tuple[str, str, int | None]]:
    return {(rule, "Dockerfile", sample.line(place)) for rule, place in sample.rules.items()}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, "Future[tuple[ShellRan, str]]"]]:
    """Run all samples in a shell, several at a time; return what came out, and the id of the image in the engine."""
    folder = tmp_path_factory.mktemp("samples")

    def run(called: str, sample: Sample, service: str) -> tuple[ShellRan, str]:
        shell, tag = Shell(folder=folder / called / "shop").write(sample.project), new_tag()
        inputs = {name.replace("-", "_"): value for name, value in sample.inputs.items()}
        try:
            own = {"image_tag": tag, "advisory_url": service, "cache_dir": str(folder / "cache")}
            return shell.run(**own, **inputs), image_id(tag)
        finally:
            remove(tag)

    with served() as service, ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(run, name, sample, service.address) for name, sample in SAMPLES.items()}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_in_a_shell(name: str, ran: dict[str, "Future[tuple[ShellRan, str]]"]):
    sample, (found, image) = SAMPLES[name], ran[name].result()
    assert (found.code, found.outputs["result"]) == (sample.code, sample.result), found.out
    assert findings(found.report) == expected(sample), found.out
    assert found.outputs["image-id"] == image
    assert bool(image) is (name != "failing-step")
    assert bool(found.outputs["image-size"]) is bool(image)
    assert key() not in found.out
    assert key() not in str(found.report)


@pytest.fixture
def service() -> Iterator[str]:
    """Serve advisories where containers reach them."""
    with served(host=gateway()) as one:
        yield one.address


@pytest.mark.parametrize("name", IN_OURS)
def test_a_sample_in_our_container(name: str, machine: Machine, tag: str, service: str):
    sample = SAMPLES[name]
    projects.write(machine.workspace, sample.project)
    inputs = {"stage": "docker", "image-tag": tag, "advisory-url": service, **sample.inputs}
    ran = machine.run(inputs=inputs)
    assert (ran.code, ran.outputs["result"]) == (sample.code, sample.result), ran.log
    assert findings(ran.report) == expected(sample), ran.log
    assert ran.outputs["image-id"] == image_id(tag)
    assert not [one for one, owner in ran.owners.items() if owner != projects.OWNER]


def test_the_name_of_the_repository_is_the_name_of_the_image(machine: Machine, service: str):
    called = f"Shop.{uuid4().hex[:8]}"
    projects.write(machine.workspace, SAMPLES["silent"].project)
    environ = {"GITHUB_REPOSITORY": f"octocat/{called}"}
    ran = machine.run(inputs={"stage": "docker", "advisory-url": service}, environ=environ)
    try:
        assert (ran.code, ran.outputs["image"]) == (0, f"ci-action/{called.lower()}:ci"), ran.log
        assert ran.outputs["image-id"] == image_id(ran.outputs["image"])
        assert int(ran.outputs["image-size"]) == int(
            docker("image", "inspect", "--format={{.Size}}", ran.outputs["image"])
        )
    finally:
        remove(ran.outputs["image"])


# What goes on for a minute: a step of the build, and a container that is not healthy yet and ignores SIGTERM.
SLEEP: Final = "sleep 61.{}"
STARTING: Final = dockerfile(
    'HEALTHCHECK --interval=1s --start-period=90s CMD ["python", "-c", "exit(1)"]',
    env={"IGNORES_SIGTERM": "1"},
)


def building(mark: int) -> dict[str, str]:
    return Sample(dockerfile=dockerfile(f"RUN {SLEEP.format(mark)}")).project


def test_nothing_is_left_of_a_build_that_was_interrupted(tmp_path: Path, tag: str):
    mark = time.time_ns()
    shell = Shell(folder=tmp_path / "shop").write(building(mark))
    with nothing_left():
        process, started = shell.start(image_tag=tag), time.monotonic()
        wait_for_process(SLEEP.format(mark))
        process.send_signal(signal.SIGTERM)
        found = shell.end(process, started)
        assert found.code == 130, found.out
        wait_for_process(SLEEP.format(mark), 10, gone=True)
    assert found.tool("build")["outcome"] == "broken"
    assert not image_id(tag)


def test_nothing_is_left_of_a_build_after_our_container_was_killed(machine: Machine, tag: str):
    mark = time.time_ns()
    projects.write(machine.workspace, building(mark))
    with nothing_left():
        step = machine.start(inputs={"stage": "docker", "image-tag": tag})
        wait_for_process(SLEEP.format(mark))
        docker("kill", step.name)
        assert step.end(30).code == 128 + signal.SIGKILL
        wait_for_process(SLEEP.format(mark), 10, gone=True)
    assert not image_id(tag)


def test_a_build_that_hangs_ends_by_its_time_limit(tmp_path: Path, tag: str):
    mark = time.time_ns()
    shell = Shell(folder=tmp_path / "shop").write(building(mark))
    with nothing_left():
        found = shell.run(image_tag=tag, timeout="8")
        assert (found.code, found.report["conclusion"]) == (3, "broken"), found.out
        assert found.tool("build")["outcome"] == "broken"
        assert {found.tool(name)["outcome"] for name in ("smoke", "image")} == {"skipped"}
        wait_for_process(SLEEP.format(mark), 10, gone=True)


def test_the_next_run_removes_what_is_left_after_our_container_was_killed(machine: Machine, tag: str):
    projects.write(machine.workspace, Sample(dockerfile=STARTING).project)
    with nothing_left():
        before = ours()
        step = machine.start(inputs={"stage": "docker", "image-tag": tag, "smoke-timeout": "90"})
        until = time.monotonic() + 60
        while ours() <= before:
            assert time.monotonic() < until
            time.sleep(0.1)
        docker("kill", step.name)
        assert step.end(30).code == 128 + signal.SIGKILL
        assert ours() - before
        projects.write(machine.workspace, SAMPLES["failing-step"].project)
        again = machine.run(inputs={"stage": "docker", "image-tag": tag})
        assert again.code == 1, again.log


def test_a_second_run_on_the_same_engine_leaves_the_first_one_alone(tmp_path: Path, tag: str):
    first = Shell(folder=tmp_path / "first").write(SAMPLES["slow"].project)
    second = Shell(folder=tmp_path / "second").write(SAMPLES["good"].project)
    process, started = first.start(image_tag=tag, smoke_url=URL), time.monotonic()
    container_of(process)
    other = new_tag()
    assert second.run(image_tag=other, smoke_url=URL).code == 0
    found = first.end(process, started)
    remove(other)
    assert found.code == 0, found.out
    assert found.tool("smoke")["outcome"] == "report"
