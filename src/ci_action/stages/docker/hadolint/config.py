"""The project's configuration of hadolint."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ci_action.project.config_files import from_yaml
from ci_action.project.file_kinds import HADOLINT_FILES
from ci_action.project.layout import Layout
from ci_action.system.project_files import find_project_file
from ci_action.system.text import did_you_mean

KEYS: Final = frozenset({
    "disable-ignore-pragma", "failure-threshold", "format", "ignored", "label-schema", "no-color", "no-fail", "override",
    "strict-labels", "trustedRegistries", "verbose",
})  # fmt: skip
_FORMAT: Final = "format"
LEVELS: Final = frozenset({"error", "warning", "info", "style"})


@dataclass(frozen=True, kw_only=True)
class HadolintConfig:
    """The configuration that hadolint reads."""

    path: Path
    source: str = ""
    """The file for people; empty if the project has none."""
    warnings: tuple[str, ...] = ()


def hadolint_config(layout: Layout, tempdir: Path) -> HadolintConfig:
    """Return the configuration nearest to the root, up to the workspace; raises `ProjectFileError`.

    Without one hadolint gets an empty one of ours: it would read that of the user's home.
    """
    own = tempdir / "hadolint.yaml"
    for folder in layout.folders:
        for name in HADOLINT_FILES:
            path = folder / name
            raw = find_project_file(path, layout.workspace)
            if raw is not None:
                return _of_project(path, raw, layout.relative(path), own)
    own.write_text("{}\n", encoding="ascii")
    return HadolintConfig(path=own)


def _of_project(path: Path, raw: bytes, source: str, own: Path) -> HadolintConfig:
    table: Any = None
    with suppress(ValueError, RecursionError):  # hadolint itself refuses the file
        table = from_yaml(raw.decode("utf-8"))
    if not isinstance(table, Mapping):
        return HadolintConfig(path=path, source=source)
    warnings = tuple(_unknown(table, source))
    if _FORMAT not in table:
        return HadolintConfig(path=path, source=source, warnings=warnings)
    # Its output would come before ours, on the same stream.
    rest = {key: value for key, value in table.items() if key != _FORMAT}
    own.write_text(json.dumps(rest, default=str), encoding="ascii")
    return HadolintConfig(path=own, source=source, warnings=warnings)


def _unknown(table: Mapping[Any, Any], source: str) -> Iterator[str]:
    """Yield a warning for each key that hadolint ignores without a message."""
    for key in table:
        if key not in KEYS:
            yield f"hadolint ignores the key {key!r} in {source}{did_you_mean(str(key), KEYS)}"
    levels = table.get("override")
    for key in levels if isinstance(levels, Mapping) else ():
        if key not in LEVELS:
            yield f"hadolint ignores the level {key!r} in {source}{did_you_mean(str(key), LEVELS)}"
