"""Which extensions migrations create, by their text, and which one a server lacked, by its message."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.paths import GOLDEN

from ci_action.stages.migrations.database.extensions import (
    extensions_in,
    is_extension,
    lacking_in,
    needs_extensions,
)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("op.execute('CREATE EXTENSION citext')", {"citext"}),
        ("op.execute('create extension if not exists \"uuid-ossp\"')", {"uuid-ossp"}),
        ("op.execute(sa.text('''\n  CREATE  EXTENSION\n IF NOT EXISTS PgCrypto WITH SCHEMA x;\n'''))", {"pgcrypto"}),
        ("op.execute('CREATE EXTENSION a; CREATE EXTENSION IF NOT EXISTS b CASCADE')", {"a", "b"}),
        ("op.execute('CREATE EXTENSION IF NOT ' 'EXISTS vector')", {"vector"}),
        ("op.create_entity(PGExtension(schema='public', signature='uuid-ossp'))", {"uuid-ossp"}),
        ("alembic_utils.pg_extension.PGExtension('public', '\"pg_trgm\"')", {"pg_trgm"}),
        ("PGExtension('public', name)", set()),
        ("op.execute(f'CREATE EXTENSION {name}')", set()),
        ('"""Needs CREATE EXTENSION citext."""', set()),
        ("# CREATE EXTENSION citext", set()),
        ("op.execute('-- CREATE EXTENSION a\\nCREATE EXTENSION b /* CREATE EXTENSION c */')", {"b"}),
        ("op.execute('DROP EXTENSION citext')", set()),
        ("def f(:\n op.execute('CREATE EXTENSION citext')", {"citext"}),
        ("op.create_table('extension')", set()),
        ("", set()),
    ],
)  # fmt: skip
def test_extensions_in_a_module(source: str, names: set[str]):
    assert extensions_in(source) == names


def test_extensions_of_files(tmp_path: Path):
    (tmp_path / "a.py").write_text("op.execute('CREATE EXTENSION citext')")
    (tmp_path / "b.py").write_text("op.execute('CREATE EXTENSION hstore')")
    files = [tmp_path / "a.py", tmp_path / "b.py", tmp_path / "missing.py"]
    assert needs_extensions(files, tmp_path) == {"citext", "hstore"}


@given(st.text())
def test_no_text_is_an_error(source: str):
    extensions_in(f"extension {source}")
    lacking_in(source)


@pytest.mark.parametrize(
    "file", sorted((GOLDEN / "postgresql").glob("lacking-*.json")), ids=lambda file: file.stem
)
def test_what_a_server_lacked(file: Path):
    for statement, message in json.loads(file.read_text()).items():
        (lacking,) = lacking_in(f"(psycopg.errors.UndefinedFile) {message}")
        extension = re.fullmatch(r'CREATE EXTENSION "?([\w-]+)"?', statement)
        locale = re.search(r"""(?:libc, locale = |COLLATE )['"]([^'"]+)""", statement)
        assert lacking == (extension[1] if extension else f"locale {locale[1]}" if locale else "ICU")
        assert is_extension(lacking) is bool(extension)


def test_older_versions_name_the_file():
    message = 'extension control file "/usr/share/postgresql/14/extension/vector.control": No such file'
    assert lacking_in(f"could not open {message}") == {"vector"}


@pytest.mark.parametrize(
    "message",
    [
        "",
        'extension "citext" already exists',
        'collation "de_DE" already exists',
        json.loads((GOLDEN / "postgresql/lacking-17.10.json").read_text())[
            'CREATE TABLE words (word text COLLATE "de_DE")'
        ].replace("de_DE", "german"),
    ],
)
def test_a_server_lacked_nothing(message: str):
    assert lacking_in(message) == frozenset()
