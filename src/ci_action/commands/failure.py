"""What is said where no run came about: wrong settings, and bugs of our own."""

import platform
import shutil
from collections.abc import Mapping
from typing import Any

from ci_action import __version__
from ci_action.github.workflow import Workflow
from ci_action.model.result import Conclusion
from ci_action.reporters.context import Screen
from ci_action.reporters.job_summary import mistakes_page
from ci_action.reporters.outputs import NO_OUTPUTS, NOTHING_RUN
from ci_action.system.exit_codes import ExitCode
from ci_action.system.redaction import Redact
from ci_action.system.text import neutral


def say(screen: Screen, *lines: str) -> None:
    """Print lines, whatever stands in them."""
    for line in lines:
        print(neutral(line), file=screen.stream, flush=True)


def nothing_run(workflow: Workflow | None) -> str:
    """Set the outputs of a run without a result; returns why they could not be set, else an empty text."""
    if workflow is None:
        return ""
    try:
        placed = [workflow.set_output(name, value) for name, value in NOTHING_RUN.items()]
    except OSError as error:
        return f"could not set the outputs: {error}"
    return "" if all(placed) else NO_OUTPUTS


def _end(screen: Screen, workflow: Workflow | None, why: str, code: int) -> int:
    """Set the outputs and say how the program ends; returns the exit code."""
    if problem := nothing_run(workflow):
        say(screen, f"warning: {problem}")
    say(screen, f"ci-action: broken ({why}), exit {int(code)}")
    return code


def tell_mistakes(
    mistakes: list[str], screen: Screen, workflow: Workflow | None, about: str = "the settings"
) -> int:
    """Say what is wrong with the settings, or with something else, all of it; returns the exit code."""
    say(screen, *(f"error: {mistake}" for mistake in mistakes))
    if workflow:
        for mistake in mistakes[:9]:
            workflow.annotate("error", mistake, title=f"ci-action: {about}")
        try:
            workflow.append_summary(mistakes_page(mistakes, about))
        except OSError as error:
            say(screen, f"warning: could not write the job summary: {error}")
    count = f"{len(mistakes)} {'mistake' if len(mistakes) == 1 else 'mistakes'} in {about}"
    return _end(screen, workflow, f"{count}, nothing was run", ExitCode.USAGE)


def tell_broken(reason: str, screen: Screen, workflow: Workflow | None) -> int:
    """Say why there is no result; returns the exit code."""
    if workflow:
        workflow.annotate("error", reason, title="ci-action: broken")
    return _end(screen, workflow, f"{reason}, there is no result", Conclusion.BROKEN.exit_code)


def tell_interrupted(screen: Screen, workflow: Workflow | None) -> int:
    """Say that a signal came before there was a result; returns the exit code."""
    return _end(screen, workflow, "interrupted before there was a result", ExitCode.INTERRUPTED)


def tell_bug(
    trace: str,
    flags: Mapping[str, Any],
    screen: Screen,
    workflow: Workflow | None,
    event: str,
    redact: Redact,
) -> int:
    """Print a report to paste into an issue, without secrets; returns the exit code."""
    shown = redact(str({name: value for name, value in flags.items() if name != "github-token"}))
    say(
        screen,
        "This is a bug in ci-action. Paste what follows into an issue:",
        "",
        f"ci-action {__version__}, Python {platform.python_version()}, {platform.system()} {platform.release()} {platform.machine()}",
        f"event: {event or 'none'}; flags: {shown}",
        f"uv: {'yes' if shutil.which('uv') else 'no'}",
        "```",
        redact(trace).rstrip(),
        "```",
    )
    if workflow:
        workflow.annotate(
            "error",
            "a bug in ci-action: the log holds a report to paste into an issue",
            title="ci-action",
        )
    return _end(screen, workflow, "a bug in ci-action", ExitCode.BUG)
