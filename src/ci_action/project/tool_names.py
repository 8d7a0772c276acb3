"""The formatters, linters and type checkers that a project can name, and how its files spell them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final


class Named(StrEnum):
    """The formatters, linters and type checkers that a project can name."""

    BLACK = "black"
    RUFF_FORMAT = "ruff format"
    YAPF = "yapf"
    AUTOPEP8 = "autopep8"
    BLUE = "blue"
    PYINK = "pyink"
    DARKER = "darker"
    HATCH_FMT = "hatch fmt"
    """Ruff with the configuration of Hatch: neither of the modes of a plain Ruff."""
    RUFF = "ruff"
    """The package, or options of both of its modes: whether it lints, formats or both is not clear."""
    RUFF_CHECK = "ruff check"
    FLAKE8 = "flake8"
    PYLINT = "pylint"
    PYCODESTYLE = "pycodestyle"
    PYFLAKES = "pyflakes"
    MYPY = "mypy"
    PYRIGHT = "pyright"
    BASEDPYRIGHT = "basedpyright"
    TY = "ty"
    PYRE = "pyre"
    PYREFLY = "pyrefly"
    PYTYPE = "pytype"


FORMATTERS: Final = (
    Named.BLACK, Named.RUFF_FORMAT, Named.YAPF, Named.AUTOPEP8, Named.BLUE, Named.PYINK, Named.DARKER, Named.HATCH_FMT,
)  # fmt: skip
LINTERS: Final = (
    Named.RUFF_CHECK, Named.FLAKE8, Named.PYLINT, Named.PYCODESTYLE, Named.PYFLAKES, Named.HATCH_FMT,
)  # fmt: skip
_SETUP_CFG: Final = ("setup.cfg",)
_BOTH: Final = ("setup.cfg", "tox.ini")


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """How the files of a project name a tool."""

    tool: Named
    packages: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    subcommands: tuple[tuple[str, str], ...] = ()
    """Programs with the subcommand that is this tool."""
    hooks: tuple[str, ...] = ()
    """The ids of its hooks of pre-commit."""
    repositories: tuple[str, ...] = ()
    """The repositories of these hooks whose `rev` is the version of the tool."""
    tables: tuple[str, ...] = ()
    """Its table in `[tool]` of pyproject.toml; those of Ruff are for either of its modes."""
    files: tuple[str, ...] = ()
    """Files that configure it, whatever their content."""
    sections: tuple[str, ...] = ()
    """The files among setup.cfg and tox.ini in which a section with its name configures it."""


def _usual(tool: Named, **others: tuple[str, ...]) -> Spelling:
    """Return the spelling of a tool whose package, program, hook and table have its name, besides these others."""
    own = (tool.value,)
    names: dict[str, Any] = {"packages": own, "programs": own, "hooks": own, "tables": own, **others}
    return Spelling(tool=tool, **names)


SPELLINGS: Final = (
    _usual(
        Named.BLACK, hooks=("black", "black-jupyter"),
        repositories=("psf/black", "psf/black-pre-commit-mirror", "ambv/black", "python/black"),
    ),
    Spelling(tool=Named.RUFF_FORMAT, subcommands=(("ruff", "format"),), hooks=("ruff-format",)),
    _usual(Named.YAPF, files=(".style.yapf",), sections=_SETUP_CFG),
    _usual(Named.AUTOPEP8, sections=_BOTH),
    _usual(Named.BLUE),
    _usual(Named.PYINK),
    _usual(Named.DARKER),
    Spelling(tool=Named.HATCH_FMT, subcommands=(("hatch", "fmt"),)),
    Spelling(
        tool=Named.RUFF, packages=("ruff",),
        repositories=("astral-sh/ruff-pre-commit", "charliermarsh/ruff-pre-commit"),
    ),
    Spelling(
        tool=Named.RUFF_CHECK, hooks=("ruff", "ruff-check"), subcommands=(("ruff", "check"),),
        programs=("ruff",),  # before 0.5 it checks without a subcommand
    ),
    _usual(Named.FLAKE8, programs=("flake8", "pflake8"), files=(".flake8",), sections=_BOTH),
    _usual(
        Named.PYLINT, files=(".pylintrc", "pylintrc", ".pylintrc.toml", "pylintrc.toml"), sections=_BOTH
    ),
    _usual(Named.PYCODESTYLE, tables=(), sections=_BOTH),
    _usual(Named.PYFLAKES, tables=()),
    _usual(
        Named.MYPY, programs=("mypy", "dmypy"), files=("mypy.ini", ".mypy.ini"), sections=_SETUP_CFG,
        repositories=("pre-commit/mirrors-mypy",),
    ),
    _usual(
        Named.PYRIGHT, files=("pyrightconfig.json",), repositories=("RobertCraigie/pyright-python",),
    ),
    _usual(Named.BASEDPYRIGHT),
    Spelling(
        tool=Named.TY, packages=("ty",), subcommands=(("ty", "check"),), hooks=("ty", "ty-check"), tables=("ty",),
        files=("ty.toml",),
    ),
    _usual(Named.PYREFLY, hooks=("pyrefly-check", "pyrefly-typecheck"), files=("pyrefly.toml",)),
    Spelling(
        tool=Named.PYRE, packages=("pyre-check",), programs=("pyre",), files=(".pyre_configuration",),
    ),
    Spelling(
        tool=Named.PYTYPE, packages=("pytype",), programs=("pytype",), tables=("pytype",), sections=_SETUP_CFG,
    ),
)  # fmt: skip


def by(names: Callable[[Spelling], Iterable[str]]) -> Mapping[str, Named]:
    """Return the tools by one kind of their names."""
    return {name: one.tool for one in SPELLINGS for name in names(one)}
