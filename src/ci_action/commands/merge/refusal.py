"""Which bundles make a whole: every reason why some do not, at once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from ci_action.commands.merge.shard import Bundle, read
from ci_action.project.layout import Layout
from ci_action.reporters.report_json.read import BundleError, files_below
from ci_action.system.errors import BundlesError

# Of one kind: what comes after is the same again.
_MOST: Final = 10


def bundles_of(layout: Layout) -> tuple[Bundle, ...]:
    """Read the bundles below the paths of the project, in the order of the shards; raises `BundlesError`."""
    files, reasons = files_below(layout.root / path for path in layout.paths)
    found: list[Bundle] = []
    broken = []
    for file in sorted(files):
        where = layout.shown(file)
        try:
            bundle = read(file, where)
        except BundleError as error:
            broken.append(f"{where}: {error}")
            continue
        if bundle is not None:
            found.append(bundle)
    reasons += _first(broken)
    reasons += problems(found, unreadable=bool(broken), folders=layout.paths)
    if reasons:
        raise BundlesError(reasons)
    return tuple(sorted(found, key=lambda bundle: bundle.part))


def problems(found: Sequence[Bundle], *, unreadable: bool = False, folders: Iterable[str] = ()) -> list[str]:
    """Say why these bundles are no whole; nothing where they are."""
    if not found:
        if unreadable:
            return []
        shown = ", ".join(map(repr, folders))
        advice = "download the report folders of the shards into it, each with its report.json"
        return [f"there is no bundle of a shard below {shown}: {advice}"]
    return [*_totals(found), *_parts(found), *_commits(found), *_tests(found)]


def _totals(found: Sequence[Bundle]) -> Iterator[str]:
    totals: dict[int, Bundle] = {}
    for bundle in found:
        totals.setdefault(bundle.parts, bundle)
    if len(totals) > 1:
        shown = " beside ".join(f"{one.name} ({one.where})" for _, one in sorted(totals.items()))
        yield f"the shards are of different numbers: {shown}; they must be parts of one run"


def _parts(found: Sequence[Bundle]) -> Iterator[str]:
    names = Counter(bundle.name for bundle in found)
    doubled = [name for name, times in names.items() if times > 1]
    for name in doubled[:_MOST]:
        where = ", ".join(bundle.where for bundle in found if bundle.name == name)
        yield f"shard {name} is there {names[name]} times: {where}"
    totals = {bundle.parts for bundle in found}
    if len(totals) > 1:
        return
    [parts] = totals
    missing = [
        f"shard {part}/{parts} is missing" for part in range(1, parts + 1) if f"{part}/{parts}" not in names
    ]
    yield from _first([f"{text}: did its job run, and did it upload its report folder?" for text in missing])


def _commits(found: Sequence[Bundle]) -> Iterator[str]:
    commits: dict[str, Bundle] = {}
    for bundle in found:
        commits.setdefault(bundle.report["commit"], bundle)
    if len(commits) > 1:
        shown = " beside ".join(f"{commit[:12] or 'none'} ({one.where})" for commit, one in commits.items())
        yield f"the shards are of different commits: {shown}"


def _tests(found: Sequence[Bundle]) -> Iterator[str]:
    """Find tests that ran in two shards: then the shards did not split the same tests, and others ran in none."""
    owner: dict[str, Bundle] = {}
    twice: dict[str, tuple[Bundle, Bundle]] = {}
    for bundle in found:
        for nodeid in {case.nodeid for case in bundle.tests if "::" in case.nodeid}:
            first = owner.setdefault(nodeid, bundle)
            if first is not bundle and first.name != bundle.name:
                twice.setdefault(nodeid, (first, bundle))
    if twice:
        name = min(twice)
        first, second = twice[name]
        more = f" (and {len(twice) - 1:,} more tests like it)" if len(twice) > 1 else ""
        yield (
            f"the test {name[:300]!r} ran in shard {first.name} and in shard {second.name}{more}: the shards did not"
            " split the same tests, so others may have run in none; give all of them the same .test_durations"
        )


def _first(texts: Sequence[str]) -> list[str]:
    more = [f"and {len(texts) - _MOST:,} more like it"] if len(texts) > _MOST else []
    return [*texts[:_MOST], *more]
