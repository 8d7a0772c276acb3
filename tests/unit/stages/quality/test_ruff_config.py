"""Where Ruff's configuration leads: inside the workspace, or it is refused by name before Ruff reads it."""

import os
from pathlib import Path

import pytest
from support.builders import layout, write

from ci_action.stages.quality.common import as_argument
from ci_action.stages.quality.ruff_config import configurations
from ci_action.system.errors import ToolError

OUT = "/proc/self/environ"


@pytest.mark.parametrize(
    ("files", "words", "named"),
    [
        ({"ruff.toml": f"extend = '{OUT}'"}, (), (OUT, "ruff.toml")),
        ({".ruff.toml": f"extend = '{OUT}'"}, (), (OUT, ".ruff.toml")),
        ({"pyproject.toml": f"[tool.ruff]\nextend = '{OUT}'"}, (), (OUT, "pyproject.toml")),
        ({"sub/deep/ruff.toml": f"extend = '{OUT}'"}, (), (OUT, "sub/deep/ruff.toml")),
        ({"ruff.toml": "extend = 'b.toml'", "b.toml": f"extend = '{OUT}'"}, (), (OUT, "b.toml")),
        ({"ruff.toml": "extend = '../outside.toml'"}, (), ("outside.toml",)),
        ({"sub/ruff.toml": "extend = '../../outside.toml'"}, (), ("outside.toml",)),
        ({"ruff.toml": "extend = '.git/config'", ".git/config": "x"}, (), (".git/config",)),
        ({"ruff.toml": "extend = '~/x.toml'"}, (), ("~/x.toml", "ruff.toml")),
        ({"ruff.toml": "extend = '$HOME/x.toml'"}, (), ("$HOME/x.toml",)),
        ({"ruff.toml": "extend = '${A}.toml'"}, (), ("${A}.toml",)),
        ({"own.toml": f"extend = '{OUT}'"}, ("--config=own.toml",), (OUT, "own.toml")),
        ({"own.toml": f"extend = '{OUT}'"}, ("--config", "own.toml"), (OUT, "own.toml")),
        ({}, ("--config=../outside.toml",), ("outside.toml",)),
    ],
)
def test_what_leads_out_is_refused(
    tmp_path: Path, files: dict[str, str], words: tuple[str, ...], named: tuple[str, ...]
):
    write(tmp_path, {"outside.toml": "line-length = 1"})
    root = write(tmp_path / "w", {"a.py": "", **files})
    with pytest.raises(ToolError, match="configuration of ruff is refused") as error:
        configurations(layout(root), words)
    assert all(name in error.value.reason for name in named), error.value.reason


@pytest.mark.parametrize("name", ["ruff.toml", "pyproject.toml", "sub/.ruff.toml"])
@pytest.mark.parametrize("target", [OUT, "/dev/zero", "ruff.toml", "pyproject.toml", ".ruff.toml"])
def test_a_configuration_that_is_such_a_link_is_refused(tmp_path: Path, name: str, target: str):
    file = write(tmp_path / "w", {"sub/a.py": ""}) / name
    file.symlink_to(target)
    if target.startswith("/") or target == file.name:
        with pytest.raises(ToolError, match="refused"):
            configurations(layout(tmp_path / "w"), ())
    else:
        configurations(layout(tmp_path / "w"), ())


@pytest.mark.parametrize("name", ["ruff.toml", ".gitignore", ".ignore"])
def test_a_pipe_is_refused(tmp_path: Path, name: str):
    os.mkfifo(write(tmp_path / "w", {"sub/a.py": ""}) / "sub" / name)
    with pytest.raises(ToolError, match="FIFO"):
        configurations(layout(tmp_path / "w"), ())


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, ()),
        ({"ruff.toml": "extend = 'gone.toml'"}, ()),
        ({"ruff.toml": "extend = 'pyproject.toml'", "pyproject.toml": "[tool.ruff]\nextend='ruff.toml'"}, ()),
        ({"sub/ruff.toml": "extend = '../ruff.toml'", "ruff.toml": ""}, ()),
        ({"ruff.toml": "extend = ", "pyproject.toml": "tool = 3 # extend"}, ()),
        ({"ruff.toml": f"extend-exclude = ['{OUT}']\nextend-select = ['E']"}, ()),
        ({".venv/ruff.toml": f"extend = '{OUT}'", "node_modules/x/ruff.toml": f"extend = '{OUT}'"}, ()),
        ({"own.toml": ""}, ("--config=own.toml", "--config", "line-length = 3", "--config")),
    ],
)
def test_what_stays_inside_is_left_to_ruff(tmp_path: Path, files: dict[str, str], words: tuple[str, ...]):
    configurations(layout(write(tmp_path / "w", {"a.py": "", **files})), words)


def test_names_that_ruff_would_take_for_something_else():
    assert [as_argument(name) for name in ("a.py", "-x.py", "@x.py")] == ["a.py", "./-x.py", "./@x.py"]
