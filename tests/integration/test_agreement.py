"""What we report equals what the bare tools report under the same options, rule by rule and line by line."""

import os
import shutil
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import bare
from support.paths import PROJECTS

from ci_action.project.layout import Layout
from ci_action.stages.quality.black.discovery import Discovery, black_config

NO_CONFIGURATION = ("--isolated", "--select=E4,E7,E9,F")


def compare(ran, project: Path, tmp_path: Path, *ruff_options: str) -> None:
    """Hold a run against the bare tools."""
    mine = Counter(
        (entry["path"], entry["rule"], entry["message"], tuple(entry[key] for key in bare.PLACE))
        for entry in ran.findings("ruff")
    )
    assert mine == bare.ruff_findings(project, *ruff_options)
    seen, changed, failed = bare.black_listing(project)
    found = ran.findings("black")
    assert ran.tool("black")["examined"]["files"] == len(seen)
    assert {entry["path"] for entry in found if entry["rule"] == "format"} == changed
    assert {entry["path"] for entry in found if entry["rule"] == "parse"} == failed
    rewritten = bare.formatted(project, tmp_path / "rewritten")
    for path in changed:
        changes = [entry for entry in found if entry["path"] == path]
        assert bare.applied((project / path).read_bytes(), changes) == (rewritten / path).read_bytes(), path


def test_a_real_package_with_its_own_configuration(package, ci_action, tmp_path):
    project = shutil.copytree(package, tmp_path / "project")
    before = bare.snapshot(project)
    ran = ci_action(project, "quality", "--tool-versions=bundled", "--cache-dir=none")
    compare(ran, project, tmp_path)
    assert bare.snapshot(project) == before


def test_a_real_package_without_configuration(package, ci_action, tmp_path):
    project = shutil.copytree(package / "src", tmp_path / "project")
    ran = ci_action(project, "quality", "--cache-dir=none")
    compare(ran, project, tmp_path, *NO_CONFIGURATION)


def test_many_formatted_files_with_a_few_that_are_not(project, ci_action, tmp_path):
    files = {f"part/m{number:04}.py": f"x = {number}\n" for number in range(1_050)}
    odd = {"part/m0003.py": "x  = 3\n", "part/m0500.py": "y = ( 5)\n", "part/m0777.py": "def f(:\n"}
    folder = project({**files, **odd})
    ran = ci_action(folder, "quality", "--cache-dir=none", "--tool-versions=bundled")
    compare(ran, folder, tmp_path, *NO_CONFIGURATION)
    assert {one["path"] for one in ran.findings("black")} == odd.keys()


def test_the_messy_sample(ci_action, tmp_path):
    sample = PROJECTS / "messy"
    project = shutil.copytree(sample, tmp_path / "project")
    ran = ci_action(project, "quality", "--cache-dir=none", "--tool-versions=bundled")
    assert ran.code == 1
    compare(ran, project, tmp_path)


def test_syntax_errors(project, ci_action, tmp_path):
    folder = project({
        "pyproject.toml": "[tool.ruff]\n[tool.black]\n",
        "good.py": "x = 1\n",
        "bad.py": "def f(:\n    pass\n",
        "indent.py": "if x:\ny = 1\n",
        "dirty.py": "x  = 1\nif x == None: pass\n",
        "latin.py": b"# coding: latin-1\nx =  'caf\xe9'\n",
        "form.py": "x = 1\n\x0c\ny  = 2\n",
        "crlf.py": b"x  = 1\r\n\r\n\r\n\r\ny = 2\r\n",
        "noeol.py": "x = 1",
        "stub.pyi": "def f( x ): ...\n",
        "empty.py": "",
        "blank.py": "\n\n\n",
        "deep/er/inner.py": "a=1\n\n\n\n\n\nb=2\n",
    })  # fmt: skip
    ran = ci_action(folder, "quality", "--cache-dir=none")
    for name in ("latin.py",):  # the bare Black's bytes are Latin-1, our text is not: compared by rule alone
        assert [entry["rule"] for entry in ran.findings("black") if entry["path"] == name] == ["format"]
        (folder / name).unlink()
    ran = ci_action(folder, "quality", "--cache-dir=none")
    compare(ran, folder, tmp_path)


NAMES = st.sampled_from(
    ["a.py", "b.pyi", "c.txt", "build", "src", "sub", "venv", "x.py", "gen_x.py", "tests", ".hidden"]
)
PATTERNS = st.sampled_from(
    ["*.pyi", "build/", "/src", "!src/a.py", "sub/**", "x.py", "# note", "", "gen_*", "!gen_x.py", "tests"]
)
REGEXES = st.sampled_from([None, "", "/sub/", r"gen_", r"^/src/", "x\\.py$", "\n  /tests/  # a comment\n"])


@given(
    files=st.lists(st.lists(NAMES, min_size=1, max_size=3).map("/".join), min_size=1, max_size=12, unique=True),
    ignored=st.dictionaries(st.sampled_from([".", "src", "sub"]), st.lists(PATTERNS, max_size=3), max_size=2),
    table=st.fixed_dictionaries(dict.fromkeys(("exclude", "extend-exclude", "force-exclude"), REGEXES)),
    paths=st.sampled_from([(".",), ("src",), (".", "sub")]),
)  # fmt: skip
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_the_files_are_those_of_black(files, ignored, table, paths, tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    (root / ".git").mkdir()
    for folder in ("src", "sub"):
        (root / folder).mkdir()
    for name in files:
        path = root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x = 1\n")
        except (NotADirectoryError, FileExistsError, IsADirectoryError):
            continue
    for folder, lines in ignored.items():
        if (root / folder).is_dir():
            (root / folder / ".gitignore").write_text("\n".join(lines) + "\n")
    (root / "link.py").symlink_to("../outside.py")
    keys = "".join(f"{key} = {_toml(value)}\n" for key, value in table.items() if value is not None)
    (root / "pyproject.toml").write_text(f"[tool.black]\n{keys}")
    layout = Layout(workspace=root, root=root, paths=paths)
    mine = Discovery(layout=layout, config=black_config(layout)).files()
    theirs, _, _ = bare.black_listing(root, paths=paths)
    assert set(map(os.path.normpath, mine)) == theirs


def _toml(text: str) -> str:
    return "'''" + text + "'''"
