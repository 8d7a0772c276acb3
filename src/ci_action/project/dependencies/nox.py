"""The session of nox that runs pytest, and what it installs.

A word that is only known when the session runs is left out, and so is what it does not always do.
"""

from contextlib import suppress
from dataclasses import replace
from typing import Final

from ci_action.project.dependencies.asked import Asked, Word, joined, of_command, of_words, tests_of
from ci_action.project.layout import Layout
from ci_action.project.nox import FILE, RUNS, UNKNOWN, Call, Session, sessions
from ci_action.system.project_files import find_project_text

_PYTEST: Final = frozenset({"pytest", "py.test"})


def of_nox(layout: Layout) -> Asked | None:
    """Return what the session that runs pytest installs; None if there is none."""
    found: list[Session] = []
    with suppress(ValueError, RecursionError):
        found = sessions(find_project_text(layout.root / FILE, layout.workspace), constants=True)
    running = [session for session in found if any(_PYTEST & {*call.words} for call in _runs(session))]
    if not running:
        return None
    usual = (session for session in running if any(word in session.name for word in ("test", "unit")))
    session = next(usual, running[0])
    parts = []
    for call in session.calls:
        if not call.sometimes:
            read = of_words if call.method == "install" else of_command
            asked = read(_words(call), layout.root)
            parts += [asked] if asked else []
    tests = (path for call in _runs(session) for path in tests_of(_words(call), layout.root))
    return replace(joined(parts, f"{FILE}: session {session.name}"), tests=tuple(dict.fromkeys(tests)))


def _runs(session: Session) -> list[Call]:
    return [call for call in session.calls if call.method in {*RUNS, "run_install"} and not call.sometimes]


def _words(call: Call) -> list[Word]:
    return [None if UNKNOWN in word else word for word in call.words]
