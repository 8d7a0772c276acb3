"""The configuration of pre-commit as values, whatever it is made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.project.pre_commit import Hook, hooks_in, repositories

TEXT = """default_language_version: {python: python3.11}
default_stages: [manual]
files: ^src/
exclude: ""
repos:
- repo: https://github.com/psf/black
  rev: 41e69167  # frozen: v24.1.0
  hooks:
  - id: black
    args: [-q, 3]
    exclude: ^src/gen/
    stages: [pre-commit]
- repo: local
  hooks:
  - id: types
    entry: uv run 'mypy'
    language: system
    pass_filenames: false
    additional_dependencies: [attrs]
- repo: meta
"""


def test_hooks():
    black, types = hooks_in(TEXT)
    assert (black.id, black.version, black.args, black.manual) == ("black", "24.1.0", ("-q", "3"), False)
    assert (black.files, black.exclude, black.gets_files) == (("^src/",), ("^src/gen/",), True)
    assert (black.python, black.language, black.starts_command) == ("python3.11", "python", False)
    assert (types.command, types.starts_command) == (("uv", "run", "mypy"), True)
    assert (types.args, types.manual, types.language, types.added) == (None, True, "system", ("attrs",))


def test_repositories():
    assert repositories(TEXT) == [("https://github.com/psf/black", "41e69167"), ("local", ""), ("meta", "")]


@pytest.mark.parametrize("text", ["", "[]", "repos: 3", "repos: [3, {hooks: 3}, {hooks: [3]}]"])
def test_another_shape_names_no_tool(text: str):
    assert not any(hook.id for hook in hooks_in(text))


@given(st.text(alphabet="repos:hk id-[]{}'\"#\n ", max_size=60))
def test_any_text_is_read_or_refused(text: str):
    try:
        found = list(hooks_in(f"repos:\n- hooks:\n  - id: x\n    {text}"))
    except ValueError:
        return
    assert all(isinstance(hook, Hook) for hook in found)
