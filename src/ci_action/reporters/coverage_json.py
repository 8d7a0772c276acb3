"""What lies beside report.json so that the shards of a run can be joined: coverage line by line, and how long tests took.

`coverage.json` has the shape of coverage's own JSON report, with names relative to the workspace: those are the same in
the container and on the host. `durations.json` is what pytest-split keeps in `.test_durations`.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from ci_action import __version__
from ci_action.model.coverage import Coverage, FileCoverage, percent, shown
from ci_action.model.result import RunResult
from ci_action.model.tests import TestCase
from ci_action.model.totals import totals
from ci_action.reporters.context import COVERAGE, DURATIONS, Publication
from ci_action.system.text import plain

# The version of the shape, as coverage counts it.
_FORMAT: Final = 3


def coverage_json(coverage: Coverage, measured_at: datetime) -> Iterator[str]:
    """Yield the document in pieces, one for each file."""
    branches = any(one.branches for one in coverage.files.values())
    meta = {
        "format": _FORMAT,
        "version": f"ci-action {__version__}",
        "timestamp": measured_at.isoformat(timespec="seconds"),
        "branch_coverage": branches,
        "show_contexts": False,
    }
    yield f'{{"meta": {json.dumps(meta)}, "files": {{'
    separator = "\n"
    for path, one in sorted(coverage.files.items()):
        yield f"{separator}{json.dumps(plain(path))}: {json.dumps(_file(one, with_branches=branches))}"
        separator = ",\n"
    summary = _summary(list(coverage.files.values()), with_branches=branches)
    yield f'}}, "totals": {json.dumps(summary)}}}\n'


def _file(one: FileCoverage, *, with_branches: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "executed_lines": sorted(one.executed),
        "summary": _summary([one], with_branches=with_branches),
        "missing_lines": sorted(one.missing),
    }
    if with_branches:
        entry["executed_branches"] = sorted(one.executed_branches)
        entry["missing_branches"] = sorted(one.missing_branches)
    return entry


def _summary(files: list[FileCoverage], *, with_branches: bool) -> dict[str, Any]:
    value = percent(files)
    summary: dict[str, Any] = {
        "covered_lines": sum(len(one.executed) for one in files),
        "num_statements": sum(one.statements for one in files),
        "percent_covered": float(value),
        "percent_covered_display": shown(value),
        "missing_lines": sum(len(one.missing) for one in files),
    }
    if with_branches:
        summary |= {
            "num_branches": sum(one.branches for one in files),
            "num_partial_branches": sum(map(_partial, files)),
            "covered_branches": sum(one.covered_branches for one in files),
            "missing_branches": sum(len(one.missing_branches) for one in files),
        }
    return summary


def _partial(one: FileCoverage) -> int:
    return sum(start in one.executed for start, _ in one.missing_branches)


def report(result: RunResult, publication: Publication) -> None:
    """Write both files where there is something for them."""
    found = totals(result)
    if found.coverage is not None:
        text = "".join(coverage_json(found.coverage, result.started))
        publication.write(COVERAGE, text.encode("utf-8", "replace"))
    if whole := [case for case in found.tests if "::" in case.nodeid and not case.subtest]:
        publication.write(DURATIONS, durations(whole).encode("utf-8", "replace"))


def durations(cases: Iterable[TestCase]) -> str:
    """Return the durations of the tests in the form that pytest-split stores."""
    return json.dumps({case.nodeid: case.seconds for case in cases if "::" in case.nodeid}, indent=0)
