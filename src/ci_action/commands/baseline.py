"""The command `secrets baseline`: the secrets that are found today are accepted."""

from collections.abc import Mapping
from typing import Any

from ci_action.commands.failure import say
from ci_action.commands.session import Call, Options
from ci_action.stages.security import detect_secrets


def baseline_command(flags: Mapping[str, Any], options: Options) -> int:
    """Accept the secrets that are found today, whatever the scope; returns the exit code."""
    with Call(flags, options) as call:
        session = call.open(written=frozenset({"secrets-baseline"}))
        accepted = detect_secrets.accept(session.ctx)
        say(session.screen, *(session.ctx.conceal(session.redact(line)) for line in accepted.lines))
        call.code = accepted.code
    return call.code
