"""Takes secrets out of all that a run says, as data: no reporter has to do it, and none can forget it.

Prose loses every secret. Names lose those of the environment alone: paths, rules, versions, addresses and packages, in
which a secret that was found in a file may be an ordinary word. The names of tools and stages, fingerprints and numbers
are our own and stay.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ci_action.model.coverage import Coverage
from ci_action.model.finding import Edit, Finding, Location, Package
from ci_action.model.result import Broken, Hint, Report, RunResult, Skipped, StageResult, ToolResult, Verdict
from ci_action.model.tests import TestCase
from ci_action.system.redaction import Redactor


def redacted_run(result: RunResult, redact: Redactor) -> RunResult:
    """Return a run with `***` for every secret."""
    return redacted_words(replace(result, stages=redacted(result.stages, redact)), redact)


def redacted_words(result: RunResult, redact: Redactor) -> RunResult:
    """Return a run with `***` for every secret in what it says beside the results of its stages."""
    return replace(
        result,
        verdict=_verdict(result.verdict, redact),
        warnings=tuple(map(redact, result.warnings)),
        reproduce=redact(result.reproduce),
        version=redact.known(result.version),
        commit=redact.known(result.commit),
        base=redact.known(result.base),
    )


def redacted(stages: tuple[StageResult, ...], redact: Redactor) -> tuple[StageResult, ...]:
    """Return the results with `***` for every secret."""
    if not redact:
        return stages
    return tuple(
        replace(
            stage,
            tools=tuple(redacted_tool(tool, redact) for tool in stage.tools),
            reason=redact(stage.reason),
            because=redact(stage.because),
            verdict=_verdict(stage.verdict, redact),
        )
        for stage in stages
    )


def redacted_tool(tool: ToolResult, redact: Redactor) -> ToolResult:
    """Return the result of one tool with `***` for every secret."""
    if not redact:
        return tool
    return replace(
        tool,
        outcome=_outcome(tool.outcome, redact),
        version=redact.known(tool.version),
        version_source=redact.known(tool.version_source),
        warnings=tuple(map(redact, tool.warnings)),
        log=redact(tool.log),
        hints=tuple(_hint(hint, redact) for hint in tool.hints),
    )


def _verdict(verdict: Verdict, redact: Redactor) -> Verdict:
    return replace(verdict, reasons=tuple(map(redact, verdict.reasons)))


def _outcome(outcome: Report | Skipped | Broken, redact: Redactor) -> Report | Skipped | Broken:
    if isinstance(outcome, Skipped):
        return replace(outcome, reason=redact(outcome.reason))
    if isinstance(outcome, Report):
        outcome = replace(
            outcome,
            details=tuple(map(redact, outcome.details)),
            coverage=_coverage(outcome.coverage, redact.known) if outcome.coverage else None,
        )
    else:
        outcome = replace(outcome, reason=redact(outcome.reason), detail=redact(outcome.detail))
    return replace(
        outcome,
        findings=tuple(_finding(finding, redact) for finding in outcome.findings),
        tests=tuple(_test(case, redact) for case in outcome.tests),
        outputs={name: redact(value) for name, value in outcome.outputs.items()},
    )


def _hint(hint: Hint, redact: Redactor) -> Hint:
    return replace(hint, cause=redact(hint.cause), fix=redact(hint.fix), url=redact.known(hint.url))


def _finding(finding: Finding, redact: Redactor) -> Finding:
    changed = _changed(finding, redact, ("message", "fix_message", "before", "after"))
    changed |= _changed(finding, redact.known, ("rule", "url", "muted", "also", "same_as"))
    if finding.location and (place := _changed(finding.location, redact.known, ("path",))):
        changed["location"] = _moved(finding.location, place)
    if finding.package and (package := _package(finding.package, redact.known)) != finding.package:
        changed["package"] = package
    if finding.edits:
        changed["edits"] = tuple(_edit(edit, redact) for edit in finding.edits)
    return replace(finding, **changed) if changed else finding


def _moved(place: Location, changed: Mapping[str, Any]) -> Location:
    return replace(place, **changed)


def _edit(edit: Edit, redact: Redactor) -> Edit:
    return replace(edit, text=redact(edit.text))


def _package(package: Package, known: Callable[[str], str]) -> Package:
    names = ("name", "version", "advisories", "fixed_in", "parents", "upgrade", "licenses")
    return replace(package, **_changed(package, known, names))


def _test(case: TestCase, redact: Redactor) -> TestCase:
    changed = _changed(case, redact, ("nodeid", "message", "detail", "subtest"))
    changed |= _changed(case, redact.known, ("path",))
    return replace(case, **changed) if changed else case


def _changed(value: object, change: Callable[[str], str], names: Iterable[str]) -> dict[str, Any]:
    """Return those of some fields, each a text or several, which are not the same any more: most stay as they are."""
    found: dict[str, Any] = {}
    for name in names:
        before = getattr(value, name)
        after = change(before) if isinstance(before, str) else tuple(map(change, before))
        if after != before:
            found[name] = after
    return found


def _coverage(coverage: Coverage, known: Callable[[str], str]) -> Coverage:
    """Return the coverage with other names; two files whose names become the same stay two, or the figures would change."""
    files = {}
    for path, one in coverage.files.items():
        shown = name = known(path)
        number = 1
        while name in files or (name != path and name in coverage.files):
            number += 1
            name = f"{shown}-{number}"
        files[name] = one if name == path else replace(one, path=name)
    return replace(coverage, files=files)
