"""Turns the answers about packages into findings, the outcome and warnings. Pure."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote

from ci_action.engine.advisories.audit import Audit, Key
from ci_action.engine.advisories.osv import Record
from ci_action.engine.advisories.vulnerabilities import Problem, mending, problems_of
from ci_action.model.finding import Finding, Level, Location, Package
from ci_action.model.result import Broken, Counted, Report
from ci_action.project.dependencies.inventory import Inventory, Kind, Needed, Unauditable, by_name, chain
from ci_action.settings.types import IgnoredVulnerability
from ci_action.system.text import listed, one_line

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
    Kind.IMAGE: "RUN python -m pip install {wanted}",
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


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The packages of the project, the answers about them, and the results."""

    inventory: Inventory
    audit: Audit
    records: Mapping[str, Record] = field(default_factory=dict)
    base: Inventory | None = None
    """The packages at the base commit; None if they are unknown."""
    acceptances: Sequence[IgnoredVulnerability] = ()
    today: date
    tool: str = NAME
    """The tool of the findings."""
    rule: str = ""
    """The rule of every vulnerability; empty for the preferred name of each."""

    @cached_property
    def problems(self) -> Mapping[Key, Sequence[Problem]]:
        """The problems by package."""
        return {
            key: problems_of(*key, found, self.records) for key, found in self.audit.audited.items() if found
        }

    @property
    def audited(self) -> int:
        """The number of packages that were audited completely."""
        wholly = self.audit.audited.keys() - self.audit.missed.keys()
        return sum(needed.key in wholly for needed in self.inventory.packages)

    @property
    def total(self) -> int:
        """The number of packages of the project."""
        return len(self.inventory.packages) + len(self.inventory.unauditable)

    def outcome(self, detail: str) -> Report | Broken:
        """Return the findings; broken if no package was audited, or the time limit was reached."""
        # If no package was audited, the reason holds for all of them.
        missed = self._missed() if self.audited else ()
        findings = (*self.findings(), *missed)
        examined = {Counted.PACKAGES: self.audited, Counted.SKIPPED: self.total - self.audited}
        if self.audit.late or not self.audited:
            return Broken(self._reason(), detail, findings=findings, examined=examined)
        return Report(findings=findings, examined=examined)

    def _reason(self) -> str:
        reasons = [self.audit.missed.get(needed.key, "") for needed in self.inventory.packages]
        reasons += [f"{one.name}: {one.reason}" for one in self.inventory.unauditable]
        why = next((reason for reason in reasons if reason), "")
        if self.audited:
            return f"only {self.audited:,} of {self.total:,} packages could be audited in time: {why}"
        return f"none of the {self.total:,} packages could be audited: {why}"

    def findings(self) -> Iterator[Finding]:
        """Yield the known vulnerabilities."""
        for needed in self.inventory.packages:
            problems = self.problems.get(needed.key, ())
            upgrade = upgrade_of(needed, mending(needed.name, problems, self.records), self.inventory)
            for problem in problems:
                acceptance = accepted(needed.name, problem.ids, self.acceptances, self.today)
                yield self._finding(needed, problem, upgrade, acceptance)
                if acceptance.expired and acceptance.muted:
                    until = acceptance.expired.expires.isoformat()
                    text = (
                        f"{needed.name} {needed.version}: {problem.id} was accepted until {until}; fix it, or set a later"
                        f" date in ignore-vulnerabilities: it counts again {GRACE_DAYS} days after that date"
                    )
                    yield self._warning(EXPIRED, text, needed.location)

    def _finding(self, needed: Needed, problem: Problem, upgrade: str, acceptance: Acceptance) -> Finding:
        parents = chain(needed, by_name(self.inventory.packages))
        package = Package(
            name=needed.name,
            version=needed.version,
            advisories=problem.ids,
            fixed_in=problem.fixed_in,
            parents=parents,
            direct=needed.direct,
            upgrade=upgrade if problem.fixed_in else "",
        )
        severity = "unknown severity" if problem.severity == "unknown" else f"{problem.severity} severity"
        through = f", needed through {' > '.join(parents)}" if parents else ""
        fixed = f"fixed in {', '.join(problem.fixed_in)}" if problem.fixed_in else "not fixed in any version"
        entry = None if acceptance.muted else acceptance.expired
        expired = f"; it was accepted until {entry.expires.isoformat()}: {entry.reason}" if entry else ""
        summary = f": {problem.summary}" if problem.summary else ""
        where = f" in {needed.folder}" if needed.folder else ""
        return self._warning(
            self.rule or problem.id,
            f"{needed.name} {needed.version}{where} has a known vulnerability of {severity} ({', '.join(problem.ids)})"
            f"{through}, {fixed}{expired}{summary}",
            needed.location,
            severity=problem.severity,
            url=_PAGES + quote(problem.id, safe=""),
            muted=acceptance.muted,
            package=package,
            new=self._is_new(needed, problem),
        )

    def _warning(self, rule: str, message: str, location: Location | None, **more: Any) -> Finding:
        return Finding(
            tool=self.tool,
            rule=rule,
            message=one_line(message),
            level=Level.WARNING,
            location=location,
            **more,
        )

    def _is_new(self, needed: Needed, problem: Problem) -> bool | None:
        """Return whether the package had the problem under none of its names at the base commit."""
        if self.base is None:
            return None
        before = (one.key for one in self.base.packages if one.name == needed.name)
        known = {name for key in before for one in self.problems.get(key, ()) for name in one.ids}
        return known.isdisjoint(problem.ids)

    def missed(self) -> Iterator[Unauditable]:
        """Yield the packages that were not audited, or not completely."""
        for needed in self.inventory.packages:
            if needed.key in self.audit.missed:
                reason = self.audit.missed[needed.key]
                yield Unauditable(
                    name=f"{needed.name} {needed.version}", reason=reason, location=needed.location
                )
        yield from self.inventory.unauditable

    def _missed(self) -> Iterator[Finding]:
        for one in self.missed():
            yield self._warning(NOT_AUDITED, f"{one.name} was not audited: {one.reason}", one.location)

    def warnings(self) -> Iterator[str]:
        """Yield warnings about unknown severities, an incomplete base, and unused entries of `ignore-vulnerabilities`."""
        yield from self.unrated()
        if self.base:  # without a vulnerability now it makes no difference
            lost = {one.name for one in self.base.packages if one.key in self.audit.missed}
            if known := sorted(lost & {needed.name for needed, _ in self._own()}):
                yield f"could not audit {listed(known)} of the base commit: their vulnerabilities count as new"
        if self.audited == self.total:
            found = [(needed.name, problem.ids) for needed, problem in self._own()]
            for entry in unused(self.acceptances, found):
                yield f"unused entry '{entry.package} {entry.id}' in ignore-vulnerabilities: remove it"

    def unrated(self) -> Iterator[str]:
        """Yield a warning about unknown severities."""
        unrated = sum(problem.unrated for _, problem in self._own())
        if unrated:
            what = "vulnerability" if unrated == 1 else "vulnerabilities"
            yield f"the severity of {unrated:,} {what} is unknown: could not fetch the advisories"

    def summary(self) -> str:
        """Return the number of audited packages in a sentence."""
        return f"audited {self.audited:,} of {self.total:,} packages from {self.inventory.source}"

    def _own(self) -> Iterable[tuple[Needed, Problem]]:
        return (
            (needed, problem)
            for needed in self.inventory.packages
            for problem in self.problems.get(needed.key, ())
        )
