"""What the tools of the stage share: they judge a pull request, and start no program."""

from collections.abc import Callable

from ci_action.engine.context import Context
from ci_action.engine.tool import Checked, Tool
from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.result import Broken, Skipped
from ci_action.project.programs import Program


def tool_of_pull(
    name: str,
    summary: str,
    url: str,
    judge: Callable[[Context, Pull], Checked],
    plan: Callable[[Context], str],
    *,
    labels: bool = True,
) -> Tool:
    """Return a tool that is skipped without a pull request, and with `labels` for a label in `ignore-labels`."""

    def check(ctx: Context, _program: Program) -> Checked:
        pull = ctx.pull
        if isinstance(pull, NoPull):
            reason = pull.reason
            return Checked(outcome=Broken(reason) if pull.broken else Skipped(reason, rightly=True))
        if labels and (label := pull.label_among(ctx.settings.ignore_labels)):
            return Checked(outcome=Skipped(f"the label {label!r} is in `ignore-labels`", rightly=True))
        return judge(ctx, pull)

    program = Program(argv=(), version="", source="")
    return Tool(name=name, summary=summary, url=url, check=check, program=lambda _: program, plan=plan)
