"""The ways in which tools and folders break: the right conclusion, the right exit code, never green, no traceback."""

import sys
from pathlib import Path

import pytest

CLEAN = {"a.py": "x = 1\n", "b.py": "y = 2\n"}
PARTIAL = '[{"code":"F401","message":"x","filename":"/a.py","location":{"row":1,"colu'
WRONG_SHAPE = '[{"code":"F401","message":"x"}]'

RUFF_FAULTS = {
    "hangs": ("sleep 60", "timed out"),
    "killed": ("kill -9 $$", "SIGKILL"),
    "prints rubbish": ("echo '{oops'", "could not read the JSON of ruff"),
    "prints partial JSON": (f"echo '{PARTIAL}'; exit 1", "could not read the JSON of ruff"),
    "prints JSON of another shape": (f"echo '{WRONG_SHAPE}'; exit 1", "could not read the JSON of ruff"),
    "prints nothing": ("exit 0", "could not read the JSON of ruff"),
    "says found, lists nothing": ("echo '[]'; exit 1", "listed none"),
    "usage error": ("echo 'Cause: no' >&2; exit 2", "exit code 2"),
}
# Every fake lists its files as the real one does, so that the check itself is what breaks.
LISTING = 'case "$*" in *--show-files*) ls -d "$PWD"/*.py; exit 0;; esac\n'

BLACK_FAULTS = {
    "hangs": ("sleep 60", "timed out"),
    "killed": ("kill -9 $$", "SIGKILL"),
    "prints rubbish": ("echo rubbish; exit 1", "cannot be trusted"),
    "prints nothing, exit 0": ("exit 0", "cannot be trusted"),
    "counts fewer files": ("echo '1 file would be left unchanged.' >&2", "cannot be trusted"),
    "counts a change without a diff": (
        "echo '1 file would be reformatted, 1 file would be left unchanged.' >&2; exit 1",
        "cannot be trusted",
    ),
    "usage error": ("echo 'Error: no such option' >&2; exit 2", "exit code 2"),
    "whispers about its configuration": (
        "echo \"Invalid config keys detected: 'x'.\" >&2; echo '2 files would be left unchanged.' >&2",
        "configuration of Black is wrong",
    ),
}


@pytest.mark.parametrize("name", RUFF_FAULTS)
def test_a_fault_of_ruff_is_broken_and_black_goes_on(name, project, ci_action, fake_tools):
    script, reason = RUFF_FAULTS[name]
    ran = ci_action(project(CLEAN), "quality", "--timeout=2", prefix=fake_tools(ruff=LISTING + script))
    assert ran.code == 3
    assert ran.report["conclusion"] == "broken"
    assert reason in ran.tool("ruff")["reason"]
    assert ran.tool("black")["outcome"] == "report"
    assert "Traceback" not in ran.out


@pytest.mark.parametrize("name", BLACK_FAULTS)
def test_a_fault_of_black_is_broken_and_ruff_goes_on(name, project, ci_action, fake_tools):
    script, reason = BLACK_FAULTS[name]
    ran = ci_action(project(CLEAN), "quality", "--timeout=2", prefix=fake_tools(black=script))
    assert ran.code == 3
    assert ran.report["conclusion"] == "broken"
    assert reason in ran.tool("black")["reason"]
    assert ran.tool("ruff")["outcome"] == "report"
    assert "Traceback" not in ran.out


def test_an_absent_tool_is_broken(project, ci_action, fake_tools):
    prefix = fake_tools()
    (prefix / "bin" / "ruff").unlink()
    ran = ci_action(project(CLEAN), "quality", prefix=prefix)
    assert ran.code == 3
    assert "reinstall ci-action" in ran.tool("ruff")["reason"]


def test_what_black_said_before_its_time_limit_is_kept(project, ci_action, fake_tools):
    diff = (
        r"printf -- '--- a.py\t2026\n+++ a.py\t2026\n@@ -1 +1 @@\n-x  = 1\n+x = 1\n"
        r"--- b.py\t2026\n+++ b.py\t2026\n@@ -1'; sleep 60"
    )
    ran = ci_action(project(CLEAN), "quality", "--timeout=1", prefix=fake_tools(black=diff))
    assert ran.code == 3
    assert [finding["path"] for finding in ran.findings("black")] == ["a.py"]


def test_broken_wins_over_findings(project, ci_action, fake_tools):
    ran = ci_action(project({"a.py": "x  = 1\n"}), "quality", prefix=fake_tools(ruff=LISTING + "kill -9 $$"))
    assert ran.code == 3
    assert len(ran.findings("black")) == 1


def test_a_wrong_configuration_of_ruff_is_broken(project, ci_action):
    ran = ci_action(project({**CLEAN, "ruff.toml": "lint.select = ['NOSUCH']\n"}), "quality")
    assert ran.code == 3
    assert ran.tool("ruff")["outcome"] == "broken"


@pytest.mark.parametrize(
    "table", ["line-lenght = 100", "target-version = ['py99']", "required-version = '1'", "include = '('"]
)
def test_a_wrong_configuration_of_black_is_broken(table, project, ci_action):
    folder = project({**CLEAN, "pyproject.toml": f"[tool.black]\n{table}\n"})
    ran = ci_action(folder, "quality", "--tool-versions=bundled")
    assert ran.code == 3
    assert ran.tool("black")["outcome"] == "broken"


def test_a_broken_pyproject_in_a_nested_folder_is_broken_not_a_crash(project, ci_action):
    folder = project({**CLEAN, "sub/pyproject.toml": "[tool.ruff\n", "sub/c.py": "z = 1\n"})
    ran = ci_action(folder, "quality", "--paths=sub")
    assert ran.code == 3
    assert "Traceback" not in ran.out


def test_a_report_folder_that_cannot_be_made_is_a_note_and_the_verdict_stands(project, ci_action, tmp_path):
    folder = project(CLEAN)
    (tmp_path / "reports").write_text("a file where the folder should be")
    code = ci_action(folder, "quality").code
    assert code == 0
    (folder / "taken").write_text("")
    ran = ci_action(folder, "run", "quality", "--report-dir=taken/inside")
    assert ran.code == 0
    assert "could not write report.json" in ran.out


def test_a_place_where_no_results_can_be_kept_is_a_note(project, ci_action, tmp_path):
    folder = project(CLEAN)
    cache = tmp_path / "cache"
    (cache / "results" / "black.kept").mkdir(parents=True)
    ran = ci_action(folder, "quality", f"--cache-dir={cache}")
    assert ran.code == 0
    assert any("could not cache the results" in note for note in ran.report["warnings"])


@pytest.mark.parametrize(
    ("files", "code", "conclusion"),
    [
        (CLEAN, 0, "passed"),
        ({"a.py": "import os\n"}, 1, "failed"),
        ({"README.md": "no Python"}, 2, "empty"),
        ({"a.py": "def f(:\n"}, 1, "failed"),
    ],
)
def test_conclusions_and_exit_codes(files, code, conclusion, project, ci_action):
    ran = ci_action(project(files), "quality")
    assert (ran.code, ran.report["conclusion"], ran.report["exit_code"]) == (code, conclusion, code)
    assert ran.report["outputs"]["result"] == conclusion


def test_all_in_a_project_without_python_is_empty(project, ci_action):
    ran = ci_action(project({"README.md": ""}), "run", "all")
    assert ran.code == 2
    assert ran.report["stages"][0]["conclusion"] == "skipped"


def test_a_dangling_link_is_a_file_that_could_not_be_read(project, ci_action):
    folder = project(CLEAN)
    (folder / "c.py").symlink_to("nowhere.py")
    ran = ci_action(folder, "quality")
    assert ran.code == 1
    assert [finding["rule"] for finding in ran.findings("ruff")] == ["E902"]
    assert ran.tool("ruff")["examined"] == {"files": 3, "unreadable": 1}


def test_without_uv_the_bundled_version_is_used_and_that_is_said(project, ci_action, fake_tools):
    prefix = fake_tools()
    (prefix / "bin" / "uv").unlink()
    # A pin that uv would have to fetch: without uv the bundled version is used, and that is said.
    folder = project({**CLEAN, "requirements.txt": "black==1.2.3\n"})
    ran = ci_action(folder, "quality", prefix=prefix)
    assert ran.code == 0
    assert any("using the bundled" in note for note in ran.report["warnings"])


def test_the_environment_of_a_tool_holds_no_secrets_and_no_command_files(
    project, ci_action, fake_tools, tmp_path
):
    seen = tmp_path / "seen"
    prefix = fake_tools(ruff=f'env -0 > "{seen}"; exec "{Path(sys.prefix) / "bin" / "ruff"}" "$@"')
    secrets = {
        "INPUT_GITHUB-TOKEN": "ghs_0123456789abcdef",
        "GITHUB_TOKEN": "ghs_0123456789abcdef",
        "ACTIONS_RUNTIME_TOKEN": "runtime-token-value",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "RUFF_OUTPUT_FILE": str(tmp_path / "elsewhere"),
        "PYTHONPATH": "/somewhere",
        "PIP_INDEX_URL": "https://index.example/simple",
        "OF_THE_WORKFLOW": "a-value-of-its-own",
        "LANG": "C.UTF-8",
    }
    assert ci_action(project(CLEAN), "quality", prefix=prefix, env=secrets).code == 0
    names = {entry.partition(b"=")[0].decode() for entry in seen.read_bytes().split(b"\0")}
    assert names & secrets.keys() == {"LANG"}
    assert b"ghs_0123456789abcdef" not in seen.read_bytes()


def test_a_secret_in_a_source_file_is_hidden_everywhere(project, ci_action, tmp_path):
    secret = "ghs_0123456789abcdefXYZ"
    folder = project({"a.py": f"import os\nx = '{secret}'\n", f"{secret}.py": "import re\n"})
    env = {"INPUT_GITHUB-TOKEN": secret}
    ran = ci_action(folder, "quality", "--verbose", env=env)
    assert ran.code == 1
    assert secret not in ran.out
    for file in (tmp_path / "reports").iterdir():
        assert secret not in file.read_text(), file.name
