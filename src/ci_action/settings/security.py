"""Inputs of the security stage."""

from pydantic import BaseModel

from ci_action.settings.field import SetBy, setting
from ci_action.settings.types import FailOn, Folder, IgnoredVulnerabilities, Items, Switch, Words


class Security(BaseModel):
    """What the scanners go by."""

    fail_on: FailOn = setting(
        FailOn.NEVER,
        "Findings that fail the security stage: those of severity `low`, `medium`, `high` or `critical` and"
        " above, or those of the change (`new`). `never` only warns. An unknown severity counts as `high`.",
        stage="security",
        shown="never",
        set_by=SetBy.ANYONE,
    )
    secrets_baseline: Folder = setting(
        "",
        "Baseline of accepted secrets, relative to `working-directory`. `ci-action secrets baseline` writes"
        " it.",
        stage="security",
        shown=".secrets.baseline, if it exists",
        set_by=SetBy.ANYONE,
    )
    secrets_verify: Switch = setting(
        default=False,
        help_text="Allow detect-secrets to verify found secrets over the network. Secrets that do not work are left"
        " out.",
        stage="security",
        shown="false",
        set_by=SetBy.WORKFLOW,
    )
    bandit_args: Words = setting(
        (), "Additional options for bandit, as in a shell.", stage="security", shown=" ", set_by=SetBy.ANYONE
    )
    pip_audit_args: Words = setting(
        (),
        "Additional options for pip-audit: `--timeout=SECONDS` and `--verbose`.",
        stage="security",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    advisory_url: Folder = setting(
        "",
        "OSV service, or a mirror of it, that is asked for advisories. It receives the names and versions of"
        " the dependencies.",
        stage="security",
        shown="https://api.osv.dev",
        set_by=SetBy.WORKFLOW,
    )
    ignore_vulnerabilities: IgnoredVulnerabilities = setting(
        (),
        "Vulnerabilities to accept until a date, one a line: package, advisory, last day, reason (`urllib3"
        " CVE-2021-33503 2026-12-31 no proxy is used`).",
        stage="security",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    licenses_allow: Items = setting(
        (),
        "Allowed licences of dependencies, as SPDX identifiers (`MIT`, `BSD-*`); all others are findings.",
        stage="security",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    licenses_deny: Items = setting(
        (),
        "Forbidden licences of dependencies, as SPDX identifiers (`AGPL-*`).",
        stage="security",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
