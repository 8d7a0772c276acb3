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


def test_where_nobody_can_look_that_is_said(project, ci_action):
    folder = project({"a.py": "x=1\n", ".secrets.baseline": "no JSON"})
    ran = ci_action(folder, "quality")
    (notice,) = [one for one in ran.report["warnings"] if "searched" in one]
    assert notice.startswith(
        "what the findings quote was not searched for secrets: .secrets.baseline cannot be used"
    )
    assert ran.code == 1
