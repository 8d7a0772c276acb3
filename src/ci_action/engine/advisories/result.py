"""What follows from what was asked and answered: findings, the outcome, notices. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

from ci_action.engine.advisories.accepted import accepted, unused
from ci_action.engine.advisories.audit import Audit, Key
from ci_action.engine.advisories.findings import expired_finding, finding_of, not_audited, upgrade_of
from ci_action.engine.advisories.osv import Record
from ci_action.engine.advisories.vulnerabilities import Problem, mending, problems_of
from ci_action.model.finding import Finding
from ci_action.model.result import Broken, Counted, Report
from ci_action.project.dependencies.inventory import Inventory, Needed
from ci_action.settings.types import IgnoredVulnerability


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What was asked and answered, and what follows from it."""

    inventory: Inventory
    audit: Audit
    records: Mapping[str, Record] = field(default_factory=dict)
    base: Inventory | None = None
    """What the project needed before the change; None where that is not known."""
    acceptances: Sequence[IgnoredVulnerability] = ()
    today: date

    @cached_property
    def problems(self) -> Mapping[Key, Sequence[Problem]]:
        """The problems of every package that has some."""
        return {
            key: problems_of(*key, found, self.records) for key, found in self.audit.audited.items() if found
        }

    @property
    def audited(self) -> int:
        """How many packages were looked up."""
        wholly = self.audit.audited.keys() - self.audit.missed.keys()
        return sum(needed.key in wholly for needed in self.inventory.packages)

    @property
    def total(self) -> int:
        """How many packages the project needs."""
        return len(self.inventory.packages) + len(self.inventory.unauditable)

    def outcome(self, detail: str) -> Report | Broken:
        """Return the findings; broken where nothing was looked up, or the time was over."""
        # Where nobody answered, the reason says it once for all packages.
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
        """Say whether the change brought a problem: the package had none of its names before."""
        if self.base is None:
            return None
        before = [
            known
            for one in self.base.packages
            if one.name == needed.name
            for known in self.problems.get(one.key, ())
        ]
        return not any(set(problem.ids) & set(known.ids) for known in before)

    def _missed(self) -> Iterator[Finding]:
        for needed in self.inventory.packages:
            if needed.key in self.audit.missed:
                yield not_audited(needed.name, needed.version, self.audit.missed[needed.key], needed.location)
        for one in self.inventory.unauditable:
            yield not_audited(one.name, "", one.reason, one.location)

    def warnings(self) -> Iterator[str]:
        """Yield our notices: severities that could not be had, acceptances that nothing needs, an incomplete base."""
        unrated = sum(problem.unrated for _, problem in self._own())
        if unrated:
            what = "vulnerability" if unrated == 1 else "vulnerabilities"
            yield f"the severity of {unrated:,} {what} is unknown: the advisory itself could not be had"
        if self.base:
            lost = [one for one in self.base.packages if one.key in self.audit.missed]
            if lost:
                yield f"{len(lost):,} packages of the base commit could not be audited: what they had counts as new"
        if self.audited == self.total:
            found = [(needed.name, problem.ids) for needed, problem in self._own()]
            for entry in unused(self.acceptances, found):
                yield f"ignore-vulnerabilities: nothing needs '{entry.package} {entry.id}' any more"

    def told(self) -> str:
        """Return how many of how many were audited, in a sentence."""
        return f"audited {self.audited:,} of {self.total:,} packages from {self.inventory.source}"

    def _own(self) -> Iterable[tuple[Needed, Problem]]:
        return (
            (needed, problem)
            for needed in self.inventory.packages
            for problem in self.problems.get(needed.key, ())
        )
