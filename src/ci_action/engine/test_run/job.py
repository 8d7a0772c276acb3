"""Run pytest with our plugin in the project's environment, and read its events."""

import os
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.test_run import PLUGIN, TESTS
from ci_action.engine.test_run.events import Session, parse
from ci_action.engine.test_run.outcome import USAGE, broken, output, problem, report
from ci_action.engine.tool import Checked
from ci_action.model.result import Broken, Report, Skipped
from ci_action.model.tests import TestCase, TestOutcome
from ci_action.project.environment import Environment, environment_of_project, python_variables
from ci_action.project.layout import Layout
from ci_action.system.errors import ENDED, ProjectFileError
from ci_action.system.process import Command, last_lines
from ci_action.system.project_files import LARGEST_SOURCE, find_project_file
from ci_action.system.text import counted

FOLDER: Final = "pytest"
"""The folder for the files of pytest, in the temporary folder of the run."""
DATA: Final = ".coverage"
NO_TESTS: Final = "pytest collected no tests"
"""The start of the reason why pytest was skipped; `merge` accepts no other."""
_COV_OFF: Final = re.compile(r"unrecognized arguments:.*--cov\b")
# With more failures than this, the tests are not flaky.
MOST_RERUNS: Final = 100


def run(ctx: Context) -> Checked:
    """Run the tests of the project in its environment; rerun those that failed if `reruns` is set."""
    environment = Environment.load(ctx.tempdir)
    job = _Job(ctx, environment)
    name = "first"
    try:
        done = ctx.run(job.command(name, *job.options(), *ctx.settings.pytest_args))
        # The project disables pytest-cov, by `-p no:cov` for example. A test may print the same: only a pytest that did
        # not start ends with this code.
        if done.returncode == USAGE and _COV_OFF.search(output(done)):
            job.covered, name = False, "uncovered"
            done = ctx.run(job.command(name, *job.options(), *ctx.settings.pytest_args))
        session, text = job.session(name), output(done)
    except ENDED as error:
        session = job.session(name)
        text = error.stdout.decode("utf-8", "replace") + error.stderr
        return job.checked(broken(error.reason, session, text), session, text)
    if reason := problem(session, done):
        return job.checked(broken(reason, session, text), session, text)
    if not session.cases:
        what = f"{NO_TESTS} ({session.deselected} deselected)" if session.deselected else NO_TESTS
        return job.checked(Skipped(what, empty=True), session, text)
    session.cases = job.rerun(session.cases)
    return job.checked(report(session, done), session, text)


class _Job:
    """One run of the tests, and those that follow it."""

    def __init__(self, ctx: Context, environment: Environment) -> None:
        self.ctx = ctx
        self.environment = environment
        self.folder = ctx.tempdir / FOLDER
        self.covered = True
        """Whether pytest-cov can be used."""
        self.folder.mkdir(exist_ok=True)
        ctx.hand_over(self.folder)

    def command(self, name: str, *words: str) -> Command:
        """Return pytest with our plugin, as the project's user, in the project's folder."""
        given = python_variables(self.ctx.environ)
        variables = {
            **given,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(PLUGIN), given.get("PYTHONPATH")])),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CI_ACTION_PYTEST_EVENTS": str(self.folder / f"{name}.jsonl"),
            "COVERAGE_FILE": str(self.folder / DATA),
            "PATH": f"{Path(self.environment.python).parent}:{self.ctx.environ.get('PATH', '/usr/bin:/bin')}",
            "VIRTUAL_ENV": str(Path(self.environment.python).parents[1]),
        }
        if self.environment.overlay:
            variables["CI_ACTION_PYTEST_OVERLAY"] = self.environment.overlay
        command = Command(
            argv=(self.environment.python, "-m", "pytest", "-p", "ciaction_pytest", *words),
            cwd=self.ctx.layout.root,
            environ={**variables, **self.ctx.home_of_project()},
            timeout=float(self.ctx.settings.timeout),
            owner=self.ctx.owner,
        )
        return environment_of_project(command, self.ctx.environ)

    def options(self) -> list[str]:
        """Return our options. Values are joined by `=`: on their own they could change pytest's root folder."""
        settings = self.ctx.settings
        sources = [f"--cov={name}" for name in settings.coverage_source]
        if not sources:
            sources = ["--cov=."] if self.environment.overlay else ["--cov"]
        words = ["--color=no", "-p", "no:cacheprovider"]
        if self.covered:
            words += [*sources, "--cov-report=", "--cov-fail-under=0"]
        if self.ctx.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
            plugins = {"pytest_cov": self.covered, "xdist": settings.workers, "pytest-split": settings.shard}
            words += [word for name, used in plugins.items() if used for word in ("-p", name)]
        if settings.workers:
            words.append(f"--numprocesses={settings.workers}")
        if settings.shard:
            part, parts = settings.shard.split("/")
            words += [f"--splits={parts}", f"--group={part}"]
            durations = self.ctx.layout.root / ".test_durations"
            if durations.is_file():
                words.append(f"--durations-path={durations}")
        return words

    def session(self, name: str) -> Session:
        """Return the session that the plugin wrote."""
        return session_of(self.folder / f"{name}.jsonl", self.folder, self.ctx.layout)

    def rerun(self, cases: list[TestCase]) -> list[TestCase]:
        """Rerun failed tests; those that pass then are flaky."""
        for number in range(self.ctx.settings.reruns):
            failed = [case for case in cases if case.outcome.is_red and not case.subtest]
            names = [case.nodeid for case in failed if "::" in case.nodeid]
            if not names or len(names) > MOST_RERUNS:
                break
            name = f"again{number}"
            quiet = ["--no-cov"] if self.covered else []
            words = [*quiet, "--color=no", "-p", "no:cacheprovider", *self.ctx.settings.pytest_args]
            done = self.ctx.run(self.command(name, *words, "--", *names))
            again = self.session(name)
            whole = not problem(again, done)
            passed = {case.nodeid for case in again.cases if whole and case.outcome is TestOutcome.PASSED}
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
        return Checked(
            outcome=outcome,
            warnings=tuple(warnings),
            log=last_lines(text, 400),
            version=session.pytest,
            version_source=self.environment.source_of(TESTS),
        )


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
