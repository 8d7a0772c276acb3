"""The results of the shards as those of one run. Does no input or output."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from ci_action.commands.merge.shards import Shard
from ci_action.engine.test_run import COVERAGE, TESTS
from ci_action.engine.test_run.coverage_minimum import (
    FAIL_UNDER,
    IN_SHARD,
    OF_PROJECT,
    PRECISION,
    Minima,
    minimum,
)
from ci_action.engine.test_run.outcome import NONE_PASSED, unpassed
from ci_action.model.finding import Finding, Level
from ci_action.model.result import Broken, Conclusion, Counted, Outcome, Report, Skipped
from ci_action.model.tests import TestCase, counts
from ci_action.settings import Settings
from ci_action.stages import tool_of_every_run


def cases_of(shards: Sequence[Shard]) -> tuple[TestCase, ...]:
    """Join the tests. Every shard collects all modules, so a module that cannot be collected is reported once."""
    found: list[TestCase] = []
    modules: set[str] = set()
    for case in (case for shard in shards for case in shard.tests):
        if case.nodeid not in modules:
            found.append(case)
        if "::" not in case.nodeid:
            modules.add(case.nodeid)
    return tuple(found)


def outcome_of_tests(shards: Sequence[Shard], problem: str) -> Outcome:
    """Return the outcome of pytest in all shards: broken if one shard is or there is a problem, empty without tests."""
    cases = cases_of(shards)
    findings = tuple(_findings(shards, cases))
    examined = {Counted.TESTS: counts(cases)["tests"], Counted.SHARDS: len(shards)}
    metrics = _metrics(shards, cases)
    warnings = tuple(one for shard in shards for one in shard.outcomes[TESTS].test_warnings)
    broken = [one for one in shards if one.report.conclusion is Conclusion.BROKEN]
    reasons = [f"shard {one.name} is broken: {_reasons(one)}" for one in broken]
    if problem or reasons:
        reason = "; ".join(filter(None, (problem, *reasons)))
        return Broken(
            reason,
            findings=findings,
            examined=examined,
            metrics=metrics,
            tests=cases,
            test_warnings=warnings,
        )
    if not cases and not findings:
        return Skipped("no shard collected a test", empty=True)
    return Report(findings=findings, examined=examined, metrics=metrics, tests=cases, test_warnings=warnings)


def _reasons(shard: Shard) -> str:
    return "; ".join(shard.report.reasons)[:300] or "no reason given"


def _metrics(shards: Sequence[Shard], cases: Sequence[TestCase]) -> dict[str, float]:
    found: dict[str, float] = dict(counts(cases))
    found["subtests"] = sum(bool(case.subtest) for case in cases)
    found["test_warnings"] = sum(shard.metric(TESTS, "test_warnings") or 0 for shard in shards)
    # Each shard deselects the tests of the others, and those that no shard should run.
    collected = {_collected(shard) for shard in shards}
    if len(collected) == 1 and None not in collected:
        found["deselected"] = max(0, (collected.pop() or 0) - found["tests"])
    return found


def _collected(shard: Shard) -> float | None:
    ran, left = shard.metric(TESTS, "tests"), shard.metric(TESTS, "deselected")
    return None if ran is None or left is None else ran + left


def _findings(shards: Sequence[Shard], cases: Sequence[TestCase]) -> Iterator[Finding]:
    """Yield the findings of the tests, and one for each shard that failed without a finding."""
    collected: set[str] = set()
    changes = tool_of_every_run().name
    for shard in shards:
        found = [
            one for tool, outcome in shard.outcomes.items() if tool != COVERAGE for one in outcome.findings
        ]
        for finding in found:
            if finding.tool == changes or (finding.rule in NONE_PASSED and unpassed(shard.tests)):
                continue  # judged once, for all shards
            if finding.rule == "collection":
                nodeid = finding.message.partition(": ")[0]
                if nodeid in collected:
                    continue
                collected.add(nodeid)
            # The settings of this run decide what is ignored, and tests have no severities.
            yield replace(finding, tool=TESTS, muted="", severity="")
        counting = any(one.counts and one.level is not Level.NOTICE for one in found)
        if shard.report.conclusion is Conclusion.FAILED and not counting:
            yield Finding(tool=TESTS, rule="shard", message=f"shard {shard.name} failed: {_reasons(shard)}")
    if nothing := unpassed(cases):
        rule, message = nothing
        yield Finding(tool=TESTS, rule=rule, message=message)


def warnings_of_coverage(shards: Sequence[Shard]) -> tuple[Finding, ...]:
    """Return what coverage warned about in every shard: what one shard does not import another one may."""
    found: dict[tuple[str, str, str], list[Finding]] = {}
    for shard in shards:
        warned = [one for one in shard.outcomes[COVERAGE].findings if one.level is Level.WARNING]
        for key, one in {(one.rule, one.message, one.path): one for one in warned}.items():
            found.setdefault(key, []).append(replace(one, muted=""))
    return tuple(ones[0] for ones in found.values() if len(ones) == len(shards))


def minima_of(shards: Sequence[Shard], settings: Settings) -> Minima:
    """Return the minimum coverage: of the settings here, else of the shards' settings, else of the project."""
    patch = settings.patch_coverage_min
    if patch is None:
        patch = _highest(shard.report.settings.get("patch-coverage-min") for shard in shards)
    if settings.coverage_min is not None:
        return Minima(coverage=settings.coverage_min, patch=patch)
    given = [shard.report.settings.get("coverage-min") for shard in shards]
    if any(one is not None for one in given):
        return Minima(coverage=_highest(given), origin="coverage-min of the shards", patch=patch)
    own = _highest(shard.metric(COVERAGE, FAIL_UNDER) for shard in shards)
    decimals = _highest(shard.metric(COVERAGE, PRECISION) for shard in shards)
    return Minima(coverage=own, origin=OF_PROJECT, precision=int(decimals or 0), patch=patch)


def _highest(given: Iterable[object]) -> Decimal | None:
    return max((number for one in given if (number := minimum(one)) is not None), default=None)


def notes_of(shards: Sequence[Shard], tool: str) -> tuple[str, ...]:
    """Return the warnings of a tool in all shards, each once."""
    entries = (shard.tool(tool) for shard in shards)
    texts = dict.fromkeys(text for entry in entries if entry for text in entry.warnings)
    return tuple(text for text in texts if text != IN_SHARD)


def uneven(shards: Sequence[Shard]) -> tuple[str, ...]:
    """Return a warning if shards that passed did not collect the same tests; xdist does not report their number."""
    ended = [
        shard
        for shard in shards
        if shard.report.conclusion is Conclusion.PASSED and not shard.report.settings.get("workers")
    ]
    totals = {_collected(shard): shard for shard in ended}
    if not totals or len(totals) == 1:
        return ()
    shown = ", ".join(f"{total or 0:,.0f} in shard {one.name}" for total, one in totals.items())
    return (f"the shards did not collect the same tests, so some tests may not have run: {shown}",)
