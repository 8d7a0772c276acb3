"""coverage.xml (Cobertura) and lcov.info: the coverage for other programs, with names relative to the workspace.

Both contain the same as coverage's own files. The rates of Cobertura are fractions with all digits; coverage rounds them to
four, so that 89.996 % becomes 90.
"""

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial

from ci_action import __version__
from ci_action.model.coverage import Coverage, FileCoverage, sums
from ci_action.model.result import RunResult
from ci_action.model.totals import totals
from ci_action.reporters.context import COBERTURA, LCOV, Publication
from ci_action.reporters.encode import xml_attribute

_DOCTYPE = '<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">'


def cobertura(coverage: Coverage, measured_at: datetime) -> Iterator[str]:
    """Yield the Cobertura document in pieces."""
    files = sorted(coverage.files.values(), key=lambda one: one.path)
    yield f'<?xml version="1.0" encoding="utf-8"?>\n{_DOCTYPE}\n'
    covered, valid, hit, branches = sums(files)
    rates = partial(_rates, with_branches=bool(branches))
    yield (
        f'<coverage version="ci-action {__version__}" timestamp="{int(measured_at.timestamp() * 1000)}"'
        f' lines-valid="{valid}" lines-covered="{covered}"{rates(files)}'
        f' branches-covered="{hit}" branches-valid="{branches}" complexity="0">\n'
    )
    yield "<sources><source>.</source></sources>\n<packages>\n"
    packages: dict[str, list[FileCoverage]] = {}
    for one in files:
        packages.setdefault(posixpath.dirname(one.path), []).append(one)
    for folder, inside in packages.items():
        name = xml_attribute(folder.replace("/", ".") or ".")
        yield f'<package name={name}{rates(inside)} complexity="0">\n<classes>\n'
        for one in inside:
            yield from _class(one, rates([one]))
        yield "</classes>\n</package>\n"
    yield "</packages>\n</coverage>\n"


def _class(one: FileCoverage, rates: str) -> Iterator[str]:
    name, path = xml_attribute(posixpath.basename(one.path)), xml_attribute(one.path)
    yield f"<class name={name} filename={path}{rates}"
    yield ' complexity="0">\n<methods/>\n<lines>\n'
    hit, lost = _by_start(one.executed_branches), _by_start(one.missing_branches)
    for line in sorted(one.executed | one.missing):
        branch = ""
        if total := hit[line] + lost[line]:
            share = f"{100 * hit[line] // total}% ({hit[line]}/{total})"
            branch = f' branch="true" condition-coverage="{share}"'
        yield f'<line number="{line}" hits="{int(line in one.executed)}"{branch}/>\n'
    yield "</lines>\n</class>\n"


def _by_start(branches: Iterable[tuple[int, int]]) -> Counter[int]:
    return Counter(start for start, _ in branches)


def _rates(files: Iterable[FileCoverage], *, with_branches: bool) -> str:
    """Return the rates like coverage: 1 for nothing to run, 0 for branches that were not measured."""
    covered, valid, hit, branches = sums(files)
    branch_rate = _rate(hit, branches) if with_branches else "0"
    return f' line-rate="{_rate(covered, valid)}" branch-rate="{branch_rate}"'


def _rate(part: int, whole: int) -> str:
    return "1" if part == whole else "0" if part == 0 else repr(part / whole)


def lcov(coverage: Coverage) -> Iterator[str]:
    """Yield the LCOV tracefile in pieces."""
    for path in sorted(coverage.files):
        one = coverage.files[path]
        yield f"SF:{_field(path)}\n"
        for line in sorted(one.executed | one.missing):
            yield f"DA:{line},{int(line in one.executed)}\n"
        if one.statements:
            yield f"LF:{one.statements}\nLH:{len(one.executed)}\n"
        yield from _branches(one)
        yield "end_of_record\n"


def _branches(one: FileCoverage) -> Iterator[str]:
    if not one.branches:
        return
    hit = _by_start(one.executed_branches)
    # Exits of the function come last, as in coverage's own file.
    for start, end in sorted(
        one.executed_branches | one.missing_branches, key=lambda arc: (arc[0], arc[1] < 0, arc[1])
    ):
        taken = "-" if not hit[start] else str(int((start, end) in one.executed_branches))
        name = f"jump to line {end}" if end > 0 else f"exit {-end}"
        yield f"BRDA:{start},0,{name},{taken}\n"
    yield f"BRF:{one.branches}\nBRH:{one.covered_branches}\n"


def _field(text: str) -> str:
    """Return text for a record of one line: LCOV cannot escape, so characters that do not print become `?`."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def report(result: RunResult, publication: Publication) -> None:
    """Write both files if the run has coverage."""
    coverage = totals(result).coverage
    if coverage is None:
        return
    text = "".join(cobertura(coverage, result.started))
    publication.write(COBERTURA, text.encode("utf-8"))
    publication.write(LCOV, "".join(lcov(coverage)).encode("utf-8"))
