"""Known vulnerabilities of the dependencies, by pip-audit and an OSV service.

What is audited is what the project needs (`project.needs`), at the versions of its lock or its resolution: neither our own
packages nor those of pip-audit. uv keeps what it needs for a resolution; advisories are asked for anew in every run,
because a package that was fine yesterday may have one today.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from ci_action.advisories.acceptance import accepted, unused
from ci_action.advisories.address import base_of, host_of
from ci_action.advisories.asking import PipAudit
from ci_action.advisories.auditing import Audit, Auditor, Key
from ci_action.advisories.problems import Problem, mending, problems_of
from ci_action.advisories.rating import rated
from ci_action.advisories.records import Record
from ci_action.advisories.service import Service
from ci_action.advisories.telling import NAME, expired_finding, finding_of, not_audited, upgrade_of
from ci_action.context import Context
from ci_action.errors import ToolError
from ci_action.model import Broken, Finding, Report, Skipped
from ci_action.project.environment import FILE, Builder, Environment
from ci_action.project.inventory import Inventory, Needed, sound
from ci_action.project.needs import at_base, from_files, take
from ci_action.project.repository import find as find_repository
from ci_action.project.versions import Program
from ci_action.tools import Checked, Tool

# The severities are worth less waiting than the advisories.
_RECORD_SECONDS: Final = 60.0
_ALLOWED: Final = ("--timeout", "--verbose", "-v")


def program(ctx: Context) -> Program:
    """Return the bundled pip-audit: the project's pin of it would only change what it can read."""
    return ctx.bundle.program(NAME)


def check(ctx: Context, program: Program) -> Checked:
    """Audit all that the project needs; what could not be looked up is told as loudly as what was found."""
    inventory = sound(_inventory(ctx))
    if not inventory.packages and not inventory.unauditable:
        return Checked(outcome=Skipped("the project names no dependencies"), warnings=inventory.notes)
    base = _base(ctx, inventory)
    keys = [needed.key for needed in (*inventory.packages, *(base.packages if base else ()))]
    asking = PipAudit(ctx=ctx, program=program, folder=ctx.scratch / NAME)
    audit = Auditor(ask=asking, seconds=float(ctx.settings.timeout)).audit(keys)
    service = Service(base=base_of(ctx.settings.advisory_url), seconds=_RECORD_SECONDS, stopped=ctx.stopped)
    records = rated(audit.audited, service.records)
    problems = {key: problems_of(*key, found, records) for key, found in audit.audited.items() if found}
    judged = _Judged(ctx, inventory, base, audit, problems, records)
    warnings = [*inventory.notes, *asking.remarks, *judged.warnings()]
    return Checked(
        outcome=judged.outcome("\n".join(dict.fromkeys(asking.details))),
        warnings=tuple(warnings),
        log="\n".join(judged.log()),
    )


def plan(ctx: Context) -> str:
    """Say what would be audited; nothing is resolved for it."""
    version = ctx.bundle.version(NAME)
    host = host_of(ctx.settings.advisory_url)
    known = None if ctx.settings.install else from_files(ctx.layout)
    if known is None:
        what = "the environment" if ctx.settings.install else "what uv resolves"
        return f"{version} bundled, {what}, advisories from {host}"
    return f"{version} bundled, {len(known.packages):,} packages from {known.source}, advisories from {host}"


def argument_mistakes(words: Sequence[str]) -> list[str]:
    """Say which words of `pip-audit-args` cannot be given: all that change what is audited, or what we read.

    pip-audit takes the beginning of an option for the option, so those that can be given are listed, not the others.
    """
    mistakes = []
    takes_value = False
    for word in words:
        name = word.partition("=")[0]
        if takes_value and not word.startswith("-"):
            takes_value = False
            continue
        takes_value = word == "--timeout"
        if name not in _ALLOWED:
            instead = "; accept one in ignore-vulnerabilities" if name.startswith("--ig") else ""
            mistakes.append(
                f"pip-audit-args: {word!r} cannot be given, ci-action says itself what is audited and how{instead};"
                f" there are: {', '.join(_ALLOWED)}"
            )
    return mistakes


def _inventory(ctx: Context) -> Inventory:
    builder = Builder(
        uv=ctx.bundle.uv,
        run=ctx.run,
        layout=ctx.layout,
        environ=ctx.environ,
        scratch=ctx.scratch / "inventory",  # apart from the environment that another tool may be making
        cache=ctx.cache,
        timeout=float(ctx.settings.timeout),
        owner=ctx.owner,
    )
    builder.scratch.mkdir(exist_ok=True)
    made = Environment.load(ctx.scratch) if (ctx.scratch / FILE).is_file() else None
    try:
        return take(
            builder,
            install=ctx.settings.install,
            made=made,
            python_version=ctx.settings.python_version,
        )
    finally:
        builder.forget()


def _base(ctx: Context, inventory: Inventory) -> Inventory | None:
    """Return what the project needed before the change; None where that cannot be said."""
    changes = ctx.changes
    if changes is None or not changes.known or not inventory.files:
        return None
    if not any(changes.file(ctx.layout.relative(file)) for file in inventory.files):
        return inventory
    with suppress(ToolError):
        repository = find_repository(ctx.run, ctx.layout.root, ctx.scratch)

        def text_of(file: Path) -> str | None:
            with suppress(ValueError):
                name = file.resolve().relative_to(repository.top.resolve()).as_posix()
                return repository.text_at(changes.base, name)
            return None

        return at_base(inventory, ctx.layout, text_of)
    return None


@dataclass(frozen=True)
class _Judged:
    """What was asked and answered, and what follows from it."""

    ctx: Context
    inventory: Inventory
    base: Inventory | None
    audit: Audit
    problems: Mapping[Key, Sequence[Problem]]
    records: Mapping[str, Record]

    @property
    def audited(self) -> int:
        """How many packages were looked up."""
        return sum(needed.key in self.audit.audited for needed in self.inventory.packages)

    @property
    def total(self) -> int:
        """How many packages the project needs."""
        return len(self.inventory.packages) + len(self.inventory.unauditable)

    def outcome(self, detail: str) -> Report | Broken:
        """Return the findings; broken where nothing was looked up, or the time was over."""
        missed = list(self._missed())
        findings = (*self._findings(), *missed)
        examined = {"packages": self.audited, "skipped": self.total - self.audited}
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
        entries = self.ctx.settings.ignore_vulnerabilities
        for needed in self.inventory.packages:
            problems = self.problems.get(needed.key, ())
            upgrade = upgrade_of(needed, mending(needed.name, problems, self.records), self.inventory)
            for problem in problems:
                acceptance = accepted(needed.name, problem.ids, entries, self.ctx.today)
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
            for entry in unused(self.ctx.settings.ignore_vulnerabilities, found):
                yield f"ignore-vulnerabilities: nothing needs '{entry.package} {entry.id}' any more"

    def log(self) -> Iterator[str]:
        """Yield what was done, for people."""
        yield f"audited {self.audited:,} of {self.total:,} packages from {self.inventory.source}"
        yield f"advisories from {host_of(self.ctx.settings.advisory_url)}, {self.audit.runs:,} runs of pip-audit"

    def _own(self) -> Iterable[tuple[Needed, Problem]]:
        return (
            (needed, problem)
            for needed in self.inventory.packages
            for problem in self.problems.get(needed.key, ())
        )


TOOL: Final = Tool(
    name=NAME,
    summary="Known vulnerabilities of the dependencies, by pip-audit.",
    url="https://github.com/pypa/pip-audit",
    check=check,
    program=program,
    by_lines=True,
    plan=plan,
)
