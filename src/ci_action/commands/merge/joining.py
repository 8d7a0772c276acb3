"""The results of the shards as those of one run. Nothing is read or written here."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from ci_action.commands.merge.shard import Shard
from ci_action.engine.test_run import COVERAGE, TESTS
from ci_action.engine.test_run.coverage_minimum import FAIL_UNDER, IN_SHARD, OF_PROJECT, Minima, minimum
from ci_action.engine.test_run.outcome import NONE_PASSED, unpassed
from ci_action.model.coverage import Coverage, joined
from ci_action.model.finding import Finding, Level
from ci_action.model.result import Broken, Conclusion, Counted, Outcome, Report, Skipped
from ci_action.model.tests import TestCase, counts
from ci_action.settings import Settings
from ci_action.stages import tool_of_every_run
from ci_action.system.exit_codes import ExitCode

_LONGEST_REASON: Final = 300


def cases_of(shards: Sequence[Shard]) -> tuple[TestCase, ...]:
    """Join the tests; every shard collects all modules, so one that fails to be collected is reported once."""
    found: list[TestCase] = []
    collected: set[str] = set()
    for shard in shards:
        for case in shard.tests:
            if "::" not in case.nodeid:
                if case.nodeid in collected:
                    continue
                collected.add(case.nodeid)
            found.append(case)
    return tuple(found)


def outcome_of_tests(shards: Sequence[Shard], problem: str = "") -> Outcome:
    """Return what pytest did in all shards: broken if it was in one or if there is a problem, empty without a test."""
    cases = cases_of(shards)
    findings = tuple(_findings(shards, cases))
    examined = {Counted.TESTS: int(counts(cases)["tests"]), Counted.SHARDS: len(shards)}
    metrics = _metrics(shards, cases)
    if reasons := [*([problem] if problem else []), *_broken(shards)]:
        return Broken("; ".join(reasons), findings=findings, examined=examined, metrics=metrics, tests=cases)
    if not cases and not findings:
        return Skipped("no shard collected a test", empty=True)
    return Report(findings=findings, examined=examined, metrics=metrics, tests=cases)


def _broken(shards: Sequence[Shard]) -> Iterator[str]:
    for shard in shards:
        late = shard.report["exit_code"] in {ExitCode.BUG, ExitCode.INTERRUPTED}
        torn = any(tool["outcome"] == "broken" for tool in shard.tools)
        if late or torn or shard.conclusion is Conclusion.BROKEN:
            yield f"shard {shard.name} is broken: {_reasons(shard)}"


def _reasons(shard: Shard) -> str:
    return "; ".join(shard.report["reasons"])[:_LONGEST_REASON] or "it does not say why"


def _metrics(shards: Sequence[Shard], cases: Sequence[TestCase]) -> dict[str, float]:
    found: dict[str, float] = dict(counts(cases))
    found["subtests"] = sum(bool(case.subtest) for case in cases)
    found["test_warnings"] = sum(shard.metric(TESTS, "test_warnings") or 0 for shard in shards)
    # Each shard deselects what the others run, and what no shard should run.
    collected = {_collected(shard) for shard in shards}
    if len(collected) == 1 and None not in collected:
        found["deselected"] = max(0, (collected.pop() or 0) - found["tests"])
    return found


def _collected(shard: Shard) -> float | None:
    ran, left = shard.metric(TESTS, "tests"), shard.metric(TESTS, "deselected")
    return None if ran is None or left is None else ran + left


def _findings(shards: Sequence[Shard], cases: Sequence[TestCase]) -> Iterator[Finding]:
    collected: set[str] = set()
    changes = tool_of_every_run().name
    for shard in shards:
        counting = sum(map(_matters, shard.findings.get(changes, ())))
        for tool, found in shard.findings.items():
            if tool in {COVERAGE, changes}:
                continue
            for finding in found:
                counting += _matters(finding)
                if finding.rule in NONE_PASSED and unpassed(shard.tests):  # judged once, for all shards
                    continue
                if finding.rule == "collection":
                    nodeid = finding.message.partition(": ")[0]
                    if nodeid in collected:
                        continue
                    collected.add(nodeid)
                # What is muted is for the settings of this run to say, and tests have no severities.
                yield replace(finding, tool=TESTS, muted="", severity="")
        if shard.conclusion is Conclusion.FAILED and not counting:
            message = f"shard {shard.name} has failed: {_reasons(shard)}"
            yield Finding(tool=TESTS, rule="shard", message=message)
    if nothing := unpassed(cases):
        rule, message = nothing
        yield Finding(tool=TESTS, rule=rule, message=message)


def _matters(finding: Finding) -> bool:
    return finding.counts and finding.level is not Level.NOTICE


def changes_of(shards: Sequence[Shard]) -> tuple[Finding, ...] | None:
    """Join what the change makes less strict: every shard reports the same. None if no shard has looked."""
    name = tool_of_every_run().name
    tools = ((shard, shard.tool(name)) for shard in shards)
    looked = [shard for shard, tool in tools if tool and tool["outcome"] == "report"]
    found = (finding for shard in looked for finding in shard.findings[name])
    return tuple(dict.fromkeys(found)) if looked else None


def coverage_of(shards: Sequence[Shard]) -> Coverage | None:
    """Join the coverage; None where no shard has any."""
    parts = [shard.coverage for shard in shards if shard.coverage is not None]
    return joined(parts) if parts else None


def minima_of(shards: Sequence[Shard], settings: Settings) -> Minima:
    """Return what is asked of coverage: what is given here, else what the shards were given, else the project's own."""
    patch = settings.patch_coverage_min
    if patch is None:
        patch = _highest(shard.report["settings"].get("patch-coverage-min") for shard in shards)
    if settings.coverage_min is not None:
        return Minima(coverage=settings.coverage_min, patch=patch)
    given = [shard.report["settings"].get("coverage-min") for shard in shards]
    if any(one is not None for one in given):
        return Minima(coverage=_highest(given), origin="coverage-min of the shards", patch=patch)
    own = _highest(shard.metric(COVERAGE, FAIL_UNDER) for shard in shards)
    return Minima(coverage=own, origin=OF_PROJECT, patch=patch)


def _highest(given: Iterable[object]) -> Decimal | None:
    return max((number for one in given if (number := minimum(one)) is not None), default=None)


def notes_of(shards: Sequence[Shard], tool: str) -> tuple[str, ...]:
    """Return what was said about a tool in the shards, each once."""
    found = (shard.tool(tool) for shard in shards)
    texts = (text for entry in found if entry for text in entry["warnings"])
    return tuple(text for text in dict.fromkeys(texts) if text != IN_SHARD)


def uneven(shards: Sequence[Shard]) -> tuple[str, ...]:
    """Say that shards which came to their end did not collect the same tests; xdist does not tell how many there are."""
    ended = [
        shard
        for shard in shards
        if shard.conclusion is Conclusion.PASSED and not shard.report["settings"].get("workers")
    ]
    totals = {_collected(shard): shard for shard in ended}
    if len(totals) < 2:  # noqa: PLR2004 - at least two that differ
        return ()
    shown = ", ".join(f"{total or 0:,.0f} in shard {one.name}" for total, one in totals.items())
    return (f"the shards did not collect the same tests, so some may have run in none: {shown}",)
