"""What a change makes less strict in the configuration of Ruff, where a code is also a prefix of others: `E` includes `E501`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from ci_action.stages.gate_changes.configs import Config, Where, place_in
from ci_action.stages.gate_changes.loosened import ADDED_IGNORE, Loosened, added, listed, loosened, more

# What Ruff excludes if `exclude` is not set (docs.astral.sh/ruff/settings/#exclude).
_EXCLUDED: Final = (
    ".bzr", ".direnv", ".eggs", ".git", ".git-rewrite", ".hg", ".ipynb_checkpoints", ".mypy_cache", ".nox", ".pants.d",
    ".pyenv", ".pytest_cache", ".pytype", ".ruff_cache", ".svn", ".tox", ".venv", ".vscode", "__pypackages__", "_build",
    "buck-out", "build", "dist", "node_modules", "site-packages", "venv",
)  # fmt: skip
_CODE: Final = re.compile(r"([A-Za-z]+)(\d*)")
# Names of several linters together.
_FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "PL": ("PLC", "PLE", "PLR", "PLW"),
    "C": ("C4", "C90"),
    "D": ("D1", "D2", "D3", "D4"),
}
_PLACES: Final = ((), ("lint",))
_IGNORES: Final = ("ignore", "extend-ignore")
_PER_FILE: Final = ("per-file-ignores", "extend-per-file-ignores")


def covers(wide: str, code: str) -> bool:
    """Whether a selector includes all rules of another: `E` for `E501`, `ALL` for every one."""
    if wide in {"ALL", code}:
        return True
    one, other = _CODE.fullmatch(wide), _CODE.fullmatch(code)
    if one is None or other is None:
        return False
    if wide in _FAMILIES and any(covers(member, code) for member in _FAMILIES[wide]):
        return True
    return one[1] == other[1] and other[2].startswith(one[2])


def ruff(old: Config | None, new: Config | None) -> Iterator[Loosened]:
    """Yield what is less strict."""
    if new is None or (old and old.value("extend")) != new.value("extend"):
        return  # an extended file is not read
    excluded = [*_EXCLUDED, *_entries(old, "exclude"), *_entries(old, "extend-exclude")]
    for place in (*_PLACES, ("format",)):
        for key in ("exclude", "extend-exclude"):
            path = (*place, key)
            before, after = [*excluded, *_entries(old, *path)], _entries(new, *path)
            yield from loosened(f"`{'.'.join(path)}` of Ruff", more, before, after, place_in(old, new, path))
    selected, chosen = _selected(old), _selected(new)
    if selected is None and chosen is not None:
        return  # the rules that the base commit selects depend on the version of Ruff
    for key, fresh in _ignored(old, new):
        if looser := [one for one in fresh if selected is None or _overlaps(selected, one[-1])]:
            shown, where = map(": ".join, looser), _where(new, key, looser[0][0], looser[0][-1])
            yield from loosened(f"`{key}` of Ruff", more, (), shown, where)
    gone = [code for code in added(chosen, selected, covers) if not _by_parts(code, chosen or ())]
    if gone:
        seen = (ADDED_IGNORE, f" no longer has {listed(gone)}", "")
        yield from loosened("`select` of Ruff", lambda *_: [seen], selected, chosen, _where(new, "select"))


def _overlaps(selected: list[str], code: str) -> bool:
    return any(covers(one, code) or covers(code, one) for one in selected)


def _by_parts(code: str, chosen: Sequence[str]) -> bool:
    """Whether all members of a family are selected."""
    return code in _FAMILIES and all(any(covers(one, part) for one in chosen) for part in _FAMILIES[code])


def _where(new: Config, key: str, *entries: str) -> Where:
    """Return the place of the entry of a table or list below a key, else of the key."""
    places = ((*place, key) for place in _PLACES if isinstance(new.value(*place, key), list | dict))
    path = next(places, (key,))
    key_line = new.line(path)
    lines = [new.line((*path, *entries[:1]), *entries[-1:]), *(new.line(path, entry) for entry in entries)]
    line = next((one for one in lines if one and one != key_line), key_line)
    return lambda _: (new.path, line)


def _entries(config: Config | None, *path: str) -> list[str]:
    value = config.value(*path) if config else None
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _everywhere(config: Config | None, *keys: str) -> list[str]:
    """Return the entries of the lists of these names, at the top and below `lint`."""
    return [one for place in _PLACES for key in keys for one in _entries(config, *place, key)]


def _ignored(old: Config | None, new: Config) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    """Yield the new codes of each key, those for single files with their patterns."""
    before = _everywhere(old, *_IGNORES)
    for key in _IGNORES:
        yield key, [(code,) for code in added(before, _everywhere(new, key), covers)]
    by_file = _codes_by_file(old, *_PER_FILE)
    for key in _PER_FILE:
        yield key, [
            (name, code)
            for name, codes in _codes_by_file(new, key).items()
            for code in added([*by_file.get(name, ()), *before], codes, covers)
        ]


def _codes_by_file(config: Config | None, *keys: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for place in _PLACES:
        for key in keys:
            table = config.value(*place, key) if config else None
            for name in table if isinstance(table, Mapping) else ():
                found.setdefault(name, []).extend(_entries(config, *place, key, name))
    return found


def _selected(config: Config | None) -> list[str] | None:
    """Return the selected rules; None if they depend on the version of Ruff."""
    chosen = _everywhere(config, "select")
    return [*chosen, *_everywhere(config, "extend-select")] if chosen else None
