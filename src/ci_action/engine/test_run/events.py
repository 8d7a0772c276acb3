"""What the events of our pytest plugin mean: which tests ran, how they ended, and whether pytest came to its end."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ci_action.model.tests import TestCase, TestOutcome
from ci_action.project.layout import Layout
from ci_action.system.json_fields import Facts, as_name, as_text, as_whole, facts_of
from ci_action.system.text import plain

UNENDED: Final = "it started and never ended"
LONGEST_LINE: Final = 16_000_000
"""Bytes: our plugin cuts the texts, but the name of a test may hold a whole parameter."""
_ORDER: Final = {"setup": 0, "call": 1, "teardown": 2}
_ENDS: Final = frozenset({"passed", "failed", "skipped"})
# Warnings are reported from the first to the last moment of pytest, internal errors before it has started too.
_BEFORE: Final = frozenset({"warning", "internal"})
_AFTER: Final = frozenset({"warning"})
_LEAST_EXIT: Final = -(2**31)


@dataclass(kw_only=True)
class Session:
    """What one start of pytest reported."""

    started: bool = False
    pytest: str = ""
    python: str = ""
    cases: list[TestCase] = field(default_factory=list)
    deselected: int = 0
    warnings: int = 0
    internal: str = ""
    finished: bool = False
    exit: int = 0
    collected: int = 0
    """How many tests pytest meant to run: without those that were deselected."""
    dropped: int = 0
    """Tests that were found, and that neither ran nor were reported as deselected."""
    dropped_names: tuple[str, ...] = ()
    """The first of them."""
    malformed: str = ""
    """What is wrong with the first line that our plugin cannot have written."""

    @property
    def reported(self) -> int:
        """How many of the collected tests reported how they ended."""
        return sum(not case.subtest and "::" in case.nodeid for case in self.cases)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Frame:
    file: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Phase:
    """One event of a test: its set-up, its call, its tear-down, or a subtest."""

    nodeid: str
    when: str
    outcome: str
    seconds: float
    line: int | None
    xfail: str | None
    subtest: str | None
    message: str
    text: str
    printed: tuple[tuple[str, str], ...]
    places: tuple[_Frame, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Collection:
    """A module or a package that could not be collected."""

    nodeid: str
    text: str
    places: tuple[_Frame, ...]


class _Reading:
    """Reads the events of one session in their order."""

    def __init__(self) -> None:
        self.session = Session()
        self.root = ""
        self.phases: dict[str, list[_Phase]] = {}
        self.subtests: list[_Phase] = []
        self.collections: list[_Collection] = []

    def read(self, line: bytes) -> None:
        """Read one event; raises `ValueError` for what our plugin cannot have written at this place."""
        event = facts_of(line)
        kind = event.text("event")
        self._check_order(kind)
        match kind:
            case "start":
                self._start(event)
            case "test":
                self._test(_phase(event))
            case "collect":
                self.collections.append(
                    _Collection(
                        nodeid=event.name("nodeid"), text=_shown(event, "text"), places=_frames(event)
                    )
                )
            case "warning":
                event.text("category")
                self.session.warnings += 1
            case "internal":
                self.session.internal = _shown(event, "text") or "no reason given"
            case "finish":
                self._finish(event)
            case _:
                raise ValueError("it is an unknown event")

    def _check_order(self, kind: str) -> None:
        if not self.session.started and kind != "start" and kind not in _BEFORE:
            raise ValueError("it comes before the start")
        if self.session.finished and kind not in _AFTER:
            raise ValueError("it comes after the end")

    def _test(self, phase: _Phase) -> None:
        if phase.subtest is not None:
            self.subtests.append(phase)
        else:
            self.phases.setdefault(phase.nodeid, []).append(phase)

    def _start(self, event: Facts) -> None:
        if self.session.started:
            raise ValueError("it is a second start")
        self.root = event.name("root")
        self.session.pytest, self.session.python = _shown(event, "pytest"), _shown(event, "python")
        self.session.started = True

    def _finish(self, event: Facts) -> None:
        session = self.session
        names = tuple(as_name(one, "dropped_names") for one in event.items("dropped_names"))
        code = event.whole("exit", _LEAST_EXIT)
        session.collected, session.deselected = event.whole("collected"), event.whole("deselected")
        session.dropped = event.whole("dropped")
        session.exit, session.dropped_names, session.finished = code, names, True


def _shown(event: Facts, name: str, default: str | None = None) -> str:
    """Return a text for people: a lone surrogate, which some channels cannot hold, is replaced."""
    return plain(event.text(name, default))


def _frames(event: Facts) -> tuple[_Frame, ...]:
    return tuple(
        _Frame(file=as_name(file, "places"), line=as_whole(line, "places", 1))
        for file, line in event.items("places", 2, [])
    )


def _phase(event: Facts) -> _Phase:
    at = event.items("at", default=[])
    if at and len(at) != 2:  # noqa: PLR2004 - a file and a line
        raise ValueError("'at' is not a place")
    return _Phase(
        nodeid=event.name("nodeid"),
        when=event.text("when"),
        outcome=event.text("outcome"),
        seconds=event.seconds("seconds"),
        line=as_whole(at[1], "at", 1) if at else None,
        xfail=_shown(event, "xfail") if "xfail" in event else None,
        subtest=_shown(event, "subtest") if "subtest" in event else None,
        message=_shown(event, "message", ""),
        text=_shown(event, "text", ""),
        printed=tuple(
            (plain(as_text(name, "printed")), plain(as_text(text, "printed")))
            for name, text in event.items("printed", 2, [])
        ),
        places=_frames(event),
    )


def parse(lines: Iterable[bytes], layout: Layout) -> Session:
    """Read the events, a line each; the first line that our plugin cannot have written is kept in `malformed`."""
    reading = _Reading()
    session = reading.session
    for number, line in enumerate(lines, 1):
        try:
            if len(line) > LONGEST_LINE:
                raise ValueError("it is too long")  # noqa: TRY301 - one way for all that is wrong
            reading.read(line)
        except ValueError as error:
            # A process that died while it wrote leaves a part of a line, and no end.
            torn = not line.endswith(b"\n") and not session.finished and len(line) <= LONGEST_LINE
            if not torn and not session.malformed:
                session.malformed = f"line {number:,}: {error}"
    places = _Places(layout, reading.root or str(layout.root))
    session.cases = [_collection(event, places) for event in reading.collections]
    failed_parts = Counter(part.nodeid for part in reading.subtests if part.outcome == "failed")
    session.cases += [_case(phases, places, failed_parts) for phases in reading.phases.values()]
    session.cases += [_subtest(part, places) for part in reading.subtests]
    return session


@dataclass(frozen=True)
class _Places:
    layout: Layout
    root: str

    def of(self, nodeid: str) -> str:
        """Return the file of a test, relative to the workspace."""
        name = nodeid.partition("::")[0]
        return self.layout.relative(os.path.join(self.root, name)) if name else ""

    def innermost(self, frames: Iterable[_Frame], nodeid: str) -> tuple[str, int | None]:
        """Return the last place of a traceback that lies in the project."""
        workspace = os.path.realpath(self.layout.workspace)
        found: tuple[str, int | None] = (self.of(nodeid), None)
        for frame in frames:
            path = os.path.realpath(os.path.join(self.root, frame.file))
            inside = path.startswith(workspace + os.sep) and "site-packages" not in path
            if inside and os.path.isfile(path):
                found = (self.layout.relative(path), frame.line)
        return found


def _collection(event: _Collection, places: _Places) -> TestCase:
    path, line = places.innermost(event.places, event.nodeid)
    return TestCase(
        nodeid=event.nodeid or "the collection",
        outcome=TestOutcome.ERROR,
        path=path,
        line=line,
        message=_last_error(event.text) or "could not be collected",
        detail=event.text,
    )


def _last_error(text: str) -> str:
    marked = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (marked or lines or [""])[-1][:500]


def _case(phases: Sequence[_Phase], places: _Places, failed_parts: Counter[str]) -> TestCase:
    phases = sorted(phases, key=lambda phase: _ORDER.get(phase.when, 1))
    nodeid = phases[0].nodeid
    seconds = sum(phase.seconds for phase in phases)
    line = next((phase.line for phase in phases if phase.line is not None), None)
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
    """Return how a test ended of which nothing failed, and why."""
    # Plugins that run a test again report `rerun` or the like of the tries before: no end of a test.
    phases = [phase for phase in phases if phase.outcome in _ENDS]
    skipped = next((phase for phase in phases if phase.outcome == "skipped"), None)
    if skipped is not None:
        if skipped.xfail is not None:
            return TestOutcome.XFAILED, skipped.xfail
        return TestOutcome.SKIPPED, skipped.message.removeprefix("Skipped: ")
    if not any(phase.when == "call" for phase in phases):  # its set-up passed, then nothing more was reported
        return TestOutcome.ERROR, UNENDED
    reasons = [phase.xfail for phase in phases if phase.xfail is not None]
    return (TestOutcome.XPASSED, reasons[0]) if reasons else (TestOutcome.PASSED, "")


def _failed(case: TestCase, phase: _Phase, places: _Places) -> TestCase:
    path, line = places.innermost(phase.places, case.nodeid)
    printed = "".join(f"\n--- {name}\n{text}" for name, text in phase.printed)
    return replace(
        case,
        outcome=TestOutcome.FAILED if phase.when == "call" else TestOutcome.ERROR,
        path=path or case.path,
        line=line or case.line,
        message=(phase.message or _last_error(phase.text)).strip(),
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
        return _failed(case, replace(part, when="call"), places)
    if part.outcome == "skipped":
        return replace(case, outcome=TestOutcome.SKIPPED, message=part.message)
    if part.outcome != "passed":
        return replace(case, outcome=TestOutcome.ERROR, message=f"it ended as {part.outcome[:40]!r}")
    return case
