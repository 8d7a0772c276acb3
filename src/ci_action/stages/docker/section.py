"""The section of the docker stage: the image, the steps of its build, how its container answered, and its layers."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.docker import BuildStep, Image, Layer, Probe
from ci_action.model.result import Counted, Report, StageResult
from ci_action.model.section import (
    Block,
    Channel,
    Facts,
    Item,
    Items,
    Line,
    Link,
    Look,
    Ours,
    Section,
    Table,
    Tile,
)
from ci_action.system.text import counted, data_size, duration

# So many rows stay in the order of the Dockerfile; of more, those that matter most come first.
FEW: Final = 12
_PAGE: Final = frozenset({Channel.PAGE})
_CHARTS: Final = frozenset({Channel.SUMMARY, Channel.PAGE})
_TABLES: Final = frozenset({Channel.CONSOLE, Channel.SUMMARY, Channel.PAGE})
_PROBES: Final = tuple(map(Ours, ("Asked", "After the start", "Tries", "Answer")))
_STEPS: Final = tuple(map(Ours, ("Step", "Time", "Outcome")))


def known_of(stage: StageResult) -> Image:
    """Return what the tools of a stage know together."""
    found = [tool.outcome.image or Image() for tool in stage.tools]
    return Image(
        name=next((one.name for one in found if one.name), ""),
        id=next((one.id for one in found if one.id), ""),
        size=next((one.size for one in found if one.size is not None), None),
        limit=next((one.limit for one in found if one.limit is not None), None),
        base_size=next((one.base_size for one in found if one.base_size is not None), None),
        engine=next((one.engine for one in found if one.engine), ""),
        steps=tuple(chain.from_iterable(one.steps for one in found)),
        layers=tuple(chain.from_iterable(one.layers for one in found)),
        probes=tuple(chain.from_iterable(one.probes for one in found)),
    )


def of(stage: StageResult, _: Pull | NoPull) -> tuple[Section, ...]:
    """Return the section; none if no tool knows anything about an image."""
    image = known_of(stage)
    blocks = tuple(_blocks(image, stage))
    if not blocks:
        return ()
    return (Section(title=Ours("Image"), blocks=blocks, tile=_tile(image)),)


def _tile(image: Image) -> Tile | None:
    if image.size is None:
        return None
    return Tile(data_size(image.size), Ours("image"), Look.FAILED if _excess(image) else Look.PLAIN)


def _excess(image: Image) -> int:
    """Return the bytes above the limit."""
    return 0 if image.size is None or image.limit is None else max(0, image.size - image.limit)


def _blocks(image: Image, stage: StageResult) -> Iterator[Block]:
    if facts := tuple(_facts(image, stage)):
        yield Facts(rows=facts)
    yield from _sizes(image)
    if image.probes:
        yield Table(title=Ours("The running container"), head=_PROBES, rows=tuple(map(_probe, image.probes)))
    outcomes = [tool.outcome for tool in stage.tools]
    notes = [line for one in outcomes if isinstance(one, Report) and one.image for line in one.details]
    if notes:
        yield Items(
            title=Ours("Notes"), rows=tuple(Item((line,), look=Look.PLAIN) for line in notes), on=_TABLES
        )
    if image.layers:
        yield Items(title=Ours("Layers"), rows=tuple(_layers(image.layers)), on=_CHARTS)
    if image.steps:
        yield Table(
            title=Ours("Build"), head=_STEPS, rows=tuple(map(_step, _sorted(image.steps))), on=_TABLES
        )


def _facts(image: Image, stage: StageResult) -> Iterator[tuple[str, Line]]:
    if image.name:
        yield Ours("Image"), (image.name,)
    if image.id:
        yield Ours("Id"), (image.id,)
    if image.size is not None:
        yield Ours("Size"), (*((Look.FAILED,) if _excess(image) else ()), Ours(_size(image, image.size)))
    if image.engine:
        yield Ours("Built by"), (image.engine,)
    if image.steps:
        yield Ours("Steps"), (Ours(_total(image.steps)),)
    if audited := _audited(stage):
        yield Ours("Python packages"), (Ours(audited),)


def _size(image: Image, size: int) -> str:
    parts = [data_size(size)]
    if image.limit is not None:
        limit = f"the limit of {data_size(image.limit)}"
        excess = _excess(image)
        parts.append(f"{data_size(excess)} above {limit}" if excess else f"within {limit}")
    if image.base_size is not None:
        more = size - image.base_size
        amount = f"{data_size(abs(more))} {'more' if more > 0 else 'less'}" if more else "the same"
        parts.append(f"{amount} {'than' if more else 'as'} on the base branch")
    return ", ".join(parts)


def _total(steps: Sequence[BuildStep]) -> str:
    cached = sum(one.cached for one in steps)
    total = duration(sum(one.seconds for one in steps))
    return f"{counted(len(steps), 'step')} in {total}, {cached:,} cached"


def _audited(stage: StageResult) -> str:
    """Return the number of Python packages that were audited in the image; empty if there are none."""
    number, rest = (
        sum(tool.examined.get(kind, 0) for tool in stage.tools)
        for kind in (Counted.PACKAGES, Counted.SKIPPED)
    )
    if not number and not rest:
        return ""
    return f"{number:,} audited" + (f", {rest:,} not audited" if rest else "")


def _sizes(image: Image) -> Iterator[Items]:
    """Yield the size beside that of the base branch, with a mark at the limit."""
    if image.size is None or (image.limit is None and image.base_size is None):
        return
    whole = max(image.size, image.limit or 0, image.base_size or 0, 1)
    mark = None if image.limit is None else image.limit * 100 / whole
    look = Look.FAILED if _excess(image) else Look.PASSED
    named = (("this image", image.size, look), ("base branch", image.base_size, Look.SKIPPED))
    rows = tuple(
        Item((Ours(name),), figure=Ours(data_size(size)), share=size * 100 / whole, mark=mark, look=one)
        for name, size, one in named
        if size is not None
    )
    yield Items(rows=rows, on=_PAGE)


def _probe(probe: Probe) -> tuple[Line, ...]:
    look = Look.FAILED if probe.failed else Look.PASSED
    after = duration(probe.seconds)
    return (probe.name,), (Ours(after),), (Ours(f"{probe.tries:,}"),), (look, probe.answer)


def _layers(layers: Sequence[Layer]) -> Iterator[Item]:
    """Yield the layers of the base image as one, then those of the Dockerfile that are not empty."""
    whole = max(sum(one.size for one in layers), 1)
    base, own = ([one for one in layers if one.own is ours] for ours in (False, True))
    if base:
        name = Ours(f"base image, {counted(len(base), 'layer')}")
        yield _layer((name,), sum(one.size for one in base), whole, Look.SKIPPED)
    filled = [one for one in own if one.size]
    if len(filled) > FEW:
        filled.sort(key=lambda one: -one.size)
    for one in filled:
        yield _layer((one.command,), one.size, whole, Look.NOTICE)


def _layer(line: Line, size: int, whole: int, look: Look) -> Item:
    return Item(line, figure=Ours(data_size(size)), share=size * 100 / whole, look=look)


def _sorted(steps: Sequence[BuildStep]) -> Sequence[BuildStep]:
    """Return the steps in their order; if there are many, those that failed and the slowest first."""
    if len(steps) <= FEW:
        return steps
    return sorted(steps, key=lambda one: (not one.failed, one.cached, -one.seconds))


def _step(step: BuildStep) -> tuple[Line, ...]:
    name = Link(step.name, place=step.place) if step.place else step.name
    look, word = (
        (Look.FAILED, "failed") if step.failed else (Look.PASSED, "cached" if step.cached else "done")
    )
    return (name,), (Ours("" if step.cached else duration(step.seconds)),), (look, Ours(word))
