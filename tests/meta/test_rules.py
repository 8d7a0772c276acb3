"""House rules that no linter knows."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ci_action.project.programs import Bundle
from ci_action.stages import STAGES
from ci_action.stages.quality.black import discovery

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted(
    file
    for folder in ("bench", "e2e", "integration", "meta", "support", "unit")
    for file in (ROOT / "tests" / folder).rglob("*.py")
)
GOLDEN = ROOT / "tests" / "golden"
BUNDLED = Bundle.of(Path(sys.prefix))


def shown(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", SOURCES, ids=shown)
def test_modules_and_public_functions_say_what_they_are_for(file: Path):
    tree = ast.parse(file.read_text("utf-8"))
    public = [
        node
        for node in ast.iter_child_nodes(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    assert ast.get_docstring(tree) or not tree.body
    assert all(ast.get_docstring(node) for node in public)


@pytest.mark.parametrize("file", [*SOURCES, *TESTS], ids=shown)
def test_an_exception_from_a_checker_gives_its_reason(file: Path):
    bare = r"#\s*type: ignore\[[\w, -]+\]\s*$|#\s*noqa(: [A-Z0-9, ]+)?\s*$"
    lines = enumerate(file.read_text("utf-8").splitlines(), 1)
    found = [number for number, line in lines if re.search(bare, line) and "import" not in line]
    assert found == []


@pytest.mark.parametrize("file", TESTS, ids=shown)
def test_nothing_of_ours_is_patched(file: Path):
    forbidden = ("mock." + "patch", "monkeypatch" + ".setattr", "unittest" + ".mock")
    assert not [word for word in forbidden if word in file.read_text("utf-8")]


@pytest.mark.parametrize(
    "tool", [tool.name for stage in STAGES for tool in stage.tools if tool.program is None]
)
def test_every_tool_has_recorded_outputs_of_the_version_that_we_bring(tool: str):
    version = BUNDLED.version(tool)
    for case in ("clean", "findings"):
        for stream in ("out", "err"):
            assert (GOLDEN / tool / f"{version}-{case}.{stream}").is_file()


def test_the_defaults_of_black_are_those_of_the_black_that_we_bring():
    text = (BUNDLED.libraries / "black" / "const.py").read_text("utf-8")
    constants = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert constants["DEFAULT_EXCLUDES"] == discovery.DEFAULT_EXCLUDES
    assert constants["DEFAULT_INCLUDES"] == discovery.DEFAULT_INCLUDES


def test_no_path_of_a_machine_is_committed():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("no repository here")
    home = ("/work" + "/main", "/work" + "/shared", "/root" + "/.pyenv")
    names = [name for name in listed.stdout.decode().split("\0") if name]
    texts = ((name, (ROOT / name)) for name in names)
    found = [
        name
        for name, file in texts
        if file.is_file() and any(path in file.read_bytes().decode("utf-8", "replace") for path in home)
    ]
    assert found == []
