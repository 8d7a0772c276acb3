"""What is in a real image: secrets of layers and of the history, packages that are left, and a second run without a save."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from support.advisory_service import AdvisoryService, served
from support.container import projects
from support.container.image import BASE, docker, gateway
from support.container.runner import Machine
from support.docker_runs import Shell, findings, new_tag, remove
from support.docker_samples import distribution, key

pytestmark = pytest.mark.docker
TOKEN: Final = "k3J9xQ" + "27fLp0aZtW"
SITE: Final = "/usr/local/lib/python3.13/site-packages"
LEAKY: Final = f"""\
FROM {BASE} AS tools
RUN echo {key()} > /only-in-the-other-stage
FROM {BASE} AS base
ARG API_TOKEN
ENV GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D
WORKDIR /app
COPY old {SITE}/
RUN rm -r {SITE}/urllib3-1.25.8.dist-info
FROM base
COPY site venv/lib/python3.13/site-packages/
COPY .env pyproject.toml ./
RUN rm .env
RUN python -c "import os; open('/srv/made.cfg', 'w').write('token = ' + '{key()[:10]}' + '{key()[10:]}')"
ENV DB_PASSWORD={TOKEN}
CMD ["sleep", "60"]
"""


def moved(files: dict[str, str], folder: str) -> dict[str, str]:
    return {f"{folder}{name.removeprefix('site')}": text for name, text in files.items()}


def project() -> dict[str, str]:
    own = distribution("shop", "1.0")
    return {
        "Dockerfile": LEAKY,
        "pyproject.toml": '[project]\nname = "shop"\nversion = "1.0"\n',
        ".env": f"GITHUB_TOKEN={key()}\n",
        **moved(distribution("urllib3", "1.25.8"), "old"),
        **distribution("requests", "2.19.0"),
        **distribution("six", "1.17.0"),
        **own,
        **moved(distribution("local", "1.0"), "site"),
        "site/local-1.0.dist-info/direct_url.json": '{"url": "file:///src", "dir_info": {"editable": true}}',
    }


def line(start: str) -> int:
    return next(number for number, text in enumerate(LEAKY.splitlines(), 1) if text.startswith(start))


EXPECTED: Final = {
    ("secret-in-layer", "Dockerfile", line("COPY .env")),
    ("secret-in-layer", "Dockerfile", line("RUN python")),
    ("secret-in-history", "Dockerfile", line("ARG API_TOKEN")),
    ("secret-in-env", "Dockerfile", line("ENV DB_PASSWORD")),
    ("runs-as-root", "Dockerfile", line("FROM base")),
    ("vulnerable-package", "Dockerfile", line("COPY site")),
}


@pytest.fixture
def tag() -> Iterator[str]:
    name = new_tag()
    yield name
    remove(name)


@pytest.fixture
def service() -> Iterator[AdvisoryService]:
    with served(host=gateway()) as one:
        yield one


def saves(since: float) -> list[str]:
    """Return the images that the engine has saved since a time."""
    words = (
        f"--since={int(since)}",
        f"--until={int(time.time()) + 1}",
        "--filter=event=save",
        "--format={{.ID}}",
    )
    return docker("events", *words).split()


def judged(ran: Any, service: AdvisoryService) -> None:
    """Check the findings of the project, and that nothing shows a secret."""
    assert findings(ran.report) == EXPECTED
    text = json.dumps(ran.report)
    assert not [value for value in (key(), TOKEN, "token-of-a-build") if value in text]
    (image,) = (one for stage in ran.report["stages"] for one in stage["tools"] if one["name"] == "image")
    removed = [one["message"] for one in image["findings"] if "/app/.env" in one["message"]]
    assert len(removed) == 1
    assert "a later layer" in removed[0]
    assert {name for name, _ in service.asked} >= {"requests", "six"}
    assert {name for name, _ in service.asked}.isdisjoint({"urllib3", "shop", "local"})


def test_a_leaky_image_in_a_shell_twice(tmp_path: Path, tag: str, service: AdvisoryService):
    shell = Shell(folder=tmp_path / "shop").write(project())
    inputs = {
        "image_tag": tag,
        "build_args": "API_TOKEN=token-of-a-build",
        "advisory_url": service.address,
        "smoke_command": "true",
        "cache_dir": str(tmp_path / "cache"),
    }
    started = time.time()
    first = shell.run(**inputs)
    image = first.outputs["image-id"]
    judged(first, service)
    assert image in saves(started)
    base = tmp_path / "shop" / "base.json"
    base.write_text(json.dumps(first.report))

    time.sleep(1.1)  # the engine's clock for events has whole seconds
    again = time.time()
    second = shell.run(**inputs, base_report="base.json", max_image_size="100MB")
    limited = ("too-large", "Dockerfile", line("FROM " + BASE + " AS base"))
    assert findings(second.report) == EXPECTED | {limited}
    assert second.code == 1
    assert second.outputs["image-id"] == image
    assert image not in saves(again)
    assert first.tool("image")["examined"] == second.tool("image")["examined"]
    assert second.tool("image")["metrics"] == first.tool("image")["metrics"]
    assert [one for one in second.tool("image")["details"] if "base branch" in one]
    assert not second.tool("image")["warnings"]
    kept = "".join(file.read_text("utf-8", "replace") for file in (tmp_path / "cache").rglob("image.kept"))
    assert "/app/.env" in kept
    assert not [value for value in (key(), TOKEN) if value in kept]


def test_a_leaky_image_in_our_container(machine: Machine, tag: str, service: AdvisoryService):
    projects.write(machine.workspace, project())
    inputs = {
        "stage": "docker",
        "image-tag": tag,
        "build-args": "API_TOKEN=token-of-a-build",
        "advisory-url": service.address,
        "smoke-command": "true",
    }
    ran = machine.run(inputs=inputs)
    judged(ran, service)
    assert not [one for one, owner in ran.owners.items() if owner != projects.OWNER]


@pytest.mark.parametrize(("fail_on", "code"), [("never", 0), ("high", 1)])
def test_packages_that_nobody_could_audit(fail_on: str, code: int, tmp_path: Path, tag: str):
    files = {
        **distribution("six", "1.17.0"),
        "Dockerfile": f"FROM {BASE}\nCOPY site {SITE}/\nUSER 10001\nCMD sleep 60\n",
    }
    shell = Shell(folder=tmp_path / "shop").write(files)
    ran = shell.run(image_tag=tag, advisory_url="http://127.0.0.1:9", fail_on=fail_on)
    assert (ran.code, ran.tool("image")["outcome"]) == (code, "report"), ran.out
    assert findings(ran.report) == {("not-audited", "Dockerfile", 1)}
