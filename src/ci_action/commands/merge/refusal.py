"""Which shards are complete: reports every reason why they are not."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from ci_action.commands.merge.shard import Shard, read
from ci_action.project.layout import Layout
from ci_action.reporters.report_json.read import ReportFolderError, files_below
from ci_action.system.errors import ShardsError

# Reasons of one kind: the others are similar.
_MOST: Final = 10


def shards_of(layout: Layout) -> tuple[Shard, ...]:
    """Read the shards below the paths of the project, in their order; raises `ShardsError`."""
    files, reasons = files_below(layout.root / path for path in layout.paths)
    found: list[Shard] = []
    unusable = []
    for file in sorted(files):
        where = layout.shown(file)
        try:
            shard = read(file, where)
        except ReportFolderError as error:
            unusable.append(f"{where}: {error}")
            continue
        if shard is not None:
            found.append(shard)
    reasons += _first(unusable)
    if found:
        reasons += [*_differences(found), *_parts(found), *_tests(found)]
    elif not unusable:
        shown = ", ".join(map(repr, layout.paths))
        advice = "download the report folders of the shards into it, each with its report.json"
        reasons.append(f"no report folder of a shard found below {shown}: {advice}")
    if reasons:
        raise ShardsError(reasons)
    return tuple(sorted(found, key=lambda shard: shard.part))


def _differences(found: Sequence[Shard]) -> Iterator[str]:
    if shown := _differing(found, lambda one: one.parts, lambda one: one.name):
        yield f"the numbers of shards differ: {shown}; all shards must be from one run"
    if shown := _differing(
        found, lambda one: one.report.commit, lambda one: one.report.commit[:12] or "none"
    ):
        yield f"the commits of the shards differ: {shown}"


def _differing(found: Sequence[Shard], key: Callable[[Shard], Any], text: Callable[[Shard], str]) -> str:
    """Return one shard for each value; empty if the value of all is the same."""
    first = {key(shard): shard for shard in reversed(found)}
    shown = (f"{text(one)} ({one.where})" for _, one in sorted(first.items()))
    return " and ".join(shown) if len(first) > 1 else ""


def _parts(found: Sequence[Shard]) -> Iterator[str]:
    names = Counter(shard.name for shard in found)
    for name in [name for name, times in names.items() if times > 1][:_MOST]:
        where = ", ".join(shard.where for shard in found if shard.name == name)
        yield f"duplicate results for shard {name}: {where}"
    parts = found[0].parts
    if all(shard.parts == parts for shard in found):
        missing = [name for part in range(1, parts + 1) if (name := f"{part}/{parts}") not in names]
        yield from _first(
            [f"shard {name} is missing: did its job run and upload its report folder?" for name in missing]
        )


def _tests(found: Sequence[Shard]) -> Iterator[str]:
    """Find tests that ran in two shards: then the shards did not split the same tests, and some may not have run."""
    owner: dict[str, Shard] = {}
    twice: dict[str, tuple[Shard, Shard]] = {}
    for shard in found:
        for nodeid in {case.nodeid for case in shard.tests if "::" in case.nodeid}:
            first = owner.setdefault(nodeid, shard)
            if first.name != shard.name:
                twice.setdefault(nodeid, (first, shard))
    if twice:
        name = min(twice)
        first, second = twice[name]
        more = f" (and {len(twice) - 1:,} more)" if len(twice) > 1 else ""
        yield (
            f"the test {name[:300]!r} ran in shard {first.name} and in shard {second.name}{more}: the shards did not"
            " split the same tests, so some may not have run; use the same .test_durations for all"
        )


def _first(texts: Sequence[str]) -> list[str]:
    more = [f"and {len(texts) - _MOST:,} more"] if len(texts) > _MOST else []
    return [*texts[:_MOST], *more]
