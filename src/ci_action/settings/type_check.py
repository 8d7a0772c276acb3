"""Inputs of the types stage."""

from ci_action.settings import kinds
from ci_action.settings.field import SetBy, Setting
from ci_action.settings.types import TypeChecker


class TypeCheck:
    """Settings of the type checkers."""

    type_checker = Setting(
        kinds.choice(TypeChecker.AUTO),
        SetBy.ANYONE,
        "Type checker to run: `mypy`, `pyright`, `ty` or `none`. `auto` runs those that the project runs itself, and"
        " skips the stage if there are none.",
    )
