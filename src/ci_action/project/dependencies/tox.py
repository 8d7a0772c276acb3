"""The environment of tox that runs pytest, and what it installs.

A line with a substitution that only tox knows is not used.
"""

import re
import shlex
from contextlib import suppress
from dataclasses import replace
from typing import Final

from ci_action.project.dependencies.asked import Asked, Word, joined, of_words, tests_of, variables_of
from ci_action.project.layout import Layout
from ci_action.project.tox import Tox, configurations

RUNS_PYTEST: Final = re.compile(r"(?<![\w./-])py\.?test(?![\w/-])(?!\.\w)")
_VERSION: Final = re.compile(r"(?:py|python)?([23])\.?(\d{0,2})t?")
# Factors of environments with other versions than a user gets.
_UNUSUAL: Final = frozenset({
    "main", "master", "dev", "nightly", "pre", "prerelease", "latest", "min", "minimum", "lowest", "oldest", "mindeps",
    "djmain", "djangomain", "djangodev", "pytestmain", "pytestdev",
})  # fmt: skip
# A variable that is not set.
_UNSET: Final = re.compile(r"\{env:\w+\}")
_LAST: Final = 2_000
"""A rank after that of every version."""


def of_tox(layout: Layout, python: str) -> Asked | None:
    """Return what the environment of tox that runs pytest installs, for a Python such as `3.12`; None if there is none."""
    conf: Tox | None = None
    with suppress(ValueError, RecursionError):
        conf = next(configurations(layout), None)
    if conf is None or (environment := chosen(conf, python)) is None:
        return None

    def lines(*keys: str) -> list[str]:
        found = conf.lines(environment, *keys, factors=_factors(environment, python))
        return [_UNSET.sub("", line) for line in found]

    named = [of_words(_words(line), layout.root) for line in lines("deps")]
    names = {
        key: [one for line in lines(key) for one in re.split(r"[,\s]+", line) if one]
        for key in ("extras", "dependency_groups")
    }
    options = [f"--extra={name}" for name in names["extras"]]
    options += [f"--group={name}" for name in names["dependency_groups"]]
    assigned = (line.partition("=") for line in lines("set_env"))
    variables = variables_of((name.strip(), value.strip()) for name, _, value in assigned)
    asked = joined([*named, of_words(options, layout.root)], conf.place_of(environment))
    commands = lines("commands", "commands_pre")
    tests = (path for line in commands for path in tests_of(_shell_words(line), layout.root))
    return replace(asked, variables=variables, tests=tuple(dict.fromkeys(tests)))


def chosen(conf: Tox, python: str) -> str | None:
    """Return the environment that runs pytest: for this Python if there is one, of those the one with fewest factors."""

    def rank(name: str) -> tuple[int, int, int]:
        parts = name.split("-")
        minors = {int(match[2]) for one in parts if (match := _VERSION.fullmatch(one)) and match[2]}
        other = any(one.startswith("pypy") for one in parts)
        ours = int(python.rpartition(".")[2] or 0)
        distance = min((2 * abs(minor - ours) for minor in minors), default=1)
        return distance + _LAST * other, len(_UNUSUAL.intersection(parts)), name.count("-")

    names = [*(conf.listed or ("py",)), *conf.others]
    for keys in (("commands", "commands_pre"), ("deps",)):
        running = [
            name
            for name in names
            if any(map(RUNS_PYTEST.search, conf.lines(name, *keys, factors=_factors(name, python))))
        ]
        if running:
            return min(running, key=rank)
    return None


def _factors(environment: str, python: str) -> frozenset[str]:
    """Return the factors of an environment, as if it ran on this Python."""
    own = {one for one in environment.split("-") if not python or not _VERSION.fullmatch(one)}
    plain = python.replace(".", "")
    return frozenset({*own, "py", *((f"py{plain}", f"py{python}", python, plain) if python else ())})


def _words(line: str) -> list[Word]:
    """Return a line of `deps` as words: an option and its value, or one requirement."""
    if "{" in line:
        return [None]
    if match := re.fullmatch(r"(--?[a-z][a-z-]*)(?:[=\s]\s*)(.*)", line):
        return [match[1], match[2]]
    return [line]


def _shell_words(line: str) -> list[Word]:
    """Return a line of `commands` as words; `None` for one with a substitution that only tox knows."""
    try:
        return [None if "{" in word else word for word in shlex.split(line)]
    except ValueError:  # its quotes do not match
        return []
