"""Pinned tools in the container: kept by root, and never started if the project's code could have changed them."""

import os

import pytest
from support.container import projects
from support.container.runner import Machine, Ran

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="files of another user can be made by root alone"),
]
PINNED = {
    **projects.CLEAN,
    "requirements-lint.txt": "black==24.10.0\n",
    "src/small/bad.py": "VALUE  = 1\n",
}
# The kept Black becomes a program that finds nothing, of the same size; what cannot be written is moved out of the way.
FORGING = """
import shutil
from pathlib import Path

def test_forges():
    cache = Path(PLACE)
    top = cache.parent if MOVES else cache
    top.rename(top.with_name("away"))
    old = top.with_name("away") / cache.relative_to(top)
    shutil.copytree(old, cache, symlinks=True)
    [script] = cache.glob("results/trees/*/black/bin/black")
    size = script.stat().st_size
    script.unlink()
    script.write_bytes(b"#!/bin/sh\\nexit 0\\n".ljust(size, b"#"))
    script.chmod(0o755)
"""
# What the owner of the workspace can do to a kept tool without moving it.
WRITING = """
import os
from pathlib import Path

def test_cannot_write():
    trees = Path(PLACE, "results", "trees")
    found = [Path(folder, name) for folder, folders, names in os.walk(trees) for name in (*folders, *names)]
    assert len(found) > 100
    wrong = [str(path) for path in (trees, *found) if not path.is_symlink() and path.name != ".lock" and os.access(path, os.W_OK)]
    assert not wrong
"""


def black_of(ran: Ran) -> tuple[int, str, int]:
    """Return the exit code, Black's version, and its number of findings."""
    tool = ran.tool("black")
    return ran.code, tool["version"], len(tool["findings"])


@pytest.mark.parametrize(
    ("inputs", "place", "moves"),
    [({}, "/github/home/.cache/ci-action", True), ({"cache-dir": "kept"}, "/github/workspace/kept", False)],
    ids=["at home", "in the workspace"],
)
def test_a_kept_tool_that_a_test_replaced_is_not_started(
    machine: Machine, inputs: dict[str, str], place: str, moves: bool
):
    quality = {"stage": "quality", **inputs}
    tests = {
        f"test_{name}.py": text.replace("PLACE", repr(place)).replace("MOVES", repr(moves))
        for name, text in (("forging", FORGING), ("cannot_write", WRITING))
    }
    projects.write(machine.workspace, {**PINNED, **tests})
    first = machine.run(inputs=quality)
    assert black_of(first)[:2] == (1, "24.10.0"), first.log
    again = machine.run(inputs=quality, options=["--network=none"])
    assert black_of(again) == black_of(first), again.log
    assert not again.report["warnings"]
    forging = machine.run(inputs={"stage": "test", **inputs})
    assert forging.code == 0, forging.log
    offline = machine.run(inputs=quality, options=["--network=none"])
    assert black_of(offline)[0] == 1, "the bundled version runs"
    assert any("black==24.10.0" in reason for reason in offline.report["reasons"]), offline.log
    fresh = machine.run(inputs=quality)
    assert black_of(fresh) == black_of(first), fresh.log
    kept = machine.run(inputs=quality, options=["--network=none"])
    assert black_of(kept) == black_of(first), "what root installed in its place is used again"
