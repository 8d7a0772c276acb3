"""The files beside report.json with which `merge` joins shards: coverage by line, and the durations of tests.

`coverage.json` has the shape of coverage's own JSON report, with names relative to the workspace: those are the same in
the container and on the host. `durations.json` has that of pytest-split's `.test_durations`.
"""

import json
from datetime import datetime
from typing import Any, Final

import msgspec

from ci_action import __version__
from ci_action.model.coverage import Coverage, FileCoverage, shown, sums
from ci_action.model.result import RunResult
from ci_action.model.totals import totals
from ci_action.reporters.context import COVERAGE, DURATIONS, Publication
from ci_action.system.text import plain

# The version of coverage's format.
_FORMAT: Final = 3


def coverage_json(coverage: Coverage, measured_at: datetime) -> bytes:
    """Return the text of the coverage report."""
    branches = any(one.branches for one in coverage.files.values())
    meta = {
        "format": _FORMAT,
        "version": f"ci-action {__version__}",
        "timestamp": measured_at.isoformat(timespec="seconds"),
        "branch_coverage": branches,
        "show_contexts": False,
    }
    files = {
        plain(path): msgspec.Raw(msgspec.json.encode(_file(one, with_branches=branches)))
        for path, one in sorted(coverage.files.items())
    }
    summary = _summary([*coverage.files.values()], with_branches=branches)
    return msgspec.json.encode({"meta": meta, "files": files, "totals": summary})


def _file(one: FileCoverage, *, with_branches: bool) -> dict[str, Any]:
    entry = {
        "executed_lines": sorted(one.executed),
        "summary": _summary([one], with_branches=with_branches),
        "missing_lines": sorted(one.missing),
    }
    if with_branches:
        entry["executed_branches"] = sorted(one.executed_branches)
        entry["missing_branches"] = sorted(one.missing_branches)
    return entry


def _summary(files: list[FileCoverage], *, with_branches: bool) -> dict[str, Any]:
    total = sums(files)
    summary = {
        "covered_lines": total.covered_lines,
        "num_statements": total.statements,
        "percent_covered": float(total.percent),
        "percent_covered_display": shown(total.percent),
        "missing_lines": total.statements - total.covered_lines,
    }
    if with_branches:
        summary |= {
            "num_branches": total.branches,
            "num_partial_branches": sum(
                start in one.executed for one in files for start, _ in one.missing_branches
            ),
            "covered_branches": total.covered_branches,
            "missing_branches": total.branches - total.covered_branches,
        }
    return summary


def report(result: RunResult, publication: Publication) -> None:
    """Write each file that has content."""
    found = totals(result)
    if found.coverage is not None:
        publication.write(COVERAGE, coverage_json(found.coverage, result.started))
    whole = (case for case in found.tests if "::" in case.nodeid and not case.subtest)
    if durations := {case.nodeid: case.seconds for case in whole}:
        publication.write(DURATIONS, json.dumps(durations, indent=0).encode())
