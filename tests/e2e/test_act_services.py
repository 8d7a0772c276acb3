"""A job with PostgreSQL and Redis in nektos/act: quality, then tests that use them, and what is uploaded."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
from support.container.act import ACTION, CHECKOUT, UPLOAD, act, consumer, tool

pytestmark = pytest.mark.docker
# In a container of its own the job reaches services by their labels, as the action does on GitHub in every job.
WORKFLOW: Final = f"""
on: push
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-latest
    container: ci-runner
    services:
      postgres:
        image: postgres:16
        env:
          POSTGRES_USER: app
          POSTGRES_PASSWORD: only-for-tests
          POSTGRES_DB: app_test
      redis:
        image: redis:7
    steps:
      - uses: {CHECKOUT}
      - uses: {ACTION}
        with:
          stage: quality
      - id: test
        uses: {ACTION}
        env:
          DATABASE_URL: postgresql://app:only-for-tests@postgres:5432/app_test
          REDIS_URL: redis://redis:6379/0
        with:
          stage: test
          coverage-min: "80"
          wait-for: |
            postgres://app:only-for-tests@postgres:5432/app_test
            redis://redis:6379/0
      - if: always()
        env:
          SAYS: result=${{{{ steps.test.outputs.result }}}} total=${{{{ steps.test.outputs.tests-total }}}} failed=${{{{ steps.test.outputs.tests-failed }}}} coverage=${{{{ steps.test.outputs.coverage }}}}
        run: |
          echo "the later step reads: $SAYS"
          grep -c '<testcase' "${{{{ steps.test.outputs.junit-file }}}}"
      - if: always()
        uses: {UPLOAD}
        with:
          name: coverage
          path: |
            ${{{{ steps.test.outputs.coverage-file }}}}
            ${{{{ steps.test.outputs.junit-file }}}}
          if-no-files-found: error
"""
STORE: Final = '''"""Keeps names in PostgreSQL and counts them in Redis."""

import psycopg
import redis


def keep(database: str, name: str) -> int:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS names (name text)")
        connection.execute("INSERT INTO names VALUES (%s)", [name])
        found = connection.execute("SELECT count(*) FROM names").fetchone()
    return found[0] if found else 0


def count(server: str, name: str) -> int:
    return int(redis.Redis.from_url(server).incr(name))
'''
TESTS: Final = """import os

import store


def test_names_are_kept():
    assert store.keep(os.environ["DATABASE_URL"], "Ada") == 1


def test_names_are_counted():
    assert [store.count(os.environ["REDIS_URL"], "Ada") for _ in range(2)] == [1, 2]
"""
FILES: Final = {
    "pyproject.toml": "[project]\nname = 'store'\nversion = '1'\nrequires-python = '>=3.10'\n",
    "requirements.txt": "psycopg[binary]\nredis\n",
    "store.py": STORE,
    "test_store.py": TESTS,
}


@pytest.fixture(scope="module", autouse=True)
def images() -> None:
    for kind in ("postgres", "redis"):
        subprocess.run([tool("base-image"), kind], check=True, capture_output=True)


@pytest.mark.parametrize(("expected", "result"), [("== 1\n", "passed"), ("== 2\n", "failed")])
def test_services_are_used_and_the_coverage_is_uploaded(
    checkout: Path, tmp_path: Path, expected: str, result: str
):
    files = {**FILES, "test_store.py": TESTS.replace("== 1\n", expected, 1)}
    project = consumer(tmp_path / "store", files, WORKFLOW)
    code, log = act(project, "push", "--local-repository", f"{ACTION}={checkout}")
    failed = result == "failed"
    assert (code != 0) is failed, log
    assert f"Job {'failed' if failed else 'succeeded'}" in log
    assert re.search(r"ci-action: passed", log), "quality passes either way"
    assert re.search(r"postgres \d\S* at postgres:5432/app_test answered after", log), log
    assert re.search(r"redis \d\S* at redis:6379/0 answered after", log)
    says = re.search(r"the later step reads: result=(\w+) total=(\d+) failed=(\d+) coverage=(\S+)", log)
    assert says, log
    assert says.groups() == (result, "2", "1" if failed else "0", "100.00")
    assert re.search(r"Artifact coverage.* has been successfully uploaded", log), log
    if failed:
        assert "test_store.py::test_names_are_kept" in log
    assert "only-for-tests" not in "".join(re.findall(r".*answered after.*", log))
