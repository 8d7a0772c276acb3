"""Which dependency groups and extras bring what the tests need: those that are asked for, else by their names."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from ci_action.project.dependencies.asked import Asked
from ci_action.project.dependencies.hatch import environments, of_environment
from ci_action.project.dependencies.inventory import canonical
from ci_action.project.dependencies.pyproject import find_requirement, setup_cfg_extras, table
from ci_action.project.layout import Layout
from ci_action.system.errors import ProjectFileError
from ci_action.system.project_files import find_project_text

# Names of groups, extras and files for tests.
TEST_NAMES: Final = frozenset({
    "test", "tests", "testing", "dev", "develop", "development", "ci", "pytest", "unit", "unittest", "qa", "all-tests",
    "coverage", "cov", "unittests", "unit-tests", "test-deps", "testing-deps", "dev-dependencies",
})  # fmt: skip
_WORDS: Final = frozenset({"test", "tests", "testing", "pytest"})


def for_tests(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that are for tests; if none has a usual name, those that contain such a word: `test-core`."""
    known = list(names)
    return tuple(name for name in known if _plain(name) in TEST_NAMES) or _with_word(known)


def _with_word(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if _WORDS.intersection(_plain(name).split("-")))


def _plain(name: str) -> str:
    return re.sub(r"[._\-\s]+", "-", name).lower()


@dataclass(frozen=True, kw_only=True)
class Known:
    """The groups and extras of a project, as it spells them."""

    pep735: tuple[str, ...] = ()
    """Groups of the table `dependency-groups`."""
    uv: tuple[str, ...] = ()
    """`dev`, if uv's own table lists dependencies for development."""
    poetry: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    """Those groups of Poetry that it does not install on its own."""
    pdm: tuple[str, ...] = ()
    hatch: tuple[str, ...] = ()
    """Environments of Hatch."""
    extras: tuple[str, ...] = ()
    complete: bool = True
    """Whether these are all extras: a setup.py, or a build, may define others."""

    @property
    def of_tables(self) -> tuple[str, ...]:
        """The names of groups of dependencies."""
        return tuple(dict.fromkeys((*self.pep735, *self.uv, *self.poetry, *self.pdm)))

    @property
    def groups(self) -> tuple[str, ...]:
        """All names that stand for a group."""
        return tuple(dict.fromkeys((*self.of_tables, *self.hatch)))


def known_names(layout: Layout) -> Known:
    """Return the groups and extras that the files of a project name."""
    document = layout.pyproject
    project, poetry = _table(document, "project"), _table(document, "tool", "poetry")
    dynamic = project.get("dynamic")
    groups = _table(document, "tool", "poetry", "group")
    text = find_project_text(layout.root / "setup.cfg", layout.workspace)
    extras = (*_table(project, "optional-dependencies"), *_table(poetry, "extras"), *setup_cfg_extras(text))
    hidden = (
        (layout.root / "setup.py").is_file() if not project else "optional-dependencies" in _list(dynamic)
    )
    return Known(
        pep735=tuple(_table(document, "dependency-groups")),
        uv=("dev",) if _list(_table(document, "tool", "uv").get("dev-dependencies")) else (),
        poetry=(*groups, *(["dev"] if _table(poetry, "dev-dependencies") else [])),
        optional=tuple(
            name for name, one in groups.items() if isinstance(one, dict) and one.get("optional") is True
        ),
        pdm=tuple(_table(document, "tool", "pdm", "dev-dependencies")),
        hatch=tuple(environments(layout)),
        extras=tuple(dict.fromkeys(extras)),
        complete=not hidden,
    )


def _table(document: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    with suppress(ValueError):  # whoever reads its content reports the shape
        return table(document, *names)
    return {}


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The groups and extras to install."""

    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    chosen: bool = False
    """Whether a setting names them: then no others are installed."""

    @property
    def shown(self) -> str:
        """The names for people: `groups dev, tests and extra cov`; empty if there are none."""
        parts = [
            f"{word}{'s' if len(names) > 1 else ''} {', '.join(names)}"
            for word, names in (("group", self.groups), ("extra", self.extras))
            if names
        ]
        return " and ".join(parts)


def select(
    layout: Layout, groups: Sequence[str] = (), extras: Sequence[str] = (), runner: Asked | None = None
) -> Selection:
    """Return the selection of the settings, else by names, with those that the project's own runner installs."""
    known = known_names(layout)
    if groups or extras:
        wanted = [_spelled(name, known.groups) or name for name in groups]
        own = [
            of_environment(name, layout)
            for name in wanted
            if name in known.hatch and name not in known.of_tables
        ]
        named = [_spelled(name, known.extras) or name for name in extras]
        for asked in own:
            wanted += _existing(asked.groups, known.of_tables)
            named += _existing(asked.extras, known.extras)
        return Selection(groups=tuple(dict.fromkeys(wanted)), extras=tuple(dict.fromkeys(named)), chosen=True)
    asked = runner or Asked()
    named = [*for_tests(known.of_tables), *_existing(asked.groups, known.of_tables)]
    wanted = [*for_tests(known.extras), *_existing(asked.extras, known.extras)]
    # A group `dev` without pytest beside `test-unit`: the tests need the other one.
    if not (_list_pytest(layout, named, wanted) or asked.requirements or asked.files):
        named += [name for name in _with_word(known.pep735) if _list_pytest(layout, [name], [])]
    return Selection(groups=_compatible(layout, "group", named), extras=_compatible(layout, "extra", wanted))


def _list_pytest(layout: Layout, groups: Sequence[str], extras: Sequence[str]) -> bool:
    """Return whether one of these groups and extras lists pytest; true also if they are in another table."""
    of_groups = _table(layout.pyproject, "dependency-groups")
    of_extras = _table(layout.pyproject, "project", "optional-dependencies")
    if any(name not in of_groups for name in groups) or any(name not in of_extras for name in extras):
        return True
    pending = [entry for name in groups for entry in _list(of_groups[name])]
    pending += [entry for name in extras for entry in _list(of_extras[name])]
    seen: set[str] = set()
    while pending:
        entry = pending.pop()
        included = str(entry.get("include-group", "")) if isinstance(entry, dict) else ""
        if included and included not in seen:
            seen.add(included)
            pending += _list(of_groups.get(_spelled(included, of_groups)))
        found = find_requirement(entry)
        if found and canonical(found.name) == "pytest":
            return True
    return False


def _existing(names: Iterable[str], known: Iterable[str]) -> list[str]:
    every = list(known)
    return [found for name in names if (found := _spelled(name, every))]


def _spelled(name: str, known: Iterable[str]) -> str:
    """Return a name as the project spells it; empty if it does not have it."""
    return next((one for one in known if canonical(one) == canonical(name)), "")


def _compatible(layout: Layout, kind: str, names: Sequence[str]) -> tuple[str, ...]:
    """Return the names without those that uv must not install together with an earlier one."""
    sets = [
        {str(entry[kind]) for entry in _list(conflict) if isinstance(entry, dict) and kind in entry}
        for conflict in _list(_table(layout.pyproject, "tool", "uv").get("conflicts"))
    ]
    kept: list[str] = []
    for name in dict.fromkeys(names):
        if not any(name in one and one.intersection(kept) for one in sets):
            kept.append(name)
    return tuple(kept)


def selection_mistakes(layout: Layout, groups: Sequence[str], extras: Sequence[str]) -> Iterator[str]:
    """Yield an error for each name that the project does not have, as far as its files tell."""
    if not (groups or extras):
        return
    try:
        known = known_names(layout)
    except ProjectFileError as error:
        yield error.reason
        return
    for key, names, there in (("groups", groups, known.groups), ("extras", extras, known.extras)):
        for name in names:
            if _spelled(name, there) or (key == "extras" and not known.complete):
                continue
            available = ", ".join(there) or "none"
            yield f"{key} = {name!r}: unknown {key.removesuffix('s')}; available: {available}"
