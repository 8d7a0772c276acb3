"""The migrations of a run in its report: the revisions around a change, and what happened to each on a database."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from ci_action.model.finding import Location


class Direction(StrEnum):
    """What a step does with a revision."""

    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    AGAIN = "upgrade again"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One revision, up or down."""

    revision: str
    direction: Direction
    seconds: float
    failed: bool = False


@dataclass(frozen=True)
class Ancestor:
    """The nearest listed revision below another one."""

    name: str
    between: int = 0
    """The number of revisions between the two, which are not listed."""


@dataclass(frozen=True, kw_only=True)
class Migration:
    """A listed revision."""

    name: str
    parents: tuple[Ancestor, ...] = ()
    message: str = ""
    path: str = ""
    """Its file; empty if only the base branch has it, or if it is outside of the workspace."""
    line: int | None = None
    new: bool = False
    """Whether the change adds or modifies it; with an unknown base all are."""

    @property
    def place(self) -> Location | None:
        """Its file, and the line of its name."""
        return Location(path=self.path, line=self.line) if self.path else None


@dataclass(frozen=True, kw_only=True)
class History:
    """The revisions after the merge: those of the change, those that they follow, and the heads."""

    revisions: tuple[Migration, ...]
    """The newest first: each before those that it follows."""
    total: int
    """The number of all revisions."""
    heads: tuple[str, ...]
    base_heads: tuple[str, ...] = ()
    base_known: bool = True
    source: str = ""
    """The configuration of Alembic: `backend/alembic.ini`."""

    @property
    def new(self) -> int:
        """The number of new revisions."""
        return sum(one.new for one in self.revisions)

    def only(self, kept: Collection[str]) -> "History":
        """Return the history with only these revisions listed; ancestors that are not listed are counted."""
        parents = {one.name: one.parents for one in self.revisions}
        revisions = (
            replace(one, parents=tuple(_nearest(one.name, parents, kept)))
            for one in self.revisions
            if one.name in kept
        )
        return replace(self, revisions=tuple(revisions))

    def first(self, most: int) -> "History":
        """Return the history with at most so many listed revisions: the heads, then the newest."""
        if len(self.revisions) <= most:
            return self
        heads = {*self.heads, *self.base_heads}
        ranked = sorted(self.revisions, key=lambda one: one.name not in heads)  # stable
        return self.only({one.name for one in ranked[:most]})


@dataclass(frozen=True, kw_only=True)
class Migrations:
    """What a tool knows about the migrations."""

    histories: tuple[History, ...] = ()
    """One for each configuration of Alembic."""
    database: str = ""
    """The database of the run, for people: `postgresql 17.10, embedded`."""
    weaker: str = ""
    """Why a result on it is worth less than on the database of the project; empty if it is not."""
    steps: tuple[Step, ...] = ()


def _nearest(
    name: str, parents: Mapping[str, Sequence[Ancestor]], kept: Collection[str]
) -> Iterator[Ancestor]:
    """Yield the nearest kept ancestors of a revision, on the shortest way to each."""
    level = {one.name: one.between for one in parents[name]}
    seen = set(level)
    while level:
        following: dict[str, int] = {}
        for ancestor, between in level.items():
            if ancestor in kept:
                yield Ancestor(ancestor, between)
                continue
            for one in parents.get(ancestor, ()):
                if one.name not in seen:
                    seen.add(one.name)
                    following[one.name] = between + 1 + one.between
        level = following


def newest_first(parents: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the revisions with each before those that it follows, and branches in one piece; cycles come last."""
    known = {name: [one for one in dict.fromkeys(found) if one in parents] for name, found in parents.items()}
    children = dict.fromkeys(known, 0)
    for found in known.values():
        for one in found:
            children[one] += 1
    ready = [name for name, number in children.items() if not number]
    order: list[str] = []
    while ready:
        name = ready.pop()
        order.append(name)
        for one in known[name]:
            children[one] -= 1
            if not children[one]:
                ready.append(one)
    placed = set(order)
    return [*order, *(name for name in known if name not in placed)]
