"""What building a project wrote into its tree."""

import os
from pathlib import Path

import pytest

from ci_action.project.generated import all_there, stamps_of, written_since


def put(top: Path, *names: str) -> None:
    for name in names:
        file = top / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")


def test_new_and_rewritten_files_and_extensions_are_those_that_a_build_wrote(tmp_path: Path):
    put(tmp_path, "a.py", "pkg/old.py", "pkg/_version.py", "pkg/_fast.so", "env/pyvenv.cfg")
    own = tmp_path / "own"
    before = stamps_of(tmp_path, {own})
    os.utime(tmp_path / "pkg" / "_version.py", ns=(1, 1))
    put(tmp_path, "new.py", "pkg/new.py", "pkg/__pycache__/a.pyc", ".git/x", ".tox/x", "node_modules/x")
    put(tmp_path, "ci-action-report/x", "own/x", "env/lib/x")
    (tmp_path / "pkg" / "link.py").symlink_to("/nowhere")
    written = written_since(before, stamps_of(tmp_path, {own}))
    assert written == ("new.py", "pkg/_fast.so", "pkg/_version.py", "pkg/link.py", "pkg/new.py")
    assert all_there(written, tmp_path)
    (tmp_path / "pkg" / "new.py").unlink()
    assert not all_there(written, tmp_path)


@pytest.mark.parametrize("name", ["../w/a.py", "pkg/../a.py", "/etc/passwd", "a.py\0", "a.py/b", "\ud800"])
def test_no_path_that_was_written_down_leads_out_of_the_folder(name: str, tmp_path: Path):
    top = tmp_path / "w"
    put(top, "a.py", "pkg/b.py")
    assert all_there(["a.py", "pkg/b.py"], top)
    assert not all_there(["a.py", name], top)
