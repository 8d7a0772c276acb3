"""What is said where no run came about: wrong settings, and bugs of our own."""

import platform
import shutil
from collections.abc import Mapping
from typing import Any

from ci_action import __version__
from ci_action.errors import ExitCode
from ci_action.gh.workflow import Workflow
from ci_action.model import Conclusion
from ci_action.redaction import Redact
from ci_action.reporters.outputs import NOTHING_RUN
from ci_action.reporters.publication import Screen
from ci_action.reporters.summary import mistakes_page
from ci_action.text import neutral


def say(screen: Screen, *lines: str) -> None:
    """Print lines, whatever stands in them."""
    for line in lines:
        print(neutral(line), file=screen.stream, flush=True)


def nothing_run(workflow: Workflow | None) -> None:
    """Set the outputs of a run that did not come about."""
    if workflow:
        for name, value in NOTHING_RUN.items():
            workflow.set_output(name, value)


def tell_mistakes(
    mistakes: list[str], screen: Screen, workflow: Workflow | None, about: str = "the settings"
) -> None:
    """Say what is wrong with the settings, or with something else, all of it, and that nothing was run."""
    say(screen, *(f"error: {mistake}" for mistake in mistakes))
    if workflow:
        for mistake in mistakes[:9]:
            workflow.annotate("error", mistake, title=f"ci-action: {about}")
        workflow.append_summary(mistakes_page(mistakes, about))
        nothing_run(workflow)
    count = f"{len(mistakes)} {'mistake' if len(mistakes) == 1 else 'mistakes'} in {about}"
    say(screen, f"ci-action: broken ({count}, nothing was run), exit {int(ExitCode.USAGE)}")


def tell_broken(reason: str, screen: Screen, workflow: Workflow | None) -> None:
    """Say why nothing could be run."""
    if workflow:
        workflow.annotate("error", reason, title="ci-action: broken")
        nothing_run(workflow)
    say(screen, f"ci-action: broken ({reason}, nothing was run), exit {int(Conclusion.BROKEN.exit_code)}")


def tell_bug(
    trace: str,
    flags: Mapping[str, Any],
    screen: Screen,
    workflow: Workflow | None,
    event: str,
    redact: Redact,
) -> None:
    """Print a report to paste into an issue, without secrets."""
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
    nothing_run(workflow)
    say(screen, f"ci-action: broken (a bug in ci-action), exit {int(ExitCode.BUG)}")
