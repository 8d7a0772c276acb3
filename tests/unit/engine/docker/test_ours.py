"""Whose a container is, and when it is left over."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import completed, context
from support.docker_engine import answer

from ci_action.engine.docker.network import address_in, network_of
from ci_action.engine.docker.ours import Owner, own_id, sweep
from ci_action.system.process import Command, Completed

ID = "0123456789abcdef" * 4
MOUNTS = f"""\
812 811 0:52 / / rw,relatime - overlay overlay rw
823 812 8:1 /var/lib/docker/containers/{ID}/resolv.conf /etc/resolv.conf rw - ext4 /dev/sda1 rw
824 812 8:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 /dev/sda1 rw
"""
HOST = "a" * 12
HERE = Owner(host=HOST, pid=7)


@pytest.mark.parametrize(
    ("mounts", "found"),
    [
        (MOUNTS, ID),
        (MOUNTS.replace("/var/lib/docker", "/data"), ID),
        (MOUNTS.replace(ID, "short"), ""),
        ("", ""),
    ],
)
def test_our_own_id(mounts: str, found: str):
    assert own_id(mounts) == found


@pytest.mark.parametrize("owner", [Owner(container=ID[:12]), HERE])
@pytest.mark.parametrize("form", ["{}", "buildx_buildkit_{}0", "buildx_buildkit_{}0_state", "{}-net"])
def test_a_name_has_its_owner(owner: Owner, form: str):
    first, second = owner.new_name(), owner.new_name()
    assert first != second
    assert Owner.of(form.format(first)) == owner


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ci-action",
        "ci-action-0123456789abcdef",
        "my-ci-action-c-0123456789ab-1",
        "ci-action-c-short-1",
        "postgres",
    ],
)
def test_names_of_others(name: str):
    assert Owner.of(name) is None


@given(st.text())
def test_any_name(name: str):
    Owner.of(name)


@pytest.mark.parametrize(
    ("owner", "gone"),
    [
        (Owner(container=ID[:12]), False),
        (Owner(container="f" * 12), True),
        (HERE, False),
        (Owner(host=HOST, pid=8), False),
        (Owner(host=HOST, pid=9), True),
        (Owner(host="b" * 12, pid=9), False),
    ],
)
def test_who_is_gone(owner: Owner, gone: bool):
    assert owner.is_gone([ID], HERE, lambda pid: pid == 8) is gone


@pytest.mark.parametrize(("running", "gone"), [([ID], True), (["e" * 64], False), ([], False)])
def test_a_run_in_a_container_of_another_engine_knows_no_owner(running: list[str], gone: bool):
    owner, here = Owner(container="f" * 12), Owner(container=ID[:12])
    assert owner.is_gone(running, here, lambda _: False) is gone


def test_only_what_is_left_over_is_removed(tmp_path: Path):
    own, dead = Owner.here("").new_name(), Owner(container="f" * 12).new_name()
    alive = Owner(container=ID[:12]).new_name()
    rows = [
        {"ID": ID, "Names": "action", "State": "running"},
        *({"ID": "e" * 64, "Names": name, "State": "running"} for name in (own, dead, alive, "postgres")),
    ]
    removed = []

    def run(command: Command) -> Completed:
        words = command.argv[1:]
        if words[0] == "ps":
            return completed(b"".join(answer(row).stdout for row in rows))
        if words[1] == "ls":
            return completed(f"bridge\n{dead}\n".encode())
        removed.append(words)
        return completed(b"")

    assert sweep(context(tmp_path, run), "") == [dead] * 3
    assert removed == [
        ("rm", "--force", "--volumes", dead),
        ("network", "rm", dead),
        ("volume", "rm", "--force", dead),
    ]


@pytest.mark.parametrize(
    ("networks", "name"),
    [
        ({"github_network_1": {}}, "github_network_1"),
        ({"host": {}}, ""),
        ({"none": {}}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_the_network_of_a_container(networks: object, name: str):
    assert network_of({"NetworkSettings": {"Networks": networks}}) == name
    assert network_of(None) == ""


def test_the_address_in_a_network():
    container = {"NetworkSettings": {"Networks": {"a": {"IPAddress": "172.18.0.3"}, "b": {"IPAddress": ""}}}}
    assert [address_in(container, name) for name in "abc"] == ["172.18.0.3", "", ""]
