"""Caches of layers: which builder they need, and which variables."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.stages.docker.build.caches import Cache, Caches, github_variables


@pytest.mark.parametrize(
    ("read", "written", "needed"),
    [
        ((), (), False),
        (("type=registry,ref=a/b", "type=local,src=c", "type=inline"), ("type=inline",), False),
        (("type=registry,ref=a/b",), (), True),
        (("type=local,src=c",), (), True),
        (("type=inline",), (), False),
        (("type=s3",), ("type=inline",), True),
        (("type=gha",), (), True),
        ((), ("type=gha,mode=max",), True),
        ((), ("type=local,dest=c",), True),
        ((), ("type=registry,ref=a/b",), True),
    ],
)
def test_when_docker_needs_another_builder(read: tuple[str, ...], written: tuple[str, ...], needed: bool):
    caches = Caches.of(read, written)
    assert caches.need_another("docker", containerd=False) is needed
    assert not caches.need_another("docker", containerd=True)
    assert not any(
        caches.need_another(driver, containerd=False)
        for driver in ("docker-container", "remote", "kubernetes", "")
    )


def test_an_entry():
    cache = Cache.of('type=registry,"ref=a,b",mode=max')
    assert (cache.kind, cache.get("ref"), cache.get("mode"), cache.get("x")) == ("registry", "a,b", "max", "")
    assert str(cache.having("ref", 'c"d')) == 'type=registry,"ref=c""d",mode=max'


@given(st.dictionaries(st.sampled_from(["type", "ref", "src"]), st.text(st.characters(exclude_characters="\r\n\0"))))
def test_what_is_written_is_read(fields: dict[str, str]):
    cache = Cache(tuple(fields.items()))
    if fields:
        assert Cache.of(str(cache)) == cache


@pytest.mark.parametrize(
    ("ref", "beside"),
    [
        ("localhost:5000/app", True),
        ("127.0.0.1:5000/app:1", True),
        ("ghcr.io/org/app", False),
        ("org/app", False),
        ("[", False),
    ],
)
def test_a_registry_of_this_machine(ref: str, beside: bool):
    assert Caches.of([f"type=registry,ref={ref}"], []).is_beside is beside


def test_without_github():
    caches = Caches.of(["type=gha", "type=inline"], ["type=gha", "type=local,dest=a"])
    assert caches.has_github
    assert caches.without_github() == Caches.of(["type=inline"], ["type=local,dest=a"])


OF_GITHUB = {
    "ACTIONS_RUNTIME_TOKEN": "t",
    "ACTIONS_CACHE_URL": "https://old/",
    "ACTIONS_RESULTS_URL": "https://results-receiver.actions.githubusercontent.com/",
}


@pytest.mark.parametrize(
    ("environ", "url", "second"),
    [
        (OF_GITHUB, OF_GITHUB["ACTIONS_RESULTS_URL"], True),
        (OF_GITHUB | {"ACTIONS_RESULTS_URL": "http://act/"}, "https://old/", False),
        (OF_GITHUB | {"ACTIONS_RESULTS_URL": "https://new/", "ACTIONS_CACHE_SERVICE_V2": "True"}, "https://new/", True),
        ({"ACTIONS_RUNTIME_TOKEN": "t", "ACTIONS_CACHE_URL": "https://old/"}, "https://old/", False),
    ],
)
def test_the_variables_of_githubs_cache(environ: Mapping[str, str], url: str, second: bool):
    """The first version of the service ended in 2025; old versions of buildx know only its variable."""
    found = github_variables(environ)
    assert found["ACTIONS_CACHE_URL"] == url
    assert ("ACTIONS_CACHE_SERVICE_V2" in found) is second
    assert found["ACTIONS_RUNTIME_TOKEN"] == "t"


@pytest.mark.parametrize("missing", [{"ACTIONS_RUNTIME_TOKEN"}, {"ACTIONS_CACHE_URL", "ACTIONS_RESULTS_URL"}])
def test_outside_of_github(missing: set[str]):
    assert github_variables({name: value for name, value in OF_GITHUB.items() if name not in missing}) == {}
