"""Rules of this repository that no linter checks."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.paths import GOLDEN, ROOT

from ci_action.engine.tool import Tool
from ci_action.project.programs import BundledTools
from ci_action.settings import SETTINGS
from ci_action.settings.general import ALL, STAGES
from ci_action.stages import load, load_all, tools
from ci_action.stages.quality.black import discovery

SOURCES = sorted((ROOT / "src").rglob("*.py"))
FOLDERS = ("bench", "e2e", "integration", "meta", "support", "unit")
TESTS = sorted(file for folder in FOLDERS for file in (ROOT / "tests" / folder).rglob("*.py"))
BUNDLED = BundledTools.of(Path(sys.prefix))


def shown(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", SOURCES, ids=shown)
def test_modules_and_public_functions_have_docstrings(file: Path):
    tree = ast.parse(file.read_text("utf-8"))
    public = [
        node
        for node in ast.iter_child_nodes(tree)
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    assert ast.get_docstring(tree) or not tree.body
    assert all(ast.get_docstring(node) for node in public)


@pytest.mark.parametrize("file", [*SOURCES, *TESTS], ids=shown)
def test_a_suppression_has_a_reason(file: Path):
    bare = r"#\s*type: ignore\[[\w, -]+\]\s*$|#\s*noqa(: [A-Z0-9, ]+)?\s*$"
    lines = enumerate(file.read_text("utf-8").splitlines(), 1)
    found = [number for number, line in lines if re.search(bare, line) and "import" not in line]
    assert found == []


@pytest.mark.parametrize("file", TESTS, ids=shown)
def test_nothing_is_patched(file: Path):
    forbidden = ("mock." + "patch", "monkeypatch" + ".setattr", "unittest" + ".mock")
    assert not [word for word in forbidden if word in file.read_text("utf-8")]


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


@pytest.mark.parametrize("file", [file for file in TESTS if "bench" not in file.parts], ids=shown)
def test_tests_only_share_support(file: Path):
    others = set(FOLDERS) - {"support"}
    assert [name for name in imported(file) if name.split(".")[0] in others] == []


@pytest.mark.parametrize("file", [file for file in TESTS if file.name != "paths.py"], ids=shown)
def test_folders_of_the_repository_are_defined_once(file: Path):
    assert not re.search(r"__file__\W.*\bparents\b", file.read_text("utf-8"))


@pytest.mark.parametrize("file", [*SOURCES, *TESTS], ids=shown)
def test_our_modules_in_texts_exist(file: Path):
    """Programs that tests write are text, so no linter checks their imports."""
    named = set(
        re.findall(
            r"\bfrom (ci_action(?:\.\w+)*) import\b|\bby (ci_action(?:\.\w+)+)", file.read_text("utf-8")
        )
    )
    places = [ROOT.joinpath("src", *(one or other).split(".")) for one, other in named]
    assert [place for place in places if not place.with_suffix(".py").is_file() and not place.is_dir()] == []


# The seal of the unit tests itself is tested among them.
WITHOUT_A_MODULE = {"test_seal.py"}


@pytest.mark.parametrize("file", sorted((ROOT / "tests" / "unit").rglob("test_*.py")), ids=shown)
def test_unit_tests_mirror_the_package(file: Path):
    """`test_a.py` or `test_a_topic.py` is beside where the module `a` is, or in the folder of the package `a`."""
    place = file.parent.relative_to(ROOT / "tests" / "unit")
    words = file.stem.removeprefix("test_").split("_")
    names = ["_".join(words[:length]) for length in range(1, len(words) + 1)]
    folder = ROOT / "src" / "ci_action" / place
    known = (
        {one.stem for one in folder.glob("*.py")} | {one.name for one in folder.glob("*/")} | {folder.name}
    )
    assert known.intersection(names) or file.name in WITHOUT_A_MODULE


@pytest.mark.parametrize(
    "tool",
    [tool for stage in load_all() for tool in stage.tools if tool.program is None],
    ids=lambda tool: tool.name,
)
def test_every_bundled_version_has_recorded_outputs(tool: Tool):
    version = BUNDLED.version(tool.distribution)
    for case in ("clean", "findings"):
        names = [f"{version}-{case}.{kind}" for kind in ("out", "err", "json")]
        streams, both = names[:2], names[2:]  # kept in two files, or with the input in one
        assert any(all((GOLDEN / tool.name / name).is_file() for name in kept) for kept in (streams, both))


def test_the_defaults_of_black_are_those_of_the_bundled_black():
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


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_does_not_import_the_tools_of_the_others(name: str):
    load = f"import ci_action.cli, ci_action.stages as s, sys; s.load({name!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", load], capture_output=True, text=True, check=True)
    loaded = {one for one in STAGES if f"ci_action.stages.{one}.stage" in done.stdout.split()}
    assert loaded == {name}


# What may name tools: stages, settings, project, init, and the packages that stages share.
ROOMS = (
    "stages/", "settings/", "project/", "commands/init/",
    "engine/advisories/", "engine/environment.py", "engine/secret_scan/", "engine/test_run/",
)  # fmt: skip
PACKAGE = ROOT / "src" / "ci_action"
OUTSIDE = [file for file in SOURCES if not file.relative_to(PACKAGE).as_posix().startswith(ROOMS)]
# What has a package of that name, or a hyphen in it: the others are called by ordinary words. What `coverage` measures is
# a word of the model, whoever measures it.
LOCKED = {package["name"] for package in tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]}
MEANT = {name for name in tools() if name in LOCKED or "-" in name} - {"coverage"}
TOOL_NAMES = re.compile(
    rf"(?<![a-z])({'|'.join(sorted(name.replace('-', '[-_]') for name in MEANT))})(?![a-z])", re.IGNORECASE
)
# Words of others, and an input of every run that has the name of a tool.
NOT_MEANT = {
    "pytest.skip", "pytest.xfail",  # the types of JUnit's file, whoever ran the tests
    "BLACK_", "RUFF_",  # variables that no child sees
    *(name.replace("-", "_") for name, setting in SETTINGS.items() if setting.stage == ALL),
}  # fmt: skip


def written(node: ast.AST) -> Iterator[str]:
    """Yield the names and texts of a node."""
    for field in ("id", "attr", "arg", "name", "asname", "module"):
        if isinstance(value := getattr(node, field, None), str):
            yield value
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


@pytest.mark.parametrize("file", OUTSIDE, ids=shown)
def test_no_module_outside_a_wing_names_a_tool(file: Path):
    tree = ast.parse(file.read_text("utf-8"))
    texts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    nodes = (node for node in ast.walk(tree) if id(node) not in texts)
    found = {
        f"line {getattr(node, 'lineno', 0)}: {text}"
        for node in nodes
        for text in written(node)
        if TOOL_NAMES.search(text) and text not in NOT_MEANT
    }
    assert sorted(found) == []


@pytest.mark.parametrize("name", STAGES)
def test_the_tools_of_a_stage_do_not_import_each_other(name: str):
    wing = PACKAGE / "stages" / name
    modules = {
        one.check.__module__
        for one in load(name).tools
        if one.check.__module__.startswith("ci_action.stages.")
    }
    for module in modules:
        place = wing / module.removeprefix(f"ci_action.stages.{name}.").replace(".", "/")
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
        known = {one for file in files for one in imported(file)}
        others = modules - {module}
        assert files
        assert [
            one for one in known if any(one == other or one.startswith(f"{other}.") for other in others)
        ] == []


def test_the_paths_in_the_guide_exist():
    text = (ROOT / ".github" / "CONTRIBUTING.md").read_text("utf-8")
    package = ROOT / "src" / "ci_action"
    paths = re.findall(r"`((?:[\w.]+/)+[\w.]*)`", text)
    assert [one for one in paths if not any((place / one).exists() for place in (ROOT, package))] == []
    names = re.findall(r"`(\w+\.(?:py|toml))`", text)
    folders = (package, GOLDEN, ROOT / ".github")
    assert [
        one
        for one in names
        if not (ROOT / one).exists() and not any([*folder.rglob(one)] for folder in folders)
    ] == []
