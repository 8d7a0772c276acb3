"""One call of the program, whatever its command: wiring, signals, messages about errors and bugs, the exit code."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

from ci_action import __version__
from ci_action.commands.configure import configure
from ci_action.engine.context import Context
from ci_action.engine.own_folders import with_own_folders
from ci_action.engine.secret_scan.search import Progress, Search
from ci_action.engine.verdict import interrupted
from ci_action.github.event import Event
from ci_action.github.transport import open_api
from ci_action.github.workflow import Workflow, is_actions, is_debug
from ci_action.model.result import Conclusion, RunResult
from ci_action.project.layout import Layout, report_dir
from ci_action.project.programs import BundledTools
from ci_action.reporters.console import screen_of
from ci_action.reporters.context import Publication, Screen
from ci_action.reporters.progress import GroupProgress, LineProgress, LiveProgress
from ci_action.settings.resolve import Resolved
from ci_action.settings.types import RunAs
from ci_action.system.errors import InterruptedRunError, SettingsError, ToolError, shortage
from ci_action.system.exit_codes import ExitCode
from ci_action.system.ownership import give_back, owner_of
from ci_action.system.parallel import process_shortage
from ci_action.system.process import Processes, end_orphans
from ci_action.system.redaction import Redactor, assigned_secrets, secrets_of, service_passwords
from ci_action.system.signals import Interruption
from ci_action.system.tempdir import temporary_folder
from ci_action.system.text import counted, neutral


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line sets beside the settings."""

    environ: Mapping[str, str]
    prefix: Path
    """The Python environment that holds the bundled tools."""
    color: str = "auto"
    verbose: bool = False
    interruption: Interruption = field(default_factory=Interruption)


@dataclass(frozen=True, kw_only=True)
class Session:
    """Everything that a command needs, made once."""

    resolved: Resolved
    layout: Layout
    ctx: Context
    screen: Screen
    workflow: Workflow | None
    processes: Processes

    def search(self, ctx: Context) -> Search:
        """Return the search for secrets in the project's files."""

        def look() -> str:
            # Not needed without findings.
            from ci_action.engine.secret_scan.scan import search

            return search(ctx)

        return Search(look, self.processes.end_background)

    def progress(self) -> Progress:
        """Return the progress to show while tools run."""
        if self.workflow:
            return GroupProgress(self.workflow)
        return LiveProgress(self.screen) if self.screen.terminal else LineProgress(self.screen.stream)

    def publication(self) -> Publication:
        """Return what the reporters may use; the texts in it are redacted."""
        redact, event = self.ctx.redact, self.ctx.event
        return Publication(
            resolved=self.resolved,
            layout=self.layout,
            folder=report_dir(self.layout, self.resolved.settings),
            strict=self.ctx.container,
            screen=self.screen,
            redact=redact,
            event=replace(
                event, repository=redact.known(event.repository), server_url=redact.known(event.server_url)
            ),
            github=self.ctx.github,
            pull=self.ctx.pull.shown(redact.known),
            workflow=self.workflow,
        )

    def tidy(self) -> None:
        """Undo the effects of code that the settings let root run; raises `OSError`."""
        settings, by_root = self.resolved.settings, self.ctx.installer is None
        if self.ctx.container and (settings.run_as is RunAs.ROOT or (settings.install and by_root)):
            give_back(self.layout.workspace)
            if self.ctx.kept and self.ctx.kept.code_ran:
                self.ctx.kept.discard()


class Call:
    """One call of the program. Every way out of its block ends the project's code, cleans up, and sets `code`.

    No exception leaves the block: each becomes a message, the outputs, and an exit code.
    """

    def __init__(self, flags: Mapping[str, Any], options: Options) -> None:
        """Prepare the messages that need no settings."""
        environ = options.environ
        self.code: int = ExitCode.BUG
        """The exit code of the program, known after the block."""
        self.workflow = Workflow(environ) if is_actions(environ) else None
        self._verbose = options.verbose or is_debug(environ)
        self.screen = screen_of(options.color, environ, verbose=self._verbose)
        self.interruption = options.interruption
        self._flags = flags
        self._options = options
        self._redact = Redactor(secrets_of(environ), self._mask)
        self._container = BundledTools.of(options.prefix).apart
        self._session: Session | None = None
        self._clean = False
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        """Catch the signals."""
        self._closing.enter_context(self.interruption.installed())
        self.interruption.last = self._emergency
        return self

    def open(self, *, written: frozenset[str] = frozenset()) -> Session:
        """Return the session; raises `SettingsError`, `ToolError`, and `KeyboardInterrupt` after a signal.

        `written` are the settings that name a file which the command itself writes.
        """
        if self._container and (problem := process_shortage()):
            raise ToolError(problem)
        environ = self._options.environ
        tempdir = self._closing.enter_context(temporary_folder(environ))
        resolved, layout = configure(self._flags, environ, written=written)
        token = resolved.settings.github_token.value
        settings = resolved.settings
        passwords = service_passwords(
            (*settings.wait_for, settings.advisory_url, settings.database_url, settings.smoke_url)
        )
        known = secrets_of({**environ, "GH_TOKEN": token or environ.get("GH_TOKEN", "")})
        self._redact = Redactor(known | passwords, self._mask)
        self._redact.add(assigned_secrets((*settings.build_args, *settings.smoke_env)))
        resolved = replace(resolved, redact=self._redact.known)
        if self.workflow:
            for secret in sorted({token, *passwords} - {""}):
                self.workflow.mask(secret)
        processes = Processes(environ, tempdir, self._redact.known)
        ctx = _context(resolved, layout, self._options, processes, tempdir)
        github = open_api(token, environ, ctx.event, stopped=lambda: self.interruption.urgent)
        self._session = Session(
            resolved=resolved,
            layout=layout,
            ctx=replace(ctx, redact=self._redact, github=github),
            screen=self.screen,
            workflow=self.workflow,
            processes=processes,
        )
        self.interruption.attend(processes)
        if self._verbose:
            self.say(*_chosen(resolved))
        return self._session

    def say(self, *lines: str) -> None:
        """Print lines without secrets, whatever they contain."""
        for line in lines:
            print(neutral(self._redact(line)), file=self.screen.stream, flush=True)

    def finish(
        self, session: Session, result: RunResult, tell: Callable[[RunResult, Publication], None]
    ) -> None:
        """Report a result that no running program can change any more."""
        self.interruption.finishing = True
        if self.interruption.name:
            result = interrupted(result, self.interruption.name)
        self._clean_up()
        tell(result, session.publication())
        self.code = result.verdict.exit_code

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: object
    ) -> Literal[True]:
        """Clean up, report what ended the block, give files back."""
        self.interruption.finishing = True
        self._clean_up()
        if error is not None:
            self.code = self._reported(error)
        elif self.interruption.name:
            self.code = ExitCode.INTERRUPTED
        self._tidy()
        self.interruption.last = lambda: None
        self._closing.close()
        return True

    def _mask(self, value: str) -> None:
        if self.workflow and self._redact.known(value) == value:  # else the runner hides it already
            self.workflow.mask(value)

    def _annotate(self, problem: str, title: str) -> None:
        if self.workflow:
            self.workflow.annotate("error", self._redact(problem), title=title)

    def _clean_up(self) -> None:
        """End what the project's code left running, then empty the command files that it may have written to."""
        if self._clean or not self._container:
            return
        self._clean = True
        end_orphans()  # or they would go on writing for us
        for problem in self.workflow.forget_foreign() if self.workflow else ():
            self._annotate(problem, "ci-action")
            self.say(f"error: {problem}")

    def _tidy(self) -> None:
        if self._session is None:
            return
        try:
            self._session.tidy()
        except OSError as error:
            self.say(f"note: could not clean up after code that ran as root: {error}")

    def _reported(self, error: BaseException) -> int:
        """Report what ended the block; returns the exit code."""
        # After a signal, errors of settings and tools are not their own fault.
        stopped = isinstance(error, SettingsError | ToolError) and self.interruption.name
        if stopped or isinstance(error, InterruptedRunError | KeyboardInterrupt):
            return self._ended("interrupted before there was a result", ExitCode.INTERRUPTED)
        if isinstance(error, SettingsError):
            return self._wrong(error)
        reason = error.reason if isinstance(error, ToolError) else shortage(error)
        if reason:
            self._annotate(reason, "ci-action: broken")
            return self._ended(f"{reason}, so there are no results", Conclusion.BROKEN.exit_code)
        return self._bug(error)

    def _wrong(self, error: SettingsError) -> int:
        """Report all configuration errors at once; returns the exit code."""
        self.say(*(f"error: {mistake}" for mistake in error.mistakes))
        if self.workflow:
            from ci_action.reporters.job_summary import mistakes_page  # only mistakes need it

            for mistake in error.mistakes[:9]:
                self._annotate(mistake, f"ci-action: {error.about}")
            try:
                page = mistakes_page([self._redact(mistake) for mistake in error.mistakes], error.about)
                self.workflow.append_summary(page)
            except OSError as problem:
                self.say(f"warning: could not write the job summary: {problem}")
        return self._ended(
            f"{counted(len(error.mistakes), 'mistake')} in {error.about}, nothing was run", ExitCode.USAGE
        )

    def _bug(self, error: BaseException) -> int:
        """Print a report to paste into an issue; returns the exit code."""
        import traceback  # only bugs need it

        system = os.uname()
        flags = {name: value for name, value in self._flags.items() if name != "github-token"}
        self.say(
            "This is a bug in ci-action. Paste the following lines into an issue:",
            "",
            f"ci-action {__version__}, Python {sys.version.partition(' ')[0]}, {system.sysname} {system.release} {system.machine}",
            f"event: {self._options.environ.get('GITHUB_EVENT_NAME') or 'none'}; flags: {flags}",
            "```",
            "".join(traceback.format_exception(error)).rstrip(),
            "```",
        )
        self._annotate("a bug in ci-action: the log has a report to paste into an issue", "ci-action")
        return self._ended("a bug in ci-action", ExitCode.BUG)

    def _ended(self, why: str, code: int) -> int:
        """Set the outputs and print how the program ends; returns the exit code."""
        if problem := self._set_outputs():
            self.say(f"warning: {problem}")
        self.say(f"ci-action: broken ({why}), exit {int(code)}")
        return code

    def _set_outputs(self) -> str:
        """Set the outputs of a run without a result; returns why they could not be set, else an empty text."""
        if self.workflow is None:
            return ""
        from ci_action.reporters.outputs import NO_OUTPUTS, NOTHING_RUN

        try:
            placed = [self.workflow.set_output(name, value) for name, value in NOTHING_RUN.items()]
        except OSError as error:
            return f"could not set the outputs: {error}"
        return "" if all(placed) else NO_OUTPUTS

    def _emergency(self) -> None:
        """Do the last steps without the main thread, which hangs."""
        with suppress(Exception):
            self._clean_up()
        with suppress(Exception):
            self._set_outputs()
        with suppress(OSError):  # past the streams, which the main thread may have locked
            os.write(1, b"\nci-action: broken (interrupted, and something did not end in time), exit 130\n")
        with suppress(Exception):
            self._tidy()


def _context(
    resolved: Resolved,
    layout: Layout,
    options: Options,
    processes: Processes,
    tempdir: Path,
) -> Context:
    environ = options.environ
    bundled = BundledTools.of(options.prefix)
    holder = owner_of(layout.workspace) if bundled.apart else None
    if holder is not None:
        tempdir.chmod(0o711)  # what the owner runs finds its own folders in it, and can list nothing
    ctx = Context(
        settings=resolved.settings,
        of_project=resolved.of_project,
        layout=layout,
        bundled=bundled,
        owner=holder if resolved.settings.run_as is RunAs.OWNER else None,
        holder=holder,
        container=bundled.apart,
        run=processes.run,
        serve=processes.serving,
        stopped=lambda: processes.stopped,
        tempdir=tempdir / "work",
        environ=environ,
        event=Event.from_environ(environ),
    )
    return with_own_folders(ctx, cache_named="cache-dir" in resolved.chosen())


def _chosen(resolved: Resolved) -> Iterator[str]:
    yield f"ci-action {__version__}, Python {sys.version.partition(' ')[0]}, {sys.prefix}"
    for name, value in resolved.chosen().items():
        yield f"setting {name} = {value!r} from {resolved.sources[name]}"
