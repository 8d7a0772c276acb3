"""The tool gate-changes: its place in a run, an unknown base, and the weight of its findings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from support.builders import (
    FakeRun,
    completed,
    context,
    event,
    finding,
    run_result,
    stage_result,
    tool_result,
    write,
)

from ci_action.engine.base_commit import Fetch, needed
from ci_action.engine.tool import Checked
from ci_action.engine.verdict import judge_stage
from ci_action.model.changes import Changes
from ci_action.model.finding import Level, Location
from ci_action.model.ranking import ranked
from ci_action.model.result import Broken, Conclusion, Counted, Report, Skipped, ToolResult
from ci_action.model.section import Channel, Place
from ci_action.project.git.base_files import Difference, parse
from ci_action.project.programs import Program
from ci_action.reporters.limits import Room
from ci_action.reporters.lines import section_lines
from ci_action.reporters.markdown_sections import Drawing
from ci_action.settings.general import ALL
from ci_action.stages import load_all, select, tools, with_tool_of_every_run
from ci_action.stages.gate_changes import TOOL, section
from ci_action.stages.gate_changes import loosened as loosened_values
from ci_action.system.errors import ToolError
from ci_action.system.process import Command, Completed

BASE, OLD = "c" * 40, "b" * 40
PULL = {"number": 7}


class Git:
    """A repository in which one file differs."""

    def __init__(self, top: Path, files: dict[str, tuple[str, str]]) -> None:
        self._top, self._files = top, files
        write(top, {name: after for name, (_, after) in files.items()})

    def __call__(self, command: Command) -> Completed:
        words = command.argv
        if "rev-parse" in words:
            return completed(f"{self._top}\n")
        names = [*self._files]
        if "diff" in words:
            rows = (
                f":100644 100644 {number:040x} {0:040x} M\0{name}\0" for number, name in enumerate(names, 1)
            )
            return completed("".join(rows))
        if "cat-file" in words:
            asked = [int(line, 16) for line in command.stdin.decode().split()]
            texts = {number: self._files[names[number - 1]][0] for number in asked}
            heads = {number: f"{number:040x} blob {len(text.encode())}\n" for number, text in texts.items()}
            whole = "--batch" in words
            return completed("".join(heads[one] + (f"{texts[one]}\n" if whole else "") for one in asked))
        return completed("")


def checked(tmp_path: Path, files: dict[str, tuple[str, str]], **overrides: Any) -> Checked:
    values = {"changes": Changes(base=BASE), "event": event(name="pull_request"), **overrides}
    workspace = tmp_path / "w"
    workspace.mkdir()
    ctx = context(workspace, FakeRun(git=Git(workspace, files)), **values)
    return TOOL.check(ctx, Program(argv=(), version="", source=""))


def key(*rows: str) -> str:
    return "\n".join(["[tool.ci-action]", *rows, ""])


LOWERED = {"pyproject.toml": (key("coverage-min = 90"), key("coverage-min = 80"))}


@pytest.mark.parametrize(("mode", "level"), [("warn", Level.WARNING), ("fail", Level.ERROR)])
def test_a_finding_has_its_line_and_its_weight(tmp_path: Path, mode: str, level: Level):
    found = checked(
        tmp_path,
        LOWERED,
        settings={"gate_changes": mode, "coverage_min": "80"},
        of_project=frozenset({"coverage-min"}),
    )
    assert isinstance(found.outcome, Report)
    (one,) = found.outcome.findings
    assert (one.tool, one.rule, one.level) == ("gate-changes", "lower-minimum", level)
    assert one.location == Location(path="pyproject.toml", line=2)
    assert found.outcome.examined == {"files": 1}


def test_a_stricter_change_has_no_finding(tmp_path: Path):
    found = checked(
        tmp_path, {"pyproject.toml": (LOWERED["pyproject.toml"][1], LOWERED["pyproject.toml"][0])}
    )
    assert found.outcome == Report(examined={Counted.FILES: 1})
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("name", "payload", "mode", "kind"),
    [
        ("pull_request", {}, "warn", Skipped),
        ("pull_request", {}, "fail", Broken),
        ("merge_group", {}, "fail", Broken),
        ("push", {"before": OLD}, "fail", Broken),
        ("push", {"before": OLD}, "warn", Skipped),
        ("push", {"before": "0" * 40}, "fail", Skipped),
        ("schedule", {}, "fail", Skipped),
        ("", {}, "fail", Skipped),
    ],
)
def test_an_unknown_base(tmp_path: Path, name: str, payload: dict[str, Any], mode: str, kind: type):
    changes = Changes(problem="the commit is not in the clone; set `fetch-depth: 2`")
    found = checked(
        tmp_path,
        {},
        changes=changes,
        event=event(name=name, payload=payload),
        settings={"gate_changes": mode},
    )
    assert isinstance(found.outcome, Skipped | Broken)
    assert isinstance(found.outcome, kind)
    assert "fetch-depth: 2" in found.outcome.reason


@pytest.mark.parametrize(
    ("mode", "fetch"), [("off", Fetch.CHEAP), ("warn", Fetch.CHEAP), ("fail", Fetch.ANY)]
)
def test_only_what_blocks_is_worth_any_fetch(tmp_path: Path, mode: str, fetch: Fetch):
    assert needed(context(tmp_path, settings={"gate_changes": mode}).settings) is fetch
    assert TOOL.wanted(context(tmp_path, settings={"gate_changes": mode})) is (mode != "off")


IGNORED = ("ignore = ['gate-changes']",)


@pytest.mark.parametrize(
    ("before", "after", "settings", "of_project", "muted"),
    [
        ((), IGNORED, {"ignore": "gate-changes"}, {"ignore"}, False),
        (IGNORED, (), {}, set(), True),
        (IGNORED, IGNORED, {"ignore": "gate-changes"}, {"ignore"}, True),
        ((), (), {"ignore": "gate-changes"}, set(), True),
        ((), (), {"ignore": "gate-changes:removed-test"}, set(), False),
    ],
    ids=["key of the change", "key of the base", "key of both", "workflow", "another rule"],
)
def test_whose_exceptions_hold(
    tmp_path: Path,
    before: Sequence[str],
    after: Sequence[str],
    settings: dict[str, str],
    of_project: set[str],
    muted: bool,
):
    files = {"pyproject.toml": (key("fail-on = 'low'", *before), key(*after))}
    found = checked(tmp_path, files, settings=settings, of_project=frozenset(of_project))
    assert isinstance(found.outcome, Report)
    softer = [one for one in found.outcome.findings if one.rule == "softer-fail-on"]
    assert [bool(one.muted) for one in softer] == [muted]
    added = [one for one in found.outcome.findings if one.rule == "added-ignore"]
    assert len(added) == (after == IGNORED and before != IGNORED)
    assert all(one.counts for one in added)


@pytest.mark.parametrize("names", [[stage.name] for stage in load_all()] + [["all"], ["security", "test"]])
def test_it_is_a_part_of_the_first_stage_alone(names: list[str]):
    plain, chosen = select(names), with_tool_of_every_run(select(names))
    assert [TOOL in one.stage.tools for one in chosen] == [True] + [False] * (len(chosen) - 1)
    assert [one.stage.name for one in chosen] == [one.stage.name for one in plain]
    assert not any(TOOL in one.stage.tools for one in plain)
    assert "gate-changes" in tools()


def test_the_first_stage_of_all_always_applies(tmp_path: Path):
    first = select([ALL])[0]
    assert first.stage.applies(context(tmp_path)) == ""


CLEAN = tool_result(tool="t")
SKIPPED = tool_result(tool="t", outcome=Skipped("no files"))
RIGHTLY = tool_result(tool="t", outcome=Skipped("no change", rightly=True))
FOUND = tool_result(finding(), tool="t")
DEAD = tool_result(tool="t", outcome=Broken("killed"))


def gate(outcome: Any = None, level: Level | None = None) -> ToolResult:
    found = (finding(level=level),) if level else ()
    return tool_result(*found, tool="gate-changes", apart=True, **({"outcome": outcome} if outcome else {}))


GATES = {
    "clean": gate(),
    "skipped": gate(Skipped("unknown")),
    "warned": gate(level=Level.WARNING),
    "failed": gate(level=Level.ERROR),
    "broken": gate(Broken("unknown")),
}


@pytest.mark.parametrize(
    ("others", "warns_only", "expected"),
    [
        # What the stage concludes beside each of the gates above, and with which exit code.
        ((CLEAN,), False, ["passed 0", "passed 0", "warned 0", "failed 1", "broken 3"]),
        ((CLEAN,), True, ["passed 0", "passed 0", "warned 0", "failed 1", "broken 3"]),
        ((SKIPPED,), False, ["empty 2", "empty 2", "empty 2", "failed 1", "broken 3"]),
        ((RIGHTLY,), False, ["skipped 0", "skipped 0", "warned 0", "failed 1", "broken 3"]),
        ((FOUND,), False, ["failed 1", "failed 1", "failed 1", "failed 1", "broken 3"]),
        ((FOUND,), True, ["warned 0", "warned 0", "warned 0", "failed 1", "broken 3"]),
        ((DEAD,), False, ["broken 3"] * 5),
        ((DEAD,), True, ["broken 0", "broken 0", "broken 0", "failed 1", "broken 3"]),
    ],
    ids=["clean", "clean, warns", "empty", "rightly", "found", "found, warns", "broken", "broken, warns"],
)
def test_a_stage_with_it(others: tuple[ToolResult, ...], warns_only: bool, expected: list[str]):
    stages = [stage_result(*others, one, warns_only=warns_only) for one in GATES.values()]
    verdicts = map(judge_stage, stages)
    assert [f"{one.conclusion.value} {int(one.exit_code)}" for one in verdicts] == expected


def test_a_skipped_gate_is_not_a_reason_of_a_stage():
    assert judge_stage(stage_result(SKIPPED, GATES["skipped"])).reasons == ("t: no files",)
    assert judge_stage(stage_result(CLEAN, GATES["skipped"])).conclusion is Conclusion.PASSED


def test_every_rule_has_a_weight():
    rules = {
        value for name, value in vars(loosened_values).items() if name.isupper() and isinstance(value, str)
    }
    assert set(loosened_values.WEIGHTS) == rules


def test_settings_come_first_in_every_list():
    others = [
        finding(tool="ruff", level=Level.WARNING),
        finding(tool="gate-changes", rule="added-suppression", level=Level.WARNING),
    ]
    mine = finding(tool="gate-changes", rule="lower-minimum", level=Level.WARNING)
    assert ranked([*others, mine])[0] is mine


def run_with(*found: Any) -> Any:
    return run_result(stage_result(tool_result(*found, tool="gate-changes", apart=True)))


def test_the_section_at_the_top():
    found = [
        finding(
            tool="gate-changes",
            rule="lower-minimum",
            message="it `is` <b>lower</b>",
            location=Location(path="a|b.toml", line=3),
        ),
        finding(tool="gate-changes", rule="removed-test", message="gone", location=None),
        finding(tool="gate-changes", rule="removed-test", message="muted", muted="because"),
    ]
    (made,) = section(run_with(*found).stages[0].tools)
    assert len(made.rows(Channel.PAGE)[0].rows) == 2
    (drawn,) = Drawing(Channel.SUMMARY, event(), 2).at(Place.FIRST, [made], Room(10_000))
    head, _, rows = drawn.partition("\n\n")
    assert head.startswith("## ⚠️ ")
    assert "2 places" in head
    address = "https://github.com/o/r/blob/c0ffee/a%7Cb.toml#L3"
    assert rows.startswith(f"- [`a|b.toml:3`](<{address}>) · `lower-minimum` · ")
    assert "``it `is` <b>lower</b>``" in rows
    assert [*section_lines([made])][1].text == "  a|b.toml:3 · lower-minimum · it `is` <b>lower</b>"
    assert section(run_with().stages[0].tools) == ()


def test_the_differences_that_git_prints():
    zero = "0" * 40
    rows = [
        f":100644 100644 {OLD} {zero} M\0a\nb.py\0",
        f":100644 000000 {OLD} {zero} D\0gone.py\0",
        f":000000 100644 {zero} {BASE} A\0new.py\0",
        f":100644 100755 {OLD} {BASE} R086\0old.py\0now.py\0",
        f":120000 100644 {OLD} {BASE} T\0link\0",
    ]
    assert parse("".join(rows).encode()) == (
        Difference(name="a\nb.py", previous="a\nb.py", blob=OLD),
        Difference(name="gone.py", previous="gone.py", blob=OLD, exists=False),
        Difference(name="new.py", previous="new.py", blob=""),
        Difference(name="now.py", previous="old.py", blob=OLD),
        Difference(name="link", previous="link", blob=""),
    )


@pytest.mark.parametrize(
    "stdout", [b"diff --git a b", b":100644 100644 a b M", f":100644 100644 {OLD} {OLD} R100\0a".encode()]
)
def test_invalid_differences(stdout: bytes):
    with pytest.raises(ToolError):
        parse(stdout)
