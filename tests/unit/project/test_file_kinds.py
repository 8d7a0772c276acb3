"""Kinds of files, by name."""

import pytest

from ci_action.project.file_kinds import (
    is_docs,
    is_lock,
    is_migration,
    is_test,
    is_workflow,
    names_dependencies,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("alembic/versions/1a2b3c4d5e6f_users.py", True), ("app/migrations/0001_initial.py", True),
        ("migrations/versions/x.py", True), ("db/versions/1a2b3c4d5e6f_users.py", True), ("migrations/001.sql", True),
        ("src/main/resources/db/migration/V1__init.sql", True), ("sql/V2.1__more.sql", True), ("sql/R__view.sql", True),
        ("db/migrate/2020_x.rb", True),
        ("app/migrations/__init__.py", False), ("alembic/env.py", False), ("tests/migrations/test_up.py", False),
        ("migrations/README.md", False), ("app/versions/api.py", False), ("docs/migrations.md", False), ("V1_a.sql", False),
        ("migrations", False), ("my_migrations/a.py", False),
    ],
)  # fmt: skip
def test_migrations(name: str, expected: bool):
    assert is_migration(name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("docs/conf.py", True), ("README.md", True), ("src/pkg/README.rst", True), ("CHANGELOG", True), ("mkdocs.yml", True),
        ("readme.txt", True), ("src/doc/x", True), ("requirements.txt", False), ("src/documents/a.py", False), ("a.py", False),
    ],
)  # fmt: skip
def test_docs(name: str, expected: bool):
    assert is_docs(name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("uv.lock", True), ("pyproject.toml", True), ("sub/setup.cfg", True), ("requirements-dev.txt", True),
        ("requirements/base.in", True), ("constraints.txt", True), ("package.json", True), ("dev_requirements.txt", True),
        ("requirements.md", False), ("src/requirements.py", False), ("setup.cfg.bak", False), ("a.lock", False),
    ],
)  # fmt: skip
def test_dependencies(name: str, expected: bool):
    assert names_dependencies(name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tests/a.py", True), ("src/pkg/tests/deep/a.py", True), ("test/a.py", True), ("testing/a.py", True),
        ("test_a.py", True), ("src/a_test.py", True), ("tests.py", True), ("app/tests.py", True),
        ("conftest.py", True), ("src/a.py", False), ("contest/a.py", False), ("latest.py", False),
        ("my_tests.py", False), ("src/tests", False), ("attest_a.py", False),
    ],
)  # fmt: skip
def test_what_belongs_to_the_tests(name: str, expected: bool):
    assert is_test(name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("uv.lock", True), ("app/Cargo.lock", True), ("pylock.toml", True), ("pylock.dev.toml", True), ("go.sum", True),
        ("a.lock", False), ("uv.lock/a", False), ("pyproject.toml", False),
    ],
)  # fmt: skip
def test_locks(name: str, expected: bool):
    assert is_lock(name) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (".github/workflows/ci.yml", True), (".github/workflows/ci.yaml", True), (".github/workflows/sub/ci.yml", False),
        (".github/workflows/ci.md", False), ("app/.github/workflows/ci.yml", False), (".github/actions/a/action.yml", False),
    ],
)  # fmt: skip
def test_workflows(name: str, expected: bool):
    assert is_workflow(name) is expected
