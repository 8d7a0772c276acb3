"""The files that Black checks, on small trees."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from support.builders import layout, write

from ci_action.stages.quality.black.discovery import BlackConfig, Discovery, black_config, config_option
from ci_action.system.errors import ToolError


def discovery(root: Path, *paths: str, **overrides: Any) -> Discovery:
    place = layout(root, paths=paths or (".",))
    return Discovery(layout=place, config=black_config(place), **overrides)


def listed(root: Path, *paths: str, **overrides: Any) -> list[str]:
    return discovery(root, *paths, **overrides).files()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            ["a.py", "b.pyi", "c.txt", "d.ipynb", "e.pyx", "py"], ["a.py", "b.pyi", "d.ipynb"], id="by suffix"
        ),
        pytest.param(
            [".venv/a.py", "build/b.py", "dist/c.py", "_build/d.py", "x/venv/e.py", "f.py"],
            ["f.py"],
            id="defaults",
        ),
        pytest.param(
            ["builds/a.py", "my_build.py", ".hidden/b.py"],
            [".hidden/b.py", "builds/a.py", "my_build.py"],
            id="near the defaults",
        ),
        pytest.param(
            ["-x.py", "a b.py", "é.py", "n\nl.py"], ["-x.py", "a b.py", "n\nl.py", "é.py"], id="odd names"
        ),
        pytest.param([], [], id="nothing"),
    ],
)
def test_a_folder(tmp_path: Path, files: list[str], expected: list[str]):
    write(tmp_path, dict.fromkeys(files, ""))
    assert listed(tmp_path) == expected


FILES = ["a.py", "gen/b.py", "src/d.py", "src/gen/c.py"]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param({}, FILES, id="nothing set"),
        pytest.param({"extend-exclude": "/gen/"}, ["a.py", "src/d.py"], id="extend-exclude"),
        pytest.param(
            {"extend-exclude": "^/gen/"}, ["a.py", "src/d.py", "src/gen/c.py"], id="anchored at the root"
        ),
        pytest.param({"exclude": "/src/"}, ["a.py", "gen/b.py"], id="exclude"),
        pytest.param({"force-exclude": "/gen/"}, ["a.py", "src/d.py"], id="force-exclude"),
        pytest.param({"include": "b\\.py$"}, ["gen/b.py"], id="include"),
        pytest.param(
            {"extend-exclude": "(\n  /gen/  # generated\n  | a\\.py\n)"}, ["src/d.py"], id="verbose"
        ),
        pytest.param({"exclude": ""}, FILES, id="empty exclude"),
    ],
)
def test_patterns_of_the_configuration(tmp_path: Path, table: dict[str, str], expected: list[str]):
    lines = [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    write(tmp_path, {**dict.fromkeys(FILES, ""), "pyproject.toml": "\n".join(["[tool.black]", *lines])})
    assert listed(tmp_path) == expected


def test_options_win_over_the_configuration(tmp_path: Path):
    write(tmp_path, {**dict.fromkeys(FILES, ""), "pyproject.toml": "[tool.black]\nextend-exclude = 'a'\n"})
    assert listed(tmp_path, words=["--extend-exclude=/src/"]) == ["a.py", "gen/b.py"]


@pytest.mark.parametrize("key", ["include", "exclude", "extend-exclude", "force-exclude"])
@pytest.mark.parametrize(
    "pattern",
    ["(", "a{99999999999}", "(" * 3000 + ")" * 3000],
    ids=["open", "repeated for ever", "nested too deeply"],
)
def test_a_wrong_pattern_is_an_error(tmp_path: Path, key: str, pattern: str, wording: Any):
    write(tmp_path, {"pyproject.toml": f"[tool.black]\n{key} = '{pattern}'\n"})
    with pytest.raises(ToolError) as caught:
        listed(tmp_path)
    assert str(caught.value) == wording


def test_gitignore_files_add_up_from_the_root_down(tmp_path: Path):
    write(
        tmp_path,
        {
            ".gitignore": "*_gen.py\n/only_here.py\n",
            "a_gen.py": "",
            "only_here.py": "",
            "s/only_here.py": "",
            "s/b_gen.py": "",
        },
    )
    write(
        tmp_path,
        {
            "s/.gitignore": "inner.py\nskipped/\n",
            "s/inner.py": "",
            "inner.py": "",
            "s/skipped/x.py": "",
            "s/t/inner.py": "",
        },
    )
    assert listed(tmp_path) == ["inner.py", "s/only_here.py"]


def test_the_gitignore_of_the_root_counts_below_it(tmp_path: Path):
    write(tmp_path, {".gitignore": "gen/\n", "src/gen/a.py": "", "src/b.py": "", ".git/HEAD": ""})
    assert listed(tmp_path, "src") == ["src/b.py"]


def test_gitignore_does_not_count_if_exclude_is_set(tmp_path: Path):
    write(
        tmp_path, {".gitignore": "a.py\n", "a.py": "", "pyproject.toml": "[tool.black]\nexclude = 'none'\n"}
    )
    assert listed(tmp_path) == ["a.py"]


def test_a_gitignore_that_cannot_be_read_is_an_error(tmp_path: Path):
    write(tmp_path, {".gitignore": b"\xff\xfe", "a.py": ""})
    with pytest.raises(ToolError, match="cannot be read"):
        listed(tmp_path)


def test_a_file_named_by_the_user_escapes_all_but_force_exclude(tmp_path: Path):
    write(tmp_path, {"build/a.txt": "", ".gitignore": "build\n"})
    assert listed(tmp_path, "build/a.txt") == ["build/a.txt"]
    assert listed(tmp_path, "build/a.txt", words=["--force-exclude", "/build/"]) == []


def test_a_path_given_twice_counts_once(tmp_path: Path):
    write(tmp_path, {"s/a.py": "", "s/b.py": ""})
    assert listed(tmp_path, "s/b.py", "s", "./s/b.py") == ["s/b.py", "s/a.py"]


def test_links(tmp_path: Path):
    root = write(tmp_path / "w", {"a.py": "", "real/b.py": ""})
    write(tmp_path, {"outside/c.py": ""})
    (root / "inside.py").symlink_to(root / "a.py")
    (root / "folder").symlink_to(root / "real")
    (root / "loop").symlink_to(root)
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "broken.py").symlink_to(root / "absent.py")
    assert listed(root) == ["a.py", "folder/b.py", "inside.py", "real/b.py"]


def test_a_workspace_that_is_a_link(tmp_path: Path):
    write(tmp_path / "real", {"a.py": "", "s/b.py": ""})
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert listed(tmp_path / "link") == ["a.py", "s/b.py"]
    assert listed(tmp_path / "link", "s") == ["s/b.py"]


def test_our_own_folders_are_never_checked(tmp_path: Path):
    write(tmp_path, {"a.py": "", "cache/b.py": ""})
    assert listed(tmp_path, never=(tmp_path / "cache",)) == ["a.py"]


@pytest.mark.parametrize(
    ("files", "paths", "root", "table"),
    [
        pytest.param({}, (".",), ".", {}, id="no configuration"),
        pytest.param(
            {"pyproject.toml": "[tool.black]\nline-length = 1\n"},
            ("s",),
            ".",
            {"line_length": 1},
            id="above the path",
        ),
        pytest.param(
            {"s/pyproject.toml": "[tool.black]\nline-length = 2\n"},
            ("s",),
            "s",
            {"line_length": 2},
            id="at the path",
        ),
        pytest.param({"s/pyproject.toml": "[tool.ruff]\n"}, ("s",), ".", {}, id="a pyproject of others"),
        pytest.param(
            {"s/.git/HEAD": "", "pyproject.toml": "[tool.black]\npreview = true\n"},
            ("s/x.py",),
            "s",
            {},
            id="a repository",
        ),
        pytest.param({"s/.hg/x": ""}, ("s",), "s", {}, id="a Mercurial repository"),
        pytest.param(
            {"pyproject.toml": "[tool.black]\n--quiet = true\n"}, (".",), ".", {"quiet": True}, id="dashes"
        ),
        pytest.param({"pyproject.toml": "[tool]\nblack = 5\n"}, (".",), ".", {}, id="no table"),
        pytest.param({"pyproject.toml": "tool = 5\n"}, (".",), ".", {}, id="tool no table"),
    ],
)
def test_the_root_and_the_configuration(
    tmp_path: Path, files: dict[str, str], paths: tuple[str, ...], root: str, table: dict[str, Any]
):
    write(tmp_path, {"s/x.py": "", **files})
    config = black_config(layout(tmp_path, paths=paths))
    assert config.root == (tmp_path / root).resolve()
    assert config.table == table


def test_configuration_above_the_workspace_is_never_read(tmp_path: Path):
    write(tmp_path, {"pyproject.toml": "[tool.black]\nline-length = 1\n", ".git/HEAD": "", "w/a.py": ""})
    assert black_config(layout(tmp_path / "w")).table == {}


def test_configuration_that_is_no_toml_is_an_error(tmp_path: Path, wording: Any):
    write(tmp_path, {"pyproject.toml": "["})
    with pytest.raises(ToolError) as caught:
        black_config(layout(tmp_path))
    assert str(caught.value) == wording


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[tool.black]\ntarget-version = ['py312']\n", True),
        ("[project]\nrequires-python = '>=3.11'\n", True),
        ("[project]\nrequires-python = 3\n", False),
        ("[tool.black]\n", False),
    ],
)
def test_whether_the_project_sets_its_target(tmp_path: Path, content: str, expected: bool):
    write(tmp_path, {"pyproject.toml": content})
    assert black_config(layout(tmp_path)).sets_target is expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--exclude=/src/", "-S"], ["a.py", "gen/b.py"]),
        (["--extend-exclude", "/gen/"], ["a.py", "src/d.py"]),
        (["--force-exclude=", "--include", "b"], ["gen/b.py"]),
        (["exclude", "--preview"], FILES),
        (["--extend-exclude", "exclude"], FILES),
    ],
)
def test_options_that_decide_about_files(tmp_path: Path, words: list[str], expected: list[str]):
    write(tmp_path, dict.fromkeys(FILES, ""))
    assert listed(tmp_path, words=words) == expected


def test_the_configuration_is_always_named(tmp_path: Path):
    file = tmp_path / "pyproject.toml"
    assert (
        config_option(BlackConfig(root=tmp_path, file=file, table={"preview": True}), tmp_path)
        == f"--config={file}"
    )
    option = config_option(BlackConfig(root=tmp_path), tmp_path)
    assert tomllib.loads(Path(option.partition("=")[2]).read_text("utf-8")) == {"tool": {"black": {}}}


def test_what_would_change_only_what_is_printed_is_left_out(tmp_path: Path):
    table = {
        "quiet": True,
        "line_length": 90,
        "target_version": ["py312"],
        "extend_exclude": 'a"\\\né',
        "preview": False,
    }
    config = BlackConfig(
        root=tmp_path, file=tmp_path / "pyproject.toml", table=table, requires_python=">=3.11"
    )
    written = tomllib.loads(Path(config_option(config, tmp_path).partition("=")[2]).read_text("utf-8"))
    del table["quiet"]
    assert written == {"tool": {"black": table}, "project": {"requires-python": ">=3.11"}}


def test_links_that_lead_out_are_noted(tmp_path: Path):
    write(tmp_path, {"out.py": "", "folder/x.py": "", "w/a.py": "", "w/.git/x.py": ""})
    root = tmp_path / "w"
    for name, target in {
        "b.py": "../out.py",
        "c": "../folder",
        "d.py": "a.py",
        "e.py": ".git/x.py",
        "f.txt": "../out.py",
    }.items():
        (root / name).symlink_to(target)
    found = discovery(root)
    assert found.files() == ["a.py", "d.py"]
    assert sorted(found.links) == ["b.py", "c", "e.py"]
