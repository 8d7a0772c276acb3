"""A type checker as a tool: it runs like the project runs it, and its findings are on lines."""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.environment import builder_of
from ci_action.engine.tool import Checked, Selection, Tool, Turn
from ci_action.model.finding import Finding, Level
from ci_action.model.result import Broken, Counted, Outcome, Report, Skipped
from ci_action.project.environment import environment_of_project, python_variables
from ci_action.project.file_kinds import SOURCES
from ci_action.project.layout import Layout
from ci_action.project.programs import Program
from ci_action.project.tool_runs.model import HookFiles, ToolRun
from ci_action.stages.types.chosen import Chosen, chosen
from ci_action.stages.types.output import Seen, outcome_of
from ci_action.stages.types.surroundings import (
    NEWEST,
    Surroundings,
    needs_of,
    surroundings,
)
from ci_action.stages.types.targets import Arguments, divided, without_modules
from ci_action.system.errors import ENDED, ToolError
from ci_action.system.patterns import Bounded, Budget
from ci_action.system.process import Command, Completed, last_lines
from ci_action.system.text import counted

_WHOLE: Final = (".",)
_LOG_LINES: Final = 200
_LOG_PATHS: Final = 20


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a checker runs."""

    layout: Layout
    folder: Path
    configured: bool
    """Whether the project has a configuration for it."""


@dataclass(frozen=True, kw_only=True)
class Checker:
    """What is specific to one type checker."""

    name: str
    summary: str
    url: str
    valued: frozenset[str]
    """Its options that have a value as the next word."""
    ours: Mapping[str, bool]
    """Options that are left out of the project's commands, and whether they have a value."""
    words: Callable[[Surroundings, Path], tuple[str, ...]]
    """Returns our arguments, for an environment and a folder for its cache."""
    read: Callable[[str, str, Callable[[str], str]], Seen]
    """Returns what it printed to both streams, with paths relative to the workspace."""
    others: Callable[[Completed, tuple[str, ...]], tuple[str, ...]] = field(default=lambda *_: ())
    """Returns our arguments for a version that does not know `words`; empty if it does."""
    completed: Callable[[Arguments, Place], Arguments] = field(default=lambda given, _: given)
    """Adds what it needs to the project's arguments; raises `ToolError`."""
    stubs: Callable[[Sequence[str], Seen], tuple[str, ...]] = field(default=lambda *_: ())
    """Returns the packages that it would install by itself, for the words of the project's command."""
    divider: tuple[str, ...] = ("--",)
    """The words between options and paths."""


def tool_of(checker: Checker, check: Callable[[Context, Program], Checked]) -> Tool:
    """Return the tool that runs a checker by its `check`."""
    return Tool(
        name=checker.name,
        summary=checker.summary,
        url=checker.url,
        check=check,
        program=lambda _: Program(argv=(), version="", source=""),
        plan=lambda ctx: plan(ctx, checker),
        selection=lambda ctx: Selection(offer=chosen(ctx)[checker.name].offer),
        runs_code=lambda ctx: bool(chosen(ctx)[checker.name].runs),
        turn=lambda _: Turn.LOADS,
        by_lines=True,
        needs=("environment",),
    )


def checked(ctx: Context, checker: Checker) -> Checked:
    """Run a checker as the project does, once for each of its own runs."""
    choice = chosen(ctx)[checker.name]
    if not choice.runs:
        return Checked(outcome=Skipped(choice.why), warnings=choice.notes)
    jobs = [_Job(ctx, checker, run, number) for number, run in enumerate(choice.runs)]
    done = [job.checked(configured=choice.configured) for job in jobs]
    versions = dict.fromkeys(one.version for one in done if one.version)
    sources = dict.fromkeys(one.version_source for one in done if one.version_source)
    return Checked(
        outcome=joined([one.outcome for one in done]),
        warnings=tuple(dict.fromkeys((*choice.notes, *(text for one in done for text in one.warnings)))),
        log="\n".join(one.log for one in done),
        version=", ".join(versions),
        version_source=", ".join(sources),
    )


def joined(outcomes: Sequence[Outcome]) -> Outcome:
    """Return one outcome for several runs: a broken one decides, and findings are reported once."""
    findings = tuple(dict.fromkeys(finding for one in outcomes for finding in one.findings))
    files = sum(one.examined.get(Counted.FILES, 0) for one in outcomes)
    examined = {Counted.FILES: files} if files else {}
    for one in outcomes:
        if isinstance(one, Broken):
            return Broken(one.reason, one.detail, findings=findings, examined=examined)
    reports = [one for one in outcomes if isinstance(one, Report)]
    if not reports:
        return outcomes[0]
    return Report(findings=findings, examined=examined)


class _Job:
    """One run of a checker."""

    def __init__(self, ctx: Context, checker: Checker, run: ToolRun, number: int) -> None:
        self.ctx = ctx
        self.checker = checker
        self.run = run
        self.number = number
        self.cwd = Path(os.path.normpath(ctx.layout.root / run.folder))
        self.warnings: list[str] = []

    def checked(self, *, configured: bool) -> Checked:
        """Run the checker and return the outcome."""
        found = surroundings(self.ctx, self.run)
        self.warnings += found.warnings
        given = self.arguments(configured=configured)
        if given is None:
            return self.result(
                Skipped(f"no file matches the hook of {self.run.source}", empty=True), found, ""
            )
        cache = self.ctx.tempdir / "types" / f"cache-{self.checker.name}-{self.number}"
        self.ctx.hand_over(cache)
        try:
            done = self.start(found, cache, given)
        except ENDED as error:
            text = error.stdout.decode("utf-8", "replace")
            seen = self.checker.read(text, error.stderr, self.relative)
            return self.result(
                Broken(error.reason, last_lines(error.stderr), findings=self.leveled(seen.findings)),
                found,
                "",
            )
        seen = self.checker.read(done.stdout.decode("utf-8", "replace"), done.stderr, self.relative)
        outcome = outcome_of(self.checker.name, done, seen)
        if isinstance(outcome, Report | Broken):
            outcome = replace(outcome, findings=self.leveled(outcome.findings))
        return self.result(outcome, found, self.log(given, done, seen))

    def result(self, outcome: Outcome, found: Surroundings, log: str) -> Checked:
        return Checked(
            outcome=outcome,
            warnings=tuple(self.warnings),
            log=log,
            version=found.version,
            version_source=found.source,
        )

    def leveled(self, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        """Return the findings; errors are warnings if the project ignores that its run fails."""
        if not self.run.advisory:
            return findings
        return tuple(
            replace(one, level=Level.WARNING) if one.level is Level.ERROR else one for one in findings
        )

    def relative(self, name: str) -> str:
        return self.ctx.layout.relative(self.cwd / name)

    def log(self, given: Arguments, done: Completed, seen: Seen) -> str:
        """Return what ran and what it printed for people."""
        command = " ".join((self.checker.name, *given.options, *given.paths[:_LOG_PATHS]))
        more = " …" if len(given.paths) > _LOG_PATHS else ""
        lines = (done.stderr if seen.errors is None else seen.errors).splitlines()
        rows = [
            f"{one.location or ''}: {one.level}: {one.message} [{one.rule}]"
            for one in seen.findings[:_LOG_LINES]
        ]
        files = counted(seen.files, "file") if seen.files is not None else "an unknown number of files"
        return "\n".join(
            [f"{command}{more} (from {self.run.source})", *lines[-_LOG_LINES:], *rows, f"checked {files}"]
        )

    def start(self, found: Surroundings, cache: Path, given: Arguments) -> Completed:
        """Run the program; again in another form if its version is older, and with stubs that it would install."""
        ours = self.checker.words(found, cache)
        theirs = (*given.options, *(self.checker.divider if given.paths else ()), *given.paths)
        done = self.ctx.run(self.command(found, (*ours, *theirs)))
        if older := self.checker.others(done, ours):
            ours = older
            done = self.ctx.run(self.command(found, (*ours, *theirs)))
        seen = self.checker.read(done.stdout.decode("utf-8", "replace"), done.stderr, self.relative)
        if stubs := self.checker.stubs(self.run.words, seen):
            folder = self.install(found, stubs)
            found = replace(found, overlay=os.pathsep.join(filter(None, (found.overlay, folder))))
            done = self.ctx.run(self.command(found, (*ours, *theirs)))
        return done

    def install(self, found: Surroundings, stubs: Sequence[str]) -> str:
        """Install stubs beside the environment."""
        folder = self.ctx.tempdir / "types" / f"stubs-{self.number}"
        self.ctx.hand_over(folder)
        builder = builder_of(self.ctx, self.ctx.tempdir, keep=True)
        try:
            builder.add(found.environment.python, stubs, f"--target={folder / 'site'}")
        finally:
            builder.forget()
        return str(folder / "site")

    def command(self, found: Surroundings, words: Sequence[str]) -> Command:
        """Return the command, as the project's user, in the folder of the run."""
        ctx, environment = self.ctx, found.environment
        given = python_variables(ctx.environ)
        given.update(self.run.variables)
        if found.overlay:
            given["PYTHONPATH"] = os.pathsep.join(filter(None, (found.overlay, given.get("PYTHONPATH"))))
        apart = ctx.home_of_readers()
        variables = {
            **given,
            **ctx.home_of_project(),
            # Configuration at home differs between laptop and runner.
            "XDG_CONFIG_HOME": apart["XDG_CONFIG_HOME"],
            "PATH": f"{Path(environment.python).parent}:{ctx.environ.get('PATH', '/usr/bin:/bin')}",
            "VIRTUAL_ENV": str(Path(environment.python).parents[1]),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        command = Command(
            argv=(*found.argv, *words),
            cwd=self.cwd,
            environ=variables,
            timeout=float(ctx.settings.timeout),
            owner=ctx.owner,
        )
        return environment_of_project(command, ctx.environ)

    def arguments(self, *, configured: bool) -> Arguments | None:
        """Return the arguments of the run; None if no file is selected."""
        given = divided(self.run.words, self.checker.valued, self.checker.ours)
        layout = self.ctx.layout
        if self.run.given is not None:
            names = tuple(self.hooked(self.run.given))
            return Arguments(given.options, names) if names else None
        if layout.paths != _WHOLE:
            places = tuple(os.path.relpath(layout.root / path, self.cwd) for path in layout.paths)
            return Arguments(without_modules(given.options, self.checker.valued), places)
        missing = [path for path in given.paths if not (self.cwd / path).exists()]
        if missing:
            self.warnings.append(
                f"{self.run.source} names {missing[0]!r}, which does not exist: checking what is configured"
            )
            given = Arguments(given.options, tuple(path for path in given.paths if path not in missing))
        place = Place(layout=layout, folder=self.cwd, configured=configured)
        return self.checker.completed(given, place)

    def hooked(self, given: HookFiles) -> Iterator[str]:
        """Yield the tracked files that pre-commit passes to a hook, relative to the folder of its configuration."""
        budget = Budget()
        try:
            files = [_expression(text, budget) for text in given.files]
            exclude = [_expression(text, budget) for text in given.exclude]
        except re.error as error:
            raise ToolError(f"a pattern in {self.run.source} cannot be read: {error}") from error
        for name in self.ctx.tracked.names:
            path = os.path.relpath(self.ctx.layout.root / name, self.cwd)
            if not name.endswith(SOURCES):
                continue
            if all(one.search(path) for one in files) and not any(one.search(path) for one in exclude):
                yield path


def _expression(text: str, budget: Budget) -> Bounded:
    return Bounded(re.compile(text), budget=budget)


def plan(ctx: Context, checker: Checker) -> str:
    """Return what would run, without making an environment."""
    choice: Chosen = chosen(ctx)[checker.name]
    if not choice.runs:
        return f"skipped: {choice.why}"
    parts = []
    for run in choice.runs:
        needs = needs_of(ctx, run)
        place = needs.dependencies.source if needs.dependencies else "the environment of the project"
        version = run.version or (f"{needs.pin.specifier} from {needs.pin.source}" if needs.pin else NEWEST)
        words = " ".join((checker.name, *run.words))
        parts.append(f"`{words}` from {run.source}, in {place}, version {version.removeprefix('==')}")
    return "; ".join(parts)
