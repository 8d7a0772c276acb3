"""Inputs of the quality stage."""

from ci_action.settings import kinds
from ci_action.settings.field import SetBy, Setting


class Quality:
    """Settings of Black and Ruff."""

    black_args = Setting(kinds.words, SetBy.ANYONE, "Additional options for Black, as in a shell.")
    ruff_args = Setting(kinds.words, SetBy.ANYONE, "Additional options for `ruff check`, as in a shell.")
