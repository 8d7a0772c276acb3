"""The builder: the selected one, or one of our own, and which of the job's settings it uses."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from support.builders import context, write
from support.buildx_runs import INSPECTED, OLD, Client, printed, text_of

from ci_action.engine.tool import Checked
from ci_action.model.result import Report
from ci_action.project.programs import Program
from ci_action.stages.docker import build
from ci_action.stages.docker.build.builder import Builder, selected, variables
from ci_action.system.errors import ToolError

GITHUB = {"ACTIONS_RUNTIME_TOKEN": "t0ken-of-the-job", "ACTIONS_CACHE_URL": "http://cache/"}


def built(tmp_path: Path, client: Client, **overrides: Any) -> Checked:
    workspace = write(tmp_path / "w", {"Dockerfile": text_of("good")})
    settings = {"image-tag": "shop:1", **overrides.pop("settings", {})}
    ctx = context(
        workspace, client, settings=settings, serve=lambda _: nullcontext(lambda: None), **overrides
    )
    return build.check(ctx, Program(argv=(), version="", source=""))


@pytest.mark.parametrize(
    ("text", "driver", "version", "lacks"),
    [
        (INSPECTED, "docker", "v0.26.1", False),
        (OLD, "docker", "v0.8+unknown", True),
        ("Name: x\nDriver:        remote\nBuildkit: v0.13.2\n", "remote", "v0.13.2", True),
        ("", "", "", False),
    ],
)
def test_the_selected_builder(tmp_path: Path, text: str, driver: str, version: str, lacks: bool):
    (tmp_path / "w").mkdir()
    found = selected(context(tmp_path / "w", Client(inspected=text)))
    assert found == Builder(driver=driver, version=version)
    assert found.lacks_checks is lacks


@pytest.mark.parametrize("cache", ["type=gha,mode=max", "type=registry,ref=localhost:5000/x", "type=local,dest=c"])
def test_a_builder_of_our_own(tmp_path: Path, cache: str):
    client = Client(printed("buildkit", "good"))
    outcome = built(tmp_path, client, settings={"cache-to": [cache]}, environ=GITHUB).outcome
    assert isinstance(outcome, Report)
    words = [one.argv[1:] for one in client.commands]
    [created] = [one for one in words if one[:2] == ("buildx", "create")]
    name = created[2].partition("=")[2]
    assert f"--builder={name}" in client.build.argv
    assert ("--driver-opt=network=host" in created) is ("localhost" in cache)
    after = words[words.index(client.build.argv[1:]) + 1 :]
    assert ("buildx", "rm", name) in after
    assert ("rm", "--force", "--volumes", f"buildx_buildkit_{name}0") in after
    assert ("volume", "rm", "--force", f"buildx_buildkit_{name}0_state") in after
    configs = {one.environ.get("BUILDX_CONFIG") for one in client.commands if one.argv[2] in {"create", "rm", "build"}}
    assert len(configs - {None}) == 1
    with_token = [one for one in client.commands if "t0ken-of-the-job" in one.environ.values()]
    assert with_token == ([client.build] if "gha" in cache else [])
    assert not any("t0ken" in word for one in client.commands for word in one.argv)


def test_no_builder_of_our_own_without_need(tmp_path: Path):
    client = Client(printed("docker-20.10", "good"), inspected="Driver: remote\n")
    built(tmp_path, client, settings={"cache-to": ["type=local,dest=c"]})
    assert not [one for one in client.commands if one.argv[1:3] == ("buildx", "create")]


def test_the_cache_of_github_outside_of_it(tmp_path: Path):
    client = Client(printed("docker-20.10", "good"))
    found = built(tmp_path, client, settings={"cache-to": ["type=gha"], "cache-from": ["type=gha"]})
    assert any("ACTIONS_RUNTIME_TOKEN" in one for one in found.warnings)
    assert not [word for word in client.build.argv if word.startswith("--cache")]


def test_a_builder_that_cannot_be_made(tmp_path: Path):
    class Refusing(Client):
        def __call__(self, command: Any) -> Any:
            done = super().__call__(command)
            if command.argv[1:3] == ("buildx", "create"):
                return type(done)(returncode=1, stdout=b"", stderr="ERROR: no such driver\n", seconds=0.1)
            return done

    with pytest.raises(ToolError) as caught:
        built(tmp_path, Refusing(), settings={"cache-to": ["type=local,dest=c"]})
    assert "no such driver" in caught.value.reason


@pytest.mark.parametrize("container", [True, False])
def test_the_settings_of_the_job(tmp_path: Path, container: bool):
    """In the container its builders are elsewhere; git would run as root there."""
    (tmp_path / "w").mkdir()
    found = variables(context(tmp_path / "w", container=container))
    assert found["BUILDX_GIT_INFO"] == "false"
    assert (found.get("BUILDX_BUILDER") == "") is container
