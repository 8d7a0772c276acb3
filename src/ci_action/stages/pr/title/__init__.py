"""The title of a pull request: Conventional Commits, or the rules of the project; an invalid one gets a proposal."""

from collections.abc import Callable
from concurrent.futures import wait
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.tool import Checked
from ci_action.github.pull_request import Pull
from ci_action.model.finding import Finding
from ci_action.model.result import Counted, Report, Skipped
from ci_action.settings.types import DraftTitles
from ci_action.stages.pr.changed_files_source import files_of
from ci_action.stages.pr.title.grammar import FORM, SCOPE, TYPE, Parts, is_breaking, quoted, without_marks
from ci_action.stages.pr.title.proposal import Around, look
from ci_action.stages.pr.title.rules import Judged, filled, judge, rules_of, seconds_of
from ci_action.stages.pr.tool import tool_of_pull
from ci_action.system.errors import UNDONE, InterruptedRunError, TimedOutError, ToolError
from ci_action.system.parallel import Value, in_background
from ci_action.system.text import one_line

CONVENTIONAL: Final = "https://www.conventionalcommits.org/en/v1.0.0/"
OWN_TEXT: Final = "title-error"
_POLL_SECONDS: Final = 0.1


def _judge(ctx: Context, pull: Pull) -> Checked:
    if reason := _why_not(ctx, pull):
        return Checked(outcome=Skipped(reason, rightly=True))
    rules = rules_of(ctx.settings)
    judged = _matched(ctx, lambda: judge(pull.title, rules))
    if judged.mistakes:  # only now the changed files are needed
        around = _around(ctx, pull)
        judged = _matched(ctx, lambda: look(pull.title, rules, around))
    report = Report(
        findings=_findings(judged, pull, ctx.settings.title_error, "" if rules.pattern else CONVENTIONAL),
        examined={Counted.TITLES: 1},
        outputs=_outputs(judged, pull),
    )
    proposal = f"proposed title: {judged.proposal}\n" if judged.proposal else ""
    return Checked(outcome=report, log=f"title: {one_line(pull.title)}\n{proposal}")


def _why_not(ctx: Context, pull: Pull) -> str:
    if ctx.settings.draft_titles is not DraftTitles.SKIP:
        return ""
    if pull.is_draft:
        return "the pull request is a draft, and `draft-titles` is `skip`"
    mark = without_marks(pull.title)[1]
    return f"{quoted(mark)} marks work in progress, and `draft-titles` is `skip`" if mark else ""


def _matched(ctx: Context, work: Callable[[], Value]) -> Value:
    """Match expressions of the project in a thread that an interrupted run abandons: a match cannot be ended."""
    matching = in_background(work)
    while not wait([matching], timeout=_POLL_SECONDS).done:
        if ctx.stopped():
            raise InterruptedRunError("interrupted while matching the title")
    try:
        return matching.result()
    except TimedOutError as error:
        raise ToolError(
            f"a regular expression in the title settings timed out after {seconds_of(ctx.settings):.0f} s: avoid"
            " repetitions inside of repetitions, such as '(a+)+'"
        ) from error


def _around(ctx: Context, pull: Pull) -> Around:
    """Return the changed files; if they are unknown, a proposal depends on the words alone."""
    try:
        files = files_of(ctx, pull).files
    except UNDONE:
        return Around()
    paths = tuple(file.name for file in files)
    inside = [area.name for area in ctx.settings.areas if paths and all(map(area.spec.match_file, paths))]
    return Around(paths=paths, area=inside[0] if len(inside) == 1 else "")


def _findings(judged: Judged, pull: Pull, template: str, url: str) -> tuple[Finding, ...]:
    texts = [(mistake.rule, mistake.text) for mistake in judged.mistakes]
    if texts and template:
        texts = [(OWN_TEXT, _own_text(template, judged, pull))]
    elif judged.proposal:
        rule, text = texts[0]
        texts[0] = rule, f"{text}; proposed title: {judged.proposal}"
    return tuple(
        Finding(tool=TOOL.name, rule=rule, message=text, url=url, fix_message=judged.proposal)
        for rule, text in texts
    )


def _own_text(template: str, judged: Judged, pull: Pull) -> str:
    parts = judged.parts
    values = {
        "title": pull.title,
        "type": parts.type,
        "scope": ",".join(parts.scopes),
        "subject": parts.subject,
        "proposal": judged.proposal,
    }
    return filled(template, {name: one_line(text) for name, text in values.items()})


def _outputs(judged: Judged, pull: Pull) -> dict[str, str]:
    """Return the parts that keep their rules, also if another one does not."""
    wrong = {mistake.rule for mistake in judged.mistakes}
    parts = judged.parts if FORM not in wrong else Parts()
    return {
        "pr-title-valid": "false" if wrong else "true",
        "pr-type": "" if TYPE in wrong else one_line(parts.type),
        "pr-scope": "" if SCOPE in wrong else one_line(",".join(filter(None, parts.scopes))),
        "pr-breaking": "true" if is_breaking(judged.parts, pull.body) else "false",
    }


def _plan(ctx: Context) -> str:
    rules = rules_of(ctx.settings)
    return "`title-pattern`" if rules.pattern else f"Conventional Commits: {', '.join(rules.allowed_types)}"


TOOL: Final = tool_of_pull(
    "title",
    "Title of the pull request: Conventional Commits, or a pattern of yours.",
    CONVENTIONAL,
    _judge,
    _plan,
)
