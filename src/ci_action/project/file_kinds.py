"""Kinds of files, by name only: all names are relative, with slashes.

These are the kinds that several stages need. Which files a tool checks is defined beside the tool, by its own patterns.
"""

import re
from typing import Final

PYTHON: Final = (".py", ".pyw")
"""Files that Python runs."""
SOURCES: Final = (*PYTHON, ".pyi")
"""Files that are written in Python."""
PYTEST_FILES: Final = ("test_*.py", "*_test.py")
"""The files that pytest collects by default: its `python_files`."""
PRE_COMMIT_FILES: Final = (".pre-commit-config.yaml", ".pre-commit-config.yml")
RUFF_FILES: Final = (".ruff.toml", "ruff.toml")
"""Ruff's own configuration files in order of precedence, each before pyproject.toml."""
BANDIT_FILES: Final = ("bandit.yaml", "bandit.yml", ".bandit.yaml", ".bandit.yml", "bandit.toml")
"""bandit's own configuration files in order of precedence, each after pyproject.toml."""
HADOLINT_FILES: Final = (".hadolint.yaml", ".hadolint.yml")
"""hadolint's own configuration files in order of precedence."""
SECRETS_BASELINE: Final = ".secrets.baseline"
"""The baseline of detect-secrets, if `secrets-baseline` is not set."""
PYTHON_LOCKS: Final = frozenset({"uv.lock", "pylock.toml", "poetry.lock", "pdm.lock", "Pipfile.lock"})
"""The lock files that are read (`dependencies.lockfiles`)."""
_LOCKS: Final = PYTHON_LOCKS | {
    "pixi.lock", "conda-lock.yml",
    "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb", "deno.lock",
    "Cargo.lock", "go.sum", "go.work.sum", "composer.lock", "Gemfile.lock", "gems.locked", "mix.lock", "rebar.lock",
    "pubspec.lock", "Podfile.lock", "Package.resolved", "packages.lock.json", "paket.lock", "gradle.lockfile",
    "flake.lock", "Chart.lock", ".terraform.lock.hcl", "stack.yaml.lock", "MODULE.bazel.lock",
}  # fmt: skip
_REQUIREMENTS: Final = re.compile(r"[^/]*requirements[^/]*\.(?:txt|in)")
_DEPENDENCIES: Final = re.compile(
    r"(?:.*/)?(?:constraints[^/]*\.txt|requirements/(?:.*/)?[^/]+\.(?:txt|in)"
    r"|pyproject\.toml|setup\.(?:py|cfg)|Pipfile|environment\.ya?ml|pixi\.toml"
    r"|package\.json|Cargo\.toml|go\.mod|Gemfile|composer\.json)"
)
_TEST_FOLDERS: Final = frozenset({"tests", "test", "testing"})
_TEST: Final = re.compile(r"test_.*\.pyw?|.*_test\.pyw?|tests\.py|conftest\.py", re.DOTALL)
_DOCS: Final = re.compile(
    r"(?:.*/)?docs?/.+|.*\.(?:md|mdx|rst|adoc)|(?:.*/)?(?:README|CHANGELOG|CHANGES|CONTRIBUTING|HISTORY|NEWS)(?:\.txt)?"
    r"|mkdocs\.ya?ml|\.readthedocs\.ya?ml",
    re.IGNORECASE,
)
# Alembic and Django have a module for each migration, Flyway and others a file of SQL.
_MIGRATION: Final = re.compile(
    r"(?:.*/)?(?:migrations?|alembic)/(?:.*/)?(?!__init__\.py$|env\.py$|conftest\.py$|test_)[^/]+(?<!_test)\.(?:py|sql)"
    r"|(?:.*/)?versions/[0-9a-f]{8,}_[^/]*\.py"  # Alembic in a folder of another name
    r"|(?:.*/)?(?:[VUB][0-9][0-9._]*|R)__[^/]+\.(?:sql|java)"  # Flyway
    r"|(?:.*/)?db/migrate/[^/]+"
)
_DOCKERFILE: Final = re.compile(r"Dockerfile|Containerfile|Dockerfile\..+|.+\.Dockerfile", re.DOTALL)
_DOCKERIGNORE: Final = ".dockerignore"
# Of template engines: such a file becomes a Dockerfile only when it is rendered.
_TEMPLATES: Final = (
    ".cookiecutter", ".erb", ".in", ".j2", ".jinja", ".jinja2", ".m4", ".mako", ".mustache", ".template", ".tmpl", ".tpl",
)  # fmt: skip
_WORKFLOW: Final = re.compile(r"\.github/workflows/[^/]+\.ya?ml", re.DOTALL)


def is_test(name: str) -> bool:
    """Whether a file belongs to the tests."""
    *folders, last = name.split("/")
    return not _TEST_FOLDERS.isdisjoint(folders) or _TEST.fullmatch(last) is not None


def is_lock(name: str) -> bool:
    """Whether a file is written by a resolver, whatever the language."""
    last = name.rpartition("/")[2]
    return last in _LOCKS or (last.startswith("pylock.") and last.endswith(".toml"))


def is_requirements(name: str) -> bool:
    """Whether a file is named like a requirements file; those of a folder `requirements` may have any name."""
    return _REQUIREMENTS.fullmatch(name.rpartition("/")[2]) is not None


def names_dependencies(name: str) -> bool:
    """Whether a file lists or locks the packages that the project needs."""
    return is_lock(name) or is_requirements(name) or _DEPENDENCIES.fullmatch(name) is not None


def is_docs(name: str) -> bool:
    """Whether a file is documentation."""
    return _DOCS.fullmatch(name) is not None


def is_migration(name: str) -> bool:
    """Whether a file is a migration of a database."""
    return _MIGRATION.fullmatch(name) is not None


def is_dockerfile(name: str) -> bool:
    """Whether a file is named like a Dockerfile, of any image."""
    return _is_named_dockerfile(name) and not name.endswith(_TEMPLATES)


def is_dockerfile_template(name: str) -> bool:
    """Whether a file is named like a template of a Dockerfile."""
    return _is_named_dockerfile(name) and name.endswith(_TEMPLATES)


def _is_named_dockerfile(name: str) -> bool:
    last = name.rpartition("/")[2]
    return _DOCKERFILE.fullmatch(last) is not None and not last.endswith(_DOCKERIGNORE)


def is_workflow(name: str) -> bool:
    """Whether a file is a workflow of GitHub Actions."""
    return _WORKFLOW.fullmatch(name) is not None
