"""What the project's own checks look at: files and options of hooks and commands."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import context

from ci_action.project.evidence import Evidence, Gathered, Kind
from ci_action.project.tool_names import Named
from ci_action.stages.quality.scope import scope_in, scope_of

BLACK, CHECK, FORMAT = Named.BLACK, Named.RUFF_CHECK, Named.RUFF_FORMAT
H, C, W = Kind.HOOK, Kind.COMMAND, Kind.WORKFLOW


def ran(kind: Kind, words: str = "", tool: Named = BLACK, **more: Any) -> Evidence:
    one = Evidence(tool=tool, kind=kind, source=kind.name, folder=".", words=tuple(words.split()))
    return replace(one, **{"gets_files": kind is H, **more})


def covered(
    *evidence: Evidence, names: str = "a.py src/a.py docs/a.py src/v/a.py n.ipynb", root: str = "."
) -> str:
    scope = scope_in(Gathered(evidence=evidence), evidence[0].tool if evidence else BLACK, root)
    return " ".join(name for name in names.split() if scope.covers(name))


ALL = "a.py src/a.py docs/a.py src/v/a.py n.ipynb"
COVERED = {
    "no command": ([], ALL),
    "only configured": ([ran(Kind.TABLE)], ALL),
    "a command for everything": ([ran(C, "--check .")], ALL),
    "a command for folders": ([ran(C, "--check src docs")], "src/a.py docs/a.py src/v/a.py"),
    "a file and a pattern": ([ran(C, "--check a.py docs/*.py")], "a.py docs/a.py"),
    "options with values are no paths": ([ran(C, "-l 100 --target-version py311 -q docs")], "docs/a.py"),
    "joined options": ([ran(C, "-Sl100 docs")], "docs/a.py"),
    "an unknown variable": ([ran(C, "$FILES docs")], ALL),
    "no paths": ([ran(C, "--check")], ALL),
    "a path of a container": ([ran(C, "/code")], ALL),
    "in another folder": ([ran(C, ".", folder="docs")], "docs/a.py"),
    "the folder above": ([ran(C, "../src", folder="docs")], "src/a.py src/v/a.py"),
    "a hook": ([ran(H)], "a.py src/a.py docs/a.py src/v/a.py"),
    "a hook for notebooks": ([ran(H, source="x: black-jupyter")], ALL),
    "a hook that excludes": ([ran(H, exclude=("^docs/", "src/v/"))], "a.py src/a.py"),
    "a hook for some": ([ran(H, files=("^src/",), exclude=("v",))], "src/a.py"),
    "a hook that names its paths": ([ran(H, "docs", gets_files=False)], "docs/a.py"),
    "an invalid expression": ([ran(H, exclude=("(",))], "a.py src/a.py docs/a.py src/v/a.py"),
    "a hook and a workflow": ([ran(H, files=("^src/",)), ran(W, "docs")], "src/a.py docs/a.py src/v/a.py"),
    "other commands beside a hook": ([ran(H, files=("^src/",)), ran(C, ".")], "src/a.py src/v/a.py"),
    "a command on request beside another": ([ran(W, ".", advisory=True), ran(C, "docs")], "docs/a.py"),
}


@pytest.mark.parametrize(("evidence", "expected"), COVERED.values(), ids=COVERED)
def test_which_files_are_checked(evidence, expected):
    assert covered(*evidence) == expected


OPTIONS = {
    "none": ([ran(C, "--check .")], ()),
    "long": ([ran(C, "--line-length=100 --preview --quiet --workers 4 .")], ("--line-length=100", "--preview")),
    "short": ([ran(C, "-l 100 -S -t py311 -tpy312 .")],
              ("--line-length=100", "--skip-string-normalization", "--target-version=py311", "--target-version=py312")),
    "joined": ([ran(C, "-CSl100 .")],
               ("--skip-magic-trailing-comma", "--skip-string-normalization", "--line-length=100")),
    "a hook": ([ran(H, "--line-length 79")], ("--line-length=79",)),
    "a hook before a workflow": ([ran(H, "-l 79"), ran(W, "-l 100 .")], ("--line-length=79",)),
    "in another folder": ([ran(C, "-l 79 .", folder="x")], ()),
    "an unknown value": ([ran(C, "-l $N .")], ()),
    "that write or print": ([ran(C, "--fix --output-file x --exit-zero --select E .", CHECK)], ("--select=E",)),
    "several that select": ([ran(C, "--select I .", CHECK), ran(C, "--select E,F .", CHECK)], ("--select=I,E,F",)),
    "one that selects, one that does not": (
        [ran(C, "--select I .", CHECK), ran(C, "--ignore E501 .", CHECK)], ("--ignore=E501",)),
    "of the formatter": ([ran(C, "--line-length 79 --select E .", FORMAT)], ("--line-length=79",)),
}  # fmt: skip


@pytest.mark.parametrize(("evidence", "expected"), OPTIONS.values(), ids=OPTIONS)
def test_which_options_are_passed_on(evidence, expected):
    assert scope_in(Gathered(evidence=tuple(evidence)), evidence[0].tool).words == expected


def test_an_option_that_leads_out_of_the_workspace_is_not_passed_on(tmp_path: Path):
    (tmp_path / "tox.ini").write_text(
        "[testenv:lint]\ncommands = ruff check --config=/etc/passwd .\n", "utf-8"
    )
    assert scope_of(context(tmp_path), CHECK).words == ()


def test_what_the_user_names_is_checked_in_any_case(tmp_path: Path):
    (tmp_path / "tox.ini").write_text("[testenv:lint]\ncommands = ruff check src/\n", "utf-8")
    assert not scope_of(context(tmp_path), CHECK).covers("docs/a.py")
    assert scope_of(context(tmp_path, settings={"paths": ("docs",)}), CHECK).covers("docs/a.py")


@given(
    words=st.lists(
        st.text(max_size=8) | st.sampled_from(["-l", "--select", "--", "-", "=", "--config="]), max_size=8
    )
)
def test_any_arguments_can_be_read(words):
    for tool in (BLACK, CHECK, FORMAT):
        scope = scope_in(Gathered(evidence=(replace(ran(C, tool=tool), words=tuple(words)),)), tool)
        scope.covers("a/b.py")
