"""The events of our pytest plugin: which tests ran, their outcomes, and whether pytest finished."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Final, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType, convert

from ci_action.engine.test_run.cause import error_in
from ci_action.model.tests import TestCase, TestOutcome, TestWarning
from ci_action.project.layout import Layout
from ci_action.system.json_fields import MOST, json_object
from ci_action.system.text import plain

UNENDED: Final = "it started and never finished"
LONGEST_LINE: Final = 16_000_000
"""Bytes: our plugin cuts the texts, but the name of a test may hold a whole parameter."""
_ORDER: Final = {"setup": 0, "call": 1, "teardown": 2}
_WARNINGS: Final = frozenset({"warning", "again"})
_INSTALLED: Final = "site-packages/"
_ENDS: Final = frozenset({"passed", "failed", "skipped"})


@dataclass(kw_only=True)
class Session:
    """What one start of pytest reported."""

    started: bool = False
    pytest: str = ""
    python: str = ""
    cases: list[TestCase] = field(default_factory=list)
    deselected: int = 0
    warnings: int = 0
    """The number of warnings that pytest recorded."""
    noted: tuple[TestWarning, ...] = ()
    """These warnings, each once; without those beyond the first thousand different ones."""
    internal: str = ""
    finished: bool = False
    exit: int = 0
    collected: int = 0
    """The number of tests to run, without deselected ones."""
    dropped: int = 0
    """The number of tests that were collected, but neither ran nor were reported as deselected."""
    dropped_names: tuple[str, ...] = ()
    """The first of them."""
    malformed: str = ""
    """The error in the first line that our plugin cannot have written."""

    @property
    def reported(self) -> int:
        """The number of collected tests that reported an outcome."""
        return sum(not case.subtest and "::" in case.nodeid for case in self.cases)


# What the system can hold as a file name.
_Name: TypeAlias = Annotated[str, Meta(pattern=r"\A[^\x00\ud800-\udc7f\udd00-\udfff]*\Z")]
_Line: TypeAlias = Annotated[int, Meta(ge=1, le=MOST)]
_Count: TypeAlias = Annotated[int, Meta(ge=0, le=MOST)]
_Frames: TypeAlias = tuple[tuple[_Name, _Line], ...]


class _Start(Struct):
    pytest: str
    python: str
    root: _Name


class _Phase(Struct):
    """One event of a test: its set-up, its call, its tear-down, or a subtest."""

    nodeid: _Name
    when: str
    outcome: str
    seconds: Annotated[float, Meta(ge=0, le=MOST)]
    at: tuple[str, _Line] | UnsetType = UNSET
    xfail: str | UnsetType = UNSET
    subtest: str | UnsetType = UNSET
    message: str = ""
    text: str = ""
    printed: tuple[tuple[str, str], ...] = ()
    places: _Frames = ()


class _Collected(Struct):
    """The number of tests to run, which is only shown meanwhile."""

    tests: _Count


class _Collection(Struct):
    """A module or a package that could not be collected."""

    nodeid: _Name
    text: str
    places: _Frames = ()


class _Warning(Struct):
    """A warning that is the first of its kind."""

    category: str
    text: str
    place: tuple[_Name, _Line]


class _Again(Struct):
    """A warning like an earlier one, by its number; None for one of too many."""

    number: _Count | None


class _Internal(Struct):
    text: str


class _Finish(Struct):
    exit: Annotated[int, Meta(ge=-(2**31), le=MOST)]
    collected: _Count
    deselected: _Count
    dropped: _Count
    dropped_names: tuple[_Name, ...]


_Event: TypeAlias = _Start | _Phase | _Collected | _Collection | _Warning | _Again | _Internal | _Finish
_EVENTS: Final[Mapping[str, type[_Event]]] = {
    "start": _Start,
    "test": _Phase,
    "collected": _Collected,
    "collect": _Collection,
    "warning": _Warning,
    "again": _Again,
    "internal": _Internal,
    "finish": _Finish,
}


class _Reading:
    """Reads the events of one session in their order."""

    def __init__(self) -> None:
        self.session = Session()
        self.root = ""
        self.phases: dict[str, list[_Phase]] = {}
        self.subtests: list[_Phase] = []
        self.collections: list[_Collection] = []
        self.warnings: list[_Warning] = []
        self.repeated: Counter[int | None] = Counter()

    def read(self, line: bytes) -> None:
        """Read one event; raises `ValueError` for what our plugin cannot have written at this place."""
        session = self.session
        match _event(line, session):
            case _Start() if session.started:
                raise ValueError("it is a second start")
            case _Start() as start:
                self.root, session.started = start.root, True
                session.pytest, session.python = plain(start.pytest), plain(start.python)
            case _Phase() as phase if phase.subtest is UNSET:
                self.phases.setdefault(phase.nodeid, []).append(phase)
            case _Phase() as part:
                self.subtests.append(part)
            case _Collected():
                pass
            case _Collection() as collection:
                self.collections.append(collection)
            case _Warning() | _Again() as warning:
                self._warn(warning)
            case _Internal() as error:
                session.internal = plain(error.text) or "no reason given"
            case _Finish() as end:
                session.exit, session.collected, session.finished = end.exit, end.collected, True
                session.deselected = end.deselected
                session.dropped, session.dropped_names = end.dropped, end.dropped_names

    def _warn(self, warning: _Warning | _Again) -> None:
        self.session.warnings += 1
        if isinstance(warning, _Warning):
            self.warnings.append(warning)
        else:
            self.repeated[warning.number] += 1


def _event(line: bytes, session: Session) -> _Event:
    if len(line) > LONGEST_LINE:
        raise ValueError("it is too long")
    fields = json_object(line)
    kind = str(fields.get("event"))
    if not session.started and kind not in {"start", "internal", *_WARNINGS}:
        raise ValueError("it comes before the start")
    if session.finished and kind not in _WARNINGS:
        raise ValueError("it comes after the end")
    if kind not in _EVENTS:
        raise ValueError("it is an unknown event")
    return convert(fields, _EVENTS[kind])


def parse(lines: Iterable[bytes], layout: Layout) -> Session:
    """Read the events, one a line; `malformed` is about the first line that our plugin cannot have written."""
    reading = _Reading()
    session = reading.session
    for number, line in enumerate(lines, 1):
        try:
            reading.read(line)
        except ValueError as error:
            # A process that died while it wrote leaves a part of a line, and no end.
            torn = not line.endswith(b"\n") and not session.finished and len(line) <= LONGEST_LINE
            if not torn and not session.malformed:
                session.malformed = f"line {number:,}: {error}"
    places = _Places(layout, reading.root or str(layout.root))
    cases = [_collection(event, places) for event in reading.collections]
    failed_parts = Counter(part.nodeid for part in reading.subtests if part.outcome == "failed")
    cases += [_case(phases, places, failed_parts) for phases in reading.phases.values()]
    cases += [_subtest(part, places) for part in reading.subtests]
    session.noted = tuple(
        TestWarning(
            category=plain(one.category),
            message=plain(one.text),
            path=places.warned(one.place[0]),
            line=one.place[1],
            number=1 + reading.repeated[number],
        )
        for number, one in enumerate(reading.warnings)
    )
    # Lone surrogates in texts for people are replaced: some channels cannot hold them.
    session.cases = [
        replace(case, message=plain(case.message), detail=plain(case.detail), subtest=plain(case.subtest))
        for case in cases
    ]
    return session


@dataclass(frozen=True)
class _Places:
    layout: Layout
    root: str

    def of(self, nodeid: str) -> str:
        """Return the file of a test, relative to the workspace."""
        name = nodeid.partition("::")[0]
        return self.layout.relative(os.path.join(self.root, name)) if name else ""

    def warned(self, file: str) -> str:
        """Return the file of a warning; that of an installed package without the place of the environment."""
        installed = file.rpartition(_INSTALLED)[2]
        path = self.layout.relative(os.path.join(self.root, file)) if installed == file else installed
        return path if not os.path.isabs(path) else os.path.basename(path)

    def innermost(self, frames: _Frames, nodeid: str) -> tuple[str, int | None]:
        """Return the last place of a traceback inside the project."""
        return innermost(frames, self.layout, self.root) or (self.of(nodeid), None)


def innermost(frames: Iterable[tuple[str, int]], layout: Layout, root: str) -> tuple[str, int] | None:
    """Return the last place of a traceback inside the project; None if there is none. Paths are relative to `root`."""
    workspace = os.path.realpath(layout.workspace)
    found = None
    for file, line in frames:
        path = os.path.realpath(os.path.join(root, file))
        inside = path.startswith(workspace + os.sep) and "site-packages" not in path
        if inside and os.path.isfile(path):
            found = (layout.relative(path), line)
    return found


def _collection(event: _Collection, places: _Places) -> TestCase:
    path, line = places.innermost(event.places, event.nodeid)
    return TestCase(
        nodeid=event.nodeid or "the collection",
        outcome=TestOutcome.ERROR,
        path=path,
        line=line,
        message=error_in(event.text) or "could not be collected",
        detail=event.text,
    )


def _case(phases: Sequence[_Phase], places: _Places, failed_parts: Counter[str]) -> TestCase:
    phases = sorted(phases, key=lambda phase: _ORDER.get(phase.when, 1))
    nodeid = phases[0].nodeid
    seconds = sum(phase.seconds for phase in phases)
    line = next((phase.at[1] for phase in phases if phase.at is not UNSET), None)
    case = TestCase(
        nodeid=nodeid, outcome=TestOutcome.PASSED, seconds=seconds, path=places.of(nodeid), line=line
    )
    worst = next((phase for phase in phases if phase.outcome == "failed"), None)
    if worst is not None:
        return _failed(case, worst, places)
    if failed_parts[nodeid]:
        message = f"{failed_parts[nodeid]} of its subtests failed"
        return replace(case, outcome=TestOutcome.FAILED, message=message)
    outcome, message = _ended(phases)
    return replace(case, outcome=outcome, message=message)


def _ended(phases: Iterable[_Phase]) -> tuple[TestOutcome, str]:
    """Return the outcome of a test without failures, and the reason."""
    # Plugins that rerun a test report `rerun` or the like for earlier tries, which is not an outcome.
    phases = [phase for phase in phases if phase.outcome in _ENDS]
    skipped = next((phase for phase in phases if phase.outcome == "skipped"), None)
    if skipped is not None:
        if skipped.xfail is not UNSET:
            return TestOutcome.XFAILED, skipped.xfail
        return TestOutcome.SKIPPED, skipped.message.removeprefix("Skipped: ")
    if not any(phase.when == "call" for phase in phases):  # its set-up passed, and nothing else was reported
        return TestOutcome.ERROR, UNENDED
    reasons = [phase.xfail for phase in phases if phase.xfail is not UNSET]
    return (TestOutcome.XPASSED, reasons[0]) if reasons else (TestOutcome.PASSED, "")


def _failed(case: TestCase, phase: _Phase, places: _Places) -> TestCase:
    path, line = places.innermost(phase.places, case.nodeid)
    printed = "".join(f"\n--- {name}\n{text}" for name, text in phase.printed)
    return replace(
        case,
        outcome=TestOutcome.FAILED if phase.when == "call" else TestOutcome.ERROR,
        path=path or case.path,
        line=line or case.line,
        message=(phase.message or error_in(phase.text)).strip(),
        detail=phase.text + printed,
    )


def _subtest(part: _Phase, places: _Places) -> TestCase:
    case = TestCase(
        nodeid=part.nodeid,
        outcome=TestOutcome.PASSED,
        seconds=part.seconds,
        path=places.of(part.nodeid),
        subtest=part.subtest or "a subtest",
    )
    if part.outcome == "failed":
        return replace(_failed(case, part, places), outcome=TestOutcome.FAILED)
    if part.outcome == "skipped":
        return replace(case, outcome=TestOutcome.SKIPPED, message=part.message)
    if part.outcome != "passed":
        return replace(case, outcome=TestOutcome.ERROR, message=f"it ended as {part.outcome[:40]!r}")
    return case
