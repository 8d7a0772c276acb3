"""White space in the bodies of functions that means nothing, and what it means elsewhere."""

from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

BODIES: Any = import_module("ci_action.stages.migrations.child.bodies")
DUMPS: Any = import_module("ci_action.stages.migrations.child.dumps")
# As pg_get_functiondef and as pg_dump print it.
CATALOG = """CREATE OR REPLACE FUNCTION public.f(a text DEFAULT 'x  y'::text)
 RETURNS trigger
 LANGUAGE {language}
 IMMUTABLE STRICT
 SET work_mem TO '1  MB'
AS $function${body}$function$
"""
DUMP = """CREATE FUNCTION public.f(a text DEFAULT 'x  y'::text) RETURNS trigger
    LANGUAGE {language} IMMUTABLE STRICT
    SET work_mem TO '1  MB'
    AS ${tag}${body}${tag}$;
"""
NEXT = "\n\nCREATE TABLE public.a (\n    b text DEFAULT 'c  d'::text\n);\n"
FORMS = [CATALOG, DUMP]


def same(one: str, other: str, form: str, language: str = "plpgsql") -> bool:
    tag = "_" if "$" in one else ""  # pg_dump takes one that begins like nothing in the body
    form = form.replace("{language}", language).replace("{tag}", tag)
    first, second = (form.replace("{body}", body) for body in (one, other))
    catalogs = BODIES.collapsed(first) == BODIES.collapsed(second)
    dumps = DUMPS.statements(first + NEXT) == DUMPS.statements(second + NEXT)
    assert catalogs == dumps
    return bool(catalogs)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("\nBEGIN\n    RETURN NEW;\nEND;\n", "\nBEGIN\n\n\tRETURN  NEW;\nEND;"),
        (" BEGIN END ", "BEGIN\r\nEND"),
        ("x; -- it's\n  y", "x;   -- it's  \ny"),
        ("-- a\n-- b\nx", "-- a\n\n    -- b\n    x"),
        ("/* it's\n   one */ x", "/* it's one */\nx"),
        ("a := E'it\\'s'; b", "a := E'it\\'s';\n b"),
        ("a := 'it''s'; b", "a := 'it''s';\n b"),
        ("a := $1; b := $2", "a := $1;\n b := $2"),
    ],
)
def test_white_space_that_means_nothing(form: str, one: str, other: str):
    assert same(one, other, form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("RETURN NEW", "RETURNNEW"),
        ("a := 'x y'", "a := 'x  y'"),
        ("a := 'x\ny'", "a := 'x y'"),
        ("a := E'\\' x'; b", "a := E'\\'  x'; b"),
        ("a := 'it''s  x'", "a := 'it''s x'"),
        ('"x y"', '"x  y"'),
        ("EXECUTE $x$ a  b $x$", "EXECUTE $x$ a b $x$"),
        ("x; -- y\nz", "x; -- y z"),
        ("a; -- it's\nb := 'c  d'", "a; -- it's\nb := 'c d'"),
    ],
)
def test_what_means_something(form: str, one: str, other: str):
    assert not same(one, other, form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("language", ["plpython3u", "plperl", "sqlx"])
def test_other_languages_are_compared_as_they_are(form: str, language: str):
    assert not same("if a:\n    b", "if a:\n  b", form, language)
    after = CATALOG.replace("{language}", "plpython3u").replace("{body}", "a  b")
    atomic = "CREATE FUNCTION g()\n LANGUAGE sql\nBEGIN ATOMIC\n SELECT 1;\nEND\n"
    assert after in BODIES.collapsed(f"{atomic}\n{after}")


@pytest.mark.parametrize("form", FORMS)
def test_outside_of_bodies_all_of_it_counts(form: str):
    text = form.replace("{language}", "sql").replace("{body}", "SELECT  1").replace("{tag}", "_")
    assert BODIES.collapsed(text) == text.replace("SELECT  1", "SELECT 1")


@given(st.text(st.sampled_from("ab \n\t'\"$-/*\\eE;")))
def test_words_are_never_joined_or_lost(body: str):
    text = CATALOG.replace("{language}", "sql").replace("{body}", f"x{body}\nx")
    assert BODIES.collapsed(text).split() == text.split()
    assert BODIES.collapsed(BODIES.collapsed(text)) == BODIES.collapsed(text)
