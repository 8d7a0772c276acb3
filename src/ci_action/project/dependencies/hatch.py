"""The environments of Hatch: which is for the tests, and what it installs."""

import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from ci_action.project.dependencies.asked import Asked, Word, joined, of_words, tests_of, variables_of
from ci_action.project.dependencies.tox import RUNS_PYTEST
from ci_action.project.layout import Layout
from ci_action.system.project_files import find_project_text

# What Hatch itself installs for `hatch test`, without the plugins that change how tests run.
_BUILT_IN: Final = {"hatch-test": ("pytest", "pytest-mock")}
_DEFAULT: Final = "default"
_ARGUMENTS: Final = re.compile(r"\{args:?([^{}]*)\}")
_DEEPEST: Final = 10


def environments(layout: Layout) -> Mapping[str, Mapping[str, Any]]:
    """Return the environments by name, from hatch.toml or pyproject.toml; none if the file has another shape."""
    found: Any = layout.pyproject
    with suppress(ValueError, RecursionError):
        if text := find_project_text(layout.root / "hatch.toml", layout.workspace):
            found = {"tool": {"hatch": tomllib.loads(text)}}
    for name in ("tool", "hatch", "envs"):
        found = found.get(name) if isinstance(found, dict) else None
    return (
        {name: one for name, one in found.items() if isinstance(one, dict)} if isinstance(found, dict) else {}
    )


def of_hatch(layout: Layout) -> Asked | None:
    """Return what the environment that runs pytest installs; None if there is none."""
    known = environments(layout)
    for name in sorted(known, key=lambda name: (name not in _BUILT_IN, "test" not in name, name)):
        if name in _BUILT_IN or any(RUNS_PYTEST.search(line) for line in _scripts(known[name])):
            return of_environment(name, layout)
    named = (
        name for name in known if any("pytest" in entry for entry in _all(name, known, "dependencies", 0))
    )
    return of_environment(found, layout) if (found := next(named, "")) else None


def of_environment(name: str, layout: Layout) -> Asked:
    """Return what an environment installs, with what it inherits."""
    known = environments(layout)
    words = [*_BUILT_IN.get(name, ())]
    for key in ("dependencies", "extra-dependencies"):
        words += _all(name, known, key, 0)
    words += [f"--extra={one}" for one in _all(name, known, "features", 0)]
    words += [f"--group={one}" for one in _all(name, known, "dependency-groups", 0)]
    source = "hatch.toml" if (layout.root / "hatch.toml").is_file() else "pyproject.toml"
    asked = joined([of_words(words, layout.root)], f"{source}: Hatch environment {name}")
    given = known[name].get("env-vars")
    texts = (
        ((key, value) for key, value in given.items() if isinstance(value, str))
        if isinstance(given, dict)
        else ()
    )
    tests = (path for line in _scripts(known[name]) for path in tests_of(_words(line), layout.root))
    return replace(asked, variables=variables_of(texts), tests=tuple(dict.fromkeys(tests)))


def _all(name: str, known: Mapping[str, Mapping[str, Any]], key: str, depth: int) -> list[str]:
    """Return the entries of a list: those of the environment, else of its template."""
    given = known.get(name, {})
    if key in given:
        return [one for one in given[key] if isinstance(one, str)] if isinstance(given[key], list) else []
    template = given.get("template", _DEFAULT)
    detached = given.get("detached") is True
    if detached or template == name or depth > _DEEPEST or not isinstance(template, str) or name in _BUILT_IN:
        return []
    return _all(template, known, key, depth + 1)


def _words(line: str) -> list[Word]:
    """Return a script as words, with the default of its arguments: `pytest {args:tests}`."""
    try:
        return [None if "{" in word else word for word in shlex.split(_ARGUMENTS.sub(r"\1", line))]
    except ValueError:  # its quotes do not match
        return []


def _scripts(given: Mapping[str, Any]) -> Iterator[str]:
    scripts = given.get("scripts")
    for value in scripts.values() if isinstance(scripts, dict) else ():
        yield from (line for line in (value if isinstance(value, list) else [value]) if isinstance(line, str))
