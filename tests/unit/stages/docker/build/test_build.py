"""The tool as a whole, with a client that prints what buildx printed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.builders import context, write
from support.buildx_runs import ID, INSPECTED, OLD, Client, printed, text_of
from support.docker_engine import INFO, answer

from ci_action.engine.context import Context
from ci_action.engine.docker.ours import Owner
from ci_action.engine.tool import Checked
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.project.programs import Program
from ci_action.stages.docker import build
from ci_action.system.errors import TimedOutError, ToolError
from ci_action.system.process import Command, Completed

NAME = {"image-tag": "shop:1"}


def checked(tmp_path: Path, client: Any, case: str = "good", **settings: Any) -> tuple[Checked, Context]:
    workspace = write(tmp_path / "w", {"Dockerfile": text_of(case)})
    ctx = context(workspace, client, settings=NAME | settings)
    return build.check(ctx, Program(argv=(), version="", source="")), ctx


def built_in(ctx: Context) -> Any:
    return ctx.built.of(lambda: None)


def test_an_image(tmp_path: Path):
    found, ctx = checked(tmp_path, client := Client(printed("docker-20.10", "again")))
    assert isinstance(found.outcome, Report)
    assert found.outcome.image
    assert (found.outcome.image.name, found.outcome.image.id) == ("shop:1", ID)
    assert found.outcome.image.engine == found.version == "docker 28.5.2, buildx 0.29.1"
    assert found.outcome.examined == {Counted.STEPS: 6}
    assert any("4 of 5" in one for one in found.outcome.details)
    built = built_in(ctx)
    assert (built.id, built.name, built.place.line) == (ID, "shop:1", 7)
    assert client.build.timeout == ctx.settings.timeout
    assert client.build.argv[-1] == str((tmp_path / "w").resolve())


@pytest.mark.parametrize(
    ("architecture", "settings", "bases"),
    [
        ("x86_64", {}, ["base-amd64", "python:3.13"]),
        ("aarch64", {}, ["base-arm64", "python:3.13"]),
        ("x86_64", {"platform": "linux/arm/v7", "build-args": "V=3.12\nTARGETOS=x"}, ["base-arm", "python:3.12"]),
    ],
)
def test_the_bases_of_the_image_are_known(
    tmp_path: Path, architecture: str, settings: dict[str, str], bases: list[str]
):
    client = Client(printed("docker-20.10", "good"), info=INFO | {"OSType": "linux", "Architecture": architecture})
    text = "ARG V=3.13\nFROM python:$V AS base-arm\nFROM python:$V AS base-$TARGETARCH\nFROM base-$TARGETARCH\n"
    ctx = context(write(tmp_path / "w", {"Dockerfile": text}), client, settings=NAME | settings)
    build.check(ctx, Program(argv=(), version="", source=""))
    found = [one.base for one in built_in(ctx).dockerfile.stages]
    assert [found[-1], found[0]] == bases


def test_an_image_of_another_language(tmp_path: Path):
    workspace = write(tmp_path / "w", {"Dockerfile": "# syntax=example.org/other\napiVersion: v1\n"})
    ctx = context(workspace, Client(printed("docker-20.10", "good")), settings=NAME)
    assert isinstance(build.check(ctx, Program(argv=(), version="", source="")).outcome, Report)
    assert built_in(ctx).place.line is None


def test_the_name_is_used_if_no_digest_is_in_the_engine(tmp_path: Path):
    found, _ = checked(tmp_path, Client(printed("docker-20.10", "good"), built="sha256:manifest"))
    assert found.outcome.image
    assert found.outcome.image.id == ID


def test_an_image_that_is_not_in_the_engine(tmp_path: Path):
    client = Client(printed("docker-20.10", "good"), built="sha256:manifest")
    found, ctx = checked(tmp_path, client, **{"image-tag": "other:1"})
    assert isinstance(found.outcome, Broken)
    assert built_in(ctx) is None


@pytest.mark.parametrize(
    ("inspected", "said"),
    [(INSPECTED, False), (OLD, True), (INSPECTED.replace("v0.26.1", "v0.0.0+unknown"), False), ("", False)],
)
def test_whether_buildkit_checks_the_dockerfile(tmp_path: Path, inspected: str, said: bool):
    found, _ = checked(tmp_path, Client(printed("docker-20.10", "good"), inspected=inspected))
    assert isinstance(found.outcome, Report)
    assert any("Docker 27" in one for one in found.outcome.details) is said


def test_a_failing_step(tmp_path: Path):
    found, ctx = checked(tmp_path, Client(printed("buildkit", "failing"), returncode=1), "failing")
    assert isinstance(found.outcome, Report)
    assert found.outcome.findings[0].rule == "build-failed"
    assert len(found.outcome.findings) == 4
    assert found.outcome.image
    assert not found.outcome.image.name
    assert [one.failed for one in found.outcome.image.steps].count(True) == 1
    assert "oops" in found.log
    assert built_in(ctx) is None


def test_a_base_that_a_build_argument_names(tmp_path: Path):
    """Old engines name no line: it is found by the image."""
    text = text_of("absent-base").replace("nope:1", "nope:${TAG}")
    workspace = write(tmp_path / "w", {"Dockerfile": text})
    client = Client(printed("docker-20.10", "absent-base"), returncode=1)
    ctx = context(workspace, client, settings=NAME | {"build-args": "TAG=1"})
    found = build.check(ctx, Program(argv=(), version="", source="")).outcome
    assert [one.line for one in found.findings] == [2]


def test_no_network(tmp_path: Path):
    found, _ = checked(tmp_path, Client(printed("buildkit", "no-host"), returncode=1), "no-host")
    assert isinstance(found.outcome, Broken)
    assert "registry.invalid" in found.outcome.detail


def test_a_build_that_hangs(tmp_path: Path):
    def run(command: Command) -> Completed:
        if command.argv[1:3] == ("buildx", "build"):
            raise TimedOutError("docker timed out", stderr=printed("docker-20.10", "canceled"))
        return Client()(command)

    found, _ = checked(tmp_path, run, "canceled")
    assert isinstance(found.outcome, Broken)
    assert "sleep 1000" in found.outcome.reason
    assert found.outcome.examined == {Counted.STEPS: 2}
    assert found.outcome.image


@pytest.mark.parametrize(
    ("plugins", "part"),
    [([], "docker-buildx"), ([{"Name": "buildx", "Version": "v0.12.1"}], "0.12.1")],
)
def test_buildx_missing_or_old(tmp_path: Path, plugins: list[object], part: str):
    client = Client(info=INFO | {"ClientInfo": {"Plugins": plugins}})
    with pytest.raises(ToolError) as caught:
        checked(tmp_path, client)
    assert part in caught.value.reason
    assert part in build.unusable(context(tmp_path / "w", client))


def test_an_engine_that_can_be_used(tmp_path: Path):
    write(tmp_path / "w", {})
    assert not build.unusable(context(tmp_path / "w", Client()))


def test_without_a_dockerfile(tmp_path: Path):
    ctx = context(write(tmp_path / "w", {}), Client())
    found = build.check(ctx, Program(argv=(), version="", source="")).outcome
    assert isinstance(found, Skipped)
    assert found.empty


def test_leftovers_are_removed_and_named(tmp_path: Path):
    name = replace(Owner.here(""), pid=2**22 + 1).new_name()

    def run(command: Command) -> Completed:
        if command.argv[1] == "ps":
            return answer({"ID": "x", "Names": name, "State": "exited"})
        if command.argv[1:3] == ("buildx", "build"):
            return Client(printed("docker-20.10", "good"))(command)
        return Client()(command)

    [warning] = checked(tmp_path, run)[0].warnings
    assert name in warning


def test_a_dockerfile_that_became_a_link(tmp_path: Path):
    """Code of the project, which ran before, can write to the workspace."""
    (tmp_path / "w").mkdir()
    (tmp_path / "secret").write_text("FROM x")
    (tmp_path / "w" / "Dockerfile").symlink_to(tmp_path / "secret")
    with pytest.raises(ToolError):
        build.check(context(tmp_path / "w", Client()), Program(argv=(), version="", source=""))
