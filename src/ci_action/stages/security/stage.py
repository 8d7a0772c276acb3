"""The stage `security`: its tools, when it applies, and the mistakes in its settings."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from ci_action.engine.advisories.osv_client import address_mistakes
from ci_action.engine.context import Context
from ci_action.engine.secret_scan.baseline import baseline_mistakes
from ci_action.engine.stage import Configuration, Stage
from ci_action.project.dependencies.discover import find
from ci_action.settings.types import FailOn
from ci_action.stages.security import bandit, detect_secrets, licenses, pip_audit
from ci_action.stages.security.bandit.config import argument_mistakes
from ci_action.stages.security.licenses.spdx import license_mistakes
from ci_action.system.errors import ToolError


def why_not(ctx: Context) -> str:
    """Return why `all` skips the stage: a green run in a folder without code or dependencies would mean nothing."""
    if bandit.TOOL.count(replace(ctx, changes=None)):
        return ""
    try:
        needs = find(ctx.layout)
    except ToolError:  # reported by the stage itself
        return ""
    named = needs.sync or needs.locked or needs.requirements or needs.files or needs.groups or needs.project
    return "" if named else "no Python files and no dependencies"


def why(ctx: Context) -> str:
    """Describe what can be checked."""
    files = bandit.TOOL.count(replace(ctx, changes=None))
    return f"{files:,} Python {'file' if files == 1 else 'files'}" if files else "dependencies"


def mistakes(given: Configuration) -> Iterator[str]:
    """Yield the mistakes in baseline, licences, options and the address of the advisory service."""
    settings = given.settings
    yield from baseline_mistakes(
        settings, given.layout.workspace, written="secrets-baseline" in given.written
    )
    yield from license_mistakes(settings.licenses_allow, settings.licenses_deny)
    yield from argument_mistakes(settings.bandit_args)
    yield from pip_audit.argument_mistakes(settings.pip_audit_args)
    yield from address_mistakes(settings.advisory_url)


STAGE: Final = Stage(
    name="security",
    summary="Vulnerable dependencies, secrets in files, security issues in the code.",
    tools=(pip_audit.TOOL, licenses.TOOL, detect_secrets.TOOL, bandit.TOOL),
    applies=why_not,
    because=why,
    hints=Path(__file__).with_name("hints.toml"),
    mistakes=mistakes,
    warns_only=lambda settings: settings.fail_on is FailOn.NEVER,
    warns_because="fail-on is never; set it, such as `fail-on: high`, to fail the job",
)
