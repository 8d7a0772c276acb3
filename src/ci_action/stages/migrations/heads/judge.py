"""What is wrong with a history: a function of the heads of its files."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from ci_action.model.finding import Finding, Location
from ci_action.stages.migrations.heads.commands import Commands
from ci_action.stages.migrations.heads.files import RevisionFile
from ci_action.stages.migrations.heads.graph import Graph, Node, graph, refused
from ci_action.stages.migrations.heads.header import Header
from ci_action.stages.migrations.model import Revision
from ci_action.system.text import listed, quoted

TOOL: Final = "heads"
_DOCS: Final = "https://alembic.sqlalchemy.org/en/latest"
_ILLEGAL: Final = re.compile("[@:+-]")
_LABELS: Final = "branch_labels"
_URLS: Final = {
    "multiple-heads": f"{_DOCS}/branches.html#working-with-branches",
    "missing-parent": f"{_DOCS}/tutorial.html#create-a-migration-script",
    "cycle": f"{_DOCS}/api/script.html#alembic.script.revision.CycleDetected",
    "duplicate-revision": f"{_DOCS}/tutorial.html#create-a-migration-script",
    "syntax": f"{_DOCS}/tutorial.html#create-a-migration-script",
}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A revision: its file, and the head of it."""

    file: RevisionFile
    header: Header

    @property
    def name(self) -> str:
        """The name of the revision; its path, as far as a name allows that, if only an import reveals it."""
        return self.header.name or _ILLEGAL.sub("_", self.file.place)

    def at(self, line: int) -> Location:
        """Return a line of its file."""
        return Location(path=self.file.place, line=line)

    @property
    def shown(self) -> str:
        """The revision and its file, for people."""
        return f"{self.name!r} ({self.file.place})"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known beside the files."""

    author: Callable[[RevisionFile], str] = field(default=lambda _: "")
    """Returns who wrote a file; empty if that is unknown."""
    commands: Commands = field(default_factory=Commands)
    base: str = ""
    """The branch that the checkout was merged with, for people; empty if it was not."""
    known: bool = True
    """Whether the change is known: otherwise all revisions count as new."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A history, and what is wrong with it."""

    revisions: tuple[Revision, ...] = ()
    heads: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    open: tuple[str, ...] = ()
    """The values that only an import reveals, for people."""


def syntax(file: RevisionFile, reason: str, line: int | None) -> Finding:
    """Return the finding about a file that Alembic cannot read."""
    return _finding(
        "syntax",
        f"Alembic cannot read the revision: {reason}",
        Location(path=file.place, line=line),
        new=file.new,
    )


def judged(entries: Sequence[Entry], facts: Facts) -> Judged:
    """Return the history of these revisions, in the order of an upgrade."""
    return _Judge(tuple(entries), facts).judged()


def _finding(rule: str, message: str, place: Location, *, new: bool | None) -> Finding:
    return Finding(tool=TOOL, rule=rule, message=message, location=place, url=_URLS[rule], new=new)


@dataclass(frozen=True)
class _Judge:
    every: tuple[Entry, ...]
    facts: Facts

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """The revisions by name: of several with one name Alembic takes the last."""
        return {one.name: one for one in self.every}

    @cached_property
    def labels(self) -> Mapping[str, Entry]:
        """The revisions by their labels: the first one keeps a label."""
        found: dict[str, Entry] = {}
        for one in self.entries.values():
            for label in one.header.labels:
                found.setdefault(label, one)
        return found

    def judged(self) -> Judged:
        """Find what is wrong in the order in which Alembic would fail."""
        findings = [*self.illegal(), *self.duplicates(), *self.missing()]
        if any(refused(name) for name in self.entries):
            return Judged(
                revisions=self.revisions(tuple(self.entries)), findings=tuple(findings), open=self.open()
            )
        found = graph([self.node(one) for one in self.entries.values()])
        findings += [self.cycle(found.cycle)] if found.cycle else []
        if not findings:
            findings += self.several(found)
        return Judged(
            revisions=self.revisions(found.order),
            heads=found.heads,
            findings=tuple(findings),
            open=self.open(),
        )

    def node(self, one: Entry) -> Node:
        """Return a revision with what exists of it: the rest is a finding."""
        header = one.header
        return Node(
            name=one.name,
            down=tuple(name for name in header.down if name in self.entries),
            depends_on=tuple(
                name for name in header.depends_on if name in self.entries or name in self.labels
            ),
            labels=tuple(
                label
                for label in dict.fromkeys(header.labels)
                if self.labels[label] is one and label not in self.entries
            )
            + ((one.file.place,) if _LABELS in header.open else ()),  # whatever it is, the branch has a label
        )

    def revisions(self, order: Sequence[str]) -> tuple[Revision, ...]:
        """Return the revisions in an order."""
        return tuple(
            Revision(
                name=one.name,
                down=one.header.down,
                depends_on=one.header.depends_on,
                labels=one.header.labels,
                message=one.header.message,
                place=one.at(one.header.line),
                path=one.file.path,
                new=one.file.new or not self.facts.known,
            )
            for one in (self.entries[name] for name in order)
        )

    def open(self) -> tuple[str, ...]:
        """Name the values that only an import reveals."""
        return tuple(
            f"{listed([f'`{name}`' for name in one.header.open])} of {one.file.place}"
            for one in self.every
            if one.header.open
        )

    def illegal(self) -> Iterator[Finding]:
        """Find names that Alembic refuses."""
        for one in self.every:
            if one.header.name and (reason := refused(one.name)):
                yield syntax(
                    one.file, f"{one.name!r} is not the name of a revision: {reason}", one.header.line
                )

    def duplicates(self) -> Iterator[Finding]:
        """Find names and labels that several revisions have."""
        by_name: dict[str, list[Entry]] = {}
        for one in self.every:
            by_name.setdefault(one.name, []).append(one)
        for name, several in by_name.items():
            if len(several) > 1:
                yield self.duplicate(f"the revision {name!r}", several, "a new name")
        for one in self.entries.values():
            for label in dict.fromkeys(one.header.labels):
                other = self.entries.get(label) or self.labels[label]
                if other is not one or label in self.entries:
                    yield self.duplicate(f"the name {label!r}", [other, one], "another label")

    def duplicate(self, what: str, several: Sequence[Entry], instead: str) -> Finding:
        """Return the finding on the newest of several revisions."""
        newest = next((one for one in reversed(several) if one.file.new), several[-1])
        files = " and ".join(self.described(one) for one in dict.fromkeys(several))
        message = f"{what} exists {len(several)} times: {files}; give one of them {instead}"
        return _finding(
            "duplicate-revision", message, newest.at(newest.header.line), new=self.is_new(several)
        )

    def missing(self) -> Iterator[Finding]:
        """Find revisions that follow, or depend on, one that does not exist."""
        if any("revision" in one.header.open for one in self.every):
            return
        labelled = any(_LABELS in one.header.open for one in self.every)
        for one in self.every:
            header = one.header
            for name in header.down:
                if name not in self.entries:
                    yield self.absent(one, "down_revision", name, header.down_line)
            for name in header.depends_on:
                if not labelled and name not in self.entries and name not in self.labels:
                    yield self.absent(one, "depends_on", name, header.depends_line)

    def absent(self, one: Entry, variable: str, name: str, line: int) -> Finding:
        """Return the finding about a name without a revision."""
        alike = [known for known in self.entries if name and known.startswith(name)]
        if len(alike) == 1:
            advice = f"write the whole name, {alike[0]!r}"
        elif name in self.labels:
            advice = f"it is a label: write the name of a revision, such as {self.labels[name].name!r}"
        else:
            advice = "add the file of that revision, or name one that exists"
        message = f"`{variable}` of {one.name!r} is {name!r}, and no revision has this name: {advice}"
        return _finding("missing-parent", message, one.at(line), new=self.is_new([one]))

    def cycle(self, names: Sequence[str]) -> Finding:
        """Return the finding about revisions that follow each other."""
        several = [self.entries[name] for name in names]
        one = next((entry for entry in several if entry.file.new), several[0])
        circle = " → ".join(repr(name) for name in (*names, names[0]))
        files = quoted([entry.file.place for entry in several])
        message = (
            f"the revisions follow each other in a cycle: {circle}; change `down_revision` in one of {files}"
        )
        return _finding("cycle", message, one.at(one.header.down_line), new=self.is_new(several))

    def several(self, found: Graph) -> Iterator[Finding]:
        """Find heads that are not each on a labelled branch of its own."""
        shared = [label for head in found.heads for label in found.labels[head]]
        own = {head for head in found.heads if any(shared.count(label) == 1 for label in found.labels[head])}
        unclear = sum(not {"revision", "down_revision"}.isdisjoint(one.header.open) for one in self.every)
        heads = [self.entries[name] for name in found.heads]
        loose = [one for one in heads if one.name not in own]
        if loose and len(heads) - unclear > 1:
            yield self.forked(heads if len(loose) == 1 else loose)

    def forked(self, heads: Sequence[Entry]) -> Finding:
        """Return the finding about several heads, on the revision of the change that would have to move."""
        heads = sorted(heads, key=lambda one: one.file.new)
        news = [one for one in heads if one.file.new]
        moved = self.lowest(news[-1] if news else heads[-1])
        others = [one for one in heads if one not in news] or heads[:-1]
        what = ", ".join(self.described(one) for one in heads)
        merge = self.facts.commands.merge([one.name for one in heads])
        after = f" after the merge with {self.facts.base}" if self.facts.base else ""
        ways = []
        if len(others) == 1 and len(news) <= 1:
            ways.append(
                f"set `down_revision = {others[0].name!r}` in {moved.file.place}, line {moved.header.down_line}"
            )
        if merge:
            first = f"merge {self.facts.base} and run " if any(one.file.of_base for one in heads) else "run "
            ways.append(f"{first}`{merge}`")
        ways.append("label each branch by `branch_labels`" if ways else "make one follow the other")
        message = f"{len(heads)} heads{after}: {what}; {', or '.join(ways)}"
        return _finding("multiple-heads", message, moved.at(moved.header.down_line), new=self.is_new(heads))

    def lowest(self, one: Entry) -> Entry:
        """Return the first revision of the change below a head: it is the one that has to follow another."""
        seen = {one.name}
        while len(one.header.down) == 1:
            parent = self.entries[one.header.down[0]]
            if not (one.file.new and parent.file.new) or parent.name in seen:
                break
            seen.add(parent.name)
            one = parent
        return one

    def described(self, one: Entry) -> str:
        """Return a revision with its file and author."""
        author = self.facts.author(one.file)
        return f"{one.name!r} ({one.file.place}{f' by {author}' if author else ''})"

    def is_new(self, entries: Sequence[Entry]) -> bool | None:
        """Return whether the change has a part in it; None if the change is unknown."""
        return any(one.file.new for one in entries) if self.facts.known else None
