"""The graph of revisions, by Alembic's own `RevisionMap`: heads and order."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import version as version_of
from typing import Final

from ci_action.system.errors import ToolError

_ILLEGAL: Final = "@-+:"
# Alembic's commands understand them as something else.
_WORDS: Final = frozenset({"base", "head", "heads"})


@dataclass(frozen=True, kw_only=True)
class Node:
    """A revision of the graph."""

    name: str
    down: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    """By names or labels."""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Graph:
    """What Alembic makes of the revisions."""

    order: tuple[str, ...] = ()
    """The names in the order of an upgrade; as they were given if there is a cycle."""
    heads: tuple[str, ...] = ()
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The labels of the branch of each head."""
    cycle: tuple[str, ...] = ()
    """The revisions of a cycle, each before the one that it follows."""


@cache
def version() -> str:
    """Return the version of our Alembic."""
    return version_of("alembic")


def refused(name: str) -> str:
    """Return why Alembic refuses a name; empty if it does not."""
    if name in _WORDS:
        return "a word of Alembic's commands"
    characters = "".join(sorted({*name} & {*_ILLEGAL}))
    return f"it contains {characters!r}" if characters else ""


def graph(nodes: Sequence[Node]) -> Graph:
    """Return the graph of revisions whose names are unique, and whose parents all exist; raises `ToolError`."""
    from alembic.script.revision import (
        Revision,
        RevisionError,
        RevisionMap,
    )  # 0.3 s that other stages do not need

    if cycle := _cycle(nodes):
        return Graph(order=tuple(node.name for node in nodes), cycle=cycle)
    objects: dict[str, Revision] = {}

    def made() -> Iterator[Revision]:
        """Yield new objects, because the map changes them."""
        for node in nodes:
            one = Revision(node.name, node.down or None, node.depends_on or None, node.labels or None)
            objects[node.name] = one
            yield one

    known = RevisionMap(made)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            heads = known.heads
            order = [one.revision for one in known.iterate_revisions("heads", "base", implicit_base=True)]
    except RevisionError as error:
        raise ToolError(f"Alembic cannot read the history: {error}") from error
    labels = {name: frozenset(objects[name].branch_labels) for name in heads}
    return Graph(order=tuple(reversed(order)), heads=heads, labels=labels)


def _cycle(nodes: Sequence[Node]) -> tuple[str, ...]:
    """Return a cycle, each revision before the one that it follows; empty if there is none.

    Alembic does not find every one: where a merge is part of it, its search for an order never ends.
    """
    labelled = {label: node.name for node in nodes for label in node.labels}
    sorter = TopologicalSorter(
        {node.name: [*node.down, *(labelled.get(name, name) for name in node.depends_on)] for node in nodes}
    )
    try:
        sorter.prepare()
    except CycleError as error:
        return tuple(reversed(error.args[1][1:]))
    return ()
