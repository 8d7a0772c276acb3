"""Inputs of the security stage."""

from pydantic import BaseModel

from ci_action.settings.field import SetBy, setting
from ci_action.settings.types import FailOn, Folder, IgnoredVulnerabilities, Items, Switch, Words


class Security(BaseModel):
    """What the scanners go by."""

    fail_on: FailOn = setting(
        FailOn.NEVER,
        "What turns the security stage red: findings from `low`, `medium`, `high` or `critical` on, or those that the change"
        " brought (`new`); `never` warns. A severity that nobody has rated counts as `high`.",
        stage="security",
        shown="never",
        set_by=SetBy.ANYONE,
    )
    secrets_baseline: Folder = setting(
        "",
        "The file of accepted secrets, relative to `working-directory`; `ci-action secrets baseline` writes it.",
        stage="security",
        shown=".secrets.baseline, where there is one",
        set_by=SetBy.ANYONE,
    )
    secrets_verify: Switch = setting(
        default=False,
        help_text="Whether detect-secrets may try out what it finds over the network; what is found not to work is left out.",
        stage="security",
        shown="false",
        set_by=SetBy.WORKFLOW,
    )
    bandit_args: Words = setting(
        (), "Further options for bandit, as in a shell.", stage="security", shown=" ", set_by=SetBy.ANYONE
    )
    pip_audit_args: Words = setting(
        (),
        "Further options for pip-audit: `--timeout=SECONDS` and `--verbose`.",
        stage="security",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    advisory_url: Folder = setting(
        "",
        "The OSV service, or a mirror of one, that is asked for advisories. It is told the names and versions of the"
        " dependencies.",
        stage="security",
        shown="https://api.osv.dev",
        set_by=SetBy.WORKFLOW,
    )
    ignore_vulnerabilities: IgnoredVulnerabilities = setting(
        (),
        "Vulnerabilities that are accepted for a time, one a line: package, advisory, last day, reason"
        " (`urllib3 CVE-2021-33503 2026-12-31 no proxy is used`).",
        stage="security",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    licenses_allow: Items = setting(
        (),
        "The only licences that dependencies may have, as SPDX identifiers (`MIT`, `BSD-*`).",
        stage="security",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
    licenses_deny: Items = setting(
        (),
        "Licences that no dependency may have, as SPDX identifiers (`AGPL-*`).",
        stage="security",
        shown=" ",
        set_by=SetBy.ANYONE,
    )
