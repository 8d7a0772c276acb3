"""The error in what pytest prints, from texts of several versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.engine.test_run.cause import TRACEBACK, error_in, places_in, start_error

CONFTEST = """\
ImportError while loading conftest '/w/tests/conftest.py'.
tests/conftest.py:3: in <module>
    from app import helper
app/helper.py:1: in <module>
    import x
E   ModuleNotFoundError: No module named 'x'
"""
SYNTAX = """\
ImportError while loading conftest '/w/conftest.py'.
E     File "/w/conftest.py", line 2
E       def f(:
E             ^
E   SyntaxError: invalid syntax
"""
MODULE = """\
ImportError while importing test module '/w/test_a.py'.
Hint: make sure your test modules/packages have valid Python names.
Traceback:
test_a.py:1: in <module>
    import nope
E   ModuleNotFoundError: No module named 'nope'
"""
CHAINED = """\
test_a.py:2: in <module>
    first()
E   KeyError: 'first'

During handling of the above exception, another exception occurred:
test_a.py:4: in <module>
    raise Wrong(1) from None
E   app.errors.Wrong: the first line
E   error: the second line
E   assert 1 == 2
"""
USAGE = """\
ERROR: usage: __main__.py [options] [file_or_dir] [file_or_dir] [...]
__main__.py: error: unrecognized arguments: --foo
  inifile: /w/pyproject.toml
  rootdir: /w

"""
PLUGIN = f"""\
{TRACEBACK}
  File "<frozen runpy>", line 198, in _run_module_as_main
  File "/v/site-packages/_pytest/config/__init__.py", line 830, in import_plugin
    __import__(importspec)
  File "/w/plugin.py", line 7, in <module>
    import y
ImportError: Error importing plugin "plugin": No module named 'y'
"""


@pytest.mark.parametrize(
    ("text", "error"),
    [
        pytest.param(CONFTEST, "ModuleNotFoundError: No module named 'x'", id="conftest"),
        pytest.param(SYNTAX, "SyntaxError: invalid syntax", id="syntax"),
        pytest.param(MODULE, "ModuleNotFoundError: No module named 'nope'", id="a module"),
        pytest.param(CHAINED, "app.errors.Wrong: the first line", id="several"),
        pytest.param(USAGE, "unrecognized arguments: --foo", id="usage"),
        pytest.param("ERROR: file or directory not found: x\n\n", "file or directory not found: x", id="path"),
        pytest.param("/v/bin/python: No module named pytest\n", "No module named pytest", id="no pytest"),
        pytest.param(PLUGIN, 'ImportError: Error importing plugin "plugin": No module named \'y\'', id="plugin"),
        pytest.param("one\npluggy.PluginValidationError: unknown hook\n", "pluggy.PluginValidationError: unknown hook", id="a line"),
        pytest.param("the first\nthe last\n", "the last", id="anything"),
        pytest.param("", "", id="nothing"),
    ],
)  # fmt: skip
def test_why_pytest_did_not_start(text: str, error: str):
    assert start_error(text) == error


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("    def test():\n>       assert 5 == -1\nE       assert 5 == -1\n\na.py:7: AssertionError", "assert 5 == -1"),
        ("E       AssertionError: boom\nE       assert 1 == 2\n", "AssertionError: boom"),
        ("E       fixture 'x' not found\n>       available fixtures: y\n", "fixture 'x' not found"),
        ("E       ValueError\n", "ValueError"),
        ("E   Failed: DID NOT RAISE\n", "Failed: DID NOT RAISE"),
        (MODULE, "ModuleNotFoundError: No module named 'nope'"),
        ("no mark\n", "no mark"),
        ("", ""),
    ],
)  # fmt: skip
def test_the_error_of_a_test(text: str, error: str):
    assert error_in(text) == error


@pytest.mark.parametrize(
    ("text", "places"),
    [
        (CONFTEST, [("tests/conftest.py", 3), ("app/helper.py", 1)]),
        (SYNTAX, [("/w/conftest.py", 2)]),
        (PLUGIN, [("<frozen runpy>", 198), ("/v/site-packages/_pytest/config/__init__.py", 830), ("/w/plugin.py", 7)]),
        (USAGE, []),
    ],
)  # fmt: skip
def test_the_places_of_an_error(text: str, places: list[tuple[str, int]]):
    assert list(places_in(text)) == places


@given(st.text(max_size=200))
def test_any_text_has_an_error_of_one_line(text: str):
    for found in (error_in(text), start_error(text)):
        assert len(found.splitlines()) <= 1
    list(places_in(text))
