"""Credentials of a package index and the real uv: two indexes on loopback, the workflow's and a stranger's."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.package_index import closed, make_wheel

LOGIN = {"UV_INDEX_CO_RP_USERNAME": "reader", "UV_INDEX_CO_RP_PASSWORD": "hunter2-of-the-index"}
PROJECT = "[project]\nname = 'x'\nversion = '1'\nrequires-python = '>=3.9'\ndependencies = ['demo']\n"


@dataclass(frozen=True)
class Indexes:
    """Two indexes with the same package, and the credentials that each was given."""

    own: str
    given_to_own: list[str]
    strange: str
    given_to_stranger: list[str]


@pytest.fixture
def indexes(tmp_path: Path) -> Iterator[Indexes]:
    make_wheel(tmp_path / "index" / "demo", "demo", "1.0", "def main(): pass\n")
    with closed(tmp_path / "index") as (own, mine), closed(tmp_path / "index") as (strange, theirs):
        yield Indexes(own, mine, strange, theirs)


def index(name: str, url: str, more: str = "") -> str:
    return f"[[tool.uv.index]]\nname = '{name}'\nurl = '{url}'\n{more}\n"


@pytest.mark.parametrize(
    ("how", "name", "defined"),
    [
        ("default", "co-rp", True),
        ("default", "CO.RP", False),
        ("explicit", "co_rp", True),
        ("explicit", "co-rp", False),
        ("uv.toml", "co_rp", True),
        ("uv.toml", "co-rp", False),
        ("lock", "co_rp", True),
        ("lock", "co-rp", False),
    ],
)
def test_a_stranger_gets_no_credentials(
    project, ci_action, indexes: Indexes, how: str, name: str, *, defined: bool
):
    table = index(name, indexes.strange, "default = true")
    files = {"pyproject.toml": PROJECT + table}
    if how == "explicit":
        source = f"[tool.uv.sources]\ndemo = {{ index = '{name}' }}\n"
        files = {"pyproject.toml": PROJECT + index(name, indexes.strange, "explicit = true") + source}
    if how == "uv.toml":
        files = {"pyproject.toml": PROJECT, "uv.toml": table.replace("tool.uv.", "")}
    if how == "lock":
        files["uv.lock"] = _lock(indexes.strange)
    env = {**LOGIN, "UV_NO_CACHE": "1"} | ({"UV_INDEX": f"co-rp={indexes.own}"} if defined else {})
    words = ("test",) if how == "lock" else ("security", "--fail-on=high")
    ran = ci_action(project(files), "run", *words, env=env)
    assert indexes.given_to_stranger == []
    said = [warning for warning in ran.report["warnings"] if "UV_INDEX_CO_RP_PASSWORD" in warning]
    assert len(said) == (not defined)
    assert LOGIN["UV_INDEX_CO_RP_PASSWORD"] not in ran.out


def test_the_index_of_the_workflow_gets_them(project, ci_action, indexes: Indexes):
    folder = project({"pyproject.toml": PROJECT + index("co-rp", indexes.strange)})
    env = {**LOGIN, "UV_INDEX": f"co-rp={indexes.own}", "UV_NO_CACHE": "1"}
    ran = ci_action(folder, "run", "security", "--fail-on=high", env=env)
    assert set(indexes.given_to_own) == {"reader:hunter2-of-the-index"}
    assert ran.tool("pip-audit")["examined"] == {"packages": 1, "skipped": 0}


def _lock(registry: str) -> str:
    return (
        'version = 1\nrevision = 3\nrequires-python = ">=3.9"\n\n'
        f'[[package]]\nname = "demo"\nversion = "1.0"\nsource = {{ registry = "{registry}" }}\n'
        f'wheels = [{{ url = "{registry}/demo/demo-1.0-py3-none-any.whl" }}]\n\n'
        '[[package]]\nname = "x"\nversion = "1"\nsource = { virtual = "." }\ndependencies = [{ name = "demo" }]\n\n'
        '[package.metadata]\nrequires-dist = [{ name = "demo" }]\n'
    )
