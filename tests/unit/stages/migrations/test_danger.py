"""The tool danger: kept runs of squawk, weighed against measured rewrites."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import bundled_tools, completed, context, write
from support.squawk_runs import CASES, Replay, kept_run, sql, steps

from ci_action.engine.ignore import mute
from ci_action.model.finding import Level
from ci_action.model.result import Broken, Counted, Report, Skipped, ToolResult
from ci_action.project.programs import Program
from ci_action.stages.migrations.danger import TOOL, danger, joined
from ci_action.stages.migrations.danger.findings import Measured, version_of
from ci_action.stages.migrations.danger.script import END, script_of
from ci_action.stages.migrations.model import Rewrite, Steps
from ci_action.system.errors import ToolError
from ci_action.system.process import Command, Completed

SQUAWK = Program(argv=("squawk",), version="2.70.0")


def reported(folder: Path, given: Steps, run: Replay, **settings: str) -> Report:
    outcome = danger(context(folder, run, settings=settings), SQUAWK, given).outcome
    assert isinstance(outcome, Report)
    return outcome


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "project"
    found.mkdir()
    return found


def places(report: Report) -> list[tuple[str, int, str]]:
    return [(Path(one.path).stem, one.line, one.rule) for one in report.findings]


@pytest.mark.parametrize("version", ["2.0.0", "2.70.0"])
@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("clean", []),
        ("findings", [("a1", 12, "ban-drop-column"), ("a1", 13, "ban-drop-table")]),
        (
            "types",
            [
                ("a1", 12, "changing-column-type"),
                ("a1", 13, "changing-column-type"),
                ("a1", 14, "adding-field-with-default"),
            ],
        ),
        (
            "neighbours",
            [("a1", 12, "constraint-missing-not-valid"), ("a1", 12, "disallowed-unique-constraint")],
        ),
        ("new-table", [("b2", 13, "require-concurrent-index-creation")]),
        ("concurrently", [("b2", 12, "ban-concurrent-index-creation-in-transaction")]),
        ("odd", [("a1", 14, "ban-drop-column"), ("a1", 16, "ban-drop-table")]),
        ("ignored", [("a1", 12, "ban-drop-table"), ("a1", 15, "ban-drop-table")]),
        (
            "unparsable",
            [("a1", 12, "ban-drop-table"), ("a1", 14, "table-rewrite"), ("a1", 16, "ban-drop-column")],
        ),
    ],
)
def test_findings_are_on_the_lines_of_the_migrations(
    folder: Path, version: str, case: str, expected: list[tuple[str, int, str]]
):
    report = reported(folder, steps(*CASES[case]), kept_run(case, version))
    assert places(report) == expected
    assert {one.level for one in report.findings} <= {Level.WARNING}


def test_a_rule_about_rewrites_is_weighed_against_those_that_were_measured(folder: Path):
    text, number, default = reported(folder, steps(*CASES["types"]), kept_run("types")).findings
    assert text.muted == "no rewrite on PostgreSQL 17"
    assert not number.muted
    assert not default.muted
    assert "PostgreSQL 17 rewrote public.users" in number.message


def test_without_a_measurement_nothing_is_muted(folder: Path):
    report = reported(folder, steps(*CASES["types"], measures_rewrites=False), kept_run("types"))
    assert not any(one.muted for one in report.findings)


def test_each_statement_and_its_documentation_is_named(folder: Path):
    column, table = reported(folder, steps(*CASES["findings"]), kept_run("findings")).findings
    assert column.message.endswith("ALTER TABLE users DROP COLUMN name")
    assert column.url == "https://squawkhq.com/docs/ban-drop-column"
    assert table.url == "https://squawkhq.com/docs/ban-drop-table"


def test_with_fail_they_are_errors(folder: Path):
    report = reported(folder, steps(*CASES["findings"]), kept_run("findings"), **{"migration-danger": "fail"})
    assert {one.level for one in report.findings} == {Level.ERROR}


def test_what_squawk_cannot_parse_is_not_examined_and_hides_nothing(folder: Path):
    done = danger(context(folder, kept_run("unparsable")), SQUAWK, steps(*CASES["unparsable"]))
    assert done.outcome.examined == {Counted.STATEMENTS: 3, Counted.UNREADABLE: 2}
    [warning] = done.warnings
    assert "a1.py:13" in warning
    assert "a1.py:15" in warning


def test_if_it_can_parse_nothing_it_is_broken(folder: Path):
    done = danger(context(folder, kept_run("nothing")), SQUAWK, steps(*CASES["nothing"]))
    assert isinstance(done.outcome, Broken)


def test_ignore_mutes_by_rule_and_path(folder: Path):
    report = reported(folder, steps(*CASES["findings"]), kept_run("findings"))
    ignore = ["danger:ban-drop-table@migrations/"]
    column, table = mute(ToolResult(tool="danger", outcome=report), ignore).findings
    assert not column.muted
    assert table.muted


@pytest.mark.parametrize(
    ("table", "reason", "others", "rules"),
    [
        ("public.users", 8, (), ["table-rewrite"]),
        ("public.users", 1, ("CREATE UNLOGGED TABLE users ()",), []),
        ("public.users", 1, ('create table if not exists x."users" ()',), []),
        ("public.users", 1, ("CREATE TABLE Users ()",), []),
        ("public.Users", 1, ("CREATE TABLE Users ()",), ["table-rewrite"]),
        ("pg_temp_3.users", 1, (), []),
        ("public.alembic_version", 4, (), []),
    ],
)
def test_a_rewrite_that_squawk_does_not_report_is_a_finding(
    folder: Path, table: str, reason: int, others: Sequence[str], rules: list[str]
):
    last = sql("SELECT change()", 20, rewrites=(Rewrite(table=table, reason=reason),))
    given = [*map(sql, others), last]
    run = silent(script_of(given).end)
    done = danger(context(folder, run), SQUAWK, steps(*given)).outcome
    assert [one.rule for one in done.findings] == rules


def silent(end: int) -> "Printed":
    return Printed(json.dumps([{"line": end, "message": "unknown", "rule_name": "unused-ignore"}]))


class Printed:
    """A squawk that prints the same about everything."""

    def __init__(self, stdout: str, stderr: str = "", returncode: int = 1) -> None:
        self.commands: list[Command] = []
        self._done = completed(stdout, stderr, returncode)

    def __call__(self, command: Command) -> Completed:
        self.commands.append(command)
        return self._done


@pytest.mark.parametrize(
    "run",
    [
        Printed("[]", returncode=0),
        Printed('[{"line": 0, "message": "unknown", "rule_name": "unused-ignore"}]'),
        Printed("", "Configuration error: invalid rule name x"),
        Printed("", "usage", 2),
        Printed("", returncode=-9),
        Printed("{}"),
        Printed('[{"line": "1"}]'),
        Printed('[{"line": 1, "message": "x", "rule_name"'),
        Printed('[{"line": 99, "message": "x", "rule_name": "syntax-error"}]'),
    ],
)
def test_output_that_does_not_show_that_all_was_read_is_broken(folder: Path, run: Printed, wording: object):
    with pytest.raises(ToolError) as caught:
        danger(context(folder, run), SQUAWK, steps(sql("SELECT 1")))
    assert caught.value.reason == wording


def test_an_older_squawk_is_refused(folder: Path):
    with pytest.raises(ToolError):
        danger(context(folder, silent(5)), replace(SQUAWK, version="1.6.1"), steps(sql("SELECT 1")))


def test_other_databases_and_nothing_executed_are_skipped(folder: Path):
    run = silent(0)
    lite = steps(sql("SELECT 1"))
    lite = replace(lite, database=replace(lite.database, dialect="sqlite", name="sqlite 3.45"))
    for one in (lite, steps()):
        assert isinstance(danger(context(folder, run), SQUAWK, one).outcome, Skipped)
    assert not run.commands


def test_off_skips_it_before_a_program_is_installed(folder: Path):
    assert TOOL.selection(context(folder, settings={"migration-danger": "off"})).why_not
    assert not TOOL.selection(context(folder)).why_not


@pytest.mark.parametrize(
    ("files", "config", "version"),
    [
        ({}, "/dev/null", True),
        ({".squawk.toml": ""}, ".squawk.toml", True),
        (
            {".squawk.toml": "", "migrations/.squawk.toml": 'pg_version = "13"'},
            "migrations/.squawk.toml",
            False,
        ),
    ],
)
def test_the_nearest_configuration_of_the_project_is_passed(
    folder: Path, files: dict[str, str], config: str, version: bool
):
    write(folder, files)
    run = silent(script_of([sql("SELECT 1")]).end)
    danger(context(folder, run), SQUAWK, steps(sql("SELECT 1")))
    [command] = run.commands
    assert f"--config={folder / config}" in command.argv
    assert ("--pg-version=17.10" in command.argv) is version


def test_a_configuration_of_the_project_decides_about_style(folder: Path):
    given = steps(*CASES["findings"])
    without = reported(folder, given, kept_run("findings"))
    write(folder, {".squawk.toml": 'excluded_rules = ["ban-drop-table"]'})
    rules = {one.rule for one in reported(folder, given, kept_run("findings")).findings}
    assert "require-lock-timeout" in rules
    assert "require-lock-timeout" not in {one.rule for one in without.findings}


@pytest.mark.parametrize("rule", ["changing-column-type", "adding-field-with-default"])
def test_a_rule_that_the_project_switched_off_does_not_return_as_a_rewrite(folder: Path, rule: str):
    write(folder, {".squawk.toml": f'excluded_rules = ["{rule}"]'})
    one = sql("ALTER TABLE users ALTER age TYPE BIGINT", rewrites=(Rewrite(table="public.users", reason=4),))
    done = danger(context(folder, silent(script_of([one]).end)), SQUAWK, steps(one)).outcome
    assert len(done.findings) == (0 if rule == "changing-column-type" else 1)


def test_a_wrong_configuration_is_broken(folder: Path):
    write(folder, {".squawk.toml": "excluded_rules ="})
    with pytest.raises(ToolError, match=r"\.squawk\.toml"):
        danger(context(folder, silent(1)), SQUAWK, steps(sql("SELECT 1")))


TEXTS = st.text(st.sampled_from("a;'\"\n\r-$%s()/* "), max_size=40)


@given(st.lists(st.tuples(TEXTS, st.booleans()), max_size=8))
def test_each_line_belongs_to_its_statement(given: list[tuple[str, bool]]):
    script = script_of([sql(text, alone=alone) for text, alone in given])
    lines = script.text.split("\n")
    assert len(script.owners) == len(lines)
    assert lines[script.end] == END
    assert not re.search(r"\r(?!\n)", script.text), "squawk counts it as the end of a line"
    for index, (raw, _) in enumerate(given):
        text = re.sub(r"\r(?!\n)", "\n", raw)
        own = [line for line in range(len(lines)) if script.owner(line) == index]
        assert own == list(range(own[0], own[-1] + 1))
        assert len(own) == text.count("\n") + 2
        assert lines[own[-1]] == ";"
        if "%" not in text:
            assert "\n".join(lines[own[0] : own[-1]]) == text
    ours = [line for number, line in enumerate(lines) if script.owner(number) is None]
    assert ours[:-1] == ["BEGIN;", "COMMIT;"] * (len(ours) // 2)
    assert script.owner(-1) is None
    assert script.owner(len(lines)) is None


@pytest.mark.parametrize(
    ("name", "version"),
    [("postgresql 17.10, embedded", "17.10"), ("postgresql 16", "16"), ("postgresql", "")],
)
def test_the_version_of_the_database(name: str, version: str):
    assert version_of(name) == version


def test_a_database_without_a_version_is_named_without_one():
    given = steps()
    assert (
        Measured.of(replace(given, database=replace(given.database, name="postgresql"))).where == "PostgreSQL"
    )


def test_several_histories_are_one_result(folder: Path):
    ctx, lite = context(folder, kept_run("findings")), steps()
    lite = replace(lite, database=replace(lite.database, dialect="sqlite"))
    both = joined([danger(ctx, SQUAWK, lite), danger(ctx, SQUAWK, steps(*CASES["findings"]))])
    assert isinstance(both.outcome, Report)
    assert both.outcome.examined[Counted.STATEMENTS] == 2
    assert len(both.outcome.findings) == 2
    assert both.version == "squawk 2.70.0"
    twice = joined([danger(ctx, SQUAWK, steps(*CASES["findings"]))] * 2)
    assert twice.outcome.examined[Counted.STATEMENTS] == 4
    assert len(twice.outcome.findings) == 2
    assert isinstance(joined([danger(ctx, SQUAWK, lite)]).outcome, Skipped)


def test_a_broken_history_decides_and_keeps_what_others_found(folder: Path):
    broken = danger(context(folder, kept_run("nothing")), SQUAWK, steps(*CASES["nothing"]))
    both = joined([danger(context(folder, kept_run("findings")), SQUAWK, steps(*CASES["findings"])), broken])
    assert isinstance(both.outcome, Broken)
    assert len(both.outcome.findings) == 2


@pytest.mark.parametrize(
    ("files", "version"), [({}, "2.70.0"), ({"requirements.txt": "squawk-cli==2.4"}, "2.4")]
)
def test_the_plan_has_the_version(folder: Path, files: dict[str, str], version: str):
    write(folder, files)
    bundled = bundled_tools(folder.parent / "bundled", squawk_cli="2.70.0")
    assert TOOL.plan
    assert f" {version} " in TOOL.plan(context(folder, bundled=bundled))
