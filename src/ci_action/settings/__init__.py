"""The definition of every input.

One `Setting` is an input of the action, an `INPUT_*` variable, a flag, a row of action.yml and of the README and,
if its source policy allows that, a `[tool.ci-action]` key and a property of the JSON schema. `general` declares those of
every run, and each stage has a module.
"""

from collections.abc import Mapping
from typing import Any, Final

from ci_action.settings.docker import Docker
from ci_action.settings.field import Setting
from ci_action.settings.general import General
from ci_action.settings.migrations import Migrations
from ci_action.settings.pr import PullRequest
from ci_action.settings.quality import Quality
from ci_action.settings.security import Security
from ci_action.settings.test import Tests
from ci_action.settings.type_check import TypeCheck


class Settings(General, Quality, TypeCheck, Tests, Security, Migrations, Docker, PullRequest):
    """All values that the user chose, read and checked; the others are defaults."""

    def __init__(self, **chosen: Any) -> None:
        vars(self).update(chosen)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"settings are read-only: {name}")


SETTINGS: Final[Mapping[str, Setting[Any]]] = {
    setting.name: setting
    for part in Settings.__bases__
    for setting in vars(part).values()
    if isinstance(setting, Setting)
}
"""Every input by its name, in the order of their definition."""
