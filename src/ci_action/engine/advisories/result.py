"""Turns the answers about packages into findings, the outcome and warnings. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

from ci_action.engine.advisories.audit import Audit, Key
from ci_action.engine.advisories.findings import (
    accepted,
    expired_finding,
    finding_of,
    not_audited,
    unused,
    upgrade_of,
)
from ci_action.engine.advisories.osv import Record
from ci_action.engine.advisories.vulnerabilities import Problem, mending, problems_of
from ci_action.model.finding import Finding
from ci_action.model.result import Broken, Counted, Report
from ci_action.project.dependencies.inventory import Inventory, Needed
from ci_action.settings.types import IgnoredVulnerability


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
        findings = (*self._findings(), *missed)
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

    def _findings(self) -> Iterator[Finding]:
        for needed in self.inventory.packages:
            problems = self.problems.get(needed.key, ())
            upgrade = upgrade_of(needed, mending(needed.name, problems, self.records), self.inventory)
            for problem in problems:
                acceptance = accepted(needed.name, problem.ids, self.acceptances, self.today)
                found = finding_of(problem, needed, self.inventory, upgrade, acceptance)
                yield replace(found, new=self._is_new(needed, problem))
                if acceptance.expired and acceptance.muted:
                    yield expired_finding(problem, needed, acceptance)

    def _is_new(self, needed: Needed, problem: Problem) -> bool | None:
        """Return whether the package had the problem under none of its names at the base commit."""
        if self.base is None:
            return None
        before = (one.key for one in self.base.packages if one.name == needed.name)
        known = {name for key in before for one in self.problems.get(key, ()) for name in one.ids}
        return known.isdisjoint(problem.ids)

    def _missed(self) -> Iterator[Finding]:
        for needed in self.inventory.packages:
            if needed.key in self.audit.missed:
                yield not_audited(needed.name, needed.version, self.audit.missed[needed.key], needed.location)
        for one in self.inventory.unauditable:
            yield not_audited(one.name, "", one.reason, one.location)

    def warnings(self) -> Iterator[str]:
        """Yield warnings about unknown severities, an incomplete base, and unused entries of `ignore-vulnerabilities`."""
        unrated = sum(problem.unrated for _, problem in self._own())
        if unrated:
            what = "vulnerability" if unrated == 1 else "vulnerabilities"
            yield f"the severity of {unrated:,} {what} is unknown: could not fetch the advisories"
        if self.base:
            lost = [one for one in self.base.packages if one.key in self.audit.missed]
            if lost:
                yield f"could not audit {len(lost):,} packages of the base commit: their vulnerabilities count as new"
        if self.audited == self.total:
            found = [(needed.name, problem.ids) for needed, problem in self._own()]
            for entry in unused(self.acceptances, found):
                yield f"unused entry '{entry.package} {entry.id}' in ignore-vulnerabilities: remove it"

    def summary(self) -> str:
        """Return the number of audited packages in a sentence."""
        return f"audited {self.audited:,} of {self.total:,} packages from {self.inventory.source}"

    def _own(self) -> Iterable[tuple[Needed, Problem]]:
        return (
            (needed, problem)
            for needed in self.inventory.packages
            for problem in self.problems.get(needed.key, ())
        )
