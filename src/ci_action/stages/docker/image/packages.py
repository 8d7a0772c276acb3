"""Audits the Python packages of an image, as the stage `security` audits those of the project."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ci_action.engine.advisories.audit import Audit
from ci_action.engine.advisories.lookup import Answers, look_up, program
from ci_action.engine.advisories.result import NOT_AUDITED, Judgement
from ci_action.engine.context import Context
from ci_action.model.finding import Finding, Level, Location
from ci_action.project.dependencies.inventory import (
    Inventory,
    Kind,
    Needed,
    Unauditable,
    canonical,
    key_of,
    sound,
)
from ci_action.settings.types import FailOn
from ci_action.stages.docker.image.contents import Installed
from ci_action.stages.docker.image.judging import TOOL
from ci_action.system.errors import ToolError
from ci_action.system.text import counted, listed, one_line

RULE: Final = "vulnerable-package"
_EDITABLE: Final = "dir_info"
_REPOSITORY: Final = "vcs_info"
# The packages of a Linux distribution: its fixes do not change the version.
OF_DISTRIBUTION: Final = "/usr/lib/python3/dist-packages"
_MOST_REASONS: Final = 3


@dataclass(frozen=True, kw_only=True)
class Audited:
    """The audit of an image's packages."""

    findings: tuple[Finding, ...] = ()
    packages: int = 0
    """Number of packages that were audited."""
    skipped: int = 0
    """Number of packages that were not."""
    warnings: tuple[str, ...] = ()
    detail: str = ""


def inventory_of(
    found: Iterable[Installed], own: frozenset[str], place: Callable[[int], Location]
) -> tuple[Inventory, int]:
    """Return the packages to audit, each version once, and the number of the project's own; `place` is that of a layer."""
    several: dict[tuple[str, str], list[Installed]] = {}
    unauditable: dict[str, Unauditable] = {}
    skipped = 0
    for one in sorted(found, key=lambda one: (one.layer, one.path)):
        name = canonical(one.name)
        if one.origin == _EDITABLE or name in own:
            skipped += 1
        elif not one.version or one.origin == _REPOSITORY:
            reason = "it was installed from a repository" if one.version else "its metadata has no version"
            where = f"{one.name} {one.version}".strip()
            unauditable[where] = Unauditable(name=where, reason=reason, location=place(one.layer))
        else:
            several.setdefault(key_of(one.name, one.version), []).append(one)
    packages = [
        Needed(
            name=name,
            version=version,
            location=place(places[0].layer),
            folder=_folders(places),
        )
        for (name, version), places in several.items()
    ]
    return (
        sound(
            Inventory(
                kind=Kind.IMAGE,
                source="the image",
                packages=tuple(packages),
                unauditable=tuple(unauditable.values()),
            )
        ),
        skipped,
    )


def _folders(places: Iterable[Installed]) -> str:
    names = [*dict.fromkeys(one.folder for one in places)]
    shown = listed([one_line(name) for name in names], 2)
    if names == [OF_DISTRIBUTION]:
        return f"{shown} (its Linux distribution may have fixed it in the same version)"
    return shown


def audited(
    ctx: Context,
    inventory: Inventory,
    answers: Answers,
    problems: Sequence[str],
    place: Location,
) -> Audited:
    """Return the findings about packages; what could not be audited is one at `place`.

    `problems` are those of the image's layers.
    """
    judgement = Judgement(
        inventory=inventory,
        audit=answers.audit,
        records=answers.records,
        acceptances=ctx.settings.ignore_vulnerabilities,
        today=ctx.today,
        tool=TOOL,
        rule=RULE,
    )
    missed = [*judgement.missed()]
    findings = [*judgement.findings()]
    if missed or problems:
        level = Level.WARNING if ctx.settings.fail_on is FailOn.NEVER else Level.ERROR
        message = one_line(_missed(judgement, missed, problems))
        findings.append(Finding(tool=TOOL, rule=NOT_AUDITED, message=message, level=level, location=place))
    return Audited(
        findings=tuple(findings),
        packages=judgement.audited,
        skipped=judgement.total - judgement.audited,
        warnings=tuple(judgement.unrated()),
        detail=answers.detail,
    )


def asked(ctx: Context, inventory: Inventory) -> Answers:
    """Look up packages; a failure is a part of the answers."""
    keys = [needed.key for needed in inventory.packages]
    if not keys:
        return Answers(audit=Audit(), records={})
    try:
        return look_up(ctx, program(ctx), ctx.tempdir / "image-audit", keys)
    except ToolError as error:  # without pip-audit everything is missed
        return Answers(audit=Audit(missed=dict.fromkeys(keys, error.reason)), records={})


def _missed(judgement: Judgement, missed: list[Unauditable], problems: Sequence[str]) -> str:
    """Return what was not audited and why, the most frequent reasons first."""
    parts = []
    if missed:
        reasons: dict[str, list[str]] = {}
        for one in missed:
            reasons.setdefault(one.reason, []).append(one.name)
        frequent = sorted(reasons.items(), key=lambda item: -len(item[1]))
        shown = [f"{reason} ({listed(names, 3)})" for reason, names in frequent[:_MOST_REASONS]]
        rest = len(frequent) - len(shown)
        more = f"; and {counted(rest, 'other reason')}" if rest else ""
        parts.append(
            f"{len(missed):,} of {counted(judgement.total, 'Python package')} in the image could not be audited:"
            f" {'; '.join(shown)}{more}"
        )
    parts += _unread(problems)
    return "; ".join(parts)


def _unread(problems: Sequence[str]) -> Iterator[str]:
    if problems:
        yield f"a part of the image could not be read, so its packages and secrets are unknown: {listed(problems, 3)}"
