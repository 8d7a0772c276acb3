"""The size of the image in a former report."""

import json
from pathlib import Path

import pytest
from support.builders import layout, write

from ci_action.stages.docker.image.base_report import base_size


def report(**metrics: float) -> str:
    tools = [{"name": "build", "metrics": {}}, {"name": "image", "metrics": metrics}]
    return json.dumps(
        {"schema_version": 1, "stages": [{"name": "test", "tools": []}, {"name": "docker", "tools": tools}]}
    )


@pytest.mark.parametrize(
    ("given", "size", "warns"),
    [
        ("", None, False),
        ("base.json", 12_345_678, False),
        ("absent.json", None, True),
        ("none.json", None, True),
        ("broken.json", None, True),
        ("list.json", None, True),
        ("deep.json", None, True),
        ("../outside.json", None, True),
        ("folder", None, True),
    ],
)
def test_the_size_of_the_base_branch(given: str, size: int | None, warns: bool, tmp_path: Path):
    files = {
        "base.json": report(image_size=12_345_678.0),
        "none.json": report(),
        "broken.json": "{",
        "list.json": "[]",
        "deep.json": "[" * 100_000,
        "folder/x": "",
    }
    root = write(tmp_path / "w", files)
    write(tmp_path, {"outside.json": report(image_size=1.0)})
    found, warning = base_size(layout(root), given)
    assert (found, bool(warning)) == (size, warns)
