"""The configuration of tox: names of environments, conditions, substitutions, and what an environment inherits."""

import tomllib
from collections.abc import Collection
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import layout, write

from ci_action.project.tox import Tox, applies, configurations, expanded, of_ini, of_table, read, substituted


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("py{38,39}", ["py38", "py39"]),
        ("lint, py{310,311}-{a,b}\ndocs", ["lint", "py310-a", "py310-b", "py311-a", "py311-b", "docs"]),
        ("py3{10-12}", ["py310", "py311", "py312"]),
        ("py{3.10, 3.11}-x", ["py3.10-x", "py3.11-x"]),
        ("3.{9-11}{,-t}", ["3.9", "3.9-t", "3.10", "3.10-t", "3.11", "3.11-t"]),
        ("lint, type\n  docs", ["lint", "type", "docs"]),
        ("typing-{mypy, ty}", ["typing-mypy", "typing-ty"]),
        (",py36", ["py36"]),
        ("a{b,{c,d}}", ["ab", "ac", "ad"]),
        ("open{a,b", ["open{a,b"]),
        ("{1-9999}{1-9999}", []),
        ("", []),
    ],
)
def test_names(text: str, names: list[str]):
    assert expanded(text) == names


@given(st.text(alphabet="{}-,!: \nab019", max_size=60))
def test_names_end_whatever_they_are_made_of(text: str):
    assert len(expanded(text)) <= 2_000


@pytest.mark.parametrize(
    ("condition", "factors", "holds"),
    [
        ("mypy", "py310-mypy", True),
        ("mypy", "py310-test", False),
        ("py310,py311", "py311-mypy", True),
        ("!mypy", "py310-test", True),
        ("py{310,311}-mypy", "py311-mypy", True),
        ("py310-mypy", "py310-test", False),
    ],
)
def test_conditions(condition: str, factors: str, *, holds: bool):
    assert applies(condition, factors.split("-")) is holds


@given(st.text(alphabet="py310{},-!: \nmy", max_size=40), st.text(alphabet="py310-m", max_size=12))
def test_any_condition_is_read(text: str, env: str):
    assert isinstance(applies(text, env.split("-")), bool)
    assert isinstance(substituted(text, env, "/x"), str)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{toxinidir}/a {tox_root}{/}b", "/p/a /p/b"),
        ("x {posargs} y", "x  y"),
        ("{posargs:a b} {posargs:{toxinidir}/t}", "a b /p/t"),
        ("{env:A:b} {env:A:{envname}}{:}", "b lint:"),
        ("{env:A} {envdir}", "{env:A} {envdir}"),
        ("{envpython} -m x []", "python -m x"),
    ],
)
def test_substitutions(text: str, expected: str):
    assert substituted(text, "lint", "/p") == expected


INI = """
[tox]
envlist = py{311,312}
[shared]
paths = src
  tests
deps =
  six
  lint: attrs
[loop]
deps = {[loop]deps}
[fork]
deps =
  {[fork]deps}
  {[fork]deps}
[testenv]
setenv = A = 1
deps = base
[testenv:a]
deps = pytest
[testenv:{t,u}]
base = a
commands =
  py312-!x, y: run {[shared]paths}  # ours
  py{311, 312}: {[SHARED]x}
  # none
  echo done:\\
     now
[testenv:lint]
deps = {[shared]deps}
[testenv:loop]
deps = {[loop]deps}
[testenv:fork]
deps = {[fork]deps}
[testenv:.pkg]
"""


@pytest.mark.parametrize(
    ("environment", "keys", "factors", "lines"),
    [
        ("t", ["deps"], None, ["pytest"]),
        ("absent", ["deps"], None, ["base"]),
        ("t", ["set_env"], None, ["A = 1"]),
        ("t", ["commands"], [], ["echo done: now"]),
        ("u", ["commands"], ["py312"], ["run src tests", "echo done: now"]),
        ("t", ["deps", "commands"], [], ["echo done: now"]),
        ("lint", ["deps"], None, ["six", "attrs"]),
        ("lint", ["deps"], ["other"], ["six"]),
        ("loop", ["deps"], None, []),
        ("a", ["commands"], None, []),
    ],
)
def test_lines_of_an_environment(
    environment: str, keys: list[str], factors: Collection[str] | None, lines: list[str]
):
    assert of_ini(INI, "tox.ini", "/p").lines(environment, *keys, factors=factors) == lines


def test_references_that_multiply_end():
    assert len(of_ini(INI, "tox.ini", "/p").lines("fork", "deps")) < 10_000
    wide = "\n  ".join(["{[fork]deps}"] * 200)
    text = f"[fork]\ndeps =\n  {wide}\n  {'{[fork]deps} ' * 200}\n[testenv]\ndeps = {{[fork]deps}}\n"
    assert len(of_ini(text, "tox.ini", "/p").lines("py", "deps")) < 10_000


def test_every_line_and_the_names_of_all():
    conf = of_ini(INI, "tox.ini", ".")
    sections = {section.title: section for section in conf.environments}
    assert (conf.listed, conf.others) == (("py311", "py312"), ["a", "t", "u", "lint", "loop", "fork"])
    assert conf.every_line(sections["testenv:lint"], "deps") == ["six", "attrs"]
    assert [conf.place_of(name) for name in ("t", "x")] == ["tox.ini [testenv:t]", "tox.ini [testenv]"]


TOML = """
env_list = ["lint", "3.{11,12}"]
[env_run_base]
deps = ["pytest", "-r limits.txt"]
skip_install = true
set_env = { A = "1", B = { replace = "env" } }
commands = [["pytest", "a b", { replace = "posargs", default = ["tests"] }], ["x"]]
[env.other]
deps = [{ replace = "ref", of = ["env_run_base", "deps"], extend = true }]
[env.text]
deps = '''
a
b
'''
"""


def of_toml() -> Tox:
    return of_table(tomllib.loads(TOML), "tox.toml", "/p")


@pytest.mark.parametrize(
    ("environment", "key", "lines"),
    [
        ("other", "deps", ["pytest", "-r limits.txt"]),
        ("text", "deps", ["a", "b"]),
        ("other", "skip_install", ["true"]),
        ("lint", "set_env", ["A=1"]),
        ("lint", "commands", ["pytest 'a b' tests", "x"]),
    ],
)
def test_lines_of_toml(environment: str, key: str, lines: list[str]):
    assert of_toml().lines(environment, key) == lines


def test_environments_of_toml():
    conf = of_toml()
    assert (conf.listed, conf.others) == (("lint", "3.11", "3.12"), ["other", "text"])
    assert [conf.place_of(name) for name in ("other", "x")] == [
        "tox.toml [env.other]",
        "tox.toml [env_run_base]",
    ]


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"tox.ini": "[testenv]\n", "tox.toml": "env_list = []\n"}, ["tox.ini", "tox.toml"]),
        ({"tox.ini": "[flake8]\n", "setup.cfg": "[metadata]\n"}, []),
        ({"setup.cfg": "[tox:tox]\n[testenv]\n"}, ["setup.cfg"]),
        ({"pyproject.toml": "[tool.tox]\nenv_list = []\n"}, ["pyproject.toml"]),
        ({"pyproject.toml": "[tool.tox]\nlegacy_tox_ini = '[testenv]'\n"}, ["pyproject.toml"]),
        ({"pyproject.toml": "[tool]\ntox = 3\n"}, []),
        ({}, []),
    ],
)
def test_the_files(files: dict[str, str], found: list[str], tmp_path: Path):
    write(tmp_path, files)
    assert [conf.file for conf in configurations(layout(tmp_path))] == found


@pytest.mark.parametrize("text", ["[testenv\n", "testenv = 1\n", "testenv\0", "[testenv]\nx\n  y\n"])
def test_another_text_is_refused(text: str):
    with pytest.raises(ValueError, match=r"\S"):
        read("tox.ini", text, ".")


@given(st.text(alphabet="{}[]:=-,!# \nabtestenvdps1", max_size=120))
def test_any_configuration_is_read_or_refused(text: str):
    try:
        conf = of_ini(f"[testenv]\n{text}", "tox.ini", "/p")
    except ValueError:
        return
    for section in conf.environments:
        for key in section.keys:
            conf.every_line(section, key)
