"""A resolution is kept for a day, if files alone decide about it."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, completed, layout, store, write

from ci_action.project.environment import Builder
from ci_action.stages.security.pip_audit.collect import resolved
from ci_action.stages.security.pip_audit.resolution import MOST, Resolver, is_static
from ci_action.system.cache import Results
from ci_action.system.process import Command, Completed

STATIC = "[project]\nname = 'app'\nversion = '1'\ndependencies = ['a']\n"
FAILED = completed("", "error: No solution found\n", 1)


class Uv:
    """Finds a Python, and resolves to a new version each time."""

    def __init__(self) -> None:
        self.compiled: list[Command] = []
        self.failing = 0
        self.python = "/usr/bin/python3.13\n"

    def __call__(self, command: Command) -> Completed:
        if "find" in command.argv:
            return completed(self.python)
        self.compiled.append(command)
        if self.failing:
            self.failing -= 1
            return FAILED
        return completed(f"z=={len(self.compiled)}\n")


def run_of(
    folder: Path,
    uv: Uv | FakeRun,
    *,
    request: str = "",
    facts: tuple[str, ...] = ("0.13", "2026-11-26"),
    environ: Mapping[str, str] | None = None,
) -> list[str]:
    """Return the packages that a run finds."""
    root, tempdir = folder / "w", folder / "tempdir"
    tempdir.mkdir(exist_ok=True)
    text = (root / "pyproject.toml").read_text() if (root / "pyproject.toml").is_file() else ""
    builder = Builder(
        uv=Path("uv"), run=uv, layout=layout(root, pyproject=tomllib.loads(text)), environ=environ or {},
        tempdir=tempdir, cache=None, timeout=60,
    )  # fmt: skip
    kept = Results(store(folder / "cache"), "resolutions", MOST)
    resolver = Resolver(builder=builder, kept=kept, facts=facts)
    found = resolved(resolver, request)
    assert resolver.save() == ""
    return [f"{one.name}=={one.version}" for one in found.packages]


@pytest.mark.parametrize(
    ("files", "keeps"),
    [
        ({"requirements.txt": "a\nb>=1 # why\nc[x]==2; python_version > '3'\n--pre\n-i https://b/simple\n"}, True),
        ({"requirements.txt": "-r base.txt\n-c limits\n", "base.txt": "a\n", "limits": "a<2\n"}, True),
        ({"pyproject.toml": STATIC}, True),
        ({"pyproject.toml": STATIC.replace("version = '1'", "dynamic = ['version']")}, True),
        ({"pyproject.toml": f"{STATIC}[tool.uv.sources]\na = {{ index = 'b' }}\n"}, True),
        ({"pyproject.toml": "[tool.poetry.dependencies]\na = '^1'\n"}, True),
        ({"requirements.txt": "-e .\n"}, False),
        ({"requirements.txt": "./part\n"}, False),
        ({"requirements.txt": ".\n"}, False),
        ({"requirements.txt": "b\na @ https://b/a.zip\n"}, False),
        ({"requirements.txt": "b\ngit+https://b/a\n"}, False),
        ({"requirements.txt": "a\n-r https://b/base.txt\n"}, False),
        ({"requirements.txt": "a\n--find-links=wheels\n"}, False),
        ({"requirements.txt": "a\n-r missing.txt\n"}, False),
        ({"requirements.txt": "a\n-r base.txt\n", "base.txt": "b @ git+https://b\n"}, False),
        ({"setup.py": "import setuptools\n"}, False),
        ({"pyproject.toml": STATIC.replace("dependencies = ['a']", "dynamic = ['dependencies']")}, False),
        ({"pyproject.toml": STATIC.replace("'a'", "'a @ git+https://b'")}, False),
        ({"pyproject.toml": f"{STATIC}[tool.uv.sources]\na = {{ path = '../a' }}\n"}, False),
        ({"pyproject.toml": f"{STATIC}[tool.uv.sources]\na = [{{ index = 'b' }}, {{ workspace = true }}]\n"}, False),
        ({"pyproject.toml": "[build-system]\nrequires = []\n[tool.poetry.dependencies]\na = '^1'\n"}, False),
        ({"pyproject.toml": "[tool.poetry.dependencies]\na = { git = 'https://b' }\n"}, False),
    ],
)  # fmt: skip
def test_only_what_files_decide_is_kept(tmp_path: Path, files: dict[str, str], keeps: bool):
    write(tmp_path / "w", files)
    uv = Uv()
    found = [run_of(tmp_path, uv) for _ in range(2)]
    assert len(uv.compiled) == (1 if keeps else 2)
    assert (found[0] == found[1]) == keeps


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"facts": ("0.13", "2026-11-27")}),
        ({}, {"facts": ("0.14", "2026-11-26")}),
        ({"request": ">=3.11"}, {"request": ">=3.12"}),
        ({"request": "3.11"}, {"request": "3.12"}),
        ({}, {"environ": {"UV_INDEX_URL": "https://b/simple"}}),
        ({}, {"environ": {"PIP_INDEX_URL": "https://b/simple"}}),
    ],
)
def test_another_day_uv_python_or_index_is_another_resolution(
    tmp_path: Path, first: dict[str, Any], second: dict[str, Any]
):
    write(tmp_path / "w", {"requirements.txt": "a\n"})
    uv = Uv()
    assert [run_of(tmp_path, uv, **how) for how in (first, second, second)] == [["z==1"], ["z==2"], ["z==2"]]


@pytest.mark.parametrize(
    "change",
    [
        {"requirements.txt": "-r base.txt\n-c limits\nb\n"},
        {"base.txt": "a>1\n"},
        {"limits": "a<3\n"},
        {"uv.toml": "[pip]\n"},
        {"pyproject.toml": "[tool.uv]\nconstraint-dependencies = ['a<1']\n"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_another_content_is_another_resolution(tmp_path: Path, change: dict[str, str]):
    write(
        tmp_path / "w", {"requirements.txt": "-r base.txt\n-c limits\n", "base.txt": "a\n", "limits": "a<2\n"}
    )
    uv = Uv()
    run_of(tmp_path, uv)
    write(tmp_path / "w", change)
    assert run_of(tmp_path, uv) == ["z==2"]


def test_another_interpreter_for_the_same_request_is_another_resolution(tmp_path: Path):
    write(tmp_path / "w", {"requirements.txt": "a\n"})
    uv = Uv()
    run_of(tmp_path, uv)
    uv.python = "/usr/bin/python3.14\n"
    assert run_of(tmp_path, uv) == ["z==2"]


def test_a_resolution_that_failed_is_not_kept(tmp_path: Path):
    extras = (
        "[project.optional-dependencies]\ntest = ['b']\ndocs = ['c']\n[dependency-groups]\nlint = ['d']\n"
    )
    write(tmp_path / "w", {"pyproject.toml": f"{STATIC}{extras}"})
    uv = Uv()
    uv.failing = 1
    assert run_of(tmp_path, uv) == ["z==2"], "reduced"
    assert run_of(tmp_path, uv) == ["z==3"], "complete"
    assert run_of(tmp_path, uv) == ["z==3"]


def test_without_a_python_uv_is_asked_every_time(tmp_path: Path):
    write(tmp_path / "w", {"requirements.txt": "a\n"})
    for number in (1, 2):
        run = FakeRun(uv=[FAILED, completed(f"z=={number}\n")])
        assert run_of(tmp_path, run) == [f"z=={number}"]


def test_metadata_without_a_project_is_not_static():
    assert not is_static({})
    assert not is_static({"project": {"name": "a", "dynamic": "dependencies"}})
