"""The runs of tools as hooks of pre-commit, each with the environment that pre-commit makes for it."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ci_action.project.dependencies.discover import Dependencies
from ci_action.project.evidence.calls import HOOKS, Call, call_of_hook
from ci_action.project.file_kinds import PRE_COMMIT_FILES
from ci_action.project.layout import Layout
from ci_action.project.pre_commit import Hook, hooks_in
from ci_action.project.tool_names import Named
from ci_action.project.tool_runs.model import HookFiles, Installs, ToolRun
from ci_action.system.project_files import find_project_text

# The arguments that the hook of a tool has by default.
_DEFAULTS: Final = {Named.MYPY: ("--ignore-missing-imports", "--scripts-are-modules")}
# Hooks of these languages run in what is installed already.
_SYSTEM: Final = frozenset({"system", "script", "unsupported", "unsupported_script"})
_VERSION: Final = re.compile(r"v?(\d+(?:\.\d+)+\S*)")
_NPM: Final = re.compile(r"(?P<name>pyright)@(?P<version>\d[\w.]*)")
_PYTHON: Final = re.compile(r"(?:python)?(3\.\d+)")


def runs(layout: Layout, tools: Sequence[str]) -> Iterator[ToolRun]:
    """Yield every hook that runs one of the tools without being asked; raises `ValueError`, `RecursionError`."""
    for folder in layout.folders:
        for name in PRE_COMMIT_FILES:
            if text := find_project_text(folder / name, layout.workspace):
                yield from _runs(text, layout.relative(folder / name), folder, layout, tools)
                return


def _runs(text: str, file: str, folder: Path, layout: Layout, tools: Sequence[str]) -> Iterator[ToolRun]:
    where = os.path.relpath(folder, layout.root)
    for hook in hooks_in(text):
        call = _call(hook, folder)
        if hook.manual or call is None or call.tool not in tools:
            continue
        source = f"{file}: {hook.id}"
        versions = [match[1]] if (match := _VERSION.fullmatch(hook.version)) else []
        versions += [match["version"] for one in hook.added if (match := _NPM.fullmatch(one))]
        python = _PYTHON.fullmatch(hook.python)
        yield ToolRun(
            tool=call.tool.value,
            words=call.words,
            source=source,
            folder="" if where == "." else where,
            version=f"=={versions[-1]}" if versions else "",
            needs=None if hook.language in _SYSTEM else _needs(hook, source, folder, layout),
            pythons=(python[1],) if python else (),
            given=HookFiles(files=hook.files, exclude=hook.exclude) if hook.gets_files else None,
        )


def _call(hook: Hook, folder: Path) -> Call | None:
    """Return the tool of a hook and its arguments."""
    if hook.starts_command:
        return call_of_hook(hook, lambda word: (folder / word).exists())
    tool = HOOKS.get(hook.id)
    return Call(tool, _DEFAULTS.get(tool, ()) if hook.args is None else hook.args) if tool else None


def _needs(hook: Hook, source: str, folder: Path, layout: Layout) -> Dependencies:
    found = Installs(root=folder)
    found.add(one for one in hook.added if not _NPM.fullmatch(one))
    return found.dependencies(source, layout)
