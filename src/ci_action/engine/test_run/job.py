"""Run pytest with our plugin in the project's environment, and read its events."""

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Final

from msgspec import structs

from ci_action.engine.context import Context
from ci_action.engine.test_run import PLUGIN, TESTS
from ci_action.engine.test_run.cause import places_in
from ci_action.engine.test_run.events import Session, innermost, parse
from ci_action.engine.test_run.measuring import Measuring, coverage_warnings, measuring_of
from ci_action.engine.test_run.outcome import USAGE, broken, output, problem, report
from ci_action.engine.test_run.watch import Watch
from ci_action.engine.tool import Checked
from ci_action.model.finding import Location
from ci_action.model.result import Broken, Report, Skipped
from ci_action.model.tests import TestCase, TestOutcome
from ci_action.project.environment import PYTEST_COV, Environment, environment_of_project
from ci_action.project.layout import Layout
from ci_action.system.errors import ENDED, ProjectFileError, TimedOutError
from ci_action.system.process import Command, Completed, last_lines
from ci_action.system.project_files import LARGEST_SOURCE, find_project_file
from ci_action.system.text import counted, listed

FOLDER: Final = "pytest"
"""The folder for the files of pytest, in the temporary folder of the run."""
DATA: Final = ".coverage"
CACHE: Final = "cache"
"""The folder for pytest's own cache: not in the tree of the project."""
_LAST: Final = 4_000
# Variables that are set for every other program.
_FOR_OUR_TOOLS: Final = frozenset({"NO_COLOR", "PYTHONDONTWRITEBYTECODE"})
_COMPILED: Final = "__pycache__"
# They have no modules of the project, and may have many folders.
_UNSEARCHED: Final = frozenset({_COMPILED, "node_modules", "site-packages"})
NO_TESTS: Final = "pytest collected no tests"
"""The start of the reason why pytest was skipped; `merge` accepts no other."""
# What pytest-cov and coverage write where they fail.
_OF_COVERAGE: Final = re.compile(
    r"\bpytest_cov\b|site-packages/coverage/|\b(?:coverage\.|Coverage|Cov)\w*(?:Warning|Exception|Error)\b"
)
# With more failures than this, the tests are not flaky.
MOST_RERUNS: Final = 100
_MOST_NAMES: Final = 3
# The runs, with coverage or without, that show that a test which failed with coverage fails because of it.
_PROOF: Final = (False, False, True, True, False)


def run(ctx: Context, tests: tuple[str, ...] = ()) -> Checked:
    """Run the tests of the project in its environment; rerun those that failed if `reruns` is set.

    `tests` are the files and folders to test, if the configuration of pytest does not decide.
    """
    environment = Environment.load(ctx.tempdir)
    with left_as_it_was(ctx.layout.workspace):
        return _run(ctx, environment, tests)


def _run(ctx: Context, environment: Environment, tests: tuple[str, ...]) -> Checked:
    job = _Job(ctx, environment, tests)
    try:
        session, done = job.start("first")
        # Coverage can keep a suite from running that runs without it.
        if cause := _cause(session, done, job.measuring):
            plain = job.start("uncovered", covered=False)
            if not problem(*plain):
                job.measuring = job.measuring.without(cause)
            session, done = plain
        text = output(done)
    except ENDED as error:
        session = job.session(job.name)
        text = error.stdout.decode("utf-8", "replace") + error.stderr
        return job.checked(broken(error.reason, session, text), session, text)
    if reason := problem(session, done):
        return job.checked(broken(reason, session, text, job.place(session, text)), session, text)
    if not session.cases:
        what = f"{NO_TESTS} ({session.deselected} deselected)" if session.deselected else NO_TESTS
        return job.checked(Skipped(what, empty=True), session, text)
    session.cases = job.cleared(session.cases)
    session.cases = job.rerun(session.cases)
    return job.checked(report(session, done, excused=bool(job.blamed)), session, text)


@contextmanager
def left_as_it_was(folder: Path) -> Iterator[None]:
    """Remove the compiled modules that the tests leave in the tree.

    Python has to write them, because some tests expect that; all processes have ended when they are removed.
    """
    before = set(_compiled(folder))
    try:
        yield
    finally:
        for path in set(_compiled(folder)) - before:
            shutil.rmtree(path, ignore_errors=True)


def _compiled(folder: Path) -> Iterator[str]:
    for where, names, _ in os.walk(folder):
        if _COMPILED in names:
            yield os.path.join(where, _COMPILED)
        names[:] = [name for name in names if name not in _UNSEARCHED and not name.startswith(".")]


def _cause(session: Session, done: Completed, measuring: Measuring) -> str:
    """Return why a run that failed may pass without coverage; empty if coverage cannot be the cause."""
    reason = problem(session, done)
    if not reason or not measuring.starter:
        return ""
    unstarted = done.returncode == USAGE or not session.started
    crashed = done.killed_by and not measuring.own
    ended = session.internal or (output(done)[-_LAST:] if session.finished else "")
    return reason if unstarted or crashed or _OF_COVERAGE.search(ended) else ""


class _Job:
    """One run of the tests, and those that follow it."""

    def __init__(self, ctx: Context, environment: Environment, tests: tuple[str, ...]) -> None:
        self.ctx = ctx
        self.environment = environment
        self.tests = tests
        self.folder = ctx.tempdir / FOLDER
        self.name = ""
        """The name of the last start."""
        self.measuring = measuring_of(ctx.layout, ctx.settings, environment, ctx.environ)
        self.blamed: list[str] = []
        """The tests that fail only while coverage is measured."""
        self.folder.mkdir(exist_ok=True)
        ctx.hand_over(self.folder)

    def start(
        self, name: str, *only: str, covered: bool = True, data: str = DATA
    ) -> tuple[Session, Completed]:
        """Run pytest with our options, those of the user and the names of tests; return its session and how it ended."""
        self.name = name
        measuring = self.measuring if covered else self.measuring.without("")
        options = (*self.options(whole=not only), *self.ctx.settings.pytest_args, *(only or self.tests))
        watch = Watch(self.ctx.live, self.folder / f"{name}.jsonl", again=bool(only))
        command = self.command(name, measuring, self.folder / data, *options)
        try:
            done = self.ctx.run(replace(command, watch=watch.look))
        finally:
            watch.end()
        return self.session(name), done

    def command(self, name: str, measuring: Measuring, data: Path, *words: str) -> Command:
        """Return pytest with our plugin, as the project's user, in the project's folder."""
        given = self.environment.variables_for(self.ctx.environ)
        variables = {
            **given,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(PLUGIN), given.get("PYTHONPATH")])),
            "CI_ACTION_PYTEST_EVENTS": str(self.folder / f"{name}.jsonl"),
            **measuring.variables(data, self.ctx.environ),
            "PATH": f"{Path(self.environment.python).parent}:{self.ctx.environ.get('PATH', '/usr/bin:/bin')}",
            "VIRTUAL_ENV": str(Path(self.environment.python).parents[1]),
        }
        if self.environment.overlay:
            variables["CI_ACTION_PYTEST_OVERLAY"] = self.environment.overlay
        command = Command(
            argv=(self.environment.python, *measuring.words, "-p", "ciaction_pytest", *words),
            cwd=self.ctx.layout.root,
            environ={**variables, **self.ctx.home_of_project()},
            timeout=float(self.ctx.settings.timeout),
            owner=self.ctx.owner,
            # Tests of colours and of compiled modules expect what the step has.
            withheld=frozenset(_FOR_OUR_TOOLS - self.ctx.environ.keys()),
        )
        return environment_of_project(command, self.ctx.environ)

    def options(self, *, whole: bool) -> list[str]:
        """Return our options, for the whole suite or a part of it that was run already.

        Values are joined by `=`: on their own they could change pytest's root folder.
        """
        settings = self.ctx.settings
        words = ["--color=no", f"--override-ini=cache_dir={os.path.realpath(self.folder / CACHE)}"]
        words += [word for name in self.measuring.disabled for word in ("-p", name)]
        if {**self.environment.variables, **self.ctx.environ}.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
            can_plug_in = bool(self.environment.overlay) or PYTEST_COV in self.environment.packages
            plugins = {"pytest_cov": can_plug_in, "xdist": settings.workers, "pytest-split": settings.shard}
            words += [word for name, used in plugins.items() if used for word in ("-p", name)]
        if settings.workers and whole:
            words.append(f"--numprocesses={settings.workers}")
        if settings.shard and whole:
            part, parts = settings.shard.split("/")
            words += [f"--splits={parts}", f"--group={part}"]
            durations = self.ctx.layout.root / ".test_durations"
            if durations.is_file():
                words.append(f"--durations-path={durations}")
        return words

    def place(self, session: Session, text: str) -> Location | None:
        """Return where the project kept pytest from starting, from all that it printed."""
        if session.started:
            return None
        found = innermost(places_in(text), self.ctx.layout, str(self.ctx.layout.root))
        return Location(path=found[0], line=found[1]) if found else None

    def session(self, name: str) -> Session:
        """Return the session that the plugin wrote."""
        return session_of(self.folder / f"{name}.jsonl", self.folder, self.ctx.layout)

    def cleared(self, cases: list[TestCase]) -> list[TestCase]:
        """Return the tests; those that fail only while coverage is measured passed, if measuring was our idea.

        They have to fail with coverage and pass without it each time (`_PROOF`). What the tests leave behind, such as a
        row in a database, makes a test pass the second time, or each second time: that is not enough.
        """
        names = _failed(cases)
        if self.measuring.own or not self.measuring.starter or not 0 < len(names) <= MOST_RERUNS:
            return cases
        with suppress(TimedOutError):
            for number, covered in enumerate(_PROOF):
                if not names:
                    break
                session, done = self.start(
                    f"proof{number}", *_only(names), covered=covered, data=f"{DATA}-{number}"
                )
                names = self._red(names, session, done) if covered else self._passed(names, session, done)
            else:
                self.blamed = names
        return [
            (
                replace(case, outcome=TestOutcome.PASSED, message="", detail="", runs=1 + len(_PROOF))
                if case.nodeid in self.blamed and case.outcome.is_red
                else case
            )
            for case in cases
        ]

    @staticmethod
    def _red(names: Sequence[str], session: Session, done: Completed) -> list[str]:
        """Return which of these tests failed in a run that was whole."""
        failed = set() if problem(session, done) else set(_failed(session.cases))
        return [name for name in names if name in failed]

    @staticmethod
    def _passed(names: Sequence[str], session: Session, done: Completed) -> list[str]:
        """Return which of these tests passed."""
        whole = not problem(session, done)
        passed = {
            case.nodeid
            for case in session.cases
            if whole and not case.subtest and case.outcome is TestOutcome.PASSED
        }
        return [name for name in names if name in passed]

    def rerun(self, cases: list[TestCase]) -> list[TestCase]:
        """Rerun failed tests; those that pass then are flaky."""
        for number in range(self.ctx.settings.reruns):
            names = _failed(cases)
            if not names or len(names) > MOST_RERUNS:
                break
            passed = self._passed(names, *self.start(f"again{number}", *_only(names), covered=False))
            cases = [
                (
                    replace(
                        case,
                        outcome=TestOutcome.FLAKY if case.nodeid in passed else case.outcome,
                        runs=number + 2,
                    )
                    if case.nodeid in names
                    else case
                )
                for case in cases
            ]
        return cases

    def checked(self, outcome: Report | Broken | Skipped, session: Session, text: str) -> Checked:
        """Return the outcome with the version of pytest and its source."""
        warnings = []
        if self.ctx.container and self.ctx.owner is None:
            warnings.append(
                "the tests ran as root (run-as: root): they could read the tokens of ci-action and use the Docker socket"
            )
        if session.dropped:
            warnings.append(_dropped(session))
        if self.blamed:
            warnings.append(
                f"{counted(len(self.blamed), 'test')} failed only while coverage was measured, and passed without it:"
                f" {listed(self.blamed, _MOST_NAMES)}"
            )
        noted = coverage_warnings(text, session.noted)
        structs.replace(self.measuring, noted=noted).save(self.ctx.tempdir)
        return Checked(
            outcome=outcome,
            warnings=tuple(warnings),
            log=last_lines(text, 400),
            version=session.pytest,
            version_source=self.environment.source_of(TESTS),
        )


def _failed(cases: Iterable[TestCase]) -> list[str]:
    """Return the names of the failed tests that can be run on their own."""
    return [case.nodeid for case in cases if case.outcome.is_red and not case.subtest and "::" in case.nodeid]


def _only(names: Sequence[str]) -> list[str]:
    return ["--", *names]


def _dropped(session: Session) -> str:
    names = ", ".join(map(repr, session.dropped_names))
    more = " and more" if session.dropped > len(session.dropped_names) else ""
    return (
        f"{counted(session.dropped, 'collected test')} did not run and did not count as deselected: {names}{more}."
        " A conftest.py or a plugin removed them: look for `pytest_collection_modifyitems`, and call"
        " `config.hook.pytest_deselected(items=…)` there if that is intended"
    )


def session_of(file: Path, folder: Path, layout: Layout) -> Session:
    """Read the events that the plugin wrote; the project's code can replace the file by anything."""
    try:
        raw = find_project_file(file, folder, largest=LARGEST_SOURCE)
    except ProjectFileError as error:
        return Session(malformed=str(error))
    return parse(BytesIO(raw or b""), layout)
