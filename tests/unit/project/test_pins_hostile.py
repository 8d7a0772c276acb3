"""Files that are broken, of another shape, or hostile, where pins are looked for."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from support.builders import layout, write

from ci_action.project.pins import find_pins

BROKEN = {
    "uv.lock": b'[[package]]\nname = "black"\nversion = \n',
    "Pipfile.lock": b"{",
    "pyproject.toml": b"[tool",
    "requirements.txt": b"\xff\xfe",
    "setup.cfg": b"no section\n",
    ".pre-commit-config.yaml": b"repos: [",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_told_and_the_others_are_read(tmp_path: Path, name: str):
    write(tmp_path, {name: BROKEN[name], "requirements/x.txt": "black==24.1.0"})
    found, problems = find_pins(layout(tmp_path), "black")
    assert [pin.exact for pin in found] == ["24.1.0"]
    assert problems
    assert all(problem.startswith(f"could not read the version of black in {name}: ") for problem in problems)


def test_aliases_without_an_end_are_told(tmp_path: Path, wording: Any):
    rows = (f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(9))
    repos = "repos:\n- repo: https://github.com/psf/black\n  rev: *a9\n"
    write(tmp_path, {".pre-commit-config.yaml": f"a0: &a0 [x]\n{''.join(rows)}{repos}"})
    found, problems = find_pins(layout(tmp_path), "black")
    assert found == []
    assert problems[0] == wording


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Pipfile.lock", "[]"),
        ("Pipfile.lock", '{"default": []}'),
        ("Pipfile.lock", '{"default": {"black": "x"}}'),
        ("pyproject.toml", "dependency-groups = 5"),
        ("pyproject.toml", "[project]\ndependencies = 5"),
        ("pyproject.toml", "[tool]\nblack = 5"),
        ("pyproject.toml", "[tool.poetry]\ngroup = 5"),
        ("pyproject.toml", "[tool.hatch.envs]\nlint = 5"),
        (".pre-commit-config.yaml", "- 5"),
        (".pre-commit-config.yaml", "repos: 5"),
        (".pre-commit-config.yaml", "repos: [5]"),
        (".pre-commit-config.yaml", "5"),
    ],
)
def test_a_file_of_another_shape_is_told_not_raised(tmp_path: Path, name: str, content: str):
    write(tmp_path, {name: content})
    found, problems = find_pins(layout(tmp_path), "black")
    assert found == []
    assert all(problem.startswith(f"could not read the version of black in {name}: ") for problem in problems)


shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
VERSION = st.text("0123456789.*<>=!~,abrc+-; @[]/'\\ \n\t$`|&", max_size=14) | st.text(max_size=8)


@shared
@given(VERSION)
@example("24.1.0; rm -rf /")
@example("24.1.0 --index-url https://evil.example")
@example("24.1.0' --config-settings x")
@example("===24.1 || x")
@example("=== $(id)")
@example("1.0+x.y")
@example("24.1.0\n--index-url=x")
def test_hostile_versions_never_yield_anything_but_a_range(tmp_path: Path, text: str):
    quoted = json.dumps(text)
    files: dict[str, str | bytes] = {
        "uv.lock": f'[[package]]\nname = "black"\nversion = {quoted}\n',
        "Pipfile.lock": json.dumps({"default": {"black": {"version": text}}}),
        "requirements.txt": f"black{text}\nblack=={text}\n".encode("utf-8", "replace"),
        ".pre-commit-config.yaml": f"repos:\n- repo: https://github.com/psf/black\n  rev: {quoted}\n",
        "pyproject.toml": f"[tool.poetry.dependencies]\nblack = {quoted}\n[tool.black]\nrequired-version = {quoted}\n",
    }
    write(tmp_path, files)
    found, _ = find_pins(layout(tmp_path), "black")
    for pin in found:
        assert str(SpecifierSet(pin.specifier)) == pin.specifier
        assert not set(pin.specifier) & set(" \n\t;@[]/'\"\\$`|&#")
        assert pin.exact in pin.specifier
