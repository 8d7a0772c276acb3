"""What is checked: the arguments of a command, the configuration of mypy, the packages."""

from pathlib import Path

import pytest
from support.builders import completed, layout, write

from ci_action.project.environment import Environment
from ci_action.stages.types import mypy, ty
from ci_action.stages.types.checker import Place
from ci_action.stages.types.surroundings import Surroundings, request_of
from ci_action.stages.types.targets import Arguments, divided, packages, without_modules


@pytest.mark.parametrize(
    ("words", "options", "paths"),
    [
        ("src tests", "", "src tests"),
        ("--strict -p pkg", "--strict -p pkg", ""),
        ("--config-file mypy.ini src", "--config-file mypy.ini", "src"),
        ("--config-file=x --html-report out src", "--config-file=x", "src"),
        ("--pretty --cache-dir=x -v .", "", "."),
        ("--strict -- -x", "--strict", "-x"),
    ],
)
def test_arguments(words: str, options: str, paths: str):
    found = divided(words.split(), mypy.VALUED, mypy.OURS)
    assert (" ".join(found.options), " ".join(found.paths)) == (options, paths)


def test_modules_are_left_out_for_paths():
    assert without_modules(("--strict", "-p", "pkg", "-m=x"), mypy.VALUED) == ("--strict",)
    assert without_modules(("-p", "x"), frozenset({"-p"})) == ("-p", "x")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"src/pkg/__init__.py": "", "tests/__init__.py": ""}, ("src",)),
        ({"pkg/__init__.py": "", "tests/__init__.py": "", "setup.py": ""}, ("pkg",)),
        ({"a/__init__.py": "", "b/py.typed": "", "docs/conf.py": ""}, ("a", "b")),
        ({"module.py": "", "setup.py": "", "conftest.py": "", "test_x.py": ""}, ("module.py",)),
        ({"deep/er/x.py": ""}, (".",)),
    ],
)
def test_packages(tmp_path: Path, files: dict[str, str], expected: tuple[str, ...]):
    assert packages(layout(write(tmp_path / "project", files))) == expected


@pytest.mark.parametrize(
    ("files", "words", "expected"),
    [
        ({}, "", "--config-file= pkg"),
        ({}, "src", "--config-file= src"),
        ({"mypy.ini": "[mypy]\n"}, "", "pkg"),
        ({"mypy.ini": "[mypy]\nfiles = x\n"}, "", ""),
        ({"setup.cfg": "[mypy]\npackages = x\n"}, "", ""),
        ({"pyproject.toml": "[tool.mypy]\nmodules = ['x']\n"}, "", ""),
        ({"pyproject.toml": "[tool.mypy]\nfiles = []\n"}, "", "pkg"),
        ({"x.ini": "[mypy]\nfiles = x\n"}, "--config-file x.ini", "--config-file x.ini"),
        ({"mypy.ini": "[mypy]\n"}, "-p pkg", "-p pkg"),
    ],
)
def test_what_mypy_needs(tmp_path: Path, files: dict[str, str], words: str, expected: str):
    root = write(tmp_path / "project", {"pkg/__init__.py": "", **files})
    given = divided(words.split(), mypy.VALUED, mypy.OURS)
    configured = bool(files) and "x.ini" not in files
    found = mypy.completed(given, Place(layout=layout(root), folder=root, configured=configured))
    assert " ".join((*found.options, *found.paths)) == expected
    assert isinstance(found, Arguments)


@pytest.mark.parametrize(
    ("request_", "pythons", "chosen", "expected"),
    [
        ("", (), False, ""),
        ("3.12", ("3.11", "3.12"), False, "3.12"),
        ("3.13", ("3.11",), False, "3.11"),
        ("3.13", ("3.11",), True, "3.13"),
        (">=3.10", ("3.10", "3.11", "3.14"), False, ">=3.10,<3.15"),
    ],
)
def test_the_python_of_a_run(request_: str, pythons: tuple[str, ...], expected: str, *, chosen: bool):
    assert request_of(request_, pythons, chosen=chosen) == expected


def test_an_older_ty_is_asked_for_lines():
    environment = Environment(python="/env/bin/python", version="3.12", source="x")
    found = Surroundings(environment=environment, argv=("ty",), version="0.0.1a20", source="x")
    words = ty.CHECKER.words(found, Path("/cache"))
    refused = ty.CHECKER.others
    assert refused(completed(returncode=0), words) == ()
    older = refused(
        completed(returncode=2, stderr="error: invalid value 'gitlab' for '--output-format'"), words
    )
    assert older[:-1] == words[:-1]
    assert older[-1] == "--output-format=concise"
