"""The title of a pull request: Conventional Commits, or what the project asks for; a wrong one gets a proposed one."""

from collections.abc import Callable
from concurrent.futures import wait
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.tool import Checked, Tool
from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.finding import Finding
from ci_action.model.result import Broken, Counted, Report, Skipped
from ci_action.project.programs import Program
from ci_action.settings.types import DraftTitles
from ci_action.stages.pr.changed_files_source import files_of
from ci_action.stages.pr.title.grammar import FORM, SCOPE, TYPE, Parts, is_breaking, quoted, without_marks
from ci_action.stages.pr.title.proposal import Around, Looked, look
from ci_action.stages.pr.title.rules import Rules, judge
from ci_action.stages.pr.title.rules_from_settings import filled, rules_of, seconds_of
from ci_action.system.errors import UNDONE, InterruptedRunError, TimedOutError, ToolError
from ci_action.system.parallel import Value, in_background
from ci_action.system.text import one_line

CONVENTIONAL: Final = "https://www.conventionalcommits.org/en/v1.0.0/"
OWN_TEXT: Final = "title-error"
# How often it is asked whether the run was interrupted.
_LOOK_UP: Final = 0.1


def check(ctx: Context, _program: Program) -> Checked:
    """Judge the title of the pull request."""
    pull = ctx.pull
    if isinstance(pull, NoPull):
        return Checked(outcome=Broken(pull.reason) if pull.broken else Skipped(pull.reason, rightly=True))
    if reason := _why_not(ctx, pull):
        return Checked(outcome=Skipped(reason, rightly=True))
    rules = rules_of(ctx.settings)
    looked = _looked(ctx, pull, rules)
    report = Report(
        findings=_findings(looked, pull, rules, ctx.settings.title_error),
        examined={Counted.TITLES: 1},
        outputs=_outputs(looked, pull),
    )
    log = f"title: {one_line(pull.title)}\n"
    return Checked(
        outcome=report, log=log + (f"a title that passes: {looked.proposal}\n" if looked.proposal else "")
    )


def _why_not(ctx: Context, pull: Pull) -> str:
    if label := pull.label_among(ctx.settings.ignore_labels):
        return f"the label {quoted(label)} is one of `ignore-labels`"
    if ctx.settings.draft_titles is not DraftTitles.SKIP:
        return ""
    if pull.is_draft:
        return "the pull request is a draft, and `draft-titles` is `skip`"
    mark = without_marks(pull.title)[1]
    return f"{quoted(mark)} says that it is work in progress, and `draft-titles` is `skip`" if mark else ""


def _looked(ctx: Context, pull: Pull, rules: Rules) -> Looked:
    """Look at the title: the changed files are asked for only where it is wrong."""
    judged = _matched(ctx, lambda: judge(pull.title, rules))
    if not judged.mistakes:
        return Looked(parts=judged.parts)
    around = _around(ctx, pull)
    return _matched(ctx, lambda: look(pull.title, rules, around))


def _matched(ctx: Context, work: Callable[[], Value]) -> Value:
    """Match expressions of the project in a thread that is left where the run is interrupted: a match cannot be ended."""
    matching = in_background(work)
    while not wait([matching], timeout=_LOOK_UP).done:
        if ctx.stopped():
            raise InterruptedRunError("interrupted while the title was matched")
    try:
        return matching.result()
    except TimedOutError as error:
        raise ToolError(
            f"a regular expression of the title's settings did not end within {seconds_of(ctx.settings):.0f} s: write it"
            " without repetitions inside of repetitions, such as '(a+)+'"
        ) from error


def _around(ctx: Context, pull: Pull) -> Around:
    """Return the changed files, as far as they are known: without them a proposal goes by the words alone."""
    try:
        files = files_of(ctx, pull).files
    except UNDONE:
        return Around()
    paths = tuple(file.name for file in files)
    inside = [area.name for area in ctx.settings.areas if paths and all(map(area.spec.match_file, paths))]
    return Around(paths=paths, area=inside[0] if len(inside) == 1 else "")


def _findings(looked: Looked, pull: Pull, rules: Rules, template: str) -> tuple[Finding, ...]:
    if not looked.mistakes:
        return ()
    texts = [(mistake.rule, mistake.text) for mistake in looked.mistakes]
    if template:
        texts = [(OWN_TEXT, _own_text(template, looked, pull))]
    elif looked.proposal:
        rule, text = texts[0]
        texts[0] = rule, f"{text}; a title that passes: {looked.proposal}"
    url = "" if rules.pattern else CONVENTIONAL
    return tuple(
        Finding(tool=TOOL.name, rule=rule, message=text, url=url, fix_message=looked.proposal)
        for rule, text in texts
    )


def _own_text(template: str, looked: Looked, pull: Pull) -> str:
    parts = looked.parts
    values = {
        "title": pull.title,
        "type": parts.type,
        "scope": ",".join(parts.scopes),
        "subject": parts.subject,
        "proposal": looked.proposal,
    }
    return filled(template, {name: one_line(text) for name, text in values.items()})


def _outputs(looked: Looked, pull: Pull) -> dict[str, str]:
    """Return what later jobs may rely on: a part that keeps its rules, also where another one does not."""
    wrong = {mistake.rule for mistake in looked.mistakes}
    parts = looked.parts if FORM not in wrong else Parts()
    return {
        "pr-title-valid": "false" if wrong else "true",
        "pr-type": "" if TYPE in wrong else one_line(parts.type),
        "pr-scope": "" if SCOPE in wrong else one_line(",".join(filter(None, parts.scopes))),
        "pr-breaking": "true" if is_breaking(looked.parts, pull.body) else "false",
    }


def plan(ctx: Context) -> str:
    """Say what the title would be held against."""
    rules = rules_of(ctx.settings)
    return (
        "the expression of `title-pattern`"
        if rules.pattern
        else f"Conventional Commits: {', '.join(rules.allowed_types)}"
    )


TOOL: Final = Tool(
    name="title",
    summary="Title of the pull request: Conventional Commits, or a pattern of yours.",
    url=CONVENTIONAL,
    check=check,
    program=lambda _: Program(argv=(), version="", source=""),
    plan=plan,
)
