"""The project's configuration of bandit: which files decide, and what is wrong with them."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.builders import layout, write

from ci_action.stages.security.bandit.config import BanditConfig, argument_mistakes, bandit_config
from ci_action.system.errors import ToolError


def config(tmp_path: Path, files: dict[str, str], *words: str, root: str = "") -> BanditConfig:
    workspace = write(tmp_path / "w", {"a.py": "", **files})
    tempdir = tmp_path / "tempdir"
    tempdir.mkdir(exist_ok=True)
    return bandit_config(layout(workspace, root=workspace / root), words, tempdir)


TABLE = "[tool.bandit]\nskips = ['B101']\n"
YAML = "skips: [B101]\n"
INI = "[bandit]\nskips = B101\n"


@pytest.mark.parametrize(
    ("files", "words", "options"),
    [
        ({}, (), []),
        ({"pyproject.toml": "[tool.black]\n"}, (), []),
        ({"pyproject.toml": TABLE}, (), ["--configfile=pyproject.toml"]),
        ({"bandit.yaml": YAML}, (), ["--configfile=bandit.yaml"]),
        ({"bandit.yml": YAML}, (), ["--configfile=bandit.yml"]),
        ({".bandit.yaml": YAML}, (), ["--configfile=.bandit.yaml"]),
        ({".bandit.yml": YAML}, (), ["--configfile=.bandit.yml"]),
        ({"bandit.toml": TABLE}, (), ["--configfile=bandit.toml"]),
        ({".bandit": INI}, (), ["--ini=.bandit"]),
        ({".bandit": YAML}, (), ["--configfile=.bandit"]),
        ({"pyproject.toml": TABLE, "bandit.yaml": YAML}, (), ["--configfile=pyproject.toml"]),
        ({"pyproject.toml": TABLE, ".bandit": INI}, (), ["--ini=.bandit", "--configfile=pyproject.toml"]),
        ({"pyproject.toml": TABLE, ".bandit": YAML}, (), ["--configfile=pyproject.toml"]),
        ({"pyproject.toml": TABLE, "x.yaml": YAML}, ("-c", "x.yaml"), []),
        ({"pyproject.toml": TABLE, "x.yaml": YAML}, ("-cx.yaml",), []),
        ({"pyproject.toml": TABLE, "x.yaml": YAML}, ("--config=x.yaml",), []),
        ({".bandit": INI, "x": INI}, ("--ini=x",), []),
        ({".bandit": INI + "configfile = x.yaml\n", "x.yaml": YAML, "pyproject.toml": TABLE}, (), ["--ini=.bandit"]),
    ],
)  # fmt: skip
def test_which_files_decide(
    tmp_path: Path, files: dict[str, str], words: tuple[str, ...], options: list[str]
):
    found = config(tmp_path, files, *words)
    assert [option.replace(f"{tmp_path}/w/", "") for option in found.options] == options
    assert bool(found.sources) is bool(options or words)
    assert (found.table or found.ini or {}).get("skips") in ({"B101"}, ["B101"], "B101", None)
    assert bool(found.table or found.ini) is bool(found.sources)


def test_the_nearest_file_up_to_the_workspace(tmp_path: Path):
    files = {
        "../bandit.yaml": YAML,
        "bandit.yaml": "skips: [B102]\n",
        "app/x.py": "",
        "app/deep/bandit.yaml": YAML,
    }
    found = config(tmp_path, files, root="app")
    assert (found.sources, found.table) == (("bandit.yaml",), {"skips": ["B102"]})


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": "[tool.bandit"},
        {"pyproject.toml": "[tool]\nbandit = 3"},
        {"bandit.yaml": ""},
        {"bandit.yaml": "- a\n"},
        {"bandit.yaml": "a: [\n"},
        {"bandit.yaml": "a: !!python/object:os.system x\n"},
        {"bandit.yaml": "skips: B101\n"},
        {"bandit.yaml": "tests: [101]\n"},
        {"bandit.yaml": "exclude_dirs: tests\n"},
        {"bandit.yaml": "include: '*.py'\n"},
        {"bandit.yaml": "shell_injection: {shell: [x]}\n"},
        {".bandit": "[bandit]\nskips\n"},
        {".bandit": "[bandit]\nskips = 100%\n"},
        {".bandit": "[bandit]\nlevel = 2\n"},
        {".bandit": "[bandit]\noutput = x\n"},
        {".bandit": "loose words"},
    ],
)
def test_what_is_wrong_in_a_file_is_an_error(tmp_path: Path, files: dict[str, str], wording: Any):
    with pytest.raises(ToolError) as caught:
        config(tmp_path, files)
    assert str(caught.value) == wording


@pytest.mark.parametrize(
    "words",
    [
        ("-c", "none.yaml"),
        ("--ini=none",),
        ("-b", "none.json"),
        ("-b", "a.py"),
    ],
)
def test_files_that_the_user_names_must_be_there(tmp_path: Path, words: tuple[str, ...], wording: Any):
    with pytest.raises(ToolError) as caught:
        config(tmp_path, {}, *words)
    assert str(caught.value) == wording


@pytest.mark.parametrize(
    ("key", "advice"), [("exclude", "exclude_dirs"), ("skip", "skips"), ("level", "--severity-level")]
)
def test_a_key_that_nobody_reads_is_told(tmp_path: Path, key: str, advice: str, wording: Any):
    (warning,) = config(tmp_path, {"pyproject.toml": f"[tool.bandit]\n{key} = 'x'\n"}).warnings
    assert warning == wording
    assert advice in warning


def test_targets_of_a_file_are_not_used(tmp_path: Path):
    (warning,) = config(tmp_path, {".bandit": "[bandit]\ntargets = src\n"}).warnings
    assert "the targets in .bandit are ignored" in warning


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        ({}, {"a.py", "b.pyw"}),
        ({"bandit.yaml": YAML}, {"a.py"}),
        ({"bandit.yaml": "include: ['*.pyi']\n"}, {"c.pyi"}),
        ({"bandit.yaml": "include:\nskips: []\n"}, {"a.py"}),
    ],
)
def test_which_files_bandit_takes(tmp_path: Path, files: dict[str, str], taken: set[str]):
    found = config(tmp_path, files)
    assert {name for name in ("a.py", "b.pyw", "c.pyi", "d.txt") if found.takes(name)} == taken


@pytest.mark.parametrize(
    ("entry", "name", "accident"),
    [
        ("test", "src/contest/b.py", True),
        ("test", "tests/b.py", False),
        ("tests/", "a/tests/b.py", False),
        ("./tests", "tests/b.py", False),
        ("/tests", "a/tests/b.py", False),
        ("*/gen/*", "a/gen/b.py", False),
        ("b.py", "sub.py", True),
    ],
)
def test_what_is_left_out_by_accident(tmp_path: Path, entry: str, name: str, accident: bool):
    found = config(tmp_path, {"bandit.yaml": f"exclude_dirs: ['{entry}']\n"})
    assert found.by_accident(name) is accident


@pytest.mark.parametrize(
    ("files", "words", "expected"),
    [
        ({}, (), {".git", "*.egg"}),
        ({}, ("-x", "./docs,build"), {"./docs", "build"}),
        ({"docs/a.py": ""}, ("--exclude=docs",), {"docs/*"}),
        ({".bandit": "[bandit]\nexclude = x\n"}, (), {"x"}),
        ({".bandit": "[bandit]\nexclude = x\n"}, ("-x", "y"), {"y"}),
        ({"bandit.yaml": "exclude_dirs: [z]\n"}, ("-x", "y"), {"y", "z"}),
    ],
)
def test_what_is_left_out(tmp_path: Path, files: dict[str, str], words: tuple[str, ...], expected: set[str]):
    assert expected <= set(config(tmp_path, files, *words).excludes)


def test_a_baseline_names_the_files_as_bandit_does_for_us(tmp_path: Path):
    entries = [
        {"filename": name, "issue_text": "t"} for name in ("./a.py", "src/b.py", str(tmp_path / "w/c.py"))
    ]
    found = config(tmp_path, {"base.json": json.dumps({"results": entries})}, "-b", "base.json")
    (option,) = found.options
    kept = json.loads(Path(option.removeprefix("--baseline=")).read_text())["results"]
    assert [entry["filename"] for entry in kept] == ["././a.py", "././src/b.py", "././c.py"]


@pytest.mark.parametrize(
    "change",
    [
        {"bandit.yaml": "skips: [B102]\n"},
        {".bandit": INI},
        {"base.json": '{"results": [], "x": 1}'},
        {"tests/a.py": ""},
    ],
)
def test_whatever_decides_is_in_its_text(tmp_path: Path, change: dict[str, str]):
    files = {"bandit.yaml": YAML, "base.json": '{"results": []}'}
    words = ("-b", "base.json", "-x", "tests")
    assert str(config(tmp_path, files, *words)) == str(config(tmp_path, files, *words))
    assert str(config(tmp_path, files, *words)) != str(config(tmp_path, {**files, **change}, *words))


@pytest.mark.parametrize(
    "words",
    ["-x ./docs,build -s B101 -tB602 -ll -iii --ignore-nosec -p mine", "--severity-level=high -b b.json", "-c x", "--ini=x --excl=a"],
)  # fmt: skip
def test_options_that_are_the_users(words: str):
    assert argument_mistakes(words.split()) == []


@pytest.mark.parametrize(
    "words",
    ["-f txt", "--format=json", "--form=csv", "-o x", "--output=x", "-r", "-lr", "-n 3", "-a vuln", "--exit-zero", "--exit",
     "-q", "-v", "-d", "-h", "--help", "--version", "--msg-template=x", "src", "-x", "--silent", "--debug", "--verbose"],
)  # fmt: skip
def test_options_that_would_write_hide_or_move_are_refused(words: str):
    (mistake,) = argument_mistakes(words.split())
    assert mistake.startswith("bandit-args: ")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({".bandit": "[bandit]\nconfigfile = ../x\n"}, ()),
        ({".bandit": "[bandit]\nbaseline = ../x\n"}, ()),
        ({}, ("-c", "../x")),
        ({}, ("--ini=../x",)),
    ],
)
def test_nothing_outside_the_workspace_is_read(
    tmp_path: Path, files: dict[str, str], words: tuple[str, ...], wording: Any
):
    (tmp_path / "x").write_text("root:secret: [\n")
    with pytest.raises(ToolError) as caught:
        config(tmp_path, files, *words)
    assert str(caught.value) == wording


BOMB = "a0: &a0 [x]\n" + "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(9))


@pytest.mark.parametrize(
    "files",
    [
        {"bandit.yaml": BOMB},
        {"bandit.yaml": "a: &a [*a]\n"},
        {"bandit.toml": f"[tool.bandit]\na = 0x{'f' * 5000}\n"},
        {".bandit": "[bandit]\nbaseline = b.json\n", "b.json": "[" * 100_000 + "]" * 100_000},
    ],
    ids=["aliases of aliases", "an alias of itself", "a number", "a nested baseline"],
)
def test_what_has_no_end_is_refused(tmp_path: Path, files: dict[str, str]):
    with pytest.raises(ToolError):
        config(tmp_path, files)


@pytest.mark.parametrize(
    "files",
    [
        {"bandit.yaml": "1: x\na: y\n"},
        {"bandit.yaml": "2024-01-01: x\na: y\n"},
        {"bandit.yaml": f"a: 0x{'f' * 5000}\n"},
        {"bandit.yaml": "a: &a [x]\nb: *a\n"},
        {".bandit": f"[bandit]\nexclude = {'x' * 5000}\n"},
    ],
    ids=["keys", "days", "a number", "an alias", "a long name"],
)
def test_odd_values_are_a_part_of_what_decides(tmp_path: Path, files: dict[str, str]):
    assert str(config(tmp_path, files)) != str(config(tmp_path / "other", {"bandit.yaml": "b: 1\n"}))
