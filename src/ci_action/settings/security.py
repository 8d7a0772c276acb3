"""Inputs of the security stage."""

from ci_action.settings import kinds
from ci_action.settings.field import SetBy, Setting
from ci_action.settings.types import FailOn


class Security:
    """Settings of the scanners."""

    fail_on = Setting(
        kinds.choice(FailOn.NEVER),
        SetBy.ANYONE,
        "Findings that fail the security stage: those of severity `low`, `medium`, `high` or `critical` and"
        " above, or those of the change (`new`). `never` only warns. An unknown severity counts as `high`.",
    )
    secrets_baseline = Setting(
        kinds.text,
        SetBy.ANYONE,
        "Baseline of accepted secrets, relative to `working-directory`. `ci-action secrets baseline` writes"
        " it.",
        shown=".secrets.baseline, if it exists",
    )
    secrets_verify = Setting(
        kinds.switch,
        SetBy.WORKFLOW,
        "Allow detect-secrets to verify found secrets over the network. Secrets that do not work are left"
        " out.",
    )
    bandit_args = Setting(kinds.words, SetBy.ANYONE, "Additional options for bandit, as in a shell.")
    pip_audit_args = Setting(
        kinds.words, SetBy.ANYONE, "Additional options for pip-audit: `--timeout=SECONDS` and `--verbose`."
    )
    advisory_url = Setting(
        kinds.address,
        SetBy.WORKFLOW,
        "OSV service, or a mirror of it, that is asked for advisories. It receives the names and versions of"
        " the dependencies.",
        shown="https://api.osv.dev",
    )
    ignore_vulnerabilities = Setting(
        kinds.ignored_vulnerabilities,
        SetBy.ANYONE,
        "Vulnerabilities to accept until a date, one a line: package, advisory, last day, reason (`urllib3"
        " CVE-2021-33503 2026-12-31 no proxy is used`).",
    )
    licenses_allow = Setting(
        kinds.items,
        SetBy.ANYONE,
        "Allowed licences of dependencies, as SPDX identifiers (`MIT`, `BSD-*`); all others are findings.",
    )
    licenses_deny = Setting(
        kinds.items, SetBy.ANYONE, "Forbidden licences of dependencies, as SPDX identifiers (`AGPL-*`)."
    )
