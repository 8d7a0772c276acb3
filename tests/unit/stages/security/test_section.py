"""The security stage in outputs and annotations: what counts as a vulnerability and as a secret."""

from pathlib import Path

import pytest
from support.builders import broken_tool, finding, publication, run_result, stage_result, tool_result
from support.security_sample import advisory, secret, security_run, unlicensed, weak

from ci_action.model.finding import Finding
from ci_action.model.result import Counted, Report, Skipped, ToolResult
from ci_action.reporters.annotate import select
from ci_action.reporters.outputs import values
from ci_action.stages.security.section import exposed


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
            id="what is no advisory and no secret",
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
    found = exposed(security_run())
    lists = (found.vulnerabilities, found.secrets, found.code, found.licenses, found.others)
    assert [len(one) for one in lists] == [3, 1, 2, 1, 3]
    assert found.total == sum(one.counts for one in security_run().stages[1].findings)
    assert [one.severity for one in found.vulnerabilities] == ["critical", "high", "unknown"]


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
        "To do: uv lock --upgrade-package=urllib3",
        "https://osv.dev/vulnerability/CVE-2021-33503",
    ]
    assert shown[2].message.split("\n")[1:] == ["The same is said by bandit:B105."]
