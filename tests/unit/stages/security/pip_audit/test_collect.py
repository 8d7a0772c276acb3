"""The packages of a project: the order of the sources, the calls of uv, and the fallback if uv fails."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, completed, layout, write

from ci_action.project.dependencies.inventory import Inventory, Kind
from ci_action.project.environment import Builder, Environment
from ci_action.stages.security.pip_audit.collect import at_base, from_files, take
from ci_action.stages.security.pip_audit.resolution import Resolver
from ci_action.system.errors import ToolError

LOCK = '[[package]]\nname = "a"\nversion = "1"\nsource = { registry = "x" }\n'
PYPROJECT = """[build-system]
requires = ["hatchling"]
[project]
name = "app"
version = "1"
dependencies = [
    "requests",
]
[project.optional-dependencies]
test = ["six==1.16"]
docs = ["sphinx"]
[dependency-groups]
lint = ["ruff"]
"""
COMPILED = "requests==2.19.0  # via app (pyproject.toml)\nurllib3==1.24  # via requests\n"
HASHED = "requests==2.19.0 --hash=sha256:aa\n    # via -r requirements.in\nurllib3==1.24 --hash=sha256:bb\n    # via requests\n"
NO_NETWORK = completed("", "error: Request failed after 3 retries\n  cause: dns error\n", 2)


def builder(root: Path, run: FakeRun | None = None, **environ: str) -> Builder:
    text = (root / "pyproject.toml").read_text() if (root / "pyproject.toml").is_file() else ""
    tempdir = root.parent / "tempdir"
    tempdir.mkdir(exist_ok=True)
    return Builder(
        uv=Path("uv"), run=run or FakeRun(), layout=layout(root, pyproject=tomllib.loads(text)), environ=environ,
        tempdir=tempdir, cache=None, timeout=60,
    )  # fmt: skip


def taken(root: Path, files: dict[str, str], run: FakeRun | None = None, **overrides) -> Inventory:
    write(root, files)
    return take(
        Resolver(builder=builder(root, run)),
        **{"install": (), "made": None, "python_version": "", **overrides},
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "w"


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"uv.lock": LOCK, "poetry.lock": "", "requirements.txt": ""}, Kind.UV),
        ({"pylock.toml": "", "poetry.lock": ""}, Kind.PYLOCK),
        ({"poetry.lock": "", "pdm.lock": ""}, Kind.POETRY),
        ({"pdm.lock": "", "Pipfile.lock": "{}"}, Kind.PDM),
        ({"Pipfile.lock": "{}", "requirements.txt": ""}, Kind.PIPENV),
        ({"requirements.txt": HASHED}, Kind.REQUIREMENTS),
        ({"README.md": ""}, Kind.METADATA),
    ],
)
def test_the_order_needs_no_resolver(files, kind, root):
    assert taken(root, files).kind is kind


def test_a_lock_above_the_project_counts(root):
    members = "[tool.uv.workspace]\nmembers = ['back']\n"
    write(
        root, {"uv.lock": LOCK, "pyproject.toml": members, "back/pyproject.toml": "[project]\nname = 'b'\n"}
    )
    found = from_files(layout(root, root=root / "back"))
    assert found is not None
    assert (found.source, [one.name for one in found.packages]) == ("uv.lock", ["a"])


def test_a_lock_that_cannot_be_read(root):
    with pytest.raises(ToolError, match=r"uv\.lock cannot be read"):
        taken(root, {"uv.lock": "[["})


def test_files_with_every_hash_are_taken_as_they_are(root):
    found = taken(root, {"requirements.txt": HASHED, "requirements.in": "requests"})
    assert [(one.name, str(one.location), one.parents) for one in found.packages] == [
        ("requests", "requirements.txt:1", ()),
        ("urllib3", "requirements.txt:3", ("requests",)),
    ]
    assert (found.files, found.compiled) == (
        (root / "requirements.txt",),
        {"requirements.txt": "requirements.in"},
    )


def test_metadata_is_resolved_with_all_extras_and_groups(root):
    run = FakeRun(uv=completed(COMPILED))
    found = taken(root, {"pyproject.toml": PYPROJECT}, run, python_version="3.12")
    (words,) = run.words
    assert words[1:3] == ("pip", "--no-progress")
    assert {
        "compile",
        "pyproject.toml",
        "--all-extras",
        "--group=lint",
        "--python-version=3.12",
        "--no-python-downloads",
    } <= set(words)
    assert [(one.name, str(one.location), one.direct, one.named) for one in found.packages] == [
        ("requests", "pyproject.toml:7", True, True),
        ("urllib3", "pyproject.toml:7", False, False),
    ]
    assert found.files == ()


def test_where_all_together_cannot_be_the_tests_are_enough(root, wording: Any):
    run = FakeRun(uv=[completed("", "error: No solution found\n", 1), completed(COMPILED)])
    found = taken(root, {"pyproject.toml": PYPROJECT}, run)
    assert {"--extra=test", "pyproject.toml"} <= set(run.words[1])
    assert "--all-extras" not in run.words[1]
    assert [one.name for one in found.packages] == ["requests", "urllib3"]
    assert found.notes[0] == wording


def test_without_a_network_what_is_pinned_is_left(root, wording: Any):
    found = taken(root, {"requirements.txt": "requests==2.19.0\nflask\n"}, FakeRun(uv=NO_NETWORK))
    assert [(one.name, one.version) for one in found.packages] == [("requests", "2.19.0")]
    left, needed = found.unauditable
    assert (left.name, str(left.location)) == ("flask", "requirements.txt:2")
    assert (needed.name, str(needed.location)) == (wording, "requirements.txt")
    assert "see the notes" in left.reason
    assert "dns error" in found.notes[0]
    assert found.notes[0] == wording


def test_with_nothing_pinned_it_is_broken_with_the_resolvers_reason(root, wording: Any):
    with pytest.raises(ToolError) as caught:
        taken(root, {"requirements.txt": "flask\n"}, FakeRun(uv=NO_NETWORK))
    assert str(caught.value) == wording


def test_pins_for_other_systems_and_what_files_say_of_parents_count(root):
    text = "requests==2.19.0  # via -r x.in\nurllib3==1.24  # via requests\ncolorama==0.4 ; sys_platform == 'win32'\n"
    run = FakeRun(
        uv=completed(
            "requests==2.19.0  # via -r requirements.txt\nurllib3==1.24  # via requests, -r requirements.txt\n"
        )
    )
    found = taken(root, {"requirements.txt": text}, run)
    assert [(one.name, one.direct, one.pinned) for one in found.packages] == [
        ("requests", True, True),
        ("urllib3", False, True),
        ("colorama", None, True),
    ]


def test_pins_for_other_systems_in_metadata_count_like_those_of_files(root):
    text = (
        "[project]\nname = 'p'\nversion = '1'\n"
        "dependencies = ['requests', \"colorama==0.4; sys_platform == 'win32'\", \"six>1; sys_platform == 'win32'\"]\n"
    )
    run = FakeRun(uv=completed("requests==2.19.0  # via p (pyproject.toml)\n"))
    found = taken(root, {"pyproject.toml": text}, run)
    assert [(one.name, one.version, str(one.location), one.direct) for one in found.packages] == [
        ("requests", "2.19.0", "pyproject.toml:4", True),
        ("colorama", "0.4", "pyproject.toml:4", True),
    ]


def test_further_files_are_resolved_by_themselves(root):
    files = {
        "requirements.txt": "a==1\n",
        "requirements-prod.txt": "-r requirements.txt\nb\n",
        "requirements/ci-extra.txt": "c\n",
        "constraints.txt": "d\n",
    }
    answers = {
        "requirements.txt": "a==1\n",
        "requirements-prod.txt": "a==1\nb==2\n",
        "requirements/ci-extra.txt": "c==3\n",
    }
    run = FakeRun(uv=lambda command: completed(answers[command.argv[-1]]))
    found = taken(root, files, run)
    assert {words[-1] for words in run.words} == answers.keys()
    assert sorted(one.name for one in found.packages) == ["a", "b", "c"]


def test_tables_of_poetry_without_a_build_system(root):
    run = FakeRun(uv=completed("six==1\n"))
    taken(root, {"pyproject.toml": "[tool.poetry.dependencies]\npython = '^3.11'\nsix = '^1.16'\n"}, run)
    assert (root.parent / "tempdir" / "needed.txt").read_text() == "six (>=1.16,<2.0)\n"
    assert run.words[0][-1].endswith("needed.txt")


ODD = """[tool.poetry.dependencies]
many = [{version = "<2", python = "<3.9"}, {version = ">=2", python = ">=3.9"}]
address = {url = "https://e.org/address-1.0.tar.gz"}
part = {path = "vendor/part"}
absent = {path = "vendor/absent"}
three = 3
[tool.pdm.dev-dependencies]
test = ["-e file:///x", "six"]
"""


def test_entries_of_every_form_are_resolved_or_named(root):
    run = FakeRun(uv=completed("many==2\nsix==1\naddress @ https://e.org/address-1.0.tar.gz\n"))
    found = taken(root, {"pyproject.toml": ODD, "vendor/part/pyproject.toml": ""}, run)
    needed = (root.parent / "tempdir" / "needed.txt").read_text().splitlines()
    assert [line.partition(" ")[0] for line in needed] == ["many", "many", "address", "part", "six"]
    assert [one.name for one in found.packages] == ["many", "six"]
    assert sorted(one.name for one in found.unauditable) == ["absent", "address", "an entry", "three"]
    assert {str(one.location) for one in found.unauditable if one.name in {"absent", "three"}} == {
        "pyproject.toml:5",
        "pyproject.toml:6",
    }


def test_only_what_is_not_understood(root):
    found = taken(root, {"pyproject.toml": "[tool.poetry.dependencies]\nthree = 3\n"})
    assert ([one.name for one in found.unauditable], found.packages) == (["three"], ())


@pytest.mark.parametrize("text", ["[tool.poetry]\ngroup = []\n", "[tool.poetry]\ndependencies = 'x'\n"])
def test_tables_of_another_shape_are_named(text: str, root, wording: Any):
    assert [one.name for one in taken(root, {"pyproject.toml": text}).unauditable] == [wording]


def test_a_folder_in_a_requirements_file_is_resolved(root):
    run = FakeRun(uv=completed("./vendor/pkg\nrequests==2.19.0  # via pkg (./vendor/pkg)\n"))
    found = taken(root, {"requirements.txt": "./vendor/pkg\n"}, run)
    assert [(one.name, one.direct) for one in found.packages] == [("requests", True)]


def test_a_folder_that_cannot_be_resolved_is_named(root):
    text = "./vendor/pkg\nrequests==2.19.0\n"
    found = taken(root, {"requirements.txt": text}, FakeRun(uv=NO_NETWORK))
    assert [(one.name, str(one.location)) for one in found.unauditable if "vendor" in one.name] == [
        ("what './vendor/pkg' needs", "requirements.txt:1")
    ]


def test_a_setup_cfg_that_nothing_builds(root):
    text = "[options]\ninstall_requires =\n    requests==2.19.0\n    # why\n    six; python_version<'4'\n[options.extras_require]\ndocs = sphinx\nall = file: all.txt\n"
    run = FakeRun(uv=completed("requests==2.19.0\nsix==1\nsphinx==2\n"))
    found = taken(root, {"setup.cfg": text}, run)
    assert (root.parent / "tempdir" / "needed.txt").read_text().splitlines() == [
        "requests==2.19.0",
        "six; python_version<'4'",
        "sphinx",
    ]
    assert (found.kind, found.source) == (Kind.METADATA, "setup.cfg")
    assert str(found.packages[0].location) == "setup.cfg:3"
    (root.parent / "tempdir" / "needed.txt").unlink()
    taken(root, {"setup.py": ""}, run)  # now it is for the build backend to read
    assert not (root.parent / "tempdir" / "needed.txt").exists()
    assert taken(root, {"setup.py": "", "setup.cfg": "[["}, run).packages


def test_an_environment_but_for_us_and_the_project(root):
    listed = '[{"name": "requests", "version": "2"}, {"name": "App", "version": "1"}, {"name": "pytest", "version": "9"}]'
    run = FakeRun(uv=completed(listed))
    made = Environment(python="/e/bin/python", version="3.12", source="install", added=("pytest",))
    found = taken(
        root, {"pyproject.toml": PYPROJECT, "uv.lock": LOCK}, run, install=("make install",), made=made
    )
    assert (found.kind, [one.name for one in found.packages]) == (Kind.ENVIRONMENT, ["requests"])
    assert {"--exclude-editable", "--python=/e/bin/python"} <= set(run.words[0])


def test_commands_whose_environment_nobody_made_leave_the_files(root):
    assert taken(root, {"uv.lock": LOCK}, install=("make install",)).kind is Kind.UV


def test_no_current_environment(root):
    with pytest.raises(ToolError, match="activate an environment"):
        take(
            Resolver(builder=builder(write(root, {"uv.lock": LOCK}), PATH="/nowhere")),
            install=("none",),
            made=None,
            python_version="",
        )


def test_the_base_is_read_in_the_same_way(root):
    write(root, {"uv.lock": LOCK})
    here = from_files(layout(root))
    assert here is not None
    before = at_base(here, layout(root), lambda _: LOCK.replace('"1"', '"0"'))
    assert before is not None
    assert [one.version for one in before.packages] == ["0"]
    assert at_base(here, layout(root), lambda _: None) is None
    assert at_base(here, layout(root), lambda _: "[[") is None


UNLOCKED_UV = '[[package]]\nname = "app"\nversion = "1"\nsource = { virtual = "." }\n[package.metadata]\nrequires-dist = [{ name = "tomli", marker = "python_version < \'3\'" }]\n[[package]]\nname = "six"\nversion = "1"\nsource = { registry = "x" }\n'
NAMED = """[project]
name = "app"
dependencies = ["Six", "requests>=2", "tomli", "nt; sys_platform == 'win32'", "app[all]"]
[project.optional-dependencies]
all = ["flask"]
[dependency-groups]
lint = ["ruff", {include-group = "all"}]
"""
NAMED_BY_POETRY = '[tool.poetry]\nname = "app"\n[tool.poetry.dependencies]\npython = "^3.11"\nsix = "*"\nflask = "^1"\nnt = {version = "1", platform = "win32"}\n'
SIX = '[[package]]\nname = "six"\nversion = "1"\n'
NAMED_BY_PIPENV = (
    '[packages]\nsix = "*"\nflask = "*"\nnt = {version = "*", markers = "x"}\n[dev-packages]\nruff = "*"\n'
)


@pytest.mark.parametrize(
    ("files", "missing"),
    [
        ({"pyproject.toml": NAMED, "uv.lock": UNLOCKED_UV}, ["requests", "flask", "ruff"]),
        ({"pyproject.toml": NAMED, "uv.lock": ""}, ["six", "requests", "tomli", "flask", "ruff"]),
        ({"pyproject.toml": NAMED, "pdm.lock": SIX}, ["requests", "tomli"]),
        (
            {"pyproject.toml": NAMED, "pylock.toml": SIX.replace("package", "packages")},
            ["requests", "tomli"],
        ),
        ({"pyproject.toml": NAMED, "poetry.lock": SIX}, ["requests", "tomli", "flask"]),
        ({"pyproject.toml": NAMED_BY_POETRY, "poetry.lock": SIX}, ["flask"]),
        (
            {"Pipfile": NAMED_BY_PIPENV, "Pipfile.lock": '{"default": {\n"six": {"version": "==1"}}}'},
            ["flask", "ruff"],
        ),
        ({"pyproject.toml": "[project]\ndependencies = 1\n", "uv.lock": UNLOCKED_UV}, []),
        ({"uv.lock": UNLOCKED_UV}, []),
    ],
)
def test_what_a_lock_lacks_is_not_audited(files: dict[str, str], missing: list[str], tmp_path: Path):
    write(tmp_path, files)
    found = from_files(layout(tmp_path, pyproject=tomllib.loads(files.get("pyproject.toml", ""))))
    assert found is not None
    assert sorted(one.name for one in found.unauditable) == sorted(missing)
    assert all(one.location and "older than" in one.reason for one in found.unauditable)
