"""What the names of changed files tell."""

import pytest

from ci_action.settings.patterns import Area
from ci_action.stages.pr.areas import areas_of, has_dependencies, has_docs, has_migrations
from ci_action.stages.pr.changed_files import ChangedFile, Status

AREAS = (
    Area(name="api", patterns=("src/api/", "tests/api/")),
    Area(name="all but docs", patterns=("*", "!docs/**")),
    Area(name="ci", patterns=("/.github/", "/*.toml")),
)


def files(*names: str) -> list[ChangedFile]:
    return [ChangedFile(name=name) for name in names]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], []),
        (["src/a.py", "docs/b.md", "src/x/y"], ["docs", "src"]),
        (["README.md", "src/a"], [".", "src"]),
        (["bad\udcff\n/x"], ["bad\udcff\n"]),
    ],
)
def test_without_a_definition_they_are_the_top_folders(names: list[str], expected: list[str]):
    assert areas_of(files(*names)) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["docs/a.md"], []),
        (["src/api/a.py"], ["api", "all but docs"]),
        (["pyproject.toml"], ["all but docs", "ci"]),
        (["sub/pyproject.toml"], ["all but docs"]),
    ],
)
def test_defined_areas_stand_in_the_order_of_their_definition(names: list[str], expected: list[str]):
    assert areas_of(files(*names), AREAS) == expected


def test_a_file_that_was_moved_belongs_to_both():
    moved = [ChangedFile(name="lib/a.py", previous="src/api/a.py", status=Status.RENAMED, moved=True)]
    assert areas_of(moved) == ["lib", "src"]
    assert areas_of(moved, AREAS[:1]) == ["api"]


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
    assert has_migrations(files("src/a.py", name)) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("docs/conf.py", True), ("README.md", True), ("src/pkg/README.rst", True), ("CHANGELOG", True), ("mkdocs.yml", True),
        ("readme.txt", True), ("src/doc/x", True), ("requirements.txt", False), ("src/documents/a.py", False), ("a.py", False),
    ],
)  # fmt: skip
def test_docs(name: str, expected: bool):
    assert has_docs(files("src/a.py", name)) is expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("uv.lock", True), ("pyproject.toml", True), ("sub/setup.cfg", True), ("requirements-dev.txt", True),
        ("requirements/base.in", True), ("constraints.txt", True), ("package.json", True), ("dev_requirements.txt", True),
        ("requirements.md", False), ("src/requirements.py", False), ("setup.cfg.bak", False), ("a.lock", False),
    ],
)  # fmt: skip
def test_dependencies(name: str, expected: bool):
    assert has_dependencies(files("src/a.py", name)) is expected


def test_the_name_before_counts_too():
    gone = [ChangedFile(name="x", previous="uv.lock", status=Status.RENAMED)]
    assert has_dependencies(gone)
