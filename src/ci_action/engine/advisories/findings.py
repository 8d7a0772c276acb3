"""The findings about packages: their messages, upgrades, and the setting `ignore-vulnerabilities`."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import quote

from ci_action.engine.advisories.vulnerabilities import Problem
from ci_action.model.finding import Finding, Level, Location, Package
from ci_action.project.dependencies.inventory import Inventory, Kind, Needed, by_name, chain
from ci_action.settings.types import IgnoredVulnerability
from ci_action.system.text import one_line

NAME: Final = "pip-audit"
NOT_AUDITED: Final = "not-audited"
EXPIRED: Final = "expired-ignore"
# An expired entry still counts for this many days, with a reminder.
GRACE_DAYS: Final = 30
# PDM updates a direct dependency (`top`), and with it what that needs.
_COMMANDS: Final = {
    Kind.UV: "uv lock --upgrade-package {wanted}",
    Kind.PYLOCK: "uv pip compile pyproject.toml --output-file=pylock.toml --upgrade-package {wanted}",
    Kind.POETRY: "poetry update {name}",
    Kind.PDM: "pdm update {top}",
    Kind.PIPENV: "pipenv upgrade {wanted}",
    Kind.ENVIRONMENT: "python -m pip install {wanted}",
}
_PAGES: Final = "https://osv.dev/vulnerability/"


@dataclass(frozen=True)
class Acceptance:
    """Whether a problem is accepted."""

    muted: str = ""
    """Why it is muted; empty if it counts."""
    expired: IgnoredVulnerability | None = None
    """The expired entry, whether it still counts or not."""


def accepted(
    package: str, ids: Sequence[str], entries: Iterable[IgnoredVulnerability], today: date
) -> Acceptance:
    """Return whether a problem of a package is accepted today; of several entries the latest counts."""
    entry = max(
        (one for one in entries if one.matches(package, ids)), key=lambda one: one.expires, default=None
    )
    if entry is None:
        return Acceptance()
    late = (today - entry.expires).days
    until = f"accepted until {entry.expires.isoformat()}"
    if late <= 0:
        return Acceptance(muted=f"{until}: {entry.reason}")
    return Acceptance(
        muted=f"{until}, which is over: {entry.reason}" if late <= GRACE_DAYS else "", expired=entry
    )


def unused(
    entries: Iterable[IgnoredVulnerability], found: Iterable[tuple[str, Sequence[str]]]
) -> list[IgnoredVulnerability]:
    """Return the entries that match none of the found problems."""
    every = list(found)
    return [entry for entry in entries if not any(entry.matches(name, ids) for name, ids in every)]


def finding_of(
    problem: Problem, needed: Needed, inventory: Inventory, upgrade: str, acceptance: Acceptance
) -> Finding:
    """Return the finding for one problem of one package."""
    parents = chain(needed, by_name(inventory.packages))
    package = Package(
        name=needed.name,
        version=needed.version,
        advisories=problem.ids,
        fixed_in=problem.fixed_in,
        parents=parents,
        direct=needed.direct,
        upgrade=upgrade if problem.fixed_in else "",
    )
    return Finding(
        tool=NAME,
        rule=problem.id,
        message=_message(problem, package, acceptance),
        level=Level.WARNING,
        severity=problem.severity,
        location=needed.location,
        url=_PAGES + quote(problem.id, safe=""),
        muted=acceptance.muted,
        package=package,
    )


def _message(problem: Problem, package: Package, acceptance: Acceptance) -> str:
    words = [f"{package.name} {package.version} has a known vulnerability of "]
    words.append("unknown severity" if problem.severity == "unknown" else f"{problem.severity} severity")
    words.append(f" ({', '.join(problem.ids)})")
    if package.parents:
        words.append(f", needed through {' > '.join(package.parents)}")
    fixed = f"fixed in {', '.join(problem.fixed_in)}" if problem.fixed_in else "not fixed in any version"
    words.append(f", {fixed}")
    if acceptance.expired and not acceptance.muted:
        entry = acceptance.expired
        words.append(f"; it was accepted until {entry.expires.isoformat()}: {entry.reason}")
    words.append(f": {problem.summary}" if problem.summary else "")
    return one_line("".join(words))


def expired_finding(problem: Problem, needed: Needed, acceptance: Acceptance) -> Finding:
    """Return the reminder that an entry has expired and will soon stop counting."""
    entry = acceptance.expired
    until = entry.expires.isoformat() if entry else ""
    return Finding(
        tool=NAME,
        rule=EXPIRED,
        message=(
            f"{needed.name} {needed.version}: {problem.id} was accepted until {until}; fix it, or set a later date in"
            f" ignore-vulnerabilities: it counts again {GRACE_DAYS} days after that date"
        ),
        level=Level.WARNING,
        location=needed.location,
    )


def upgrade_of(needed: Needed, fixed: str, inventory: Inventory) -> str:
    """Return the command or the edit that upgrades to a fixed version; empty if there is none."""
    if not fixed:
        return ""
    if inventory.kind in {Kind.REQUIREMENTS, Kind.METADATA}:
        return _edit(needed, fixed, needed.location.path if needed.location else "", inventory)
    above = chain(needed, by_name(inventory.packages))
    command = _COMMANDS[inventory.kind]
    wanted = shlex.quote(f"{needed.name}>={fixed}")
    return command.format(wanted=wanted, name=needed.name, top=above[0] if above else needed.name)


def _edit(needed: Needed, fixed: str, file: str, inventory: Inventory) -> str:
    source = inventory.compiled.get(file)
    if source:
        wanted, target = shlex.quote(f"{needed.name}>={fixed}"), source.removesuffix(".in") + ".txt"
        return f"uv pip compile {shlex.quote(source)} --output-file={shlex.quote(target)} --upgrade-package {wanted}"
    where = file or inventory.source
    if not needed.named:
        return f"add {needed.name}>={fixed} to {where}"
    return f"write {needed.name}{'==' if needed.pinned else '>='}{fixed} in {where}"


def not_audited(name: str, version: str, reason: str, location: Location | None) -> Finding:
    """Return the warning about a package that was not audited; it has no severity, so it never blocks."""
    what = f"{name} {version}".strip()
    return Finding(
        tool=NAME,
        rule=NOT_AUDITED,
        message=one_line(f"{what} was not audited: {reason}"),
        level=Level.WARNING,
        location=location,
    )
