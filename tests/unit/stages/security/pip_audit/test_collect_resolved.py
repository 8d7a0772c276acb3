"""What uv resolves together and in which order, and which requirements files are resolved separately."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.builders import Answer, FakeRun, completed, layout, write

from ci_action.project.dependencies.inventory import Inventory, Kind
from ci_action.project.environment import Builder
from ci_action.stages.security.pip_audit.collect import compiled_files, further_files, resolved
from ci_action.stages.security.pip_audit.resolution import Resolver
from ci_action.system.errors import TimedOutError, ToolError

PROJECT = (
    "[build-system]\nrequires = ['hatchling']\n[project]\nname = 'app'\nversion = '1'\ndependencies = ['a']\n"
)
EXTRAS = f"{PROJECT}[project.optional-dependencies]\ntest = ['b']\ndocs = ['c']\n"
GROUPS = f"{PROJECT}[dependency-groups]\nlint = ['d']\ntest = ['e']\n"
FAILED = completed("", "error: No solution found\n", 1)
OPTIONS = {
    "pip",
    "--no-progress",
    "compile",
    "--quiet",
    "--no-header",
    "--annotation-style=line",
    "--color=never",
}


def asked(
    folder: Path, files: Mapping[str, str], *answers: Answer, request: str = ""
) -> tuple[Inventory, list[list[str]]]:
    """Return what was found, and the words that uv was given beside those that it always gets."""
    root = write(folder / "w", files)
    tempdir = folder / "tempdir"
    tempdir.mkdir()
    run = FakeRun(uv=answers or [completed("z==1\n")])
    builder = Builder(
        uv=Path("uv"), run=run, layout=layout(root, pyproject=tomllib.loads(files.get("pyproject.toml", ""))),
        environ={}, tempdir=tempdir, cache=None, timeout=60,
    )  # fmt: skip
    found = resolved(Resolver(builder=builder), request)
    words = [
        [word.replace(f"{tempdir}/", "") for word in one[1:] if word not in OPTIONS] for one in run.words
    ]
    return found, words


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"requirements.txt": "a\n"}, [["requirements.txt"]]),
        ({"requirements.txt": "a\n", "requirements-dev.txt": "b\n"}, [["requirements-dev.txt", "requirements.txt"]]),
        ({"requirements.txt": "a\n", "requirements-prod.txt": "b\n"}, [["requirements-prod.txt"], ["requirements.txt"]]),
        ({"pyproject.toml": PROJECT}, [["pyproject.toml", "--all-extras"]]),
        ({"pyproject.toml": EXTRAS}, [["pyproject.toml", "--all-extras"]]),
        ({"pyproject.toml": GROUPS}, [["pyproject.toml", "--all-extras", "--group=lint", "--group=test"]]),
        ({"pyproject.toml": "[tool.poetry.dependencies]\na = '1'\n"}, [["needed.txt"]]),
        ({"setup.cfg": "[options]\ninstall_requires = a\n"}, [["needed.txt"]]),
        ({"setup.py": ""}, [["setup.py", "--all-extras"]]),
        ({"setup.py": "", "setup.cfg": "[options]\ninstall_requires = a\n"}, [["setup.cfg", "--all-extras"]]),
        ({"README.md": ""}, []),
    ],
    ids=[
        "a file", "the files of the tests", "a file that the tests do not need", "metadata", "extras", "groups",
        "tables that uv does not read", "a setup.cfg that nothing builds", "a setup.py", "both", "nothing",
    ],
)  # fmt: skip
def test_what_is_resolved_together(tmp_path: Path, files: dict[str, str], words: list[list[str]]):
    assert sorted(asked(tmp_path, files)[1]) == words


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        (EXTRAS, ["pyproject.toml", "--all-extras"], ["pyproject.toml", "--extra=test"]),
        (
            GROUPS,
            ["pyproject.toml", "--all-extras", "--group=lint", "--group=test"],
            ["pyproject.toml", "--group=test"],
        ),
    ],
)
def test_where_not_everything_goes_together_what_the_tests_need_does(
    tmp_path: Path, text: str, first: list[str], second: list[str]
):
    found, words = asked(tmp_path, {"pyproject.toml": text}, FAILED, completed("z==1\n"))
    assert words == [first, second]
    assert [one.name for one in found.packages] == ["z"]
    [note] = found.notes
    assert "No solution found" in note


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ("", []),
        ("3.12", ["--python-version=3.12", "--no-python-downloads"]),
        ("3.12.1", ["--python-version=3.12.1", "--no-python-downloads"]),
        ("3.12.x", ["--python=3.12.x"]),
        ("pypy3.10", ["--python=pypy3.10"]),
        ("/usr/bin/python3", ["--python=/usr/bin/python3"]),
    ],
)
def test_the_python_that_it_is_resolved_for(tmp_path: Path, request_: str, words: list[str]):
    assert asked(tmp_path, {"requirements.txt": "a\n"}, request=request_)[1] == [[*words, "requirements.txt"]]


@pytest.mark.parametrize(
    ("files", "kind", "source"),
    [
        ({"requirements.txt": "a\n"}, Kind.REQUIREMENTS, "requirements.txt"),
        ({"requirements-prod.txt": "a\n"}, Kind.REQUIREMENTS, "requirements-prod.txt"),
        ({"pyproject.toml": PROJECT}, Kind.METADATA, "pyproject.toml"),
        ({"setup.py": ""}, Kind.METADATA, "setup.py"),
        ({"setup.cfg": "[options]\ninstall_requires = a\n"}, Kind.METADATA, "setup.cfg"),
        ({"README.md": ""}, Kind.METADATA, "nothing"),
        ({"pyproject.toml": "[tool.black]\n"}, Kind.METADATA, "pyproject.toml"),
    ],
)
def test_where_it_comes_from(tmp_path: Path, files: dict[str, str], kind: Kind, source: str):
    found, _ = asked(tmp_path, files)
    assert (found.kind, found.source) == (kind, source)


def test_a_time_limit_is_no_reason_to_try_the_next(tmp_path: Path):
    answers = (TimedOutError("too late"), completed("z==1\n"))
    with pytest.raises(TimedOutError):
        asked(tmp_path, {"pyproject.toml": EXTRAS}, *answers)


def test_one_part_that_cannot_be_resolved_takes_nothing_from_the_others(tmp_path: Path):
    files = {"requirements.txt": "a\n", "requirements-prod.txt": "b==1\nc\n"}
    run = {"requirements.txt": completed("a==1\n"), "requirements-prod.txt": FAILED}
    found, _ = asked(tmp_path, files, lambda command: run[command.argv[-1]])
    assert [(one.name, one.version) for one in found.packages] == [("a", "1"), ("b", "1")]
    assert {one.name for one in found.unauditable} >= {"c"}
    assert len(found.notes) == 1
    (tmp_path / "again").mkdir()
    with pytest.raises(ToolError, match="No solution found"):
        asked(tmp_path / "again", {"requirements.txt": "a\n", "requirements-prod.txt": "c\n"}, FAILED)


@pytest.mark.parametrize(
    ("files", "further"),
    [
        ({"requirements.txt": ""}, []),
        ({"requirements.txt": "", "requirements-prod.txt": ""}, ["requirements-prod.txt"]),
        ({"prod-requirements.txt": "-r base-requirements.txt", "base-requirements.txt": ""}, ["prod-requirements.txt"]),
        ({"requirements.txt": "-r more-requirements.txt", "more-requirements.txt": ""}, []),
        ({"constraints-requirements.txt": "", "requirements/constraints.txt": ""}, []),
        ({"requirements/x.txt": "", "requirements/x.in": "", "requirements/y.md": ""}, ["requirements/x.txt"]),
        ({"requirements-prod.txt/x": "", "docs/requirements-docs.txt": ""}, []),
    ],
)  # fmt: skip
def test_files_that_stand_beside_those_of_the_tests(
    tmp_path: Path, files: dict[str, str], further: list[str]
):
    assert further_files(layout(write(tmp_path, files))) == further


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"requirements.in": "", "requirements.txt": ""}, {"requirements.txt": "requirements.in"}),
        ({"requirements.in": ""}, {}),
        ({"requirements.txt": ""}, {}),
        ({"requirements/x.in": "", "requirements/x.txt": ""}, {"requirements/x.txt": "requirements/x.in"}),
        ({"docs/x.in": "", "docs/x.txt": ""}, {}),
    ],
)
def test_files_that_were_compiled(tmp_path: Path, files: dict[str, str], expected: dict[str, str]):
    assert compiled_files(layout(write(tmp_path, files))) == expected


def test_compiled_files_are_named_as_people_see_them(tmp_path: Path):
    write(tmp_path, {"back/requirements.in": "", "back/requirements.txt": ""})
    found: Any = compiled_files(layout(tmp_path, root=tmp_path / "back"))
    assert found == {"back/requirements.txt": "requirements.in"}
