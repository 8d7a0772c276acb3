"""The folders that we write to: they hide nothing that is to be checked, and what others put in the cache is not believed."""

import shutil
from hashlib import sha256

import pytest
from support import bare

# So that the folder for reports is that of the test alone.
RUN = ("--color=never", "run", "quality")
BAD = {"pyproject.toml": "[tool.ruff]\n", "src/bad.py": "import os\ny  = 2\n", "good.py": "x = 1\n"}


@pytest.fixture
def tracked(project):
    folder = project(BAD)
    bare.git_add(folder)
    return folder


@pytest.mark.parametrize("place", ["src", "./src/../src", ".", "..", "src/.."])
def test_reports_never_go_where_the_files_are(place, tracked, ci_action):
    ran = ci_action(tracked, *RUN, f"--report-dir={place}")
    assert ran.code == 2
    assert "report-dir" in ran.out
    assert not (tracked / place / "report.json").exists()


def test_without_git_a_folder_that_is_not_ours_is_not_taken_for_reports(tracked, ci_action):
    shutil.rmtree(tracked / ".git")
    assert ci_action(tracked, *RUN, "--report-dir=src").code == 2


def test_a_folder_of_an_earlier_run_is_taken_again_without_git(tracked, ci_action):
    shutil.rmtree(tracked / ".git")
    for _ in range(2):
        assert ci_action(tracked, *RUN, "--report-dir=out", "--paths=good.py").code == 0


def test_a_report_folder_that_is_a_link_is_refused(tracked, ci_action, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tracked / "out").symlink_to(tmp_path / "elsewhere")
    assert ci_action(tracked, *RUN, "--report-dir=out/inner").code == 2
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("place", ["src", "."])
def test_a_cache_where_the_files_are_is_not_used_and_hides_nothing(place, tracked, ci_action):
    ran = ci_action(tracked, "quality", f"--cache-dir={place}")
    assert ran.code == 1
    assert {finding["path"] for finding in ran.findings("ruff")} == {"src/bad.py"}
    assert any("cache-dir" in warning for warning in ran.report["warnings"])
    assert not (tracked / place / "results").exists()


def test_a_committed_cache_is_not_believed(tracked, ci_action):
    ci_action(tracked, "quality", "--cache-dir=.cache")
    kept = tracked / ".cache" / "results" / "black.kept"
    body = kept.read_bytes().partition(b"\n")[2]
    forged = body[: body.index(b"[{")] + b"[]}"
    assert b"good" not in forged
    kept.write_bytes(sha256(forged).hexdigest().encode() + b"\n" + forged)
    (tracked / ".cache" / ".gitignore").unlink()
    bare.git_add(tracked)
    ran = ci_action(tracked, "quality", "--cache-dir=.cache")
    assert {finding["path"] for finding in ran.findings("black")} == {"src/bad.py"}
    assert any("tracked files" in warning for warning in ran.report["warnings"])


def test_entries_of_another_shape_are_misses(tracked, ci_action, tmp_path):
    cache = tmp_path / "cache"
    words = ("run", "quality", "security", f"--cache-dir={cache}")
    first = ci_action(tracked, *words)
    for file in (cache / "results").iterdir():
        keys = file.read_bytes().split(b'"')[1::2]
        body = b'{"%s":5}' % b'":["x"],"'.join(key for key in keys if len(key) == 64)
        file.write_bytes(sha256(body).hexdigest().encode() + b"\n" + body)
    again = ci_action(tracked, *words)
    assert again.code == first.code == 1
    for name in ("black", "bandit", "detect-secrets"):
        assert again.findings(name) == first.findings(name)


FORGING = """
import json
from hashlib import sha256
from pathlib import Path

def test_forges():
    file = Path({file!r})
    body = file.read_bytes().partition(b"\\n")[2]
    body = json.dumps(dict.fromkeys(json.loads(body), [])).encode()
    file.write_bytes(sha256(body).hexdigest().encode() + b"\\n" + body)
"""


def test_what_tests_wrote_in_the_cache_is_thrown_away(project, ci_action, tmp_path):
    cache = tmp_path / "cache"
    file = cache / "results" / "black.kept"
    folder = project({**BAD, "test_a.py": FORGING.format(file=str(file))})
    bare.git_add(folder)
    words = (f"--cache-dir={cache}", "--install=none")
    assert ci_action(folder, "quality", *words).code == 1
    ran = ci_action(folder, "run", "test", *words)
    assert ran.code == 0, ran.out
    assert any("cached results" in warning for warning in ran.report["warnings"])
    ran = ci_action(folder, "quality", *words)
    assert ran.code == 1
    assert "src/bad.py" in {finding["path"] for finding in ran.findings("black")}
