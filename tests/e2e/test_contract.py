"""Appendix C of the runner's contract, where it takes the container to see it."""

from pathlib import Path

import pytest
from support.container import projects
from support.container.runner import Machine
from support.container.variables import TOKEN

pytestmark = pytest.mark.docker
QUALITY = {"stage": "quality"}


def test_c1_inputs_with_hyphens_blanks_lines_and_100_kib(machine: Machine):
    projects.write(
        machine.workspace, {**projects.MESSY, "more/a.py": "import os\n", "rest/b.py": "import os\n"}
    )
    long = "\n".join(f"ruff:F401@long-{number:0120}/" for number in range(760))
    assert len(long) > 100 * 1024
    inputs = {
        "stage": "  quality \n",
        "working-directory": " more ",
        "paths": "\n a.py \n\n../rest/b.py\n",
        "tool-versions": "",
        "ignore": f"{long}\nblack",
    }
    ran = machine.run(inputs=inputs)
    assert ran.code == 1, ran.log
    assert {finding["path"] for finding in ran.tool("ruff")["findings"]} == {"more/a.py", "rest/b.py"}


def test_c2_git_works_in_a_workspace_of_another_owner(machine: Machine):
    commit = projects.write(machine.workspace, projects.CLEAN)
    ran = machine.run(inputs=QUALITY, unset=["GITHUB_SHA"])
    assert ran.code == 0, ran.log
    assert ran.report["commit"] == commit


def test_c2_files_are_given_back_to_the_owner_of_the_workspace(machine: Machine):
    projects.write(machine.workspace, projects.MESSY)
    inputs = {**QUALITY, "cache-dir": "caches/deep", "report-dir": "reports/deep"}
    ran = machine.run(inputs=inputs)
    assert ran.code == 1, ran.log
    foreign = {name for name, owner in ran.owners.items() if owner != projects.OWNER}
    assert {name for name in foreign if not name.startswith("caches/deep/results")} == set()
    assert foreign, "kept results count only as long as they are root's"
    assert (ran.workspace / "reports/deep/report.json").is_file()
    assert any((ran.workspace / "caches/deep").iterdir())


def test_c2_the_tree_stays_as_it_was(machine: Machine):
    projects.write(machine.workspace, projects.MESSY)
    machine.run(inputs=QUALITY)
    assert not projects.git_output(machine.workspace, "status", "--porcelain", "--untracked-files=all")


def test_a_subfolder_is_the_same_by_input_and_from_within(machine: Machine):
    files = {f"app/{name}": text for name, text in projects.MESSY.items()}
    projects.write(machine.workspace, {**files, "other.py": "import os\n"})
    by_input = machine.run(inputs={**QUALITY, "working-directory": "app"})
    within = machine.run(inputs=QUALITY, options=["--workdir", "/github/workspace/app"])
    assert (by_input.code, within.code) == (1, 1), within.log
    assert within.outputs == by_input.outputs
    assert within.outputs["report"] == "ci-action-report/quality/report.json"
    for ran in (by_input, within):
        found = {one["path"] for tool in ("black", "ruff") for one in ran.tool(tool)["findings"]}
        assert {path.partition("/")[0] for path in found} == {"app"}
    assert within.report["settings"] == by_input.report["settings"]


def test_c4_lines_that_look_like_commands_stay_text(machine: Machine):
    texts = [
        "::error::x",
        "  ::set-output name=a::b",
        "x ##[set-output name=a]b",
        "50%\r::add-mask::e",
        "::stop-commands::t",
    ]
    source = "".join(f"x{number} = '''\n{text}\n''' ;import os\n" for number, text in enumerate(texts))
    names = "__all__ = [\n" + "".join(f"    {text!r},\n" for text in texts) + "]\n"
    projects.write(machine.workspace, {"lines.py": source, "names.py": names})
    ran = machine.run(inputs=QUALITY)
    assert ran.code == 1, ran.log
    assert not {"set-output", "add-matcher", "set-env", "save-state"} & set(ran.counted)
    assert ran.counted["stop-commands"] == 4, "one for each tool and gate-changes, and each is resumed"
    assert [seen.data for seen in ran.commands if seen.name == "add-mask"] == [TOKEN]
    assert all(
        seen.properties.get("title", "").startswith(("ruff", "black")) for seen in ran.annotations("error")
    )


@pytest.mark.parametrize("variable", ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"])
@pytest.mark.parametrize("way", ["unset", "missing folder"])
def test_c5_absent_command_files_change_no_verdict(machine: Machine, variable: str, way: str):
    projects.write(machine.workspace, projects.MESSY)
    missing = {variable: "/github/gone/file"} if way == "missing folder" else {}
    ran = machine.run(inputs=QUALITY, environ=missing, unset=[variable] if way == "unset" else [])
    assert ran.code == 1, ran.log
    assert variable in ran.log
    assert "::set-output" not in ran.log
    assert "Traceback" not in ran.log
    assert (ran.workspace / "ci-action-report/quality/report.json").is_file()


def test_c5_outputs_can_be_read_whatever_stands_in_the_paths(machine: Machine):
    projects.write(machine.workspace, projects.CLEAN)
    folder = "odd = << EOF ‘é’ 🎉"
    ran = machine.run(inputs={**QUALITY, "report-dir": folder})
    assert ran.code == 0, ran.log
    assert ran.outputs["report"] == f"{folder}/report.json"
    assert (ran.workspace / ran.outputs["report"]).is_file()


def test_c6_summary_stays_below_what_the_runner_takes(machine: Machine):
    line = "f( 'é' ,%d )  # " + "wide " * 40 + "\n"
    files = {
        f"wide/{number}.py": "".join(line % (number * 100 + i) + "\n" * 3 for i in range(30))
        for number in range(300)
    }
    projects.write(machine.workspace, files)
    ran = machine.run(inputs=QUALITY)
    assert ran.code == 1, ran.log
    assert int(ran.outputs["findings"]) > 5_000
    size = len(ran.summary.encode())
    assert 20_000 < size <= 1_000 * 1024
    assert "findings are shown" in ran.summary


def test_c6_what_another_wrote_into_the_summary_of_our_step_gives_way(machine: Machine):
    # The runner makes the file for this step: only the project's code could have written to it.
    projects.write(machine.workspace, projects.MESSY)
    python = "/opt/ci-action/bin/python"
    program = [python, "-I", "-X", "utf8", "-m", "ci_action"]
    fill = "import os; open(os.environ['GITHUB_STEP_SUMMARY'], 'w', encoding='utf-8').write('é' * 520_000); "
    then = f"os.execv({python!r}, {program})"
    ran = machine.run(inputs=QUALITY, options=["--entrypoint", python], arguments=["-c", fill + then])
    assert ran.code == 1, ran.log
    assert ran.summary.startswith("# ")
    assert "é" not in ran.summary


@pytest.mark.parametrize("unreadable", ["missing", "rubbish", "empty"])
def test_c10_an_event_that_cannot_be_read_is_a_warning(machine: Machine, unreadable: str):
    projects.write(machine.workspace, projects.CLEAN)
    event = Path(machine.workflow, "event.json")
    event.unlink()
    if unreadable != "missing":
        event.write_text("{" if unreadable == "rubbish" else "")
    ran = machine.run(inputs=QUALITY)
    assert ran.code == 0, ran.log
    assert any("event file" in seen.data for seen in ran.annotations("warning"))
