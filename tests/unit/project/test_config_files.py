"""Configuration files of the project."""

from pathlib import Path
from typing import Any

import pytest
from support.builders import write

from ci_action.project.config_files import load_toml, read_toml, tool_table
from ci_action.system.errors import SettingsError, ToolError


@pytest.mark.parametrize(
    "content",
    [
        b"a = ", b"\xff", b"a = 1\na = 2", b"a = " + b"9" * 5000, b"a.b = [0x" + b"f" * 5000 + b"]",
        b"a = " + b"[" * 3000 + b"]" * 3000,
    ],
    ids=["cut", "bytes", "twice", "digits", "hexadecimal", "nested"],
)  # fmt: skip
def test_what_is_no_toml(tmp_path: Path, content: bytes, wording: Any):
    (tmp_path / "x.toml").write_bytes(content)
    with pytest.raises(SettingsError) as caught:
        load_toml(tmp_path / "x.toml", tmp_path)
    assert str(caught.value) == wording


def test_toml(tmp_path: Path):
    write(tmp_path, {"x.toml": "a = 'é'"})
    assert load_toml(tmp_path / "x.toml", tmp_path) == {"a": "é"}
    assert load_toml(tmp_path / "absent.toml", tmp_path) == {}


def test_for_a_tool_what_is_no_toml_is_a_reason_of_that_tool(tmp_path: Path):
    write(tmp_path, {"x.toml": "a = "})
    with pytest.raises(ToolError):
        read_toml(tmp_path / "x.toml", tmp_path)


@pytest.mark.parametrize(
    ("document", "expected"), [({}, {}), ({"tool": 1}, {}), ({"tool": {"a": {}}}, {"a": {}})]
)
def test_the_table_of_tools(document: dict[str, Any], expected: dict[str, Any]):
    assert tool_table(document) == expected
