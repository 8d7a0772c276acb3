"""What the project's code may write to decides nothing: kept results, the folders of reports and of the cache."""

import os
import textwrap
from pathlib import Path

import pytest
from support.container import projects
from support.container.runner import Machine, Ran

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="files of another user can be made by root alone"),
]
CHECKS = {"stage": "quality, security", "fail-on": "low"}
TOOLS = ("black", "bandit", "detect-secrets")
# Every kept result of the folder says that nothing was found; what cannot be written anew is moved out of the way.
FORGING = """
import json, shutil
from hashlib import sha256
from pathlib import Path

CLEAN = {"bandit": [], "black": [], "detect-secrets": {"state": "scanned", "encoding": "utf-8", "found": []}}

def forged(file):
    body = file.read_bytes().partition(b"\\n")[2]
    body = json.dumps(dict.fromkeys(json.loads(body), CLEAN[file.name.partition(".")[0]])).encode()
    return sha256(body).hexdigest().encode() + b"\\n" + body

def test_forges():
    cache = Path(PLACE)
    files = {file.relative_to(cache): forged(file) for file in cache.rglob("*") if file.name.partition(".")[0] in CLEAN}
    assert len(files) == 3
    # As high as the code may: the folder of root goes along.
    top = cache.parent if MOVES else cache
    top.rename(top.with_name("away"))
    old = top.with_name("away") / cache.relative_to(top)
    if (old / "environments").is_dir():  # which the rest of this step needs
        shutil.copytree(old / "environments", cache / "environments", symlinks=True)
    for name, content in files.items():
        (cache / name).parent.mkdir(parents=True, exist_ok=True)
        (cache / name).write_bytes(content)
"""
BAD = {
    **projects.CLEAN,
    "src/small/bad.py": (
        "import subprocess\n\nPASSWORD  = 'hunter2-0001-very-long'\nsubprocess.run('ls', shell = True)\n"
    ),
}


def found(ran: Ran) -> dict[str, list[str]]:
    """Return what the tools found whose results are kept."""
    return {name: [one["message"] for one in ran.tool(name)["findings"]] for name in TOOLS}


def notes(ran: Ran) -> str:
    return "\n".join(ran.report["warnings"])


@pytest.mark.parametrize(
    ("inputs", "place", "moves"),
    [({}, "/github/home/.cache/ci-action", True), ({"cache-dir": "kept"}, "/github/workspace/kept", False)],
    ids=["at home", "in the workspace"],
)
def test_results_that_a_test_replaced_are_not_believed(
    machine: Machine, inputs: dict[str, str], place: str, moves: bool
):
    test = FORGING.replace("PLACE", repr(place)).replace("MOVES", repr(moves))
    projects.write(machine.workspace, {**BAD, "test_forging.py": test})
    first = machine.run(inputs={**CHECKS, **inputs})
    assert first.code == 1, first.log
    assert all(found(first).values()), found(first)
    forging = machine.run(inputs={"stage": "test", **inputs})
    assert forging.code == 0, forging.log
    for stage in ("quality", "security", "quality"):
        ran = machine.run(inputs={**CHECKS, **inputs, "stage": stage})
        assert ran.code == 1, ran.log
    again = machine.run(inputs={**CHECKS, **inputs})
    assert found(again) == found(first)
    assert not notes(again), "what root has written in their place is used again"


def test_a_restored_cache_counts_once_it_belongs_to_root(machine: Machine):
    inputs = {"stage": "quality", "cache-dir": "kept"}
    projects.write(machine.workspace, BAD)
    first = machine.run(inputs=inputs)
    file = machine.workspace / "kept" / "results" / "black.kept"
    assert (first.code, file.stat().st_uid, file.parent.stat().st_uid) == (1, 0, 0)
    assert file.parent.parent.stat().st_uid == projects.OWNER
    written = file.stat().st_ino
    again = machine.run(inputs=inputs)
    assert (again.code, file.stat().st_ino, notes(again)) == (1, written, "")
    for path in (file.parent, file):
        os.chown(path, projects.OWNER, projects.GROUP)
        os.utime(path, (1, 1))
    ran = machine.run(inputs=inputs)
    assert ran.code == 1
    assert "sudo chown -R root:" in notes(ran)
    # Written anew; its inode may be the old one, which was free again.
    assert (file.stat().st_mtime > 1, file.stat().st_uid) == (True, 0)


@pytest.mark.parametrize("place", ["src", "out", "out/inner"])
def test_reports_go_neither_where_the_files_are_nor_through_a_link(machine: Machine, place: str):
    projects.put(machine.workspace, BAD)
    (machine.workspace / "out").symlink_to("/github/workflow")
    projects.settle(machine.workspace)
    before = sorted(machine.workflow.iterdir())
    ran = machine.run(inputs={"stage": "quality", "report-dir": place})
    assert ran.code == 2, ran.log
    assert ran.outputs["result"] == "broken"
    assert sorted(machine.workflow.iterdir()) == before


def test_two_steps_keep_both_reports(machine: Machine):
    projects.write(machine.workspace, projects.CLEAN)
    first = machine.run(inputs={"stage": "quality"})
    second = machine.run(inputs={"stage": "pr, quality"})
    assert (first.code, second.code) == (0, 0), second.log
    assert [first.outputs["report"], second.outputs["report"]] == [
        f"ci-action-report/{name}/report.json" for name in ("quality", "quality-pr")
    ]
    names = [[stage["name"] for stage in ran.report["stages"]] for ran in (first, second)]
    assert names == [["quality"], ["quality", "pr"]]
    folder = machine.workspace / "ci-action-report"
    assert sorted(file.parent for file in folder.rglob(".gitignore")) == [
        folder, folder / "quality", folder / "quality-pr",
    ]  # fmt: skip
    owner = machine.workspace.stat().st_uid
    assert {file.stat().st_uid for file in (folder, *folder.rglob("*"))} == {owner}


def test_a_link_that_a_test_makes_is_not_followed(machine: Machine):
    test = """
        import os
        from pathlib import Path

        def test_links():
            os.symlink("/github/workflow", "/github/workspace/late")
            os.mkdir("/github/workspace/taken")
            os.link("/github/workspace/pyproject.toml", "/github/workspace/taken/report.json")
    """
    projects.write(machine.workspace, {**projects.CLEAN, "test_links.py": textwrap.dedent(test)})
    before = sorted(machine.workflow.iterdir())
    ran = machine.run(inputs={"stage": "test", "report-dir": "late"})
    assert (ran.code, ran.outputs["result"]) == (0, "passed"), ran.log
    assert not ran.outputs["report"]
    assert "could not write report.json" in ran.log
    assert sorted(machine.workflow.iterdir()) == before
    (machine.workspace / "late").unlink()
    ran = machine.run(inputs={"stage": "quality", "report-dir": "taken", "paths": "src"})
    assert ran.code == 0, ran.log
    assert (machine.workspace / "pyproject.toml").read_text() == projects.CLEAN["pyproject.toml"]
    assert ran.report["conclusion"] == "passed"


@pytest.mark.parametrize(
    ("stage", "space"),
    [("quality", "size=64k,nr_inodes=3"), ("test", "size=64k"), ("security", "size=64k,nr_inodes=3")],
)
def test_a_cache_without_space_is_a_warning(machine: Machine, stage: str, space: str):
    files = {**projects.CLEAN, "test_a.py": "def test_a():\n    pass\n", "requirements.in": "iniconfig\n"}
    projects.write(machine.workspace, files)
    small = ["--tmpfs", f"/small:{space}"]
    ran = machine.run(inputs={"stage": stage, "cache-dir": "/small/cache"}, options=small)
    assert ran.code == 0, ran.log
    assert "/small/cache" in notes(ran), ran.log


def test_a_place_that_cannot_be_written_is_a_warning(machine: Machine):
    projects.write(machine.workspace, projects.CLEAN)
    ran = machine.run(inputs={"stage": "quality", "cache-dir": "/proc/kept"})
    assert ran.code == 0, ran.log
    assert "/proc/kept" in notes(ran)


def test_without_an_owner_of_their_own_no_results_are_kept(machine: Machine):
    projects.write(machine.workspace, projects.CLEAN)
    ran = machine.run(inputs={"stage": "quality", "cache-dir": "kept", "run-as": "root"})
    assert ran.code == 0, ran.log
    assert "not caching results of unchanged files" in notes(ran)
    assert not Path(machine.workspace, "kept", "results").exists()
