"""The stages: each is a package with a `stage` module, imported when the stage is selected, its `OUTPUTS` and `SECTIONS`.

Whoever runs one stage does not wait for the import of the others, so nothing here imports a tool by itself.
"""

from collections.abc import Iterable
from dataclasses import replace
from importlib import import_module
from typing import Final

from ci_action.engine.stage import Output, Selected, Stage
from ci_action.engine.tool import Tool
from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.result import RunResult
from ci_action.model.section import Section
from ci_action.settings.general import ALL, STAGES

# No stage: its tool compares the checks with those of the base commit, for whatever stage is the first of a run.
_OF_EVERY_RUN: Final = "gate_changes"


def load(name: str) -> Stage:
    """Return a stage; its tools are imported now."""
    stage: Stage = import_module(f"{__name__}.{name}.stage").STAGE
    return stage


def load_all() -> tuple[Stage, ...]:
    """Return every stage, in the order of the pipeline."""
    return tuple(map(load, STAGES))


def outputs_of(name: str) -> tuple[Output, ...]:
    """Return the outputs of a stage; its tools are not imported."""
    outputs: tuple[Output, ...] = import_module(f"{__name__}.{name}").OUTPUTS
    return outputs


def tool_of_every_run() -> Tool:
    """Return the tool that belongs to no stage."""
    tool: Tool = import_module(f"{__name__}.{_OF_EVERY_RUN}").TOOL
    return tool


def tools() -> dict[str, Tool]:
    """Return every tool by its name."""
    every = (tool for stage in load_all() for tool in stage.tools)
    return {tool.name: tool for tool in (tool_of_every_run(), *every)}


def select(names: Iterable[str]) -> tuple[Selected, ...]:
    """Return the stages for these names, each once, in the order of the pipeline; `all` selects every stage."""
    asked = list(names)
    return tuple(
        Selected(load(name), by_name=name in asked) for name in STAGES if name in asked or ALL in asked
    )


def fixing() -> tuple[str, ...]:
    """Return the names of the stages that have a tool which writes fixes."""
    return tuple(stage.name for stage in load_all() if any(tool.fix for tool in stage.tools))


def with_tool_of_every_run(selected: tuple[Selected, ...]) -> tuple[Selected, ...]:
    """Add the tool that belongs to no stage to the first one: it looks once a run."""
    if not selected:
        return ()
    first, *others = selected
    stage = replace(first.stage, tools=(*first.stage.tools, tool_of_every_run()))
    return replace(first, stage=stage), *others


def sections_of(result: RunResult, pull: Pull | NoPull) -> tuple[Section, ...]:
    """Return what the stages of a run report beside their findings, in the order of the run; their tools are not imported."""
    found: list[Section] = []
    if any(finding.loosens for finding in result.findings):
        tools = [tool for stage in result.stages for tool in stage.tools]
        found += import_module(f"{__name__}.{_OF_EVERY_RUN}").section(tools)
    for stage in result.stages:
        if stage.stage in STAGES:
            found += import_module(f"{__name__}.{stage.stage}").SECTIONS(stage, pull)
    return tuple(found)
