"""Which files Black would look at, by Black's own documented rules, and the configuration that decides it.

Needed because files that did not change are not given to Black again, and because a file named on its command line
escapes its excludes. An integration test holds the lists against those of Black itself.
https://black.readthedocs.io/en/stable/usage_and_configuration/file_collection_and_discovery.html
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pathspec import GitIgnoreSpec

from ci_action.project.config_files import read_toml, tool_table
from ci_action.project.layout import Layout
from ci_action.system.errors import ToolError
from ci_action.system.patterns import Bounded, Pattern, gitignore
from ci_action.system.project_files import find_project_file, outside

# Black's defaults (black.const); a test compares them with the bundled Black.
DEFAULT_EXCLUDES: Final = (
    r"/(\.direnv|\.eggs|\.git|\.hg|\.ipynb_checkpoints|\.mypy_cache|\.nox|\.pytest_cache|\.ruff_cache|\.tox|\.svn"
    r"|\.venv|\.vscode|__pypackages__|_build|buck-out|build|dist|venv)/"
)
DEFAULT_INCLUDES: Final = r"(\.pyi?|\.ipynb)$"
_DISCOVERY: Final = ("include", "exclude", "extend-exclude", "force-exclude")
# Keys of [tool.black] that change what Black prints or reads, not what it thinks of a file.
_NOISE: Final = frozenset({"quiet", "code", "src", "stdin_filename"})
_NOTHING: Final = gitignore([])


@dataclass(frozen=True, kw_only=True)
class BlackConfig:
    """Black's configuration of a project."""

    root: Path
    """What Black calls the project root: excludes are matched relative to it."""
    file: Path | None = None
    """The pyproject.toml that Black reads, if any."""
    table: Mapping[str, Any] = field(default_factory=dict)
    """Its `[tool.black]`, the keys with underscores."""
    requires_python: str = ""

    @property
    def sets_target(self) -> bool:
        """Whether the project itself says which Python its code is for."""
        return "target_version" in self.table or bool(self.requires_python)


def black_config(layout: Layout) -> BlackConfig:
    """Find the configuration as Black does, but never above the workspace; raises `ToolError` for no TOML."""
    common = Path(os.path.commonpath([_folder_of((layout.root / path).resolve()) for path in layout.paths]))
    top = layout.workspace.resolve()
    root = next(
        (folder for folder in (common, *common.parents) if folder == top or _is_black_root(folder, top)),
        top,
    )
    file = root / "pyproject.toml"
    if not os.path.lexists(file):
        return BlackConfig(root=root)
    document = read_toml(file, str(file), top)
    project = document.get("project", {})
    requires = project.get("requires-python", "") if isinstance(project, dict) else ""
    return BlackConfig(
        root=root,
        file=file,
        table=_black_table(document),
        requires_python=requires if isinstance(requires, str) else "",
    )


def _folder_of(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _is_black_root(folder: Path, workspace: Path) -> bool:
    if (folder / ".git").exists() or (folder / ".hg").is_dir():
        return True
    pyproject = folder / "pyproject.toml"
    return "black" in tool_table(read_toml(pyproject, str(pyproject), workspace))


def _black_table(document: Mapping[str, Any]) -> dict[str, Any]:
    table = tool_table(document).get("black", {})
    if not isinstance(table, dict):
        return {}
    return {key.replace("--", "").replace("-", "_"): value for key, value in table.items()}


@dataclass(frozen=True)
class _Filter:
    root: Path
    include: Pattern
    exclude: Pattern
    extend_exclude: Pattern | None
    force_exclude: Pattern | None
    uses_gitignore: bool
    workspace: Path
    never: frozenset[str]
    links: list[str] = field(default_factory=list)
    """Links that lead out of the workspace, or into git's own folder."""

    def excludes(self, path: str) -> bool:
        return any(
            _hits(pattern, path) for pattern in (self.exclude, self.extend_exclude, self.force_exclude)
        )

    def follows(self, link: str, *, is_folder: bool) -> bool:
        """Whether a link stays inside; one that leads out of the workspace is noted."""
        if outside(Path(link), self.workspace):
            if is_folder or self.include.search(f"/{_below(link, self.root)}"):
                self.links.append(link)
            return False
        return _inside(Path(link), self.root)


def _hits(pattern: Pattern | None, path: str) -> bool:
    match = pattern.search(path) if pattern else None
    return bool(match and match[0])


def black_files(
    layout: Layout,
    config: BlackConfig,
    options: Mapping[str, str],
    never: Sequence[Path] = (),
    links: list[str] | None = None,
) -> list[str]:
    """List the files that Black would look at, relative to the layout's root where they lie inside.

    `options` are `include`, `exclude`, `extend_exclude`, `force_exclude` of the command line, which win over the
    configuration; folders in `never` are ours; links that lead outside are noted in `links`. Raises `ToolError` for a
    pattern that is none.
    """
    rules = _filter(config, options, never, layout)
    files: dict[str, None] = {}
    for given in layout.paths:
        path = layout.root / given
        if path.is_file():
            if _inside(path, rules.root) and not _hits(rules.force_exclude, "/" + _below(path, rules.root)):
                files[os.path.normpath(given)] = None
            continue
        start = str(path.resolve())
        specs = (
            {
                str(rules.root): _gitignore(str(rules.root), layout.workspace),
                start: _gitignore(start, layout.workspace),
            }
            if rules.uses_gitignore
            else {}
        )
        for found in _walk(start, rules, specs, (os.path.realpath(start),)):
            files[_from_root(found, layout)] = None
    if links is not None:
        links += [_from_root(link, layout) for link in rules.links]
    return list(files)


def _filter(
    config: BlackConfig, options: Mapping[str, str], never: Sequence[Path], layout: Layout
) -> _Filter:
    def pattern(name: str) -> Pattern | None:
        text = options.get(name, config.table.get(name))
        if text is None:
            return None
        try:
            text = str(text)
            return Bounded(re.compile(text, re.VERBOSE if "\n" in text else 0))
        except (re.error, OverflowError, RecursionError) as error:
            raise ToolError(
                f"{name.replace('_', '-')} of Black is no regular expression: {error}: {text!r}"
            ) from error

    exclude = pattern("exclude")
    return _Filter(
        root=config.root,
        include=pattern("include") or re.compile(DEFAULT_INCLUDES),
        exclude=exclude or re.compile(DEFAULT_EXCLUDES),
        extend_exclude=pattern("extend_exclude"),
        force_exclude=pattern("force_exclude"),
        uses_gitignore=exclude is None,
        workspace=layout.workspace,
        never=frozenset(str(folder.resolve()) for folder in never),
    )


def _walk(
    folder: str, rules: _Filter, specs: Mapping[str, GitIgnoreSpec], above: tuple[str, ...]
) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise ToolError(f"the folder {folder!r} cannot be listed: {error}") from error
    for entry in entries:
        is_folder = entry.is_dir()
        below = _below(entry.path, rules.root)
        if _ignored(entry.path + "/" if is_folder else entry.path, specs) or rules.excludes(
            f"/{below}/" if is_folder else f"/{below}"
        ):
            continue
        if entry.is_symlink() and not rules.follows(entry.path, is_folder=is_folder):
            continue
        if is_folder:
            real = os.path.realpath(entry.path)
            if real in above or real in rules.never:  # a link to a folder above would never end
                continue
            inner = (
                {**specs, entry.path: _gitignore(entry.path, rules.workspace)}
                if rules.uses_gitignore
                else specs
            )
            yield from _walk(entry.path, rules, inner, (*above, real))
        elif entry.is_file() and rules.include.search(f"/{below}"):
            yield entry.path


def _ignored(path: str, specs: Mapping[str, GitIgnoreSpec]) -> bool:
    for folder, spec in specs.items():
        if spec is not _NOTHING:
            relative = os.path.relpath(path, folder) + ("/" if path.endswith("/") else "")
            if spec.match_file(relative):
                return True
    return False


def _gitignore(folder: str, workspace: Path) -> GitIgnoreSpec:
    raw = find_project_file(Path(folder, ".gitignore"), workspace)
    try:
        return _NOTHING if raw is None else gitignore(raw.decode("utf-8-sig").splitlines())
    except ValueError as error:
        raise ToolError(f"the .gitignore of {folder!r} cannot be read: {error}") from error


def _below(path: str | Path, root: Path) -> str:
    return os.path.relpath(path, root)


def _inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):
        return False


def _from_root(path: str, layout: Layout) -> str:
    return os.path.relpath(path, os.path.realpath(layout.root))


def discovery_options(words: Sequence[str]) -> dict[str, str]:
    """Return the options among the words that decide which files are looked at."""
    found = {}
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if word.startswith("--") and name.removeprefix("--") in _DISCOVERY:
            following = words[index + 1] if index + 1 < len(words) else ""
            found[name.removeprefix("--").replace("-", "_")] = value if equals else following
    return found


def config_option(config: BlackConfig, tempdir: Path) -> str:
    """Return the option that names the configuration: always given, so that one at home is never read."""
    file = config.file
    if file is None or _NOISE & config.table.keys():
        table = {key: value for key, value in config.table.items() if key not in _NOISE}
        file = tempdir / "black.toml"
        file.write_text(_black_toml(table, config.requires_python), encoding="utf-8")
    return f"--config={file}"


def _black_toml(table: Mapping[str, Any], requires_python: str) -> str:
    # TOML's strings, numbers, booleans and lists of them are written as in JSON.
    lines = [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in table.items()]
    project = ["[project]", f"requires-python = {json.dumps(requires_python)}"] if requires_python else []
    return "\n".join(["[tool.black]", *lines, *project, ""])
