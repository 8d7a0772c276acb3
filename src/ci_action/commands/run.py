"""The command `run`: stages to a result. Two names among the stages are commands: `merge` and `comment`."""

from dataclasses import replace

from ci_action.commands.session import Call, Session
from ci_action.engine.base_commit import with_changes
from ci_action.engine.execute import execute
from ci_action.engine.pull_request import with_pull
from ci_action.model.result import RunResult
from ci_action.reporters import publish
from ci_action.settings.general import ALL, COMMENT, MERGE
from ci_action.stages import select, with_tool_of_every_run


def main(call: Call) -> None:
    """Run the stages, or the command of that name, and report the result."""
    session = call.open()
    names = session.resolved.settings.stage or (ALL,)
    judged = COMMENT in names or any(one.stage.of_pull for one in select(names))
    session = replace(session, ctx=with_pull(session.ctx, judged=judged))
    call.finish(session, _result(session, names), publish)


def _result(session: Session, names: tuple[str, ...]) -> RunResult:
    if MERGE in names:
        from ci_action.commands.merge import merge  # it imports tools that others do not need

        return merge(session)
    if COMMENT in names:
        from ci_action.commands.comment import post_comments  # only this command needs it

        return post_comments(session)
    chosen = with_tool_of_every_run(select(names))
    ctx = with_changes(session.ctx, lines=any(not one.stage.of_pull for one in chosen))
    return execute(
        chosen,
        ctx,
        session.progress(),
        resolved=session.resolved,
        search=session.search(ctx),
    )
