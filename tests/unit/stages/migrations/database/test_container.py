"""In which network a container is started, and why none is."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from support.builders import completed, context
from support.docker_engine import answering, network

from ci_action.stages.migrations.database.container import image_of
from ci_action.system.errors import ToolError
from ci_action.system.process import Command, Completed

ABSENT = completed(b"", returncode=1, stderr="Error response from daemon: No such object\n")
ID = "0123456789abcdef" * 4
MOUNTS = f"""\
812 811 0:52 / / rw,relatime - overlay overlay rw
823 812 8:1 /var/lib/docker/containers/{ID}/resolv.conf /etc/resolv.conf rw - ext4 /dev/sda1 rw
824 812 8:1 /var/lib/docker/containers/{ID}/hostname /etc/hostname rw - ext4 /dev/sda1 rw
"""


@pytest.mark.parametrize(
    ("container", "mounts", "answer", "found"),
    [
        (False, MOUNTS, network("bridge"), ""),
        (True, MOUNTS, network("github_network_1"), f"container:{ID}"),
        (True, MOUNTS, network("default"), f"container:{ID}"),
        (True, MOUNTS, network("host"), "host"),
        (True, MOUNTS, ABSENT, "host"),
        (True, "", network("bridge"), "host"),
    ],
)
def test_the_network(tmp_path: Path, container: bool, mounts: str, answer: Completed, found: str):
    ctx = context(tmp_path, answering({"container": answer}), container=container)
    image = image_of(ctx, 16, mounts)
    assert (image.name, image.network) == ("postgres:16", found)


@pytest.mark.parametrize(
    ("answers", "part"),
    [
        ({"info": completed(b"", returncode=1, stderr="Cannot connect\n")}, "Cannot connect"),
        (
            {
                "image": ABSENT,
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
