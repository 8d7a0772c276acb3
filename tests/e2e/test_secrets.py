"""No secret that the container is given leaves it, even where the project's own text holds it."""

import pytest
from support.container import projects
from support.container.runner import Machine, Ran
from support.container.variables import RUNTIME_TOKEN, TOKEN

pytestmark = pytest.mark.docker
PASSWORD = "hunter2-of-the-index-0003"
OIDC = "eyT0kenOfOpenIdConnect0000000000004"
INDEX = f"https://user:{PASSWORD}@packages.example.invalid/simple"
QUALITY = {"stage": "quality"}
SECRETS = (TOKEN, RUNTIME_TOKEN, PASSWORD, OIDC)


def leaked(ran: Ran) -> list[str]:
    """Return the secrets that left the container, but for the command that masks one."""
    written = ran.written.replace(f"::add-mask::{TOKEN}\n".encode(), b"", 1)
    return [secret for secret in SECRETS if secret.encode() in written]


def test_no_secret_appears_anywhere(machine: Machine):
    lines = "".join(f"__all__ = [ '{secret}' ]\nimport {secret.replace('-', '')}\n" for secret in SECRETS)
    pin = {"requirements-dev.txt": "black==24.10.0\n"}
    projects.write(machine.workspace, {**projects.CLEAN, **pin, "lines.py": lines})
    environ = {"PIP_INDEX_URL": INDEX, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": OIDC, "RUNNER_DEBUG": "1"}
    ran = machine.run(inputs=QUALITY, environ=environ, options=["--network", "none"])
    assert ran.code == 1, ran.log
    assert "could not install" in ran.log, "the index was asked"
    assert not leaked(ran)
    assert b"***" in ran.written


@pytest.mark.parametrize("name", [f"{TOKEN}.py", f"{TOKEN}/a.py", f"odd {TOKEN}\n.py"])
def test_no_secret_in_a_file_name_appears_anywhere(machine: Machine, name: str):
    projects.write(machine.workspace, {name: "import os\nx = [ 1 ]\n"})
    ran = machine.run(inputs=QUALITY)
    assert ran.code == 1, ran.log
    assert not leaked(ran)
    assert ran.tool("black")["findings"]
    assert ran.tool("ruff")["findings"]


def test_the_token_is_masked_before_anything_else_is_said(machine: Machine):
    projects.write(machine.workspace, projects.CLEAN)
    ran = machine.run(inputs=QUALITY)
    assert ran.log.startswith(f"::add-mask::{TOKEN}\n")


def test_a_mistake_in_the_settings_shows_no_secret(machine: Machine):
    projects.write(machine.workspace, projects.CLEAN)
    inputs = {**QUALITY, "paths": f"src/{TOKEN}\n{PASSWORD}", "ignore": RUNTIME_TOKEN}
    ran = machine.run(inputs=inputs, environ={"PIP_INDEX_URL": INDEX})
    assert ran.code == 2, ran.log
    assert not leaked(ran)


def test_tools_see_no_token_and_no_command_file(machine: Machine):
    projects.write(machine.workspace, {"big.py": projects.hanging()})
    step = machine.start(inputs=QUALITY, environ={"ACTIONS_ID_TOKEN_REQUEST_TOKEN": OIDC})
    try:
        step.wait_for("black")
        seen = step.environment_of("black")
    finally:
        step.client.terminate()
        step.end(30)
    assert "GIT_CONFIG_VALUE_0" in seen
    assert not [name for name in seen if name.startswith(("INPUT_", "ACTIONS_"))]
    assert not {"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY", "GITHUB_STATE", "GITHUB_PATH"} & set(
        seen
    )
    assert not [name for name, value in seen.items() if any(secret in value for secret in SECRETS)]
