"""What the names of changed files tell: the areas of the project, and files of a kind that later jobs ask for."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from ci_action.settings.patterns import Area
from ci_action.stages.pr.changed_files import ChangedFile
from ci_action.stages.pr.sizes import is_lock_file

# Alembic and Django keep a migration a module, Flyway and others a file of SQL; what stands beside them is none.
_MIGRATIONS: Final = re.compile(
    r"(?:.*/)?(?:migrations?|alembic)/(?:.*/)?(?!__init__\.py$|env\.py$|conftest\.py$|test_)[^/]+(?<!_test)\.(?:py|sql)"
    r"|(?:.*/)?versions/[0-9a-f]{8,}_[^/]*\.py"  # Alembic in a folder of another name
    r"|(?:.*/)?(?:[VUB][0-9][0-9._]*|R)__[^/]+\.(?:sql|java)"  # Flyway
    r"|(?:.*/)?db/migrate/[^/]+"
)
_DOCS: Final = re.compile(
    r"(?:.*/)?docs?/.+|.*\.(?:md|mdx|rst|adoc)|(?:.*/)?(?:README|CHANGELOG|CHANGES|CONTRIBUTING|HISTORY|NEWS)(?:\.txt)?"
    r"|mkdocs\.ya?ml|\.readthedocs\.ya?ml",
    re.IGNORECASE,
)
_DEPENDENCIES: Final = re.compile(
    r"(?:.*/)?(?:[^/]*requirements[^/]*\.(?:txt|in)|constraints[^/]*\.txt|requirements/(?:.*/)?[^/]+\.(?:txt|in)"
    r"|pyproject\.toml|setup\.(?:py|cfg)|Pipfile|environment\.ya?ml|pixi\.toml"
    r"|package\.json|Cargo\.toml|go\.mod|Gemfile|composer\.json)"
)


def areas_of(files: Iterable[ChangedFile], areas: Sequence[Area] = ()) -> list[str]:
    """Return the areas that files belong to, in the order of their definition; the top folders where none is defined.

    A file that was moved out of an area belongs to it too.
    """
    names = {name for file in files for name in file.names}
    if not areas:
        return sorted({name.partition("/")[0] if "/" in name else "." for name in names})
    touched = (area.name for area in areas if any(map(area.spec.match_file, names)))
    return list(dict.fromkeys(touched))


def has_migrations(files: Iterable[ChangedFile]) -> bool:
    """Whether one of the files is a migration of a database."""
    return _any(_MIGRATIONS, files)


def has_docs(files: Iterable[ChangedFile]) -> bool:
    """Whether one of the files is documentation."""
    return _any(_DOCS, files)


def has_dependencies(files: Iterable[ChangedFile]) -> bool:
    """Whether one of the files says which packages are needed."""
    known = list(files)
    return _any(_DEPENDENCIES, known) or any(is_lock_file(name) for file in known for name in file.names)


def _any(pattern: re.Pattern[str], files: Iterable[ChangedFile]) -> bool:
    return any(pattern.fullmatch(name) for file in files for name in file.names)
