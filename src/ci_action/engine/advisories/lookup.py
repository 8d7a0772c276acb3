"""Looks up the known vulnerabilities of packages: for all stages that audit some."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ci_action.engine import advisories
from ci_action.engine.advisories.audit import Audit, Auditor, Key
from ci_action.engine.advisories.osv import Record
from ci_action.engine.advisories.osv_client import Service, base_of
from ci_action.engine.advisories.process import PipAudit
from ci_action.engine.advisories.result import NAME
from ci_action.engine.advisories.vulnerabilities import rated
from ci_action.engine.context import Context
from ci_action.project.programs import Program

# Starts pip-audit with stricter checks of answers.
GUARD: Final = Path(advisories.__file__).parent / "guard" / "ciaction_pip_audit.py"
# The timeout for severities, which matter less than the advisories.
_RECORD_SECONDS: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The answers about packages."""

    audit: Audit
    records: Mapping[str, Record]
    """The records of their advisories, by name."""
    detail: str = ""
    """What pip-audit printed when it failed."""


def program(ctx: Context) -> Program:
    """Return the bundled pip-audit; a pin of the project does not matter, because it gets a list of packages."""
    python = ctx.bundled.scripts / "python"
    return replace(ctx.bundled.program(NAME), argv=(str(python), "-I", "-B", "-X", "utf8", str(GUARD)))


def look_up(ctx: Context, program: Program, folder: Path, keys: Iterable[Key]) -> Answers:
    """Return the answers about these packages; a failure is a part of them. Its files are written to `folder`."""
    process = PipAudit(ctx=ctx, program=program, folder=folder)
    audit = Auditor(ask=process, seconds=float(ctx.settings.timeout)).audit(keys)
    service = Service(base=base_of(ctx.settings.advisory_url), seconds=_RECORD_SECONDS, stopped=ctx.stopped)
    records = rated(audit.audited, service.records, service.about)
    return Answers(audit=audit, records=records, detail="\n".join(dict.fromkeys(process.details)))
