"""The security stage in outputs, annotations and its section: tables, hostile text in them, their size."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from support.builders import (
    at,
    broken_tool,
    event,
    finding,
    publication,
    run_result,
    stage_result,
    tool_result,
)
from support.hostile_text import FOREIGN
from support.renderers import Node, rendered
from support.security_sample import advisory, secret, security_run, unlicensed, weak

from ci_action.model.finding import Finding
from ci_action.model.result import Counted, Report, RunResult, Skipped, ToolResult
from ci_action.model.section import Place
from ci_action.reporters.annotate import select
from ci_action.reporters.job_summary import render
from ci_action.reporters.markdown_sections import MOST
from ci_action.reporters.outputs import values
from ci_action.stages.security.section import VULNERABILITY, exposed
from ci_action.system.text import one_line

MOST_ROWS = MOST[Place.MIDDLE]
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)


def page_of(tmp_path: Path, result: RunResult, limit: int | None = None) -> str:
    shown = publication(tmp_path, event=event())
    return render(result, shown, limit) if limit else render(result, shown)


def run_of(*findings: Finding, **overrides: Any) -> RunResult:
    tools = [
        tool_result(*(one for one in findings if one.tool == name), tool=name)
        for name in dict.fromkeys(one.tool for one in findings)
    ]
    return run_result(stage_result(*tools, stage="security", warns_only=True), **overrides)


def tables(page: str) -> list[list[list[str]]]:
    """Return the cells of the tables but the first, which is that of the tools."""
    return [
        [[cell.text for cell in row.all("th", "td")] for row in table.all("tr")]
        for table in rendered(page).all("table")[1:]
    ]


def test_a_vulnerability_has_all_that_is_known_in_one_row(tmp_path: Path):
    page = page_of(tmp_path, security_run())
    head, first, second, third = tables(page)[0]
    assert head == [
        "Package", "Version", "Advisory", "Severity", "Fixed in", "Needed through", "What to do",
    ]  # fmt: skip
    assert first == [
        "urllib3", "1.24", "CVE-2019-11324, GHSA-q2q7-5pp4-w6pg", "critical", "1.24.2, 1.25", "requests",
        "uv lock --upgrade-package=urllib3",
    ]  # fmt: skip
    assert second[2:4] == ["CVE-2021-33503, GHSA-q2q7-5pp4-w6pg", "high"]
    assert third == [
        "old|one", "1.24", "PYSEC-2023-1, GHSA-q2q7-5pp4-w6pg", "unknown", "no version yet", "direct", "",
    ]  # fmt: skip


def test_secrets_code_licences_and_what_was_not_looked_at_have_lists_of_their_own(tmp_path: Path):
    page = page_of(tmp_path, security_run())
    headings = [node.text for node in rendered(page).all("h2", "h3")]
    assert headings[:8] == [
        "Security",
        "Vulnerabilities: 3",
        "Secrets: 1",
        "Code: 1 medium, 1 low",
        "Licences: 1",
        "Not checked, or to be fixed: 3",
        "1 more finding",
        "src/app.py",
    ]
    secrets, licenses = tables(page)[1:3]
    assert secrets[1] == [
        "secret-keyword", "src/keys.py", "2", "Secret Keyword, fingerprint 5ebe2294, also bandit:B105", "high",
    ]  # fmt: skip
    assert licenses[1][:3] == ["chardet", "3.0", "LGPL-2.1-only"]
    addresses = [node.attributes["href"] for node in rendered(page).all("a")]
    assert "https://github.com/o/r/blob/c0ffee/src/keys.py#L2" in addresses
    assert "https://github.com/o/r/blob/c0ffee/src/run.py#L7" in addresses


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        (tool_result(tool="bandit", outcome=Report(examined={Counted.FILES: 3})), "bandit checked 3 files"),
        (
            tool_result(tool="pip-audit", outcome=Report(examined={Counted.PACKAGES: 0})),
            "checked 0 packages",
        ),
        (tool_result(tool="pip-audit", outcome=Skipped("no *x*")), "pip-audit was skipped: no *x*"),
        (broken_tool("no <b>network", tool="pip-audit"), "pip-audit failed: no <b>network"),
    ],
)
def test_what_was_looked_at_and_what_was_not(tmp_path: Path, tool: ToolResult, expected: str):
    page = rendered(page_of(tmp_path, run_result(stage_result(tool, stage="security"))))
    assert expected in [item.text for item in page.all("li")][-1] or any(
        expected in item.text for item in page.all("li")
    )


def test_without_the_stage_there_is_no_section(tmp_path: Path):
    assert "Security" not in page_of(tmp_path, run_result())


def hostile_run(text: str) -> RunResult:
    names = {"name": text, "version": text, "upgrade": text, "licenses": text}
    more = {"advisories": (text,), "fixed_in": (text, text), "parents": (text, text)}
    return run_of(
        advisory(rule=text, message=text, url=f"https://osv.dev/{text}", package=names | more),
        secret(rule=text, message=text, location=at(text, 3), also=(text,)),
        weak(rule=text, message=text, url=f"https://b.dev/{text}", location=at(text, 3), also=(text,)),
        unlicensed(message=text, package=advisory(package=names).package),
    )


def shape(page: Node) -> list[str]:
    return [node.skeleton for node in page.all("table", "ul", "h2", "h3")]


@shared
@given(FOREIGN.filter(lambda text: one_line(text).strip() != "" and "/" not in text))
def test_hostile_text_changes_nothing_but_the_text(tmp_path: Path, text: str):
    text = f"a {text}"
    page = rendered(page_of(tmp_path, hostile_run(text)))
    ordinary = rendered(page_of(tmp_path, hostile_run("or-dinary")))
    assert shape(page) == shape(ordinary)
    assert page.outside_code == ordinary.outside_code


def test_a_script_is_text_and_its_address_is_quoted(tmp_path: Path):
    page = rendered(page_of(tmp_path, hostile_run('"><script>x</script>|`\n\n<td>')))
    assert page.all("script") == []
    assert [len(row.all("td")) for row in page.all("table")[1].all("tr")] == [0, 7]
    assert all(node.attributes["href"].startswith("https://") for node in page.all("a"))


def test_more_than_fits_is_counted(tmp_path: Path):
    findings = [advisory(f"CVE-{number}", package={"name": "x" * 200}) for number in range(MOST_ROWS + 50)]
    page = page_of(tmp_path, run_of(*findings))
    assert len(tables(page)[0]) == MOST_ROWS + 1
    assert f"**{MOST_ROWS} of {MOST_ROWS + 50} are shown; all are in `report.json`**" in page


@pytest.mark.parametrize("limit", [1_500, 3_000, 10_000, 50_000])
def test_the_page_stays_within_its_limit_and_whole(tmp_path: Path, limit: int):
    findings = [secret(location=at(f"é{number}.py", number)) for number in range(1, 300)]
    page = page_of(tmp_path, run_of(*findings, advisory(), weak()), limit)
    assert len(page.encode()) <= limit
    rendered(page)  # every element is closed
    if limit > 3_000:
        assert " of 299 are shown" in page
        assert [title in page for title in ("Vulnerabilities: 1", "Secrets: 299", "Code: 1 medium")] == [
            True
        ] * 3


def outputs(tmp_path: Path, *tools: ToolResult) -> tuple[str, str]:
    result = run_result(stage_result(*tools, stage="security", warns_only=True))
    found = values(result, publication(tmp_path))
    return found["vulnerabilities"], found["secrets"]


def audit(*findings: Finding) -> ToolResult:
    return tool_result(tool="pip-audit", outcome=Report(findings=findings, examined={Counted.PACKAGES: 5}))


def secrets(*findings: Finding) -> ToolResult:
    return tool_result(tool="detect-secrets", outcome=Report(findings=findings, examined={Counted.FILES: 5}))


@pytest.mark.parametrize(
    ("tools", "expected"),
    [
        pytest.param((), ("", ""), id="no scanner"),
        pytest.param((audit(), secrets()), ("0", "0"), id="nothing found"),
        pytest.param((audit(advisory(), advisory("CVE-1")), secrets(secret())), ("2", "1"), id="found"),
        pytest.param((audit(advisory(muted="accepted")), secrets(secret(muted="known"))), ("0", "0"), id="muted"),
        pytest.param(
            (audit(advisory("not-audited"), advisory("expired-ignore")), secrets(secret(rule="unreadable"))),
            ("0", "0"),
            id="neither an advisory nor a secret",
        ),
        pytest.param((audit(finding(tool="pip-audit")),), ("0", ""), id="about no package"),
        pytest.param((tool_result(tool="pip-audit", outcome=Skipped("none")),), ("", ""), id="skipped"),
        pytest.param((broken_tool(tool="pip-audit"), broken_tool(tool="detect-secrets")), ("", ""), id="broken"),
        pytest.param(
            (broken_tool(tool="pip-audit", findings=(advisory(),)),), ("1", ""), id="broken after it found some"
        ),
    ],
)  # fmt: skip
def test_the_outputs(tmp_path: Path, tools: tuple[ToolResult, ...], expected: tuple[str, str]):
    assert outputs(tmp_path, *tools) == expected


def test_every_finding_of_the_stage_that_counts_is_in_one_list():
    found = exposed(security_run().stages[1])
    assert [len(one) for one in found] == [3, 1, 2, 1, 3]
    assert sum(map(len, found)) == sum(one.counts for one in security_run().stages[1].findings)
    assert [one.severity for one in found[VULNERABILITY]] == ["critical", "high", "unknown"]


def test_annotations_say_how_bad_it_is_what_to_do_and_who_says_the_same():
    tools = (audit(advisory()), secrets(secret(also=("bandit:B105",))), tool_result(weak(), unlicensed()))
    shown = select(run_result(stage_result(*tools, stage="security", warns_only=True)))
    assert [(one.level.value, one.properties["title"]) for one in shown] == [
        ("warning", "pip-audit: CVE-2021-33503 (high)"),
        ("warning", "licenses: license-denied (high)"),
        ("warning", "detect-secrets: secret-keyword (high)"),
        ("warning", "bandit: B602 (medium)"),
    ]
    assert shown[0].message.split("\n")[1:] == [
        "To fix it: uv lock --upgrade-package=urllib3",
        "https://osv.dev/vulnerability/CVE-2021-33503",
    ]
    assert shown[2].message.split("\n")[1:] == ["Also reported by bandit:B105."]
