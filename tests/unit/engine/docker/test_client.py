"""Whether Docker can be used, and what to do if not; what the client prints."""

import sys
from pathlib import Path
from typing import Any

import pytest
from support.builders import completed, context
from support.docker_engine import INFO, answer, answering

from ci_action.engine.docker.client import Docker, variables
from ci_action.system.errors import ToolError
from ci_action.system.process import Command, Completed


def test_the_engine_is_asked_once(tmp_path: Path):
    asked = []

    def run(command: Command) -> Completed:
        asked.append(command.argv)
        return answer(INFO)

    ctx = context(tmp_path, run)
    assert Docker(ctx).engine() is Docker(ctx).engine()
    assert len(asked) == 1
    engine = Docker(ctx).engine()
    assert (engine.server_version, engine.buildx, engine.os_type) == ("28.5.2", "0.29.1", "linux")


@pytest.mark.parametrize(
    ("change", "reachable"),
    [
        ({}, True),
        ({"OperatingSystem": "Docker Desktop"}, False),
        ({"SecurityOptions": ["name=seccomp", "name=rootless"]}, False),
        ({"SecurityOptions": None}, True),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Docker is always in a virtual machine")
def test_whether_its_networks_can_be_reached(tmp_path: Path, change: dict[str, Any], reachable: bool):
    ctx = context(tmp_path, answering({"info": answer(INFO | change)}))
    assert Docker(ctx).engine().is_reachable is reachable


@pytest.mark.parametrize("plugins", [None, [], [{"Name": "compose", "Version": "2"}]])
def test_without_buildx(tmp_path: Path, plugins: object):
    ctx = context(tmp_path, answering({"info": answer(INFO | {"ClientInfo": {"Plugins": plugins}})}))
    assert not Docker(ctx).engine().buildx


@pytest.mark.parametrize(
    ("info", "part"),
    [
        (
            completed(b"", returncode=1, stderr="permission denied\n"),
            "DOCKER_HOST",
        ),
        (answer(INFO | {"ServerErrors": ["Cannot connect."]}), "docker context use"),
        (
            answer(INFO | {"ServerErrors": ["1.22 is too old"]}),
            "DOCKER_API_VERSION",
        ),
        (completed(b"rubbish"), "docker info"),
    ],
)
def test_what_to_do(tmp_path: Path, info: Completed, part: str):
    with pytest.raises(ToolError, match=part):
        Docker(context(tmp_path, answering({"info": info}))).engine()


def test_no_client(tmp_path: Path):
    def run(command: Command) -> Completed:
        raise ToolError(f"could not start {command.argv[0]!r}: No such file")

    with pytest.raises(ToolError, match="install"):
        Docker(context(tmp_path, run)).engine()


def test_what_does_not_exist(tmp_path: Path):
    absent = completed(b"", returncode=1, stderr="Error response from daemon: No such container: x\n")
    docker = Docker(context(tmp_path, answering({"container": absent})))
    assert docker.inspect("container", "x") is None
    assert docker.inspect("image", "x") == {}


def test_an_error_is_not_an_absence(tmp_path: Path):
    broken = completed(b"", returncode=1, stderr="Error response from daemon: i/o timeout\n")
    with pytest.raises(ToolError, match="i/o timeout"):
        Docker(context(tmp_path, answering({"image": broken}))).inspect("image", "x")


@pytest.mark.parametrize("printed", [b"", b"[]", b"{", b"null\n"])
def test_what_is_no_object(tmp_path: Path, printed: bytes):
    with pytest.raises(ToolError, match="JSON"):
        Docker(context(tmp_path, answering({"image": completed(printed)}))).inspect("image", "x")


@pytest.mark.parametrize("container", [True, False])
def test_settings_at_home_are_not_read_as_root(tmp_path: Path, container: bool):
    assert bool(variables(context(tmp_path, answering({}), container=container))) is container
