"""Whether the project's own commands judge its coverage only after they combined the data of several environments.

Everything is read as text. A single report that is not known to come after such a combination is enough for a "no",
because then the minimum may count for a single run as well.
"""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import PurePosixPath
from typing import Final

from ci_action.project.coverage_command import HATCH, commands_as_lines, texts_of
from ci_action.project.evidence.commands import (
    Script,
    in_hatch_toml,
    in_justfile,
    in_makefile,
    in_pyproject,
    in_tox,
)
from ci_action.project.layout import Layout
from ci_action.project.nox import sessions
from ci_action.project.tox import FILES, Tox, expanded, read
from ci_action.project.workflows import workflow_of

_COMBINE: Final = re.compile(r"(?<![\w.-])coverage3?\s+combine(?![\w-])")
# Each of these fails below the minimum; in Python the subcommand may be in a variable.
_REPORT: Final = re.compile(
    r"(?<![\w.-])coverage3?(?:\s+(?:report|html|xml|json|lcov)(?![\w-])|[\"']\s*,\s*\*)"
    r"(?![^&;|\n]*--fail-under[=\s]+0(?![\d.]))"
)
_TESTS: Final = re.compile(r"(?<![\w.-])(?:pytest|py\.test|unittest|coverage3?\s+run)(?![\w-])")
# pytest-cov compares every run with the minimum.
_PLUGIN: Final = re.compile(r"(?<![\w-])--cov(?=[\s=\"']|$)")
_TOX: Final = re.compile(
    r"(?<![\w.-])tox(?:[ \t]+(?:run|run-parallel|r|p|-p|auto|-q))*[ \t]*(?=$|[;&|])", re.MULTILINE
)
_PYTHON: Final = re.compile(r"(?:py|pypy|cpython)?-?\d+(?:\.\d+)?t?")
_SECTION: Final = "testenv:"
_BASES: Final = frozenset({"testenv", "env_run_base"})
_SEVERAL: Final = 2


@dataclass(frozen=True, kw_only=True)
class _Place:
    """What runs as one: an environment of tox, a session of nox, a target, a script or a job."""

    name: str
    text: str
    several: bool = False
    """Whether it gets the data of several environments."""
    after: tuple[str, ...] = ()
    """The places whose work it continues."""

    @property
    def combines(self) -> bool:
        """Whether it only joins the data of several environments, and does not run tests itself."""
        return self.several and bool(_COMBINE.search(self.text)) and not _TESTS.search(self.text)

    @property
    def first_report(self) -> int:
        """The position of the first report that can fail; -1 without one."""
        found = _REPORT.search(self.text)
        return found.start() if found else -1


def combination(layout: Layout) -> str:
    """Return which place reports the combined data of several environments, if every report does; else nothing."""
    found = ""
    files = list(texts_of(layout))
    try:
        tox = next(filter(None, (_pythons(name, text) for name, text in files)), False)
        for name, text in files:
            places = list(_places(name, text, tox=tox))
            if any(_PLUGIN.search(place.text) or HATCH.search(place.text) for place in places):
                return ""
            joining = {place.name for place in places if place.combines}
            for place in places:
                if place.first_report < 0:
                    continue
                combined = _COMBINE.search(place.text) if place.combines else None
                own = combined is not None and combined.start() < place.first_report
                follows = not _TESTS.search(place.text) and not joining.isdisjoint(place.after)
                if not own and not follows:
                    return ""
                found = found or (f"{name}: {place.name}" if place.name else name)
    except (ValueError, RecursionError, SyntaxError):  # what cannot be read may have a report
        return ""
    return found


def _places(name: str, text: str, *, tox: bool) -> Iterator[_Place]:
    """Yield the places of a file; raises `ValueError`, `SyntaxError` and `RecursionError`."""
    base = PurePosixPath(name).name
    if base in FILES:
        tasks = in_pyproject(tomllib.loads(text)) if base == "pyproject.toml" else ()
        yield from _of_tox(read(base, text, "."), tasks)
    elif base == "hatch.toml":
        yield from _joined(in_hatch_toml(tomllib.loads(text)))
    elif base == "noxfile.py":
        yield from _of_nox(text)
    elif base.lower() == "makefile" or base == "GNUmakefile":
        yield from _after_tox(_joined(in_makefile(text)[0]), tox=tox)
    elif base.lower().lstrip(".") == "justfile":
        yield from _after_tox(_joined(in_justfile(text)[0]), tox=tox)
    elif base.endswith((".yml", ".yaml")):
        yield from _of_workflow(text)
    else:
        yield from _after_tox([_Place(name="", text=commands_as_lines(text))], tox=tox)


def _joined(scripts: Iterable[Script]) -> list[_Place]:
    texts: dict[str, list[str]] = {}
    for script in scripts:
        texts.setdefault(script.place, []).append(script.text)
    return [_Place(name=name, text=commands_as_lines("\n".join(lines))) for name, lines in texts.items()]


def _after_tox(places: Iterable[_Place], *, tox: bool) -> Iterator[_Place]:
    """Yield the places, with those marked that combine after all environments of tox ran."""
    for place in places:
        ran, combined = _TOX.search(place.text), _COMBINE.search(place.text)
        several = tox and ran is not None and combined is not None and ran.start() < combined.start()
        yield replace(place, several=several)


# --- tox --------------------------------------------------------------------------------------------------------------


def _of_tox(conf: Tox | None, tasks: Iterable[Script]) -> Iterator[_Place]:
    known = conf.listed if conf else ()
    sections = {section.title: section for section in conf.environments} if conf else {}
    places = _joined([*tasks, *(in_tox(conf) if conf else ())])
    depends = {
        title: expanded("\n".join(line.text for line in section.keys["depends"]))
        for title, section in sections.items()
        if "depends" in section.keys
    }
    # An environment without commands of its own has those of the base.
    base = any(_TESTS.search(place.text) for place in places if place.name in _BASES)
    own = {
        name: bool(_TESTS.search(place.text))
        for place in places
        if place.name in sections
        for name in sections[place.name].names
    }
    for place in places:
        after: set[str] = set()
        for wanted in depends.get(place.name, ()):
            after |= {one for one in known if fnmatch(one, wanted)} if "*" in wanted else {wanted}
        test = [one for one in (after if place.name in depends else known) if own.get(one, base)]
        several = len(test) >= _SEVERAL if place.name in depends else _several(test)
        several = several and place.name not in _BASES
        yield replace(place, several=several, after=(*after, *(f"{_SECTION}{one}" for one in after)))


def _several(names: Iterable[str]) -> bool:
    """Whether these environments of tox have several versions of Python."""
    found = {match[0] for name in names if (match := _PYTHON.match(name))}
    return len(found) >= _SEVERAL


def _pythons(name: str, text: str) -> bool:
    """Whether a file sets environments of tox for several versions of Python."""
    base = PurePosixPath(name).name
    conf = read(base, text, ".") if base in {"tox.ini", "tox.toml"} else None
    return conf is not None and _several(conf.listed)


# --- nox --------------------------------------------------------------------------------------------------------------


def _of_nox(text: str) -> Iterator[_Place]:
    """Yield the functions of a noxfile, and what is outside of them."""
    tree = ast.parse(text)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    sources = {
        name: commands_as_lines(ast.get_source_segment(text, node) or "") for name, node in functions.items()
    }
    several = any(
        len(session.pythons) >= _SEVERAL and _TESTS.search(sources.get(session.name, ""))
        for session in sessions(text)
    )
    for name, source in sources.items():
        yield _Place(name=name, text=source, several=several)
    for other in tree.body:
        if not isinstance(other, ast.FunctionDef):
            yield _Place(name="", text=commands_as_lines(ast.get_source_segment(text, other) or ""))


# --- workflows --------------------------------------------------------------------------------------------------------


def _of_workflow(text: str) -> Iterator[_Place]:
    """Yield the jobs; one that downloads gets the data of several runs if a job with a matrix uploads."""
    steps = workflow_of(text).steps
    uploads = any(
        "cov" in f"{name} {given.text}".lower()
        for step in steps
        if step.spread and step.uses_action("actions/upload-artifact")
        for name, given in step.inputs.items()
    )
    for job in dict.fromkeys(step.job for step in steps):
        own = [step for step in steps if step.job == job]
        yield _Place(
            name=job,
            text=commands_as_lines("\n".join(step.run for step in own)),
            several=uploads and any(step.uses_action("actions/download-artifact") for step in own),
        )
