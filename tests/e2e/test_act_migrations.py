"""Migrations in nektos/act: on a service of the job, and on the embedded server."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
from support import migration_samples as samples
from support.container.act import ACTION, CHECKOUT, act, consumer, tool
from support.migration_samples import sample

pytestmark = pytest.mark.docker
SERVICE: Final = f"""
on: push
permissions:
  contents: read
jobs:
  migrations:
    runs-on: ubuntu-latest
    container: ci-runner
    services:
      postgres:
        image: postgres:16
        env:
          POSTGRES_USER: app
          POSTGRES_PASSWORD: only-for-tests
    steps:
      - uses: {CHECKOUT}
      - id: migrations
        uses: {ACTION}
        with:
          stage: migrations
          database-url: postgresql://app:only-for-tests@postgres:5432
      - env:
          SAYS: database=${{{{ steps.migrations.outputs.database }}}} heads=${{{{ steps.migrations.outputs.migration-heads }}}}
        run: |
          echo "the later step reads: $SAYS"
"""
EMBEDDED: Final = f"""
on: push
permissions:
  contents: read
jobs:
  migrations:
    runs-on: ubuntu-latest
    steps:
      - uses: {CHECKOUT}
      - id: migrations
        uses: {ACTION}
        with:
          stage: migrations
      - if: always()
        env:
          SAYS: database=${{{{ steps.migrations.outputs.database }}}} heads=${{{{ steps.migrations.outputs.migration-heads }}}}
        run: |
          echo "the later step reads: $SAYS"
"""


def test_a_service_of_the_job(checkout: Path, tmp_path: Path):
    subprocess.run([tool("base-image"), "postgres"], check=True, capture_output=True)
    project = consumer(tmp_path / "service", sample(), SERVICE)
    code, log = act(project, "push", "--local-repository", f"{ACTION}={checkout}")
    assert code == 0, log
    assert re.search(r"ci-action: passed", log)
    assert re.search(r"the later step reads: database=postgresql \d\S* .*heads=a0003", log), log
    assert "embedded" not in log
    assert "only-for-tests" not in "".join(re.findall(r"ci-action.*", log))


def test_the_embedded_server_finds_a_broken_downgrade(checkout: Path, tmp_path: Path):
    project = consumer(tmp_path / "embedded", sample(samples.BROKEN_DOWNGRADE), EMBEDDED)
    code, log = act(project, "push", "--local-repository", f"{ACTION}={checkout}")
    assert code != 0, log
    assert re.search(r"ci-action: failed .*exit 1", log), log
    assert re.search(r"the later step reads: database=postgresql \S+, embedded heads=a0004", log), log
    assert "migrations/versions/a0004.py" in log
    assert "downgrade-failed" in log
