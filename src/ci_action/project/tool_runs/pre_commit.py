"""The runs of tools as hooks of pre-commit, each with the environment that pre-commit makes for it."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ci_action.project.config_files import from_yaml
from ci_action.project.dependencies.discover import Dependencies
from ci_action.project.evidence.calls import call_of
from ci_action.project.layout import Layout
from ci_action.project.tool_runs.model import HookFiles, Installs, ToolRun
from ci_action.system.project_files import find_project_text

NAMES: Final = (".pre-commit-config.yaml", ".pre-commit-config.yml")
# The ids of the hooks of a tool, and the arguments that the hook has by default.
_HOOKS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "mypy": ("mypy", ("--ignore-missing-imports", "--scripts-are-modules")),
    "pyright": ("pyright", ()),
    "ty": ("ty", ()),
    "ty-check": ("ty", ()),
}
# Hooks of these languages run in what is installed already.
_SYSTEM: Final = frozenset({"system", "script", "unsupported", "unsupported_script"})
_VERSION: Final = re.compile(r"v?(\d+(?:\.\d+)+\S*)")
_FROZEN: Final = re.compile(
    r"^\s*(?:-\s+)?rev:\s*['\"]?(?P<rev>[\w.]+)['\"]?\s*#\s*frozen:\s*v?(?P<version>\d[\w.]*)", re.MULTILINE
)
_NPM: Final = re.compile(r"(?P<name>pyright)@(?P<version>\d[\w.]*)")


def runs(layout: Layout, tools: Sequence[str]) -> Iterator[ToolRun]:
    """Yield every hook that runs one of the tools without being asked; raises `ValueError`, `RecursionError`."""
    for folder in layout.folders:
        for name in NAMES:
            if text := find_project_text(folder / name, layout.workspace):
                shown = layout.relative(folder / name)
                frozen = {match["rev"]: match["version"] for match in _FROZEN.finditer(text)}
                yield from _runs(_mapping(from_yaml(text)), shown, folder, layout, tools, frozen)
                return


def _runs(
    config: Mapping[str, Any],
    source: str,
    folder: Path,
    layout: Layout,
    tools: Sequence[str],
    frozen: Mapping[str, str],
) -> Iterator[ToolRun]:
    where = os.path.relpath(folder, layout.root)
    for repository in map(_mapping, _list(config.get("repos"))):
        rev = str(repository.get("rev", ""))
        for hook in map(_mapping, _list(repository.get("hooks"))):
            stages = _texts(hook.get("stages")) or _texts(config.get("default_stages"))
            if stages and set(stages) == {"manual"}:
                continue
            found = _of_hook(hook, tools, folder, local=repository.get("repo") == "local")
            if found is None:
                continue
            tool, words, passes = found
            identity = str(hook.get("id", ""))
            language = str(hook.get("language", "python"))
            version = _VERSION.fullmatch(frozen.get(rev, rev))
            added = _texts(hook.get("additional_dependencies"))
            pinned = f"=={version[1]}" if version else ""
            for one in added:
                if npm := _NPM.fullmatch(one):
                    pinned = f"=={npm['version']}"
            yield ToolRun(
                tool=tool,
                words=words,
                source=f"{source}: {identity}",
                folder="" if where == "." else where,
                version=pinned,
                needs=None if language in _SYSTEM else _needs(added, f"{source}: {identity}", folder, layout),
                pythons=_pythons(hook, config),
                given=_files(hook, config) if passes else None,
            )


def _of_hook(
    hook: Mapping[str, Any], tools: Sequence[str], folder: Path, *, local: bool
) -> tuple[str, tuple[str, ...], bool] | None:
    """Return the tool of a hook, its arguments, and whether pre-commit passes files to it."""
    passes = hook.get("pass_filenames") is not False
    words = _texts(hook.get("args"))
    if local or hook.get("entry"):
        entry: list[str] = []
        with suppress(ValueError):
            entry = shlex.split(str(hook.get("entry", "")))
        call = call_of([*entry, *words, *(["./"] if passes else [])], lambda word: (folder / word).exists())
        if call is None or call.tool not in tools:
            return None
        return call.tool.value, tuple(word for word in call.words if word != "./"), passes
    tool, default = _HOOKS.get(str(hook.get("id", "")), ("", ()))
    if tool not in tools:
        return None
    return tool, words if "args" in hook else default, passes


def _needs(added: Sequence[str], source: str, folder: Path, layout: Layout) -> Dependencies:
    found = Installs(root=folder)
    found.add(one for one in added if not _NPM.fullmatch(one))
    return found.dependencies(source, layout)


def _pythons(hook: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[str, ...]:
    default = _mapping(config.get("default_language_version")).get("python", "")
    match = re.fullmatch(r"(?:python)?(3\.\d+)", str(hook.get("language_version", default)))
    return (match[1],) if match else ()


def _files(hook: Mapping[str, Any], config: Mapping[str, Any]) -> HookFiles:
    pairs = ((one.get("files"), one.get("exclude")) for one in (config, hook))
    files, exclude = zip(*pairs, strict=True)
    return HookFiles(
        files=tuple(one for one in files if isinstance(one, str)),
        exclude=tuple(one for one in exclude if isinstance(one, str)),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(one) for one in _list(value))
