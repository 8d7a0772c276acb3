"""The values of a revision file, read without importing it, are those that an import would find."""

import builtins
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ci_action.stages.migrations.heads.header import (
    Header,
    UnreadableRevisionError,
    header,
    is_revision,
    parse,
)

USUAL = '''"""Add users

Revision ID: b2
Revises: a1
"""
from collections.abc import Sequence

import does_not_exist
from alembic import op

revision: str = "b2"
down_revision: str | None = "a1"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Upgrade."""
    op.execute(f"""
class x
""")
'''
BASE = "revision = 'a'\ndown_revision = None\n"


def read(text: str | bytes, name: str = "x.py") -> Header:
    return header(text if isinstance(text, bytes) else text.encode(), name)


def test_a_file_of_the_usual_template():
    assert read(USUAL) == Header(
        name="b2", line=11, down=("a1",), down_line=12, depends_line=14, message="Add users"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("revision = 'b'\ndown_revision = ('x', 'y')\n", {"down": ("x", "y")}, id="merge"),
        pytest.param("revision = 'b'\ndown_revision = ['x']\n", {"down": ("x",)}, id="list"),
        pytest.param("revision = 'b'\ndown_revision = ()\n", {"down": ()}, id="nothing"),
        pytest.param(
            f"{BASE}depends_on = 'z'\nbranch_labels = ('p', 'q')\n",
            {"depends_on": ("z",), "labels": ("p", "q")},
            id="all",
        ),
        pytest.param(
            "a = 'b'\nrevision = a + '1'\ndown_revision = f'{a}0'\n",
            {"name": "b1", "down": ("b0",)},
            id="built",
        ),
        pytest.param("revision, down_revision = 'b', 'a'\n", {"name": "b", "down": ("a",)}, id="unpacked"),
        pytest.param("revision = name = 'b'\ndown_revision = None\n", {"name": "b"}, id="two-targets"),
        pytest.param(
            "def x():\n    pass\nrevision = 'b'\ndown_revision = 'a'\n",
            {"name": "b", "down": ("a",)},
            id="below",
        ),
        pytest.param(
            f"{BASE}\ndef x():\n    pass\n\ndown_revision = 'z'\n", {"down": ("z",)}, id="set-again"
        ),
        pytest.param(f"{BASE}def x():\n    down_revision = 'z'\n", {"down": ()}, id="of-a-function"),
        pytest.param(
            f'"""one\nclass two\ndef three\n@four\n"""\n{BASE}',
            {"name": "a", "message": "one"},
            id="docstring",
        ),
        pytest.param(f"\ufeff{BASE}", {"name": "a"}, id="mark"),
        pytest.param(
            "revision = 'a'\r\ndown_revision = None\r\ndef x(): pass\r\n",
            {"name": "a", "down_line": 2},
            id="crlf",
        ),
        pytest.param(f'x = "\\d"\n{BASE}', {"name": "a"}, id="unknown-escape"),
        pytest.param("revision = 'a'\ndown_revision = make()\n", {"open": ("down_revision",)}, id="call"),
        pytest.param(
            "from x import revision\ndown_revision = None\n",
            {"name": "", "open": ("revision",)},
            id="imported",
        ),
        pytest.param(f"{BASE}if x:\n    depends_on = 'z'\n", {"open": ("depends_on",)}, id="condition"),
        pytest.param(f"{BASE}revision += 'x'\n", {"name": "", "open": ("revision",)}, id="added"),
        pytest.param(f"{BASE}for branch_labels in y:\n    pass\n", {"open": ("branch_labels",)}, id="loop"),
    ],
)
def test_the_values(text, expected):
    found = read(text)
    assert {name: getattr(found, name) for name in expected} == expected


def test_a_name_that_only_the_file_has():
    assert read("down_revision = None\n", "12ab34.py").name == "12ab34"
    with pytest.raises(UnreadableRevisionError):
        read("down_revision = None\n", "add_users.py")


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        pytest.param(b"revision = 'a'\ndown_revision = = 1\n", 2, id="syntax"),
        pytest.param(b"x = 1\n", 1, id="no-revision"),
        pytest.param(b"revision = 'a'\n", 1, id="no-parent"),
        pytest.param(b"\nrevision = 1\ndown_revision = None\n", 2, id="number"),
        pytest.param(b"revision = None\ndown_revision = None\n", 1, id="none"),
        pytest.param(b"revision = 'a'\ndown_revision = ('a', 2)\n", 2, id="numbers"),
        pytest.param(b"revision = 'a'\ndown_revision = (('a',),)\n", 2, id="nested"),
        pytest.param("revision = 'ä'\ndown_revision = None\n".encode("latin-1"), 1, id="not-utf-8"),
        pytest.param(b"# -*- coding: no-such -*-\nrevision = 'a'\ndown_revision = None\n", 1, id="cookie"),
        pytest.param(b"# -*- coding: hex -*-\nrevision = 'a'\ndown_revision = None\n", 1, id="not-for-text"),
        pytest.param(b"revision = 'a'\ndown_revision = None\0\n", None, id="null"),
        pytest.param(b"revision = " + b"(" * 5_000 + b"\n", None, id="nested-deeply"),
        pytest.param(b"", 1, id="empty"),
    ],
)
def test_a_file_that_alembic_cannot_read(raw, line):
    with pytest.raises(UnreadableRevisionError) as caught:
        header(raw, "x.py")
    assert caught.value.reason
    assert line is None or caught.value.line == line


def test_another_encoding():
    found = read(
        "# -*- coding: latin-1 -*-\n'''Für'''\nrevision = 'ä'\ndown_revision = None\n".encode("latin-1")
    )
    assert (found.name, found.message) == ("ä", "Für")


def test_a_whole_file():
    parse(USUAL.encode())
    with pytest.raises(UnreadableRevisionError) as caught:
        parse(USUAL.replace("op.execute(", "op.execute((").encode())
    assert caught.value.line


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.py", True),
        ("_a.py", True),
        ("a b.py", True),
        ("__init__.py", False),
        (".#a.py", False),
        ("a.pyc", False),
        ("a.py~", False),
        ("README", False),
        ("a\n.py", False),
    ],
)
def test_the_names_of_revision_files(name, expected):
    assert is_revision(name) is expected


NAMES = ("revision", "down_revision", "branch_labels", "depends_on")
TEXT = st.text(alphabet="ab'\"\\\n{}ä", max_size=4)
VALUE = st.one_of(st.none(), TEXT, st.lists(TEXT, max_size=3), st.lists(TEXT, max_size=3).map(tuple))


@st.composite
def modules(draw: Any) -> str:
    """A file with values in any order and spelling, and functions between them."""
    lines = [f"{draw(TEXT)!r}", "import sys"] if draw(st.booleans()) else []
    values = {
        "revision": draw(TEXT),
        "down_revision": draw(VALUE),
        "depends_on": draw(VALUE),
        "branch_labels": draw(VALUE),
    }
    for name in draw(st.permutations(NAMES)):
        kind = draw(st.sampled_from(["plain", "typed", "twice", "function", "class"]))
        if kind == "function":
            lines += [f"def f_{name}():", f"    {name} = 'inside'"]
        if kind == "class":
            lines += ["class C:", f"    {name} = 'inside'"]
        if kind == "twice":
            lines.append(f"{name} = 'other'")
        lines.append(f"{name}{': str | list' if kind == 'typed' else ''} = {values[name]!r}")
    return "\n".join(lines)


@given(modules())
def test_the_values_are_those_of_an_import(text):
    namespace: dict[str, Any] = {
        "__builtins__": {
            "__import__": __import__,
            "str": str,
            "list": list,
            "__build_class__": builtins.__build_class__,
        },
        "__name__": "x",
    }
    exec(text, namespace)
    found = read(text)
    assert not found.open

    def several(name: str) -> tuple[str, ...]:
        value = namespace[name]
        return (value,) if isinstance(value, str) else tuple(value or ())

    assert found.name == namespace["revision"]
    assert (found.down, found.depends_on, found.labels) == tuple(
        several(name) for name in NAMES[1:2] + NAMES[3:] + NAMES[2:3]
    )


@given(
    st.binary() | st.text(alphabet="revision=down_ '\"\n()[],@class def:\\\t#", max_size=80).map(str.encode)
)
def test_any_file_is_read_or_refused(raw):
    with suppress(UnreadableRevisionError):
        assert isinstance(header(raw, "x.py").name, str)
