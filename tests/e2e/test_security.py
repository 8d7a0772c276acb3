"""The security stage in the container: an advisory service outside of it, and secrets planted in the project."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pytest
from support import planted_secrets
from support.advisory_service import AdvisoryService, Failing, served
from support.container import projects
from support.container.image import gateway
from support.container.probes import CURIOUS_SETTINGS, SLEEPING_PLUGIN
from support.container.runner import Machine, Ran
from support.container.variables import TOKEN

pytestmark = pytest.mark.docker
CACHE: Final = "/github/cache"
SEVERE: Final = {"high", "critical", "unknown"}
TOKENS: Final = {
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "eyOpenIdToken0000000000000000000004",
    "GITHUB_TOKEN": TOKEN,
}
# The runner's next signal comes 7.5 seconds after the first.
LIMIT: Final = 7.0
WEAK: Final = "import subprocess\n\nsubprocess.call('ls', shell=True)\n"
# Takes bandit the better part of a minute.
SLOW: Final = "".join(f"it = call(key='{n}', other=[{n}, {{'a': '{n}'}}])\n" for n in range(60_000))


@pytest.fixture(scope="module")
def service() -> Iterator[AdvisoryService]:
    with served(host=gateway()) as one:
        yield one


@pytest.fixture(scope="module")
def exposed(image: str, tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """Return a machine with the sample project, and a secret of every type in it."""
    machine = Machine(image=image, root=tmp_path_factory.mktemp("exposed"))
    (machine.root / "cache").mkdir()
    projects.sample(machine.workspace, "exposed")
    projects.write(machine.workspace, planted_secrets.everything())
    return machine


def run(machine: Machine, service: AdvisoryService, *, cache: str = "", **inputs: str) -> Ran:
    """Run the stage; `cache` says how the folder of kept results is mounted."""
    given = {"stage": "security", "advisory-url": service.address, "cache-dir": CACHE}
    given |= {name.replace("_", "-"): value for name, value in inputs.items()}
    options = ["-v", f"{machine.root / 'cache'}:{CACHE}{cache}"]
    shutil.rmtree(machine.workspace / "ci-action-report", ignore_errors=True)
    return machine.run(inputs=given, environ={"RUNNER_DEBUG": "1"}, options=options)


@pytest.fixture(scope="module")
def warned(exposed: Machine, service: AdvisoryService) -> Ran:
    return run(exposed, service, fail_on="never")


def counted(ran: Ran) -> list[dict[str, object]]:
    tools = (ran.tool(name) for name in ("pip-audit", "detect-secrets", "bandit"))
    return [finding for tool in tools for finding in tool["findings"] if not finding["muted"]]


def test_what_is_found_warns_where_nothing_is_to_fail(warned: Ran):
    assert (warned.code, warned.outputs["result"]) == (0, "warned"), warned.log
    found = counted(warned)
    rules = {finding["rule"] for finding in found}
    assert {"PYSEC-2018-28", "B602", "B501", "aws-access-key"} <= rules, rules
    assert warned.outputs["findings"] == str(len(found))
    assert (warned.outputs["errors"], warned.outputs["warnings"]) == ("0", str(len(found)))
    for output, tool in (("vulnerabilities", "pip-audit"), ("secrets", "detect-secrets")):
        assert warned.outputs[output] == str(len(warned.tool(tool)["findings"])) != "0"
    assert not warned.annotations("error")
    assert warned.annotations("warning")
    assert all((warned.workspace / warned.outputs[name]).stat().st_size for name in ("report", "sarif-file"))


def test_no_secret_can_be_read_on_any_channel(warned: Ran, exposed: Machine):
    masked = {seen.data for seen in warned.commands if seen.name == "add-mask"}
    assert {value for value, _ in planted_secrets.secrets().values()} <= masked
    written = b"\n".join(
        line for line in warned.written.splitlines() if not line.startswith(b"::add-mask::")
    ).decode("utf-8", "replace")
    assert not planted_secrets.readable_in(exposed.root / "cache", written)
    assert not planted_secrets.readable_in(exposed.temp), "its home, its temporary files"
    found = {finding["rule"] for finding in warned.tool("detect-secrets")["findings"]}
    assert len(found) >= len(planted_secrets.secrets()) - 1, "two types share a rule"


def test_nothing_of_root_is_left(warned: Ran, exposed: Machine):
    assert {owner for name, owner in warned.owners.items()} == {projects.OWNER}
    home = [exposed.home, *exposed.home.rglob("*")]
    assert not [path for path in home if path.lstat().st_uid != projects.OWNER]
    assert not projects.git_output(exposed.workspace, "status", "--porcelain", "--untracked-files=all")


def test_what_is_severe_fails_also_where_no_result_can_be_kept(
    warned: Ran, exposed: Machine, service: AdvisoryService
):
    kept = {file: file.read_bytes() for file in (exposed.root / "cache").rglob("*") if file.is_file()}
    assert kept
    ran = run(exposed, service, fail_on="high", cache=":ro")
    assert (ran.code, ran.outputs["result"]) == (1, "failed"), ran.log
    found = counted(ran)
    assert ran.outputs["errors"] == str(sum(finding["severity"] in SEVERE for finding in found)) != "0"
    assert {str(f["fingerprint"]) for f in found} == {str(f["fingerprint"]) for f in counted(warned)}
    written = b"\n".join(line for line in ran.written.splitlines() if not line.startswith(b"::add-mask::"))
    assert not planted_secrets.readable_in(exposed.root / "cache", written.decode("utf-8", "replace"))


@pytest.mark.parametrize(("fail_on", "code", "network"), [("never", 0, "none"), ("high", 3, "bridge")])
def test_a_service_that_cannot_be_reached_is_broken_and_never_green(
    exposed: Machine, warned: Ran, fail_on: str, code: int, network: str
):
    inputs = {"stage": "security", "advisory-url": f"http://{gateway()}:9", "fail-on": fail_on}
    ran = exposed.run(inputs=inputs, options=["--network", network])
    assert (ran.code, ran.outputs["result"]) == (code, "broken"), ran.log
    assert ran.tool("pip-audit")["outcome"] == "broken"
    assert ran.outputs["vulnerabilities"] == ""
    assert ran.outputs["secrets"] == warned.outputs["secrets"], "what needs no network is found"
    assert any("pip-audit" in seen.properties.get("title", "") + seen.data for seen in ran.commands)


def test_what_the_project_names_to_be_run_reaches_nothing_of_ours(machine: Machine, service: AdvisoryService):
    projects.write(machine.workspace, CURIOUS_SETTINGS)
    (machine.root / "cache").mkdir()
    # What uv fetches cannot be kept either.
    options = ["-v", f"{machine.root / 'cache'}:{CACHE}:ro"]
    inputs = {"stage": "security", "advisory-url": service.address, "fail-on": "high", "cache-dir": CACHE}
    ran = machine.run(inputs=inputs, environ=TOKENS, options=options)
    for who in ("build", "plugin"):
        noted = (machine.workspace / f"{who}.noted").read_text("utf-8").splitlines()
        assert {line.removeprefix(f"{projects.OWNER} ") for line in noted} == {"[] [] []"}, who
    assert (ran.code, ran.outputs["result"]) == (1, "failed"), ran.log
    assert {finding["rule"] for finding in ran.tool("bandit")["findings"]} >= {"B602"}
    assert "requests" in {finding["package"]["name"] for finding in ran.tool("pip-audit")["findings"]}
    assert ran.tool("detect-secrets")["outcome"] == "report"
    written = {name: file.read_text("utf-8") for name, file in ran.files.items() if file.exists()}
    assert not any(written.get(name) for name in ("GITHUB_ENV", "GITHUB_STATE", "GITHUB_PATH")), written
    assert "all is well" not in ran.summary
    assert written["GITHUB_OUTPUT"].count("result") == 1
    assert "set-output" not in ran.counted
    assert not [name for name, owner in ran.owners.items() if owner != projects.OWNER]


def test_a_signal_ends_all_that_runs_and_what_was_found_is_told(machine: Machine):
    files = {
        **dict.fromkeys((f"big{number}.py" for number in range(2)), SLOW),
        **SLEEPING_PLUGIN,
        "requirements.txt": "urllib3==1.24.1 --hash=sha256:aa\n",
        ".pre-commit-config.yaml": "repos:\n- repo: https://github.com/PyCQA/bandit\n  rev: 1.7.10\n",
        "weak.py": WEAK,
    }
    projects.write(machine.workspace, files)
    settings = machine.home / ".config" / "uv" / "uv.toml"  # by the project's code in an earlier step
    settings.parent.mkdir(parents=True)
    settings.write_text('index-url = "http://index.example.invalid/simple"', "utf-8")
    inputs = {"stage": "security", "fail-on": "high"}
    with served(AdvisoryService(failing=Failing(hang=True)), host=gateway()) as hanging:
        step = machine.start(inputs=inputs | {"advisory-url": hanging.address}, environ=TOKENS)
        scanning = step.wait_for("ciaction_secrets.py")
        assert os.stat(f"/proc/{scanning}").st_uid == projects.OWNER
        for program in ("bandit", "ciaction_pip_audit.py"):
            step.wait_for(program)
        seen = {program: step.environment_of(program) for program in ("bandit", "ciaction_pip_audit.py")}
        running = step.processes()
        sent = time.monotonic()
        step.client.send_signal(signal.SIGTERM)
        ran = step.end(60)
    assert time.monotonic() - sent < LIMIT
    assert ran.code == 130, ran.log
    assert not [pid for pid in running if os.path.isdir(f"/proc/{pid}")]
    assert ran.outputs["result"] == ran.report["conclusion"] == "broken"
    assert {ran.tool(name)["outcome"] for name in ("pip-audit", "bandit", "detect-secrets")} == {"broken"}
    assert ran.tool("bandit")["version"] == "1.7.10"
    assert "interrupted by SIGTERM" in ran.summary
    assert "Traceback" not in ran.log
    assert not [name for name, owner in ran.owners.items() if owner != projects.OWNER]
    for program, environ in seen.items():
        assert "GIT_CONFIG_VALUE_0" in environ, program
        assert not [name for name in environ if name.startswith(("INPUT_", "ACTIONS_"))], program
        assert not {"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY", "GITHUB_STATE"} & set(
            environ
        ), program
        assert not [name for name, value in environ.items() if value in TOKENS.values()], program


def test_what_the_settings_of_the_repository_name_is_started_as_the_owner(
    machine: Machine, service: AdvisoryService
):
    origin = machine.temp / "origin"
    base = projects.write(origin, {"a.py": WEAK, "b.py": "", ".gitattributes": "*.py filter=curious\n"})
    head = projects.write(origin, {"b.py": WEAK})
    trusting = "--upload-pack=git -c safe.directory=* upload-pack"  # we are root, it is the owner's
    shallow = ("--quiet", "--depth=1", trusting, f"file://{origin}", str(machine.workspace))
    projects.git_output(machine.root, "clone", *shallow)
    for name, does in (("filter.curious.clean", "cat"), ("remote.origin.uploadpack", 'git-upload-pack "$@"')):
        script = machine.temp / name
        script.write_text(f"#!/bin/sh\nid -u >> /github/runner_temp/{name}.noted\n{does}\n", "utf-8")
        script.chmod(0o755)
        projects.commands(machine.workspace, f"config {name} /github/runner_temp/{name}")
    projects.commands(machine.workspace, "remote set-url origin /github/runner_temp/origin")
    (machine.workspace / "b.py").write_text(f"\n{WEAK}", "utf-8")  # so that the filter has work
    projects.settle(machine.workspace, git=False)
    changed = replace(machine, event={"before": base, "after": head})
    inputs = {"stage": "security", "advisory-url": service.address, "fail-on": "new"}
    ran = changed.run(inputs=inputs, environ={"GITHUB_SHA": head})
    noted = {file.name: set(file.read_text("utf-8").split()) for file in machine.temp.glob("*.noted")}
    assert set().union(*noted.values()) == {str(projects.OWNER)}
    assert noted.keys() == {"remote.origin.uploadpack.noted"}, "a filter is not started at all"
    assert (ran.code, ran.report["base"]) == (1, base), ran.log
    assert {finding["path"]: finding["level"] for finding in ran.tool("bandit")["findings"]} == {
        "a.py": "warning",
        "b.py": "error",
    }
