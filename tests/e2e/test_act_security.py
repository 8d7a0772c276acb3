"""The security stage in nektos/act: another job reads its outputs, and its SARIF file is uploaded."""

import re
from pathlib import Path
from typing import Final

import pytest
from support import planted_secrets
from support.advisory_service import served
from support.container import projects
from support.container.act import ACTION, CHECKOUT, UPLOAD, act, consumer
from support.container.image import gateway

pytestmark = pytest.mark.docker
WORKFLOW: Final = f"""
on: push
permissions:
  contents: read
jobs:
  security:
    runs-on: ubuntu-latest
    outputs:
      says: result=${{{{ steps.security.outputs.result }}}} vulnerabilities=${{{{ steps.security.outputs.vulnerabilities }}}} secrets=${{{{ steps.security.outputs.secrets }}}} findings=${{{{ steps.security.outputs.findings }}}}
    steps:
      - uses: {CHECKOUT}
      - id: security
        uses: {ACTION}
        with:
          stage: security
          fail-on: never
          advisory-url: SERVICE
      - if: always()
        uses: {UPLOAD}
        with:
          name: sarif
          path: ${{{{ steps.security.outputs.sarif-file }}}}
          if-no-files-found: error
  later:
    runs-on: ubuntu-latest
    needs: security
    if: needs.security.outputs.says != ''
    steps:
      - env:
          SAYS: ${{{{ needs.security.outputs.says }}}}
        run: |
          echo "the later job reads: $SAYS"
"""


def test_another_job_reads_what_was_found_and_the_sarif_file_is_uploaded(checkout: Path, tmp_path: Path):
    project = tmp_path / "exposed"
    projects.sample(project, "exposed")
    with served(host=gateway()) as service:
        consumer(project, planted_secrets.everything(), WORKFLOW.replace("SERVICE", service.address))
        code, log = act(project, "push", "--local-repository", f"{ACTION}={checkout}")
        asked = {name for name, _ in service.asked}
    assert code == 0, log
    says = re.search(
        r"the later job reads: result=(\w+) vulnerabilities=(\d+) secrets=(\d+) findings=(\d+)", log
    )
    assert says, log
    result, *numbers = says.groups()
    vulnerabilities, secrets, findings = map(int, numbers)
    assert result == "warned"
    assert {"requests", "urllib3"} <= asked
    assert vulnerabilities >= 2
    assert secrets >= len(planted_secrets.secrets()) - 1
    assert findings > vulnerabilities + secrets, "bandit found something too"
    assert re.search(r"Artifact sarif.* has been successfully uploaded", log), log
    assert log.count("Job succeeded") == 2
    told = "\n".join(line for line in log.splitlines() if "add-mask" not in line)
    assert not planted_secrets.readable_in(tmp_path / "none", told)
