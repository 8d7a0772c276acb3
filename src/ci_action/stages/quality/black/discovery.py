"""List the files that Black checks, by its own documented rules, and find the configuration that decides it.

Needed because unchanged files are not passed to Black again, and because Black does not apply its excludes to a file
that is passed by name. An integration test compares the lists with those of Black.
https://black.readthedocs.io/en/stable/usage_and_configuration/file_collection_and_discovery.html
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ci_action.project.config_files import read_toml, tool_table
from ci_action.project.dependencies.pyproject import project_text
from ci_action.project.layout import Layout
from ci_action.project.programs import options
from ci_action.system.errors import ToolError
from ci_action.system.patterns import Bounded, Pattern, gitignore
from ci_action.system.project_files import find_project_file, outside

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

# Black's defaults (black.const); a test compares them with the bundled Black.
DEFAULT_EXCLUDES: Final = (
    r"/(\.direnv|\.eggs|\.git|\.hg|\.ipynb_checkpoints|\.mypy_cache|\.nox|\.pytest_cache|\.ruff_cache|\.tox|\.svn"
    r"|\.venv|\.vscode|__pypackages__|_build|buck-out|build|dist|venv)/"
)
DEFAULT_INCLUDES: Final = r"(\.pyi?|\.ipynb)$"
_DISCOVERY: Final = frozenset({"include", "exclude", "extend_exclude", "force_exclude"})
# Keys of [tool.black] that change what Black prints or reads, not how it formats a file.
_NOISE: Final = frozenset({"quiet", "code", "src", "stdin_filename"})


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
        """Whether the project itself sets the Python versions of its code."""
        return "target_version" in self.table or bool(self.requires_python)


def black_config(layout: Layout) -> BlackConfig:
    """Find the configuration as Black does, but never above the workspace; raises `ToolError` for invalid TOML."""
    paths = [(layout.root / path).resolve() for path in layout.paths]
    common = Path(os.path.commonpath([path if path.is_dir() else path.parent for path in paths]))
    top = layout.workspace.resolve()
    root = next(
        (folder for folder in (common, *common.parents) if folder == top or _is_black_root(folder, top)), top
    )
    file = root / "pyproject.toml"
    if not os.path.lexists(file):
        return BlackConfig(root=root)
    document = read_toml(file, top)
    table = tool_table(document).get("black", {})
    items = table.items() if isinstance(table, dict) else ()
    return BlackConfig(
        root=root,
        file=file,
        table={key.replace("--", "").replace("-", "_"): value for key, value in items},
        requires_python=project_text(document, "requires-python"),
    )


def _is_black_root(folder: Path, workspace: Path) -> bool:
    if (folder / ".git").exists() or (folder / ".hg").is_dir():
        return True
    return "black" in tool_table(read_toml(folder / "pyproject.toml", workspace))


@dataclass(kw_only=True)
class Discovery:
    """The files that Black checks."""

    layout: Layout
    config: BlackConfig
    words: Sequence[str] = ()
    """Options of the command line; they override the configuration."""
    never: Sequence[Path] = ()
    """Folders of ci-action."""
    links: list[str] = field(default_factory=list)
    """Links that lead out of the workspace or into git's own folder, as far as they were found."""

    def __post_init__(self) -> None:
        """Compile the patterns; raises `ToolError` for one that is not a regular expression."""
        given = {name.removeprefix("--").replace("-", "_"): value for name, value in options(self.words)}
        self._patterns = {**self.config.table, **{name: given[name] for name in _DISCOVERY & given.keys()}}
        self._include = self._pattern("include") or re.compile(DEFAULT_INCLUDES)
        self._force_exclude = self._pattern("force_exclude")
        exclude = self._pattern("exclude")
        self._uses_gitignore = exclude is None
        self._excludes = (
            exclude or re.compile(DEFAULT_EXCLUDES),
            self._pattern("extend_exclude"),
            self._force_exclude,
        )
        self._never = {str(folder.resolve()) for folder in self.never}

    def _pattern(self, name: str) -> Pattern | None:
        if (text := self._patterns.get(name)) is None:
            return None
        try:
            return Bounded(re.compile(str(text), re.VERBOSE if "\n" in str(text) else 0))
        except (re.error, OverflowError, RecursionError) as error:
            raise ToolError(
                f"{name.replace('_', '-')} of Black is not a valid regular expression: {error}: {str(text)!r}"
            ) from error

    def files(self) -> list[str]:
        """List the files, relative to the layout's root if they are inside."""
        root = str(self.config.root)
        found: dict[str, None] = {}
        for given in self.layout.paths:
            path = self.layout.root / given
            if path.is_file():
                if self._inside(path) and not _hits(self._force_exclude, f"/{os.path.relpath(path, root)}"):
                    found[os.path.normpath(given)] = None
                continue
            start = str(path.resolve())
            specs = {**self._gitignore(root), **self._gitignore(start)}
            found |= {self._shown(name): None for name in self._walk(start, specs, (start,))}
        return list(found)

    def _walk(
        self, folder: str, specs: Mapping[str, "GitIgnoreSpec"], above: tuple[str, ...]
    ) -> Iterator[str]:
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            raise ToolError(f"could not list the folder {folder!r}: {error}") from error
        for entry in entries:
            slash = "/" if entry.is_dir() else ""
            below = f"/{os.path.relpath(entry.path, self.config.root)}{slash}"
            if any(spec.match_file(os.path.relpath(entry.path, top) + slash) for top, spec in specs.items()):
                continue
            if any(_hits(pattern, below) for pattern in self._excludes):
                continue
            if entry.is_symlink() and not self._follows(entry.path, below):
                continue
            if slash:
                real = os.path.realpath(entry.path)
                if real not in above and real not in self._never:  # a link to a folder above would never end
                    yield from self._walk(
                        entry.path, {**specs, **self._gitignore(entry.path)}, (*above, real)
                    )
            elif entry.is_file() and self._include.search(below):
                yield entry.path

    def _follows(self, link: str, below: str) -> bool:
        """Whether a link stays inside; one that leads out of the workspace is noted."""
        if not outside(Path(link), self.layout.workspace):
            return self._inside(Path(link))
        if below.endswith("/") or self._include.search(below):
            self.links.append(self._shown(link))
        return False

    def _inside(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(self.config.root)
        except (OSError, RuntimeError):
            return False

    def _gitignore(self, folder: str) -> dict[str, "GitIgnoreSpec"]:
        """Return the patterns of a folder's .gitignore, if there is one and it counts."""
        file = Path(folder, ".gitignore")
        raw = find_project_file(file, self.layout.workspace) if self._uses_gitignore else None
        try:
            return {} if raw is None else {folder: gitignore(raw.decode("utf-8-sig").splitlines())}
        except ValueError as error:
            raise ToolError(f"{str(file)!r} cannot be read: {error}") from error

    def _shown(self, path: str) -> str:
        return os.path.relpath(path, os.path.realpath(self.layout.root))


def _hits(pattern: Pattern | None, path: str) -> bool:
    match = pattern.search(path) if pattern else None
    return bool(match and match[0])


def config_option(config: BlackConfig, tempdir: Path) -> str:
    """Return the option that names the configuration: always given, so that one at home is never read."""
    file = config.file
    if file is None or _NOISE & config.table.keys():
        # TOML's strings, numbers, booleans and lists of them are written as in JSON.
        items = [(key, value) for key, value in config.table.items() if key not in _NOISE]
        lines = ["[tool.black]", *(f"{json.dumps(key)} = {json.dumps(value)}" for key, value in items)]
        if config.requires_python:
            lines += ["[project]", f"requires-python = {json.dumps(config.requires_python)}"]
        file = tempdir / "black.toml"
        file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return f"--config={file}"
