"""What Black would write quotes lines of the project: no secret in them is shown, though the security stage never ran."""

import subprocess

import planted


def test_a_red_quality_stage_shows_no_secret(project, ci_action, tmp_path):
    # Blanks that Black puts back, so that its findings quote these lines.
    files = {
        name: text.replace(' = "', '="').replace("# ", "#", 1) for name, text in planted.everything().items()
    }
    folder = project(files)
    subprocess.run(["git", "add", "--all", "--force"], cwd=folder, check=True)
    for _ in range(2):  # the second is answered from what was kept
        ran = ci_action(folder, "run", "all", "--verbose", f"--cache-dir={tmp_path / 'cache'}")
        assert ran.report["reasons"][0].startswith("black: ")
        assert [stage["name"] for stage in ran.report["stages"] if stage["tools"]] == ["quality"]
        quoted = [one for one in ran.findings("black") if "***" in one["before"]]
        assert len(quoted) > 10
        assert planted.readable_in(tmp_path / "reports", ran.out) == set()
