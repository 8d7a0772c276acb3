"""`ruff format` as a tool: which commands are started, and what is made of the answers."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from support.builders import FakeRun, completed, context, layout, program, write

from ci_action.engine.tool import Checked
from ci_action.model.changes import Changes
from ci_action.model.finding import Fix
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.project.programs import Program
from ci_action.stages.quality.ruff_format import TOOL, check, count, fix
from ci_action.system.errors import ENDED, InterruptedRunError, TimedOutError, ToolError
from ci_action.system.process import Command, Completed

USAGE = "error: invalid value 'none' for '--target-version'\n  [possible values: py37, py38, py312, py313]\n"
DIFF = "--- {0}\n+++ {0}\n@@ -1 +1 @@\n-x  = 1\n+x = 1\n\n"


def files(number: int) -> str:
    return f"{number} file{'' if number == 1 else 's'}"


class Ruff:
    """Answers as Ruff does for files that it lists, some of which it would format or excludes; `others` are no Python."""

    def __init__(
        self,
        root: Path,
        *names: str,
        messy: tuple[str, ...] = (),
        excluded: tuple[str, ...] = (),
        others: tuple[str, ...] = (),
        **answers: Completed | Exception,
    ) -> None:
        self.root = root
        self.listed = [str(root / name) for name in names]
        self.others = [str(root / name) for name in others]
        self.messy = {*messy, *others}
        self.excluded = excluded
        self.answers = answers

    def __call__(self, command: Command) -> Completed:
        if "--show-files" in command.argv:
            return self._said("files", completed("".join(f"{name}\n" for name in self.listed)))
        if "--target-version=none" in command.argv:
            return self._said("probe", completed("", USAGE, 2))
        if "--output-format=json" in command.argv:
            found = [{"filename": name} for name in (*self.listed, *self.others) if self._is_messy(name)]
            return self._said("json", completed(json.dumps(found), "", int(bool(found))))
        if "--diff" not in command.argv:
            return self._said("fix", completed("1 file reformatted\n"))
        given = command.argv[command.argv.index("--") + 1 :]
        names = [Path(command.cwd / name).relative_to(self.root).as_posix() for name in given]
        messy = [name for name in names if name in self.messy]
        clean = len([name for name in names if name not in self.messy and name not in self.excluded])
        parts = [f"{files(len(messy))} would be reformatted"] if messy else []
        parts += [f"{files(clean)} already formatted"] if clean else []
        text = "".join(map(DIFF.format, messy))
        return self._said("diff", completed(text, ", ".join(parts) + "\n" * bool(parts), int(bool(messy))))

    def _is_messy(self, name: str) -> bool:
        return Path(name).relative_to(self.root).as_posix() in self.messy

    def _said(self, what: str, usual: Completed) -> Completed:
        answer = self.answers.get(what, usual)
        if isinstance(answer, Exception):
            raise answer
        return answer


def ruff_program(version: str = "0.14.0") -> Program:
    return Program(argv=("/tools/ruff",), version=version)


def checked(
    workspace: Path, ruff: Ruff, version: str = "0.14.0", **overrides: Any
) -> tuple[Checked, list[tuple[str, ...]]]:
    run = FakeRun(ruff=ruff)
    return check(context(workspace, run, **overrides), ruff_program(version)), run.words


@pytest.fixture
def two(tmp_path: Path) -> Path:
    return write(tmp_path / "w", {"a.py": "x  = 1\n", "b.py": "y = 2\n", "ruff.toml": ""})


def test_findings_and_what_was_looked_at(two: Path):
    found, words = checked(two, Ruff(two, "a.py", "b.py", messy=("a.py",)))
    assert isinstance(found.outcome, Report)
    assert found.outcome.examined == {"files": 2, "unreadable": 0}
    (one,) = found.outcome.findings
    assert (one.tool, one.rule, str(one.location), one.fix) == ("ruff-format", "format", "a.py:1", Fix.SAFE)
    assert (one.before, one.after) == ("x  = 1\n", "x = 1\n")
    assert words[-1][:2] == ("/tools/ruff", "format")
    assert {"--diff", "--no-cache", "--force-exclude"} <= set(words[-1])
    assert words[-1][-3:] == ("--", f"{two}/a.py", f"{two}/b.py")


def test_no_files_are_skipped_and_nothing_is_formatted(two: Path):
    found, words = checked(two, Ruff(two))
    assert isinstance(found.outcome, Skipped)
    assert not found.outcome.rightly
    assert len(words) == 1


def test_a_file_that_cannot_be_parsed_is_a_finding(two: Path):
    failed = completed("", "error: Failed to parse a.py:3:4: Expected\n1 file already formatted\n", 2)
    found, _ = checked(two, Ruff(two, "a.py", "b.py", diff=failed))
    assert isinstance(found.outcome, Report)
    assert found.outcome.examined == {"files": 2, "unreadable": 1}
    (one,) = found.outcome.findings
    assert (one.rule, str(one.location), one.fix, one.url) == ("parse", "a.py:3:4", Fix.NONE, "")


BAD_CONFIG = "ruff failed\n  Cause: Failed to parse pyproject.toml\n  Cause: unknown field `x`\n"


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param({"diff": completed("", BAD_CONFIG, 2)}, id="configuration"),
        pytest.param({"files": completed("", BAD_CONFIG, 2)}, id="at the listing"),
        pytest.param({"diff": completed("", "", 2)}, id="no words"),
        pytest.param({"diff": completed("", "", 101)}, id="a panic"),
        pytest.param({"diff": completed("", "", -9)}, id="killed"),
        pytest.param({"diff": completed("")}, id="silence"),
        pytest.param({"diff": completed("", "1 file already formatted\n")}, id="a file less"),
        pytest.param({"diff": completed("", "error: unexpected argument '--diff' found\n", 2)}, id="old"),
        pytest.param({"diff": ToolError("'ruff' cannot be started")}, id="absent"),
    ],
)
def test_what_is_not_an_answer_is_an_error_never_a_pass(two: Path, answers: dict[str, Any]):
    with pytest.raises(ToolError):
        checked(two, Ruff(two, "a.py", "b.py", **answers))


@pytest.mark.parametrize("ended", ENDED)
def test_whatever_ends_it_is_broken(two: Path, ended: type[TimedOutError | InterruptedRunError]):
    found, _ = checked(two, Ruff(two, "a.py", diff=ended("too late", stderr="words")))
    assert isinstance(found.outcome, Broken)
    assert (found.outcome.reason, found.outcome.detail) == ("too late", "words")


@pytest.mark.parametrize(
    ("configuration", "names", "excluded", "outcome"),
    [
        ("[format]\nexclude = ['b.py']", ("a.py", "b.py"), ("b.py",), Report),
        ("[format]\nexclude = ['*']", ("a.py", "b.py"), ("a.py", "b.py"), Skipped),
        ("", ("a.py", "b.py"), ("b.py",), ToolError),
        ("", ("a.py", "n.ipynb"), ("n.ipynb",), Report),  # of another language
    ],
)
def test_files_that_ruff_leaves_out_are_not_counted(
    two: Path, configuration: str, names: tuple[str, ...], excluded: tuple[str, ...], outcome: type
):
    write(two, {"ruff.toml": configuration})
    ruff = Ruff(two, *names, excluded=excluded)
    if outcome is ToolError:
        with pytest.raises(ToolError):
            checked(two, ruff)
        return
    found, _ = checked(two, ruff)
    assert isinstance(found.outcome, outcome)
    assert not isinstance(found.outcome, Report) or found.outcome.examined[Counted.FILES] == 1


@pytest.mark.parametrize(
    ("pyproject", "version", "python", "target"),
    [
        pytest.param("[project]\nrequires-python = '>=3.12'", "0.12.0", "", "py312", id="inferred"),
        pytest.param("[project]\nrequires-python = '>=3.12'", "0.9.10", "", None, id="not yet inferred"),
        pytest.param(
            "[project]\nrequires-python = '>=3.12'", "0.9.10", "3.12", None, id="never python-version"
        ),
        pytest.param("[project]\nname = 'x'", "0.9.10", "3.12", "py312", id="python-version"),
        pytest.param("[tool.ruff]", "0.12.0", "3.12", "py312", id="configured without a target"),
        pytest.param("[tool.ruff]\ntarget-version = 'py38'", "0.12.0", "3.12", None, id="its own target"),
    ],
)
def test_the_target_is_that_of_the_bare_ruff(
    tmp_path: Path, pyproject: str, version: str, python: str, target: str | None
):
    workspace = write(tmp_path / "w", {"a.py": "", "pyproject.toml": pyproject})
    place = layout(workspace, pyproject=tomllib.loads(pyproject))
    _, words = checked(
        workspace, Ruff(workspace, "a.py"), version, settings={"python_version": python}, layout=place
    )
    given = [word for word in words[-1] if word.startswith("--target-version")]
    assert given == ([f"--target-version={target}"] if target else [])
    assert ("--isolated" in words[-1]) is ("ruff" not in pyproject)


@pytest.mark.parametrize(
    ("args", "shared"),
    [
        ("--select=ALL --preview --exclude=x", []),
        ("--config=ci/ruff.toml", ["--config=ci/ruff.toml"]),
        ("--config ci/ruff.toml --isolated", ["--config=ci/ruff.toml", "--isolated"]),
        ("--line-length 99 --target-version=py38", ["--line-length=99", "--target-version=py38"]),
    ],
)
def test_of_the_options_of_the_linter_those_of_the_project_apply(two: Path, args: str, shared: list[str]):
    write(two, {"ci/ruff.toml": ""})
    _, words = checked(two, Ruff(two, "a.py"), settings={"ruff_args": args})
    ours = {"--no-cache", "--force-exclude", "--diff"}
    assert [word for word in words[-1][2 : words[-1].index("--")] if word not in ours] == shared
    assert {*args.split()} <= {*words[0]}  # the files are those of the linter


def test_a_folder_with_its_own_configuration_is_a_part_of_its_own(tmp_path: Path):
    workspace = write(tmp_path / "w", {"a.py": "", "sub/ruff.toml": ""})
    _, words = checked(workspace, Ruff(workspace, "a.py"))
    diffs = [argv for argv in words if "--diff" in argv]
    assert ["--isolated" in argv for argv in diffs] == [True, False]


def test_only_changed_files_are_formatted(two: Path):
    changes = Changes(base="c0ffee", lines={"b.py": frozenset({1})})
    ruff = Ruff(two, "a.py", "b.py")
    found, words = checked(two, ruff, settings={"scope": "changed"}, changes=changes)
    assert words[-1][-2:] == ("--", "b.py")
    assert isinstance(found.outcome, Report)
    none = Changes(base="c0ffee", lines={"c.txt": frozenset({1})})
    found, _ = checked(two, ruff, settings={"scope": "changed"}, changes=none)
    assert isinstance(found.outcome, Skipped)
    assert found.outcome.rightly


def test_links_that_lead_out_are_not_read_and_named(two: Path):
    (two / "out.py").symlink_to("/proc/self/environ")
    (two / "out.md").symlink_to("/etc/hosts")
    ruff = Ruff(two, "a.py", "out.py", others=("out.md",))
    found, words = checked(two, ruff, "0.17.6")
    assert words[-1][-2:] == ("--", f"{two}/a.py")
    assert "'out.md'" in found.warnings[0]
    assert "'out.py'" in found.warnings[0]


def test_what_only_the_formatter_reads_is_found_and_our_own_folders_are_not(two: Path):
    write(two, {"x.md": "", "sub/y.md": "", "out/summary.md": ""})
    ruff = Ruff(two, "a.py", messy=("a.py",), others=("x.md", "sub/y.md", "out/summary.md"))
    found, words = checked(two, ruff, "0.17.6", own_folders=(two / "out",))
    assert isinstance(found.outcome, Report)
    assert {one.path for one in found.outcome.findings} == {"a.py", "x.md", "sub/y.md"}
    assert words[-1][-3:] == (f"{two}/a.py", f"{two}/x.md", f"{two}/sub/y.md")
    changes = Changes(base="c0ffee", lines={"x.md": frozenset({1})})
    found, _ = checked(two, ruff, "0.17.6", settings={"scope": "changed"}, changes=changes)
    assert isinstance(found.outcome, Report)
    assert {one.path for one in found.outcome.findings} == {"x.md"}


@pytest.mark.parametrize(
    ("version", "answer", "number"),
    [
        ("0.14.9", completed("", "usage", 2), 1),  # not started
        ("0.15.0", completed("Would reformat: x.md\n", "", 1), 1),  # without `preview`
        ("0.16.0", completed("", "warning: No Python files found\n"), 1),
        ("0.16.0", completed("Would reformat: x.md\n", "", 1), None),
        ("0.16.0", completed("", BAD_CONFIG, 2), None),
    ],
)
def test_the_list_of_other_files(two: Path, version: str, answer: Completed, number: int | None):
    ruff = Ruff(two, "a.py", json=answer)
    if number is None:
        with pytest.raises(ToolError):
            checked(two, ruff, version)
        return
    found, _ = checked(two, ruff, version)
    assert isinstance(found.outcome, Report)
    assert found.outcome.examined[Counted.FILES] == number


def test_ambiguous_names_go_alone(two: Path):
    names = ("a.py", "a\nb.py", "ü.py", "b\udcff.py", "b\udcfe.py")
    write(two, dict.fromkeys(names, ""))
    shown = ("a.py", "a\nb.py", "ü.py", "b\ufffd.py")
    _, words = checked(two, Ruff(two, *shown))
    alone = [argv[argv.index("--") + 1 :] for argv in words if "--diff" in argv]
    assert sorted(alone) == sorted((f"{two}/{name}",) for name in names)


def test_a_file_that_paths_names_has_no_excludes(two: Path):
    _, words = checked(two, Ruff(two, "a.py", "b.py"), settings={"paths": "a.py\nb.py"})
    assert "--force-exclude" not in words[-1]


def test_fixes_are_written_by_name(two: Path):
    run = FakeRun(ruff=Ruff(two, "a.py"))
    fix(context(two, run), ruff_program())
    assert run.words[-1][:2] == ("/tools/ruff", "format")
    assert not {"--diff", "--check"} & set(run.words[-1])
    assert run.words[-1][-2:] == ("--", f"{two}/a.py")


@pytest.mark.parametrize(
    ("answer", "fails"),
    [
        (completed("", "error: Failed to parse a.py:1:1: x\n1 file reformatted\n", 2), False),
        (completed("", BAD_CONFIG, 2), True),
        (completed("", "error: Failed to write b.py\n", 2), True),
        (completed("", "", 2), True),
        (completed("", "", 101), True),
    ],
)
def test_a_fix_that_fails_is_an_error_but_not_for_a_file_that_cannot_be_parsed(
    two: Path, answer: Completed, fails: bool
):
    ctx = context(two, FakeRun(ruff=Ruff(two, "a.py", fix=answer)))
    if fails:
        with pytest.raises(ToolError):
            fix(ctx, ruff_program())
    else:
        fix(ctx, ruff_program())


def test_files_are_counted(two: Path):
    assert count(context(two, FakeRun(ruff=Ruff(two, "a.py", "b.py")))) == 2


def test_its_version_is_that_of_ruff():
    assert TOOL.distribution == "ruff"
    assert program("ruff").version
