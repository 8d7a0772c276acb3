"""What a user gets for ordinary projects, on every channel: exit code, log, annotations, outputs, summary, report."""

import pytest
from support.container import projects
from support.container.image import docker
from support.container.runner import Machine, Ran
from support.container.variables import SHA

pytestmark = pytest.mark.docker
QUALITY = {"stage": "quality"}
FILES = ("report", "summary-file", "sarif-file")


def test_clean_project_passes(machine: Machine):
    projects.sample(machine.workspace, "clean")
    ran = machine.run(inputs=QUALITY)
    assert ran.code == 0, ran.log
    assert ran.outputs["result"] == ran.report["conclusion"] == "passed"
    assert (ran.outputs["findings"], ran.outputs["errors"], ran.outputs["warnings"]) == ("0", "0", "0")
    assert not ran.counted["error"]
    assert not ran.counted["warning"]
    assert "passed" in ran.summary
    assert ran.tool("black")["examined"]["files"] > 0
    assert ran.tool("ruff")["examined"]["files"] > 0


def test_messy_project_fails_and_every_channel_agrees(machine: Machine):
    projects.sample(machine.workspace, "messy")
    ran = machine.run(inputs=QUALITY)
    assert ran.code == 1, ran.log
    assert ran.outputs["result"] == ran.report["conclusion"] == "failed"
    assert ran.report["exit_code"] == 1
    found = [finding for name in ("black", "ruff") for finding in ran.tool(name)["findings"]]
    counting = [finding for finding in found if not finding["muted"]]
    assert ran.outputs["findings"] == str(len(counting))
    assert ran.outputs["errors"] == str(sum(finding["level"] == "error" for finding in counting))
    assert len(found) > len(counting), "the sample mutes a finding"
    assert ran.report["outputs"] == ran.outputs
    assert all((ran.workspace / ran.outputs[name]).is_file() for name in FILES)
    assert not any(ran.outputs[name].startswith("/") for name in FILES)
    assert "failed" in ran.summary
    assert ran.log.rstrip().splitlines()[-1].endswith("exit 1")
    assert "reproduce: ci-action run quality" in ran.log


def test_annotations_stand_on_the_lines_of_the_findings(machine: Machine):
    projects.write(machine.workspace, projects.MESSY)
    ran = machine.run(inputs=QUALITY)
    errors = ran.annotations("error")
    assert {seen.properties["file"] for seen in errors} == {"src/small/messy.py"}
    imported = next(seen for seen in errors if seen.properties["title"] == "ruff: F401")
    assert (imported.properties["line"], imported.properties["endLine"]) == ("1", "1")
    assert (imported.properties["col"], imported.properties["endColumn"]) == ("8", "10")
    black = {int(seen.properties["line"]) for seen in errors if seen.properties["title"] == "black: format"}
    lines = {finding["line"] for finding in ran.tool("black")["findings"]}
    assert black
    assert black <= lines
    assert lines <= {3, 4, 5, 6}


def test_c7_only_ten_annotations_of_a_level_and_the_rest_is_counted(machine: Machine):
    files = {f"m{number}.py": "import os\n" for number in range(25)}  # those of one file share a row
    projects.write(machine.workspace, {**files, "ruff.toml": 'lint.select = ["F401"]\n'})
    ran = machine.run(inputs={**QUALITY, "ignore": "black"})
    assert ran.outputs["findings"] == "25"
    assert ran.counted["error"] == 10
    counts = [seen.data for seen in ran.annotations("notice")]
    assert len(counts) == 1
    assert counts[0].startswith("10 of 25 findings")


def test_syntax_errors_are_findings_with_lines(machine: Machine):
    projects.sample(machine.workspace, "syntax-errors")
    ran = machine.run(inputs=QUALITY)
    assert ran.code == 1, ran.log
    assert ran.outputs["result"] == "failed"
    parse = [finding for finding in ran.tool("black")["findings"] if finding["rule"] == "parse"]
    assert [(finding["path"], finding["line"]) for finding in parse] == [("recipes/soup.py", 5)]
    invalid = [finding for finding in ran.tool("ruff")["findings"] if finding["rule"] == "invalid-syntax"]
    assert {finding["path"] for finding in invalid} == {"recipes/soup.py"}
    assert all(finding["line"] in range(5, 10) for finding in invalid)
    assert any(finding["path"] == "recipes/stew.py" for finding in ran.tool("black")["findings"])
    assert ran.tool("black")["examined"]["unreadable"] == 1


def test_nothing_to_look_at_is_red(machine: Machine):
    projects.sample(machine.workspace, "empty")
    ran = machine.run(inputs=QUALITY)
    assert ran.code == 2, ran.log
    assert ran.outputs["result"] == ran.report["conclusion"] == "empty"
    assert any("nothing to check" in seen.data for seen in ran.annotations("error"))


def nothing_was_run(ran: Ran) -> None:
    assert ran.code == 2, ran.log
    assert ran.outputs["result"] == "broken"
    assert not any(value for name, value in ran.outputs.items() if name != "result")
    assert not (ran.workspace / "ci-action-report").exists()
    assert "nothing was run" in ran.log


def test_wrong_settings_are_all_told_at_once(machine: Machine):
    projects.sample(machine.workspace, "wrong-settings")
    ran = machine.run(inputs={**QUALITY, "python-version": "three"})
    nothing_was_run(ran)
    told = "\n".join(seen.data for seen in ran.annotations("error"))
    assert all(word in told for word in ("'path'", "'paths'", "projekt", "soon", "three")), told
    assert ran.counted["error"] >= 4


def test_unknown_input_names_the_nearest(machine: Machine):
    projects.write(machine.workspace, projects.CLEAN)
    ran = machine.run(inputs={**QUALITY, "python-versions": "3.12"})
    nothing_was_run(ran)
    assert any("python-version" in seen.data for seen in ran.annotations("error"))


def test_commit_is_that_of_the_event(machine: Machine):
    projects.write(machine.workspace, projects.CLEAN)
    assert machine.run(inputs=QUALITY).report["commit"] == SHA


def test_version_and_help_without_a_runner(image: str):
    assert docker("run", "--rm", image, "--version").startswith("ci-action ")
    assert "Usage: ci-action" in docker("run", "--rm", image)
