"""What the events of our pytest plugin mean: which tests ran, how they ended, and whether pytest came to its end."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from ci_action.cases import TestCase, TestOutcome
from ci_action.project.layout import Layout

UNENDED: Final = "it started and never ended"
_ORDER: Final = {"setup": 0, "call": 1, "teardown": 2}


@dataclass(kw_only=True)
class Session:
    """What one start of pytest told."""

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
    unreadable: int = 0
    """Lines that are no events: a process that died while it wrote leaves one."""

    @property
    def reported(self) -> int:
        """How many of the collected tests told how they ended."""
        return sum(not case.subtest and "::" in case.nodeid for case in self.cases)


def parse(text: str, layout: Layout) -> Session:
    """Read the events; lines that are none are counted, never trusted."""
    session = Session()
    phases: dict[str, list[dict[str, Any]]] = {}
    subtests: list[dict[str, Any]] = []
    collections: list[dict[str, Any]] = []
    root = str(layout.root)
    for line in text.splitlines():
        try:
            event = json.loads(line)
            kind = event["event"]
        except (ValueError, KeyError, TypeError):
            session.unreadable += 1
            continue
        match kind:
            case "start":
                root = event["root"]
                _tell(session, event)
            case "test" if "subtest" in event:
                subtests.append(event)
            case "test":
                phases.setdefault(event["nodeid"], []).append(event)
            case "collect":
                collections.append(event)
            case _:
                _tell(session, event)
    places = _Places(layout, root)
    session.cases = [_collection(event, places) for event in collections]
    failed_parts = Counter(event["nodeid"] for event in subtests if event["outcome"] == "failed")
    session.cases += [_case(events, places, failed_parts) for events in phases.values()]
    session.cases += [_subtest(event, places) for event in subtests]
    return session


def _tell(session: Session, event: dict[str, Any]) -> None:
    match event["event"]:
        case "start":
            session.started, session.pytest, session.python = True, event["pytest"], event["python"]
        case "deselected":
            session.deselected += int(event["count"])
        case "warning":
            session.warnings += 1
        case "internal":
            session.internal = str(event["text"])
        case "finish":
            session.finished, session.exit = True, int(event["exit"])
            session.collected = int(event["collected"] or 0)
        case _:  # of a later plugin
            pass


@dataclass(frozen=True)
class _Places:
    layout: Layout
    root: str

    def of(self, nodeid: str) -> str:
        """Return the file of a test, relative to the workspace."""
        name = nodeid.partition("::")[0]
        return self.layout.relative(os.path.join(self.root, name)) if name else ""

    def innermost(self, frames: Iterable[Sequence[Any]], nodeid: str) -> tuple[str, int | None]:
        """Return the last place of a traceback that lies in the project."""
        workspace = os.path.realpath(self.layout.workspace)
        found: tuple[str, int | None] = (self.of(nodeid), None)
        for file, line in frames:
            path = os.path.realpath(os.path.join(self.root, str(file)))
            inside = path.startswith(workspace + os.sep) and "site-packages" not in path
            if inside and Path(path).is_file():
                found = (self.layout.relative(path), max(1, int(line)))
        return found


def _collection(event: dict[str, Any], places: _Places) -> TestCase:
    path, line = places.innermost(event.get("places", ()), event["nodeid"])
    text = str(event["text"])
    return TestCase(
        nodeid=event["nodeid"] or "the collection",
        outcome=TestOutcome.ERROR,
        path=path,
        line=line,
        message=_last_error(text) or "could not be collected",
        detail=text,
    )


def _last_error(text: str) -> str:
    marked = [line[1:].strip() for line in text.splitlines() if line.startswith("E ")]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (marked or lines or [""])[-1][:500]


def _case(events: list[dict[str, Any]], places: _Places, failed_parts: Counter[str]) -> TestCase:
    events = sorted(events, key=lambda event: _ORDER.get(event["when"], 1))
    nodeid = events[0]["nodeid"]
    seconds = sum(event["seconds"] for event in events)
    at = next((event["at"] for event in events if "at" in event), None)
    line = int(at[1]) if at else None
    case = TestCase(
        nodeid=nodeid, outcome=TestOutcome.PASSED, seconds=seconds, path=places.of(nodeid), line=line
    )
    worst = next((event for event in events if event["outcome"] == "failed"), None)
    if worst is not None:
        return _failed(case, worst, places)
    if failed_parts[nodeid]:
        message = f"{failed_parts[nodeid]} of its subtests failed"
        return replace(case, outcome=TestOutcome.FAILED, message=message)
    expected = next((event for event in events if "xfail" in event), None)
    skipped = next((event for event in events if event["outcome"] == "skipped"), None)
    if expected is not None:
        outcome = TestOutcome.XFAILED if skipped is not None else TestOutcome.XPASSED
        return replace(case, outcome=outcome, message=expected["xfail"])
    if skipped is not None:
        message = str(skipped.get("message", "")).removeprefix("Skipped: ")
        return replace(case, outcome=TestOutcome.SKIPPED, message=message)
    if not any(event["when"] == "call" for event in events):  # its set-up passed, then nothing more was told
        return replace(case, outcome=TestOutcome.ERROR, message=UNENDED)
    return case


def _failed(case: TestCase, event: dict[str, Any], places: _Places) -> TestCase:
    path, line = places.innermost(event.get("places", ()), case.nodeid)
    printed = "".join(f"\n--- {name}\n{text}" for name, text in event.get("printed", ()))
    text = str(event.get("text", ""))
    return replace(
        case,
        outcome=TestOutcome.FAILED if event["when"] == "call" else TestOutcome.ERROR,
        path=path or case.path,
        line=line or case.line,
        message=str(event.get("message") or _last_error(text)).strip(),
        detail=text + printed,
    )


def _subtest(event: dict[str, Any], places: _Places) -> TestCase:
    nodeid = event["nodeid"]
    case = TestCase(
        nodeid=nodeid,
        outcome=TestOutcome.PASSED,
        seconds=event["seconds"],
        path=places.of(nodeid),
        subtest=event["subtest"] or "a subtest",
    )
    if event["outcome"] == "failed":
        return _failed(case, {**event, "when": "call"}, places)
    if event["outcome"] == "skipped":
        return replace(case, outcome=TestOutcome.SKIPPED, message=str(event.get("message", "")))
    return case
