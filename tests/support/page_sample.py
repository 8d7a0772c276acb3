"""A run with everything that the page can show, and the source files that its findings are about."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from support.builders import (
    at,
    broken_tool,
    case,
    covered,
    file_coverage,
    finding,
    publication,
    resolved,
    run_result,
    stage_result,
    tool_result,
    with_tests,
    write,
)
from support.builders import event as event_of
from support.image_sample import docker_stage, foreign_docker_stage
from support.migrations_sample import branched, foreign_stage, migrations_stage, steps
from support.tests_sample import HINT, TRACEBACK

from ci_action.github.pull_request import Pull
from ci_action.model.finding import Fix, Level, Package
from ci_action.model.result import Counted, Hint, Report, RunResult, Skipped, StageResult
from ci_action.reporters import html
from ci_action.reporters.context import Publication

SOURCE: Final = (
    "import os\n\n\ndef fee( berth, nights ):\n    total = berth.price * nights  # type: ignore\n    return total == None\n"
)
PULL: Final = Pull(
    number=7,
    title="feat(fees): fees by the night",
    author="octocat",
    base="main",
    head="fees",
    labels=("size/S",),
)


def quality() -> StageResult:
    """Black and Ruff found something; one finding is muted."""
    black = finding(
        tool="black",
        rule="format",
        message="would be reformatted",
        location=at("src/fees.py", 4, end_line=4),
        fix=Fix.SAFE,
        before="def fee( berth, nights ):\n",
        after="def fee(berth, nights):\n",
    )
    ruff = (
        finding(
            location=at("src/fees.py", 1, column=8, end_line=1, end_column=10),
            fix=Fix.SAFE,
            fix_message="Remove unused import: `os`",
        ),
        finding(
            rule="E711",
            message="Comparison to `None` should be `cond is None`",
            location=at("src/fees.py", 6, column=21, end_line=6, end_column=25),
            url="https://docs.astral.sh/ruff/rules/none-comparison",
        ),
        finding(
            rule="PGH003",
            message="Use specific rule codes",
            location=at("src/fees.py", 5),
            level=Level.WARNING,
        ),
        finding(
            rule="E501", message="Line too long", location=at("src/tides.py", 9), muted="the ignore rule E501"
        ),
    )
    looked = Report(findings=ruff, examined={Counted.FILES: 12, Counted.UNREADABLE: 1})
    tools = (
        tool_result(black, version_source="pyproject.toml: dependency-groups.lint"),
        tool_result(tool="ruff", outcome=looked, warnings=("the pins of Ruff disagree: 0.17.6 and 0.17.2",)),
    )
    return stage_result(*tools)


def tests() -> StageResult:
    """Tests of every outcome, coverage, and a change that is not covered."""
    cases = (
        case("tests/test_fees.py::test_fee", "failed", line=7, message="assert 4 == 5", detail=TRACEBACK),
        case("tests/test_fees.py::test_large[a|b <c>]", seconds=1.5),
        case("tests/test_tides.py", "error", line=1, message="KeyError: 'TIDES_URL'", detail="E  KeyError"),
        case("tests/test_berths.py::TestBerth::test_free", "skipped", message="no harbour here"),
        case("tests/test_berths.py::TestBerth::test_taken", "xfailed", message="known"),
        case("tests/test_berths.py::TestBerth::test_new", "xpassed"),
        case("tests/test_berths.py::TestBerth::test_net", "flaky", runs=2, message="timeout"),
        *(case(f"tests/test_tides.py::test_tide[{number}]", seconds=number / 100) for number in range(20)),
    )
    fees = file_coverage("src/fees.py", missing=frozenset({5, 6, 9}), missing_branches=frozenset({(1, 5)}))
    uncovered = finding(
        tool="coverage",
        rule="uncovered",
        message="no test runs lines 5–6",
        location=at("src/fees.py", 5, end_line=6),
    )
    coverage = covered(
        fees, file_coverage("src/tides.py", missing=frozenset()), coverage_min=90.0, patch_coverage=50.0
    )
    tools = (
        with_tests(*cases, version="9.2.0", hints=(HINT,)),
        coverage.with_findings((uncovered,)),
        broken_tool(
            "services could not be reached", tool="services", detail="connection refused\nlast words"
        ),
    )
    return stage_result(*tools, stage="test", seconds=4.5)


def security() -> StageResult:
    """Two vulnerable packages, one muted, and a tool that had nothing to check."""
    jinja = Package(
        name="jinja2",
        version="2.4.1",
        advisories=("GHSA-462w-v97r-4m45", "CVE-2019-10906"),
        fixed_in=("2.10.1",),
        parents=("flask", "sphinx"),
        direct=False,
        upgrade="uv lock --upgrade-package jinja2",
    )
    idna = Package(name="idna", version="3.6", direct=True)
    found = (
        finding(
            tool="pip-audit",
            rule="GHSA-462w-v97r-4m45",
            message="Sandbox escape by str.format_map",
            severity="high",
            location=at("uv.lock", 120),
            package=jinja,
            url="https://osv.dev/vulnerability/GHSA-462w-v97r-4m45",
        ),
        finding(
            tool="pip-audit", rule="CVE-2024-3651", message="Denial of service", severity="medium",
            location=at("uv.lock", 80), package=idna, level=Level.WARNING, muted="accepted until 2026-06-01: no route to it",
        ),
    )  # fmt: skip
    audit = Report(findings=found, examined={Counted.PACKAGES: 41, Counted.SKIPPED: 2, Counted.LEFT_OUT: 0})
    bandit = tool_result(tool="bandit", outcome=Skipped("no Python file is tracked by git"))
    return stage_result(
        tool_result(tool="pip-audit", outcome=audit), bandit, stage="security", warns_only=True
    )


def pull_request() -> StageResult:
    """What later jobs want to know."""
    outputs = {
        "pr-size": "S",
        "changed-files": "3",
        "has-migrations": "true",
        "changed-areas": '["src", "tests"]',
        "has-docs": "false",
    }
    return stage_result(
        tool_result(
            tool="metadata",
            outcome=Report(examined={Counted.FILES: 3}, outputs=outputs, details=("src: 2 files, 30 lines",)),
        ),
        stage="pr",
    )


def page_run() -> RunResult:
    """Return the run."""
    notes = ("could not determine the base commit: set `fetch-depth: 0`",)
    migrations = migrations_stage(branched(), *steps("4d20b7e1", "77aa10c3", failed="4d20b7e1"))
    stages = (quality(), tests(), security(), migrations, docker_stage(), pull_request())
    return run_result(
        *stages, warnings=notes, reproduce="ci-action run --coverage-min=90 quality test", seconds=12.25
    )


def page_publication(workspace: Path, **overrides: object) -> Publication:
    """Return where it is published, with the source files."""
    write(workspace, {"src/fees.py": SOURCE})
    shown = publication(workspace, event=event_of(), pull=PULL, resolved=resolved(coverage_min="90"))
    return replace(shown, **overrides)  # type: ignore[arg-type]  # the fields of a publication


def everywhere(text: str, name: str | None = None) -> RunResult:
    """Return a run with the text in every place; `name` replaces our own names of tools, stages and counts."""
    name = text if name is None else name
    package = Package(
        name=text, version=text, advisories=(text,), fixed_in=(text,), parents=(text,), upgrade=text
    )
    loud = finding(
        tool=name, rule=text, message=text, url=text, location=at(text, 1, end_line=9), fix_message=text, also=(text,)
    )  # fmt: skip
    change = finding(
        message=text, before=f"{text}\n", after=f"{text}\n", muted=text, severity="high", package=package
    )
    hint = Hint(name="hint", cause=text, fix=text, url=f"https://example.org/{text}")
    outputs = {"pr-scope": text, "pr-size": text, "pr-issues": json.dumps([text]), "changed-areas": text}
    vulnerable = finding(
        tool="pip-audit", rule=text, message=text, url=text, severity="high", package=package
    )
    audited = (vulnerable, replace(vulnerable, muted=text or "x"), replace(vulnerable, rule="not-audited"))
    license_ = finding(tool="licenses", rule="license-denied", message=text, package=package)
    tools = (
        tool_result(loud, change, version=text, version_source=text, warnings=(text,), hints=(hint,)),
        tool_result(tool=name, outcome=Skipped(text)),
        broken_tool(text, tool=name, detail=text),
    )
    outcome = Report(outputs=outputs, details=(text,))
    tests = with_tests(
        case(text or "t", "failed", message=text, detail=text, path=text),
        case(text or "t", "flaky", message=text, subtest=text),
        case(text or "t", "skipped", message=text),
    )
    return run_result(
        stage_result(*tools, stage=name),
        stage_result(tests, covered(file_coverage(text)), stage="test"),
        stage_result(tool_result(*audited), tool_result(license_), stage="security"),
        foreign_stage(text),
        foreign_docker_stage(text),
        stage_result(tool_result(tool="metadata", outcome=outcome), stage="pr"),
        warnings=(text,),
        reproduce=text,
        commit=text,
        base=text,
    )


def palettes() -> tuple[dict[str, str], dict[str, str]]:
    """Return the light and the dark colours of the style by their names."""
    style = (Path(html.__file__).parent / "page.css").read_text("utf-8")
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);", style)
    return {name: light for name, light, _ in found}, {name: dark for name, _, dark in found}


def without_constants(page: str) -> str:
    """Return the page without its style and script and their hashes."""
    page = re.sub(r"<(style|script)>.*?</\1>", r"<\1></\1>", page, flags=re.DOTALL)
    page = re.sub(r"sha256-[\w+/=]+", "sha256", page)
    return re.sub(r">(?=<(?:section|li|div|p|header|article|details|h2|h3|form|nav|ul)\b)", ">\n", page)
