"""In which network a container is started, and why none is."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from support.builders import completed, context

from ci_action.stages.migrations.database.container import image_of, own_id
from ci_action.system.errors import ToolError
from ci_action.system.process import Command, Completed

ID = "0123456789abcdef" * 4
MOUNTS = f"""\
812 811 0:52 / / rw,relatime - overlay overlay rw
823 812 8:1 /var/lib/docker/containers/{ID}/resolv.conf /etc/resolv.conf rw - ext4 /dev/sda1 rw
824 812 8:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 /dev/sda1 rw
"""


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


def answering(answers: Mapping[str, Completed]):
    """Return a Docker that gives these answers, by the first word that is not an option."""

    def run(command: Command) -> Completed:
        assert command.argv[0] == "docker"
        return answers.get(command.argv[1], completed(b""))

    return run


@pytest.mark.parametrize(
    ("container", "mounts", "answer", "network"),
    [
        (False, MOUNTS, completed(b"bridge\n"), ""),
        (True, MOUNTS, completed(b"github_network_1\n"), f"container:{ID}"),
        (True, MOUNTS, completed(b"default\n"), f"container:{ID}"),
        (True, MOUNTS, completed(b"host\n"), "host"),
        (True, MOUNTS, completed(b"", returncode=1), "host"),
        (True, "", completed(b"bridge\n"), "host"),
    ],
)
def test_the_network(tmp_path: Path, container: bool, mounts: str, answer: Completed, network: str):
    ctx = context(tmp_path, answering({"container": answer}), container=container)
    image = image_of(ctx, 16, mounts)
    assert (image.name, image.network) == ("postgres:16", network)


@pytest.mark.parametrize(
    ("answers", "part"),
    [
        ({"version": completed(b"", returncode=1, stderr="Cannot connect\n")}, "Cannot connect"),
        (
            {
                "image": completed(b"", returncode=1),
                "pull": completed(b"", returncode=1, stderr="a\nno such\n"),
            },
            "no such",
        ),
    ],
)
def test_no_image(tmp_path: Path, answers: Mapping[str, Completed], part: str):
    with pytest.raises(ToolError, match=part):
        image_of(context(tmp_path, answering(answers)), 16, "")


def test_no_client(tmp_path: Path):
    def run(command: Command) -> Completed:
        raise ToolError(f"could not start {command.argv[0]!r}")

    with pytest.raises(ToolError, match="Docker"):
        image_of(context(tmp_path, run), 16, "")
