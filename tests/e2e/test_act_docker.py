"""The docker stage in nektos/act: a later step uses the image that was tested, and the reusable workflow."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from support.advisory_service import served
from support.container import projects
from support.container.act import ACTION, CHECKOUT, act, consumer
from support.container.image import gateway
from support.docker_runs import image_id, new_tag, nothing_left, remove
from support.docker_samples import SAMPLES, URL
from support.paths import ROOT

pytestmark = pytest.mark.docker
LATER: Final = f"""
on: push
permissions:
  contents: read
jobs:
  docker:
    runs-on: ubuntu-latest
    steps:
      - uses: {CHECKOUT}
      - id: ci
        uses: {ACTION}
        with:
          stage: docker
          image-tag: TAG
          smoke-url: {URL}
          max-image-size: 1GB
          advisory-url: SERVICE
      - env:
          IMAGE: ${{{{ steps.ci.outputs.image }}}}
          ID: ${{{{ steps.ci.outputs.image-id }}}}
          SIZE: ${{{{ steps.ci.outputs.image-size }}}}
        run: |
          echo "the later step has $IMAGE $(docker image inspect --format '{{{{.Id}}}} {{{{.Size}}}}' "$IMAGE"), told $ID $SIZE"
"""
CALLER: Final = f"""
on: push
permissions:
  contents: read
jobs:
  docker:
    uses: ./.github/workflows/docker.yml
    with:
      image-tag: TAG
      smoke-url: {URL}
  later:
    runs-on: ubuntu-latest
    needs: docker
    steps:
      - env:
          SAYS: result=${{{{ needs.docker.outputs.result }}}} image=${{{{ needs.docker.outputs.image }}}} id=${{{{ needs.docker.outputs.image-id }}}}
        run: |
          echo "the later job reads: $SAYS"
"""


@pytest.fixture
def tag() -> Iterator[str]:
    name = new_tag()
    with nothing_left():
        yield name
    remove(name)


def test_a_later_step_uses_the_image_that_was_tested(checkout: Path, tmp_path: Path, tag: str):
    with served(host=gateway()) as service:
        workflow = LATER.replace("TAG", tag).replace("SERVICE", service.address)
        project = consumer(tmp_path / "shop", SAMPLES["good"].project, workflow)
        code, log = act(project, "push", "--local-repository", f"{ACTION}={checkout}")
    assert code == 0, log
    assert re.search(r"ci-action: passed", log), log
    found = re.search(r"the later step has (\S+) (\S+) (\d+), told (\S+) (\d+)", log)
    assert found, log
    assert found[1] == tag
    assert found[2] == found[4] == image_id(tag)
    assert found[3] == found[5]


def called(name: str, checkout: Path, folder: Path, tag: str) -> tuple[int, str]:
    """Run our reusable workflow on a sample; return the exit code and the log."""
    own = (ROOT / ".github" / "workflows" / "docker.yml").read_text("utf-8")
    projects.put(folder, {**SAMPLES[name].project, ".github/workflows/docker.yml": own})
    consumer(folder, {}, CALLER.replace("TAG", tag))
    return act(folder, "push", "--local-repository", f"{ACTION}={checkout}")


def test_our_reusable_workflow_is_green(checkout: Path, tmp_path: Path, tag: str):
    code, log = called("good", checkout, tmp_path / "shop", tag)
    assert code == 0, log
    found = re.search(r"the later job reads: result=(\w*) image=(\S*) id=(\S*)", log)
    assert found, log
    assert found[1] in {"passed", "warned"}  # without a service that knows advisories
    assert (found[2], found[3]) == (tag, image_id(tag))


def test_our_reusable_workflow_is_red_for_a_container_that_ends(checkout: Path, tmp_path: Path, tag: str):
    code, log = called("crash", checkout, tmp_path / "shop", tag)
    assert code != 0, log
    assert re.search(r"ci-action: failed .*exit 1", log), log
    assert "smoke exited" in log
    assert "no database" in log
    assert "has been successfully uploaded" in log
    assert image_id(tag)
