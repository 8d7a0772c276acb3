"""The runs of tools in the environments of tox, with what tox installs for them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from ci_action.project.evidence.calls import call_of
from ci_action.project.evidence.shell import lines_in
from ci_action.project.layout import Layout
from ci_action.project.tool_runs.model import Installs, ToolRun, variables_of
from ci_action.project.tox import BASE, Tox, configurations
from ci_action.system.project_files import find_project_text

_PYTHON: Final = re.compile(r"(?:py(?:thon)?)?(3)\.?(\d{1,2})")
_MOST: Final = 500
_TRUE: Final = ["true", "True", "1"]


def runs(layout: Layout, tools: Sequence[str]) -> Iterator[ToolRun]:
    """Yield every run of the tools; raises `ValueError` for a file that cannot be read."""
    for conf in configurations(layout):
        found = list(_runs(conf, conf.listed, layout, tools))
        named = {run.tool for run in found}
        others = conf.others or ([] if conf.listed else [BASE])
        found += [run for run in _runs(conf, others, layout, tools) if run.tool not in named]
        if found:
            yield from _merged(found)
            return


def _merged(runs: Sequence[ToolRun]) -> Iterator[ToolRun]:
    """Join the runs that differ in their environment alone, such as one for each Python."""
    known: dict[tuple[str, tuple[str, ...], str], list[ToolRun]] = {}
    for run in runs:
        known.setdefault((run.tool, run.words, run.folder), []).append(run)
    for same in known.values():
        pythons = [python for run in same for python in run.pythons]
        free = any(not run.pythons for run in same)
        yield replace(same[0], pythons=() if free else tuple(dict.fromkeys(pythons)))


def _runs(conf: Tox, envs: Sequence[str], layout: Layout, tools: Sequence[str]) -> Iterator[ToolRun]:
    root = layout.root
    for env in envs[:_MOST]:
        calls = []
        for line in (one for text in conf.lines(env, "commands") for one in lines_in(text)):
            call = call_of(line.words, lambda word: (root / word).exists())
            if call is not None and call.tool in tools:
                calls.append((call, line.words[0].startswith("-")))
        if not calls:
            continue
        source = f"{conf.file}: {env}"
        needs = _installs(conf, env, layout).dependencies(source, layout)
        assigned = (line.partition("=") for line in conf.lines(env, "set_env"))
        variables = variables_of({name.strip(): value.strip() for name, _, value in assigned})
        folder = "".join(conf.lines(env, "change_dir")[:1])
        for call, advisory in calls:
            yield ToolRun(
                tool=call.tool.value,
                words=call.words,
                source=source,
                folder=folder.removeprefix(str(root)).strip("/"),
                advisory=advisory,
                variables=variables,
                needs=needs,
                pythons=tuple(_pythons(conf, env, layout)),
            )


def _installs(conf: Tox, env: str, layout: Layout) -> Installs:
    found = Installs(root=layout.root)
    for line in conf.lines(env, "deps"):
        option, blank, value = line.partition(" ")
        # One requirement a line: its markers and ranges may contain blanks.
        found.add([option, value.strip()] if option.startswith("-") and blank else [line])
    found.groups += [name for line in conf.lines(env, "dependency_groups") for name in _split(line)]
    skips = conf.lines(env, "skip_install")[:1]
    if not (skips and skips[0] in _TRUE) and conf.lines(env, "package")[:1] != ["skip"]:
        found.project = True
        found.extras += [name for line in conf.lines(env, "extras") for name in _split(line)]
    if conf.lines(env, "runner")[:1] == ["uv-venv-lock-runner"] and (layout.root / "uv.lock").is_file():
        found.sync = ["--no-default-groups"]
    return found


def _pythons(conf: Tox, env: str, layout: Layout) -> Iterator[str]:
    named = conf.lines(env, "base_python")
    for line in conf.lines(env, "base_python_file"):
        named += find_project_text(layout.root / line, layout.workspace).split()[:1]
    for text in named or env.split("-"):
        if match := _PYTHON.fullmatch(text.removeprefix("cpython")):
            yield f"{match[1]}.{match[2]}"


def _split(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]
