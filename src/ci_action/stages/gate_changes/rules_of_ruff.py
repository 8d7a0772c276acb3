"""What a change loosens in the configuration of Ruff: its rules have names of which one begins another."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ci_action.stages.gate_changes.configs import Config
from ci_action.stages.gate_changes.loosened import ADDED_IGNORE, Loosened, added, counted, listed

# What Ruff leaves out where `exclude` is not set (docs.astral.sh/ruff/settings/#exclude).
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


def covers(wide: str, code: str) -> bool:
    """Whether a selector stands for all rules of another: `E` for `E501`, `ALL` for every one."""
    if wide in {"ALL", code}:
        return True
    one, other = _CODE.fullmatch(wide), _CODE.fullmatch(code)
    if one is None or other is None:
        return False
    if wide in _FAMILIES and any(covers(member, code) for member in _FAMILIES[wide]):
        return True
    return one[1] == other[1] and other[2].startswith(one[2])


def _overlaps(one: str, other: str) -> bool:
    return covers(one, other) or covers(other, one)


def ruff(old: Config | None, new: Config | None) -> Iterator[Loosened]:
    """Yield what is less strict."""
    if new is None or (old and old.value("extend")) != new.value("extend"):
        return  # what an extended file says is not read
    yield from _excludes(old, new)
    selected = _selected(old)
    chosen = _selected(new)
    for key, fresh in (*_ignored(old, new), *_per_file(old, new)):
        # What the base commit did not select is not ignored now.
        unknown = selected is None and chosen is not None
        looser = [] if unknown else [one for one in fresh if _was_selected(selected, one[-1])]
        if looser:
            shown = [": ".join(one) for one in looser]
            text = f"`{key}` of Ruff has {counted(len(shown), 'new entry')}: {listed(shown)}"
            yield _found(text, new, key, looser[0][0], looser[0][-1])
    yield from _unselected(selected, chosen, new)


def _found(text: str, new: Config, key: str, *entries: str) -> Loosened:
    places = ((*place, key) for place in _PLACES if isinstance(new.value(*place, key), list | dict))
    path = next(places, (key,))
    lines = [new.line((*path, entries[0]), entries[-1]), *(new.line(path, entry) for entry in entries)]
    key_line = new.line(path)
    line = next((one for one in lines if one and one != key_line), key_line)
    return Loosened(rule=ADDED_IGNORE, message=text, path=new.path, line=line)


def _texts(config: Config | None, *keys: str) -> list[str]:
    """Return the entries of the lists of these names, at the top and below `lint`."""
    found: list[str] = []
    for place in _PLACES:
        for key in keys:
            value = config.value(*place, key) if config else None
            found += [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
    return found


def _excludes(old: Config | None, new: Config) -> Iterator[Loosened]:
    for place in ((), ("lint",), ("format",)):
        for key in ("exclude", "extend-exclude"):
            before, after = (_list(config, (*place, key)) for config in (old, new))
            default = _EXCLUDED if key == "exclude" and not place else ()
            both = [*_list(old, ("exclude",)), *_list(old, ("extend-exclude",))]
            fresh = added([*(before or default), *both, *_EXCLUDED], after)
            if fresh:
                path = (*place, key)
                text = f"`{'.'.join(path)}` of Ruff has {counted(len(fresh), 'new entry')}: {listed(fresh)}"
                yield Loosened(rule=ADDED_IGNORE, message=text, path=new.path, line=new.line(path, fresh[0]))


def _list(config: Config | None, key: tuple[str, ...]) -> list[str]:
    value = config.value(*key) if config else None
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _ignored(old: Config | None, new: Config) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    for key in ("ignore", "extend-ignore"):
        before = _texts(old, "ignore", "extend-ignore")
        yield key, [(code,) for code in added(before, _texts(new, key), covers)]


def _per_file(old: Config | None, new: Config) -> Iterator[tuple[str, list[tuple[str, ...]]]]:
    before = dict(_pairs(old, "per-file-ignores", "extend-per-file-ignores"))
    everywhere = _texts(old, "ignore", "extend-ignore")
    for key in ("per-file-ignores", "extend-per-file-ignores"):
        fresh: list[tuple[str, ...]] = [
            (pattern, code)
            for pattern, codes in _pairs(new, key)
            for code in added([*before.get(pattern, ()), *everywhere], codes, covers)
        ]
        yield key, fresh


def _pairs(config: Config | None, *keys: str) -> Iterator[tuple[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for place in _PLACES:
        for key in keys:
            value: Any = config.value(*place, key) if config else None
            for pattern, codes in value.items() if isinstance(value, Mapping) else ():
                if isinstance(codes, list):
                    found.setdefault(pattern, []).extend(code for code in codes if isinstance(code, str))
    yield from found.items()


def _selected(config: Config | None) -> list[str] | None:
    """Return the rules that are selected; None if that is up to Ruff's version."""
    chosen = _texts(config, "select")
    return [*chosen, *_texts(config, "extend-select")] if chosen else None


def _was_selected(selected: Iterable[str] | None, code: str) -> bool:
    return selected is None or any(_overlaps(one, code) for one in selected)


def _unselected(before: list[str] | None, after: list[str] | None, new: Config) -> Iterator[Loosened]:
    if before is None or after is None:
        return
    gone = [
        code
        for code in added(after, before, covers)
        if not (
            code in _FAMILIES and all(any(covers(one, part) for one in after) for part in _FAMILIES[code])
        )
    ]
    if gone:
        text = f"`select` of Ruff no longer has {listed(gone)}"
        yield Loosened(
            rule=ADDED_IGNORE, message=text, path=new.path, line=_found(text, new, "select", "").line
        )
