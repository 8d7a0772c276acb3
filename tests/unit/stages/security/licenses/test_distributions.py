"""The packages of an environment, by what lies in its folders."""

import json
from pathlib import Path

import pytest
from support.builders import write

from ci_action.stages.security.licenses.distributions import distributions, installed_from


def metadata(name: str, version: str = "1.0", more: str = "") -> str:
    return f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{more}\nLong words.\n"


def test_every_kind_of_metadata_is_read(tmp_path: Path):
    write(
        tmp_path,
        {
            "wheel_one-1.0.dist-info/METADATA": metadata("Wheel.One", more="License-Expression: MIT\n"),
            "folder-2.0-py3.11.egg-info/PKG-INFO": metadata("folder", "2.0"),
            "file-3.0-py3.11.egg-info": metadata("file", "3.0"),
            "egg-4.0-py3.11.egg/EGG-INFO/PKG-INFO": metadata("egg", "4.0"),
            "~heel-1.0.dist-info/METADATA": metadata("heel"),
            "module.py": "",
            "package/__init__.py": "",
        },
    )
    found = [(one.name, one.version) for one in distributions([tmp_path])]
    assert found == [("egg", "4.0"), ("file", "3.0"), ("folder", "2.0"), ("Wheel.One", "1.0")]
    (wheel,) = (one for one in distributions([tmp_path]) if one.name == "Wheel.One")
    assert wheel.metadata
    assert wheel.metadata["license_expression"] == "MIT"


def test_the_first_folder_counts_and_one_that_is_not_there_has_nothing(tmp_path: Path):
    write(
        tmp_path,
        {"a/x-1.0.dist-info/METADATA": metadata("x"), "b/X-2.0.dist-info/METADATA": metadata("X", "2.0")},
    )
    found = distributions([tmp_path / "none", tmp_path / "a", tmp_path / "b"])
    assert [(one.name, one.version) for one in found] == [("x", "1.0")]


@pytest.mark.parametrize(
    "files",
    [
        {"x-1.0.dist-info/RECORD": ""},
        {"x-1.0.dist-info/METADATA/is a folder": ""},
        {"x-1.0.dist-info/METADATA": b"\xff\xfe\0nothing"},
        {"x-1.0.dist-info/METADATA": ""},
    ],
    ids=["absent", "a folder", "no text", "empty"],
)
def test_a_package_whose_metadata_cannot_be_read_is_not_lost(tmp_path: Path, files: dict[str, str | bytes]):
    write(tmp_path, files)
    (one,) = distributions([tmp_path])
    assert (one.name, one.version) == ("x", "1.0")
    assert not one.metadata or "license" not in one.metadata


@pytest.mark.parametrize(
    ("document", "own"),
    [
        ({"url": "file://@W@", "dir_info": {"editable": True}}, True),
        ({"url": "file://@W@/packages/a%20b"}, True),
        ({"url": "file:///elsewhere"}, False),
        ({"url": "https://example.org@W@"}, False),
        ({"url": 5}, False),
        ({}, False),
        ([], False),
    ],
    ids=str,
)
def test_what_comes_out_of_the_workspace_is_the_project_s_own(tmp_path: Path, document: object, own: bool):
    workspace = tmp_path / "w"
    text = json.dumps(document).replace("@W@", str(workspace))
    write(tmp_path, {"x-1.dist-info/METADATA": metadata("X.y"), "x-1.dist-info/direct_url.json": text})
    assert installed_from(distributions([tmp_path]), workspace) == ({"x-y"} if own else set())
