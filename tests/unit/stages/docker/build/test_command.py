"""The command line of a build: every value behind its option, secrets apart from the list of processes."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.stages.docker.build.caches import Caches
from ci_action.stages.docker.build.command import Request, named, older
from ci_action.stages.docker.reference import wrong_reference


def request(**given: Any) -> Request:
    values = {"context": Path("/w"), "dockerfile": Path("/w/Dockerfile"), "tag": "shop:1", "metadata": Path("/t/m")}
    return Request(**{**values, **given})


def test_the_least():
    words = request().words()
    assert words[:2] == ("buildx", "build")
    assert words[-1] == "/w"
    assert {"--progress=rawjson", "--load", "--file=/w/Dockerfile", "--tag=shop:1", "--metadata-file=/t/m"} < set(words)
    assert not [one for one in words if one.startswith(("--target", "--platform", "--builder", "--cache", "--build-arg"))]


def test_everything():
    words = request(
        target="--x",
        platform="linux/amd64",
        arguments=(("VERSION", "--1"),),
        caches=Caches.of(["type=gha"], ["type=local,dest=/c"]),
    ).words("b")
    options = {"--target=--x", "--platform=linux/amd64", "--builder=b", "--build-arg=VERSION=--1"}
    assert options | {"--cache-from=type=gha", "--cache-to=type=local,dest=/c"} < set(words)


@pytest.mark.parametrize(
    ("name", "apart"),
    [
        ("NPM_TOKEN", True),
        ("DB_PASSWORD", True),
        ("VERSION", False),
        ("LD_PRELOAD", False),
        ("PATH", False),
        ("HTTPS_PROXY", False),
        ("DOCKER_AUTH", False),
        ("BUILDKIT_TOKEN", False),
        ("AWS_SECRET", False),
        ("ACTIONS_RUNTIME_TOKEN", False),
        ("GIT_TOKEN", False),
    ],
)
def test_which_values_others_cannot_read(name: str, apart: bool):
    """What the client itself reads stays in the arguments: as a variable it would change what the client does."""
    found = request(arguments=((name, "value"),))
    assert found.environ == ({name: "value"} if apart else {})
    assert (f"--build-arg={name}" if apart else f"--build-arg={name}=value") in found.words()


@pytest.mark.parametrize(
    ("tag", "repository", "folder", "name"),
    [
        ("ghcr.io/org/app:1.2.3", "org/shop", "/w", "ghcr.io/org/app:1.2.3"),
        ("localhost:5000/app", "org/shop", "/w", "localhost:5000/app:latest"),
        ("", "Org/My_Shop.API", "/w", "ci-action/my_shop.api:ci"),
        ("", "", "/home/me/My Shop", "ci-action/my-shop:ci"),
        ("", "", "/", "ci-action/project:ci"),
        ("", "", "/--..__", "ci-action/project:ci"),
        ("", "org/a..b--_c", "/w", "ci-action/a.b-c:ci"),
    ],
)
def test_the_name_of_the_image(tag: str, repository: str, folder: str, name: str):
    assert named(tag, repository, Path(folder)) == name


@given(st.text(max_size=60))
def test_the_name_is_valid_whatever_the_project_is_called(name: str):
    assert not wrong_reference(named("", f"org/{name}", Path("/w")))


@pytest.mark.parametrize(
    ("version", "is_older"),
    [("0.12.1", True), ("0.13.1+ds1-3", False), ("0.29.1-desktop.1", False), ("1.0", False), ("", False), ("dev", False)],
)
def test_an_old_version(version: str, is_older: bool):
    assert older(version, (0, 13)) is is_older
