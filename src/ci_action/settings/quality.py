"""Inputs of the quality stage."""

from ci_action.settings import kinds
from ci_action.settings.field import SetBy, Setting
from ci_action.settings.types import Formatter, Linter


class Quality:
    """Settings of the formatters and the linter."""

    formatter = Setting(
        kinds.choice(Formatter.AUTO),
        SetBy.ANYONE,
        "Formatter: `black`, `ruff` (`ruff format`) or `none`. `auto` runs the one that the project names in its"
        " dependencies, configurations, pre-commit hooks or commands. Without one, Black only warns in `all`.",
    )
    linter = Setting(
        kinds.choice(Linter.AUTO),
        SetBy.ANYONE,
        "Linter: `ruff` or `none`. `auto` runs Ruff unless the project names only another linter. Without one,"
        " Ruff only warns in `all`.",
    )
    black_args = Setting(kinds.words, SetBy.ANYONE, "Additional options for Black, as in a shell.")
    ruff_args = Setting(
        kinds.words,
        SetBy.ANYONE,
        "Additional options for `ruff check`, as in a shell. `ruff format` uses those for configuration and excludes.",
    )
