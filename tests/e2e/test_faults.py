"""What is missing, full or forbidden in the container: the right conclusion, never a traceback, never green."""

import re

import pytest
from support.container import projects
from support.container.runner import Machine, Ran

pytestmark = pytest.mark.docker
QUALITY = {"stage": "quality"}
# A version of Black that is not bundled, and that no network can bring.
PINNED = {**projects.CLEAN, "requirements-dev.txt": "black==24.10.0\n"}


def calm(ran: Ran) -> Ran:
    assert "Traceback" not in ran.log
    assert "bug" not in ran.log
    return ran


@pytest.mark.parametrize(
    ("files", "code", "result"), [(projects.CLEAN, 0, "passed"), (projects.MESSY, 1, "failed")]
)
def test_read_only_workspace(machine: Machine, files: projects.Files, code: int, result: str):
    projects.write(machine.workspace, files)
    ran = calm(machine.run(inputs=QUALITY, read_only=True))
    assert (ran.code, ran.outputs["result"]) == (code, result), ran.log
    assert not (ran.workspace / "ci-action-report").exists()
    assert not any(ran.outputs[name] for name in ("report", "summary-file", "sarif-file"))
    assert "could not write report.json" in ran.log
    assert result in ran.summary


@pytest.mark.parametrize(
    ("files", "code", "result"), [(projects.CLEAN, 0, "passed"), (projects.MESSY, 1, "failed")]
)
def test_read_only_root_file_system(machine: Machine, files: projects.Files, code: int, result: str):
    projects.write(machine.workspace, files)
    ran = calm(machine.run(inputs=QUALITY, options=["--read-only", "--tmpfs", "/tmp"]))
    assert (ran.code, ran.outputs["result"]) == (code, result), ran.log
    assert ran.report["conclusion"] == result


def test_no_place_for_temporary_files(machine: Machine):
    projects.write(machine.workspace, projects.CLEAN)
    full = ["--read-only", "--tmpfs", "/tmp:size=4k,nr_inodes=2"]
    ran = calm(machine.run(inputs=QUALITY, options=full, unset=["RUNNER_TEMP"]))
    assert (ran.code, ran.outputs["result"]) == (3, "broken"), ran.log
    assert any("could not create a temporary folder" in seen.data for seen in ran.annotations("error"))


def test_the_workspace_is_no_place_for_temporary_files(machine: Machine):
    projects.write(machine.workspace, projects.CLEAN)
    ran = calm(machine.run(inputs=QUALITY, options=["--read-only"]))
    assert ran.code == 0, ran.log
    assert ran.tool("ruff")["examined"]["files"] == 2


def test_no_space_for_the_reports(machine: Machine):
    projects.write(machine.workspace, projects.MESSY)
    full = ["--tmpfs", "/full:size=4k,nr_inodes=2"]
    ran = calm(machine.run(inputs={**QUALITY, "report-dir": "/full/report"}, options=full))
    assert (ran.code, ran.outputs["result"]) == (1, "failed"), ran.log
    assert not ran.outputs["report"]
    assert "could not write" in ran.log


def test_version_that_the_project_pins_is_fetched(machine: Machine):
    projects.write(machine.workspace, PINNED)
    ran = calm(machine.run(inputs=QUALITY))
    assert ran.code == 0, ran.log
    assert ran.tool("black")["version"] == "24.10.0"
    assert ran.tool("black")["version_source"] == "requirements-dev.txt"
    assert not ran.annotations("warning")


def test_no_network_falls_back_to_the_bundled_version_and_says_why(machine: Machine):
    projects.write(machine.workspace, PINNED)
    ran = calm(machine.run(inputs=QUALITY, options=["--network", "none"]))
    assert ran.code == 0, ran.log
    assert ran.tool("black")["version_source"] == "bundled"
    told = [seen.data for seen in ran.annotations("warning")]
    assert any("black==24.10.0" in text and "could not install" in text for text in told), told


def test_no_network_is_no_fault_where_nothing_is_to_be_fetched(machine: Machine):
    projects.write(machine.workspace, projects.CLEAN)
    ran = calm(machine.run(inputs=QUALITY, options=["--network", "none"]))
    assert ran.code == 0, ran.log
    assert not ran.annotations("warning")


def test_configuration_that_a_tool_refuses_is_broken(machine: Machine):
    projects.write(machine.workspace, {**projects.CLEAN, "ruff.toml": "line-length = 'wide'\n"})
    ran = calm(machine.run(inputs=QUALITY))
    assert (ran.code, ran.outputs["result"]) == (3, "broken"), ran.log
    assert ran.tool("ruff")["outcome"] == "broken"
    assert ran.tool("black")["outcome"] == "report"


def test_rubbish_in_the_variables_of_the_job_changes_nothing(machine: Machine):
    trap = 'raise SystemExit("the workspace " + "was imported")\n'
    names = (
        "click.py",
        "sitecustomize.py",
        "usercustomize.py",
        "yaml.py",
        "json.py",
        "black.py",
        "ci_action.py",
    )
    projects.write(machine.workspace, {**projects.CLEAN, **dict.fromkeys(names, trap)})
    rubbish = {
        "PYTHONPATH": "/github/workspace",
        "PYTHONHOME": "/nowhere",
        "PYTHONSTARTUP": "/github/workspace/click.py",
        "PYTHONPLATLIBDIR": "nowhere",
        "PYTHONSAFEPATH": "",
        "PYTHONIOENCODING": "ascii",
        "PYTHONINSPECT": "1",
        "LD_LIBRARY_PATH": "/opt/hostedtoolcache/Python/3.11.9/x64/lib",
        "pythonLocation": "/opt/hostedtoolcache/Python/3.11.9/x64",
        "VIRTUAL_ENV": "/nowhere",
        "LC_ALL": "C",
        "BLACK_CACHE_DIR": "/proc",
        "RUFF_OUTPUT_FORMAT": "sarif",
        "UV_PYTHON": "2.7",
        "PATH": "/nowhere",
    }
    ran = calm(machine.run(inputs=QUALITY, environ=rubbish, unset=["GITHUB_SHA"]))
    assert "was imported" not in ran.log
    assert ran.code == 0, ran.log
    assert ran.tool("black")["examined"]["files"] == ran.tool("ruff")["examined"]["files"] == 9


def test_act_host_mode_hands_us_paths_that_are_not_here(machine: Machine):
    commit = projects.write(machine.workspace, projects.MESSY)
    folder = machine.root / "var-run-act" / "workflow"
    folder.mkdir(parents=True)
    (folder / "event.json").write_text("{}")
    away = "/home/someone/.cache/act/0123/hostexecutor"
    environ = {
        "ACT": "true",
        "GITHUB_WORKSPACE": away,
        "GITHUB_OUTPUT": "/home/someone/.cache/act/0123/workflow/outputcmd.txt",
        "GITHUB_STEP_SUMMARY": "/home/someone/.cache/act/0123/workflow/SUMMARY.md",
        "GITHUB_EVENT_PATH": "/home/someone/.cache/act/0123/workflow/event.json",
        "HOME": "/home/someone",
        "RUNNER_TEMP": "/home/someone/.cache/act/0123/tmp",
    }
    bare = [
        "--workdir",
        "/project",
        "-v",
        f"{machine.workspace}:/project",
        "-v",
        f"{folder.parent}:/var/run/act",
    ]
    ran = calm(machine.run(inputs=QUALITY, environ=environ, unset=["GITHUB_SHA"], options=bare, mounts=False))
    assert ran.code == 1, ran.log
    assert (machine.workspace / "ci-action-report/quality/report.json").is_file()
    assert commit in (machine.workspace / "ci-action-report/quality/report.json").read_text()
    outputs = (folder / "outputcmd.txt").read_text()
    assert "result<<" in outputs
    between = re.sub(r"^[\w-]+<<(\S+)\n.*?^\1\n", "", outputs, flags=re.DOTALL | re.MULTILINE)
    assert not between, "act takes an empty line between them for an error"
    assert "failed" in (folder / "SUMMARY.md").read_text()
    assert not ran.annotations("warning")
