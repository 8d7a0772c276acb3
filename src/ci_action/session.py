"""One call of the program: wiring, signals, what is said of wrong settings and of our own bugs, and the exit code."""

import platform
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ci_action import __version__, merge, posting
from ci_action.base import with_changes
from ci_action.configure import configure
from ci_action.context import Context
from ci_action.errors import ExitCode, SettingsError, ToolError
from ci_action.failure import nothing_run, say, tell_broken, tell_bug, tell_mistakes
from ci_action.gh.api import open_api
from ci_action.gh.event import Event
from ci_action.gh.workflow import Workflow, is_actions
from ci_action.interruption import Interruption
from ci_action.model import Conclusion, RunResult
from ci_action.plan import describe
from ci_action.policy import interrupted
from ci_action.process import Processes, end_orphans
from ci_action.project.layout import Layout, cache_dir, report_dir
from ci_action.project.ownership import owner_of
from ci_action.project.versions import Bundle
from ci_action.pull_request import with_pull
from ci_action.redaction import Concealer, Redact, redactor, secrets_of, service_passwords
from ci_action.reporters import console
from ci_action.reporters.console import LiveProgress, screen_of
from ci_action.reporters.progress import ActionsProgress, PlainProgress
from ci_action.reporters.publication import Publication, Screen, give_back
from ci_action.resolution import Resolved
from ci_action.run import Progress, execute, publish, write_fixes
from ci_action.scratch import scratch_folder
from ci_action.stages import ALL, COMMENT, MERGE, select
from ci_action.text import neutral
from ci_action.tools import detect_secrets
from ci_action.values import RunAs


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says beside the settings."""

    environ: Mapping[str, str]
    prefix: Path
    """The Python environment that holds the bundled tools."""
    color: str = "auto"
    verbose: bool = False


@dataclass(frozen=True, kw_only=True)
class Session:
    """Everything that a command needs, made once."""

    resolved: Resolved
    layout: Layout
    ctx: Context
    screen: Screen
    redact: Redact
    workflow: Workflow | None
    interruption: Interruption

    def progress(self) -> Progress:
        """Return what is said while tools run."""
        if self.workflow:
            # A tool that quotes a file may end after the one that knows what in it is a secret.
            return ActionsProgress(self.workflow, lambda text: self.ctx.conceal(self.redact(text)))
        return LiveProgress(self.screen) if self.screen.terminal else PlainProgress(self.screen.stream)

    def publication(self) -> Publication:
        """Return what the reporters may touch."""
        return Publication(
            resolved=self.resolved,
            layout=self.layout,
            folder=report_dir(self.layout, self.resolved.settings),
            screen=self.screen,
            redact=self.redact,
            conceal=self.ctx.conceal,
            event=self.ctx.event,
            github=self.ctx.github,
            pull=self.ctx.pull,
            workflow=self.workflow,
        )


def run_command(flags: Mapping[str, Any], options: Options, *, needs_stage: bool = False) -> int:
    """Run the stages and tell the reporters."""

    def work(session: Session) -> int:
        names = session.resolved.settings.stage or (ALL,)
        stages = [*names, *(one.stage.name for one in select(names))]
        session = replace(session, ctx=with_pull(session.ctx, stages))
        if COMMENT in names:
            chosen = (posting.selected(session.redact),)
            result = execute(chosen, session.ctx, session.progress(), resolved=session.resolved)
            return _finish(session, result, publish)
        if MERGE in names:
            return _finish(session, _merged(session), publish)
        ctx = with_changes(session.ctx)
        result = execute(select(names), ctx, session.progress(), resolved=session.resolved)
        return _finish(session, result, publish)

    return _guarded(flags, options, work, needs_stage=needs_stage)


def _merged(session: Session) -> RunResult:
    """Join the results of shards; raises `BundlesError` where they are no whole."""
    bundles = merge.bundles_of(session.layout)
    ctx = with_changes(session.ctx)
    result = execute((merge.selected(bundles),), ctx, session.progress(), resolved=session.resolved)
    return merge.finished(result, bundles)


def fix_command(flags: Mapping[str, Any], options: Options) -> int:
    """Write the fixes, then look at what is left; no reports are written."""

    def work(session: Session) -> int:
        chosen = select(session.resolved.settings.stage or ("quality",))
        ctx = with_changes(session.ctx)
        result = write_fixes(chosen, ctx, session.progress(), resolved=session.resolved)
        return _finish(session, result, console.report)

    return _guarded(flags, options, work)


def plan_command(flags: Mapping[str, Any], options: Options) -> int:
    """Show what would run."""

    def work(session: Session) -> int:
        chosen = select(session.resolved.settings.stage or (ALL,))
        # From the event alone: a plan asks nobody.
        ctx = with_pull(replace(session.ctx, github=None), [one.stage.name for one in chosen])
        for line in describe(chosen, with_changes(ctx, fetch=False), session.resolved):
            print(neutral(session.redact(line)), file=session.screen.stream)
        return ExitCode.OK

    return _guarded(flags, options, work)


def baseline_command(flags: Mapping[str, Any], options: Options) -> int:
    """Accept the secrets that are found today, whatever the scope."""

    def work(session: Session) -> int:
        told = detect_secrets.accept(session.ctx)
        say(session.screen, *(session.ctx.conceal(session.redact(line)) for line in told.lines))
        return ExitCode.INTERRUPTED if session.interruption.name else told.code

    return _guarded(flags, options, work, writes_baseline=True)


def _finish(session: Session, result: RunResult, tell: Callable[[RunResult, Publication], None]) -> int:
    if session.interruption.name:
        result = interrupted(result, session.interruption.name)
    session.interruption.finishing = True
    if session.ctx.container:
        end_orphans()  # or what the tests have left running would go on writing for us
        if session.workflow:
            session.workflow.forget_foreign()
    publication = session.publication()
    tell(result, publication)
    owned = [publication.folder, *([session.ctx.cache] if session.ctx.cache else [])]
    settings, by_root = session.resolved.settings, session.ctx.installer is None
    if session.ctx.container and (settings.run_as is RunAs.ROOT or (settings.install and by_root)):
        owned = [session.layout.workspace]  # where the user's own words let root run what writes there
    try:
        give_back(owned, session.layout.workspace)
    except OSError as error:
        say(
            session.screen,
            f"note: files could not be given back to the owner of the workspace: {error}",
        )
    return result.verdict.exit_code


def _guarded(
    flags: Mapping[str, Any],
    options: Options,
    work: Callable[[Session], int],
    **circumstances: bool,
) -> int:
    """Make the session and do the work; whatever happens ends in an exit code and in words."""
    environ = options.environ
    workflow = Workflow(environ) if is_actions(environ) else None
    screen = screen_of(options.color, environ, verbose=options.verbose)
    redact = redactor(secrets_of(environ))

    def mask(value: str) -> None:
        if workflow and redact(value) == value:  # else the runner hides it already
            workflow.mask(value)

    conceal = Concealer(mask)
    interruption = Interruption()
    try:
        with interruption.installed(), scratch_folder(environ) as scratch:
            resolved, layout = configure(flags, environ, **circumstances)
            token = resolved.settings.github_token.get_secret_value()
            passwords = service_passwords((*resolved.settings.wait_for, resolved.settings.advisory_url))
            known = secrets_of({**environ, "GH_TOKEN": token or environ.get("GH_TOKEN", "")})
            redact = redactor(known | passwords)
            if workflow:
                for secret in sorted({token, *passwords} - {""}):
                    workflow.mask(secret)
            processes = Processes(environ, scratch, redact)
            interruption.processes = processes
            ctx = _context(resolved, layout, options, processes, scratch)
            github = open_api(resolved.settings, environ, ctx.event, stopped=lambda: interruption.urgent)
            ctx = replace(ctx, conceal=conceal, github=github)
            session = Session(
                resolved=resolved,
                layout=layout,
                ctx=ctx,
                screen=screen,
                redact=redact,
                workflow=workflow,
                interruption=interruption,
            )
            if options.verbose:
                say(screen, *(redact(line) for line in _settings_in_force(resolved)))
            return work(session)
    except SettingsError as error:
        tell_mistakes([redact(mistake) for mistake in error.mistakes], screen, workflow, error.about)
        return ExitCode.USAGE
    except ToolError as error:
        tell_broken(redact(error.reason), screen, workflow)
        return Conclusion.BROKEN.exit_code
    except KeyboardInterrupt:
        nothing_run(workflow)
        say(screen, "ci-action: broken (interrupted before anything ran), exit 130")
        return ExitCode.INTERRUPTED
    except Exception:  # noqa: BLE001 - a traceback would end in exit 1, "found"
        told = conceal(traceback.format_exc())
        tell_bug(told, flags, screen, workflow, environ.get("GITHUB_EVENT_NAME", ""), redact)
        return ExitCode.BUG


def _context(
    resolved: Resolved,
    layout: Layout,
    options: Options,
    processes: Processes,
    scratch: Path,
) -> Context:
    environ = options.environ
    cache = cache_dir(layout, resolved.settings, environ)
    reports = report_dir(layout, resolved.settings)
    bundle = Bundle.of(options.prefix)
    holder = owner_of(layout.workspace) if bundle.apart else None
    if holder is not None:
        scratch.chmod(0o711)  # what the owner runs finds its own folders in it, and can list nothing
    return Context(
        settings=resolved.settings,
        of_project=resolved.of_project,
        layout=layout,
        bundle=bundle,
        owner=holder if resolved.settings.run_as is RunAs.OWNER else None,
        holder=holder,
        container=bundle.apart,
        start=processes.run,
        stopped=lambda: processes.stopped,
        scratch=scratch / "work",
        environ=environ,
        event=Event.from_environ(environ),
        cache=cache,
        own_folders=tuple(folder for folder in (cache, reports) if folder),
    )


def _settings_in_force(resolved: Resolved) -> Iterator[str]:
    yield f"ci-action {__version__}, Python {platform.python_version()}, {sys.prefix}"
    for name, value in resolved.chosen().items():
        yield f"setting {name} = {value!r} from {resolved.sources[name]}"


def tell_usage(mistake: str, environ: Mapping[str, str]) -> int:
    """Say what is wrong with the command line, as with any other setting; returns the exit code."""
    workflow = Workflow(environ) if is_actions(environ) else None
    redact = redactor(secrets_of(environ))
    tell_mistakes([redact(mistake)], screen_of("auto", environ, verbose=False), workflow)
    return ExitCode.USAGE
