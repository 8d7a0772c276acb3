"""A run of the security stage with every kind of finding."""

from typing import Any

from support.builders import at, finding, report, run_result, stage_result, tool_result

from ci_action.model.finding import Finding, Level, Package, with_fingerprints
from ci_action.model.result import Counted, Report, RunResult


def advisory(rule: str = "CVE-2021-33503", **overrides: Any) -> Finding:
    package = Package(
        **{
            "name": "urllib3",
            "version": "1.24",
            "advisories": (rule, "GHSA-q2q7-5pp4-w6pg"),
            "fixed_in": ("1.26.5",),
            "parents": ("requests",),
            "direct": False,
            "upgrade": "uv lock --upgrade-package=urllib3",
            **overrides.pop("package", {}),
        }
    )
    values: dict[str, Any] = {
        "message": f"{package.name} {package.version}: hangs on an address",
        "severity": "high",
        "location": None,
    }
    values |= {"url": f"https://osv.dev/vulnerability/{rule}", "level": Level.WARNING}
    return finding(**{"tool": "pip-audit", "rule": rule, "package": package, **values, **overrides})


def secret(**overrides: Any) -> Finding:
    values: dict[str, Any] = {
        "rule": "secret-keyword",
        "message": "Secret Keyword, fingerprint 5ebe2294",
        "severity": "high",
    }
    values |= {"level": Level.WARNING, "location": at("src/keys.py", 2)}
    return finding(**{"tool": "detect-secrets", **values, **overrides})


def weak(rule: str = "B602", **overrides: Any) -> Finding:
    values: dict[str, Any] = {
        "message": "a shell is started (bandit: HIGH severity, LOW confidence)",
        "severity": "medium",
    }
    values |= {"level": Level.WARNING, "location": at("src/run.py", 7, column=5)}
    return finding(
        **{"tool": "bandit", "rule": rule, "url": "https://bandit.readthedocs.io/", **values, **overrides}
    )


def unlicensed(**overrides: Any) -> Finding:
    values: dict[str, Any] = {
        "rule": "license-denied",
        "severity": "high",
        "level": Level.WARNING,
        "location": None,
    }
    values |= {"message": "chardet 3.0 is licensed under LGPL-2.1-only, which is in licenses-deny"}
    values |= {"package": Package(name="chardet", version="3.0", licenses="LGPL-2.1-only")}
    return finding(**{"tool": "licenses", **values, **overrides})


def security_run(**overrides: Any) -> RunResult:
    """Return a run of the security stage that only warns, and a finding of the quality stage beside it."""
    audit = with_fingerprints(
        [
            advisory("CVE-2019-11324", severity="critical", package={"fixed_in": ("1.24.2", "1.25")}),
            advisory(),
            advisory(
                "PYSEC-2023-1",
                severity="unknown",
                package={"name": "old|one", "fixed_in": (), "parents": (), "direct": True, "upgrade": ""},
            ),
            advisory("expired-ignore", severity="low", message="the end of CVE-1 was 2026-01-01"),
            advisory("not-audited", severity="unknown", message="private 1.0 is not known to the service"),
            advisory("CVE-2020-1", muted="ignored until 2026-12-31: no proxy is used"),
        ]
    )
    tools = (
        tool_result(
            tool="pip-audit",
            version="2.10.1",
            outcome=Report(findings=audit, examined={Counted.PACKAGES: 83, Counted.SKIPPED: 1}),
        ),
        tool_result(
            tool="detect-secrets",
            version="1.5.0",
            outcome=Report(
                findings=with_fingerprints([secret(also=("bandit:B105",))]),
                examined={Counted.FILES: 120, Counted.BINARY: 3, Counted.EXCLUDED: 2},
            ),
        ),
        tool_result(
            *with_fingerprints(
                [
                    weak(),
                    weak("B101", severity="low", location=at("src/run.py", 9)),
                    weak("parse", severity="unknown", message="no Python", location=at("src/old.py", None)),
                    weak("B105", muted="the same as detect-secrets secret-keyword, which counts"),
                ]
            ),
            version="1.9.4",
        ),
        tool_result(
            tool="licenses",
            version="",
            outcome=Report(findings=with_fingerprints([unlicensed()]), examined={Counted.PACKAGES: 83}),
        ),
    )
    quality = tool_result(outcome=report(*with_fingerprints([finding()])))
    stages = (stage_result(quality), stage_result(*tools, stage="security", warns_only=True))
    return run_result(*stages, **{"reproduce": "ci-action run quality security", **overrides})
