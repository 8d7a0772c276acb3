"""The stages: which tools belong together, and when a stage applies to a project."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from ci_action.engine import environment
from ci_action.engine.context import Context
from ci_action.engine.stage import Selected, Stage
from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.result import RunResult
from ci_action.model.section import Section
from ci_action.project.dependencies.discover import find
from ci_action.settings.types import FailOn
from ci_action.stages import gate_changes
from ci_action.stages.pr import metadata, size, title
from ci_action.stages.quality import black, ruff
from ci_action.stages.security import bandit, detect_secrets, licenses, pip_audit
from ci_action.stages.test import coverage, pytest, services
from ci_action.system.errors import ToolError
from ci_action.system.text import did_you_mean

ALL: Final = "all"
# No stage: the word that joins the results of shards.
MERGE: Final = "merge"
# No stage of a project: the word that posts the report folder of a read-only run.
COMMENT: Final = "comment"


def _why_no_pull(ctx: Context) -> str:
    return ctx.pull.reason if isinstance(ctx.pull, NoPull) and not ctx.pull.broken else ""


def _why_not_secured(ctx: Context) -> str:
    """Say why `all` looks for no weak spots: in a folder of text alone a green run would say nothing of a project."""
    if bandit.TOOL.count(replace(ctx, changes=None)):
        return ""
    try:
        needs = find(ctx.layout)
    except ToolError:  # that it cannot be read is for the stage to say
        return ""
    named = needs.sync or needs.locked or needs.requirements or needs.files or needs.groups or needs.project
    return "" if named else "no Python files, and nothing names dependencies"


def _why_pull(ctx: Context) -> str:
    return f"pull request #{ctx.pull.number}" if isinstance(ctx.pull, Pull) else "the event of a pull request"


def _why_secured(ctx: Context) -> str:
    files = bandit.TOOL.count(replace(ctx, changes=None))
    return f"{files:,} Python {'file' if files == 1 else 'files'}" if files else "named dependencies"


STAGES: Final = (
    Stage(name="quality", summary="Formatting and linting.", tools=(black.TOOL, ruff.TOOL), stops=True),
    Stage(
        name="test",
        summary="The project's tests in its own environment, and their coverage.",
        tools=(environment.TOOL, services.TOOL, pytest.TOOL, coverage.TOOL),
        applies=pytest.why_not,
        because=pytest.why,
    ),
    Stage(
        name="security",
        summary="Known vulnerabilities of the dependencies, secrets in the files, weak spots of the code.",
        tools=(pip_audit.TOOL, licenses.TOOL, detect_secrets.TOOL, bandit.TOOL),
        applies=_why_not_secured,
        because=_why_secured,
        warns_only=lambda settings: settings.fail_on is FailOn.NEVER,
    ),
    Stage(
        name="pr",
        summary="The pull request itself: its title, its size, and what later jobs want to know of it.",
        tools=(title.TOOL, size.TOOL, metadata.TOOL),
        applies=_why_no_pull,
        because=_why_pull,
        quotes=False,
    ),
)

TOOLS: Final = {
    tool.name: tool for tool in (gate_changes.TOOL, *(tool for stage in STAGES for tool in stage.tools))
}
NAMES: Final = (*(stage.name for stage in STAGES), ALL, MERGE, COMMENT)


def key_mistakes(names: Iterable[str]) -> list[str]:
    """Say which stages `[tool.ci-action]` cannot name: those that check nothing, and write or post what lies there."""
    return [
        f"stage = {name!r} cannot be set in [tool.ci-action], which a pull request can change:"
        " set the input 'stage' in the workflow, or name the stage on the command line"
        for name in dict.fromkeys(names)
        if name in {MERGE, COMMENT}
    ]


def stage_mistakes(names: Iterable[str], shard: str = "") -> list[str]:
    """Say which names are no stages, and what does not go with `merge`."""
    asked = list(dict.fromkeys(names))
    mistakes = [f"unknown stage {name!r}{did_you_mean(name, NAMES)}" for name in asked if name not in NAMES]
    if MERGE in asked and len(asked) > 1:
        mistakes.append("'merge' joins the results of shards and runs nothing: give it a step of its own")
    if COMMENT in asked and len(asked) > 1:
        mistakes.append("'comment' posts what another run has left: give it a step of its own")
    if MERGE in asked and shard:
        mistakes.append(f"shard = {shard!r}: 'merge' is for all shards together; set it where they run")
    return mistakes


def select(names: Iterable[str]) -> tuple[Selected, ...]:
    """Return the stages for these names, each once, in the order of the pipeline; `all` stands for every one."""
    asked = list(names)
    return tuple(
        Selected(stage, by_name=stage.name in asked)
        for stage in STAGES
        if stage.name in asked or ALL in asked
    )


def with_gate_changes(selected: tuple[Selected, ...]) -> tuple[Selected, ...]:
    """Add the tool that compares the checks with those of the base commit to the first stage: it looks once a run."""
    if not selected:
        return ()
    first, *others = selected
    stage = replace(first.stage, tools=(*first.stage.tools, gate_changes.TOOL))
    return replace(first, stage=stage), *others


def sections_of(result: RunResult, pull: Pull | NoPull) -> tuple[Section, ...]:
    """Return what the stages of a run report beside their findings, in the order of the run."""
    known = {stage.name: stage for stage in STAGES}
    return tuple(
        section
        for one in result.stages
        if one.stage in known
        for section in known[one.stage].sections(one, pull)
    )
