"""Which shards make a whole: every reason why some do not, at once."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from ci_action.commands.merge.shard import Shard, read
from ci_action.project.layout import Layout
from ci_action.reporters.report_json.read import ReportFolderError, files_below
from ci_action.system.errors import ShardsError

# Of one kind: what comes after is the same again.
_MOST: Final = 10


def shards_of(layout: Layout) -> tuple[Shard, ...]:
    """Read the shards below the paths of the project, in their order; raises `ShardsError`."""
    files, reasons = files_below(layout.root / path for path in layout.paths)
    found: list[Shard] = []
    broken = []
    for file in sorted(files):
        where = layout.shown(file)
        try:
            shard = read(file, where)
        except ReportFolderError as error:
            broken.append(f"{where}: {error}")
            continue
        if shard is not None:
            found.append(shard)
    reasons += _first(broken)
    reasons += problems(found, unreadable=bool(broken), folders=layout.paths)
    if reasons:
        raise ShardsError(reasons)
    return tuple(sorted(found, key=lambda shard: shard.part))


def problems(found: Sequence[Shard], *, unreadable: bool = False, folders: Iterable[str] = ()) -> list[str]:
    """Say why these shards are no whole; nothing where they are."""
    if not found:
        if unreadable:
            return []
        shown = ", ".join(map(repr, folders))
        advice = "download the report folders of the shards into it, each with its report.json"
        return [f"no report folder of a shard found below {shown}: {advice}"]
    return [*_totals(found), *_parts(found), *_commits(found), *_tests(found)]


def _totals(found: Sequence[Shard]) -> Iterator[str]:
    totals: dict[int, Shard] = {}
    for shard in found:
        totals.setdefault(shard.parts, shard)
    if len(totals) > 1:
        shown = " beside ".join(f"{one.name} ({one.where})" for _, one in sorted(totals.items()))
        yield f"the shards are of different numbers: {shown}; they must be parts of one run"


def _parts(found: Sequence[Shard]) -> Iterator[str]:
    names = Counter(shard.name for shard in found)
    doubled = [name for name, times in names.items() if times > 1]
    for name in doubled[:_MOST]:
        where = ", ".join(shard.where for shard in found if shard.name == name)
        yield f"shard {name} is there {names[name]} times: {where}"
    totals = {shard.parts for shard in found}
    if len(totals) > 1:
        return
    [parts] = totals
    missing = [
        f"shard {part}/{parts} is missing" for part in range(1, parts + 1) if f"{part}/{parts}" not in names
    ]
    yield from _first([f"{text}: did its job run, and did it upload its report folder?" for text in missing])


def _commits(found: Sequence[Shard]) -> Iterator[str]:
    commits: dict[str, Shard] = {}
    for shard in found:
        commits.setdefault(shard.report["commit"], shard)
    if len(commits) > 1:
        shown = " beside ".join(f"{commit[:12] or 'none'} ({one.where})" for commit, one in commits.items())
        yield f"the shards are of different commits: {shown}"


def _tests(found: Sequence[Shard]) -> Iterator[str]:
    """Find tests that ran in two shards: then the shards did not split the same tests, and others ran in none."""
    owner: dict[str, Shard] = {}
    twice: dict[str, tuple[Shard, Shard]] = {}
    for shard in found:
        for nodeid in {case.nodeid for case in shard.tests if "::" in case.nodeid}:
            first = owner.setdefault(nodeid, shard)
            if first is not shard and first.name != shard.name:
                twice.setdefault(nodeid, (first, shard))
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
