"""The definition of every input.

One field of `Settings` is an input of the action, an `INPUT_*` variable, a flag, a row of action.yml and of the README and,
where its source policy allows that, a `[tool.ci-action]` key and a property of the JSON schema. `general` has those of
every run, and each stage has a module of its own.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from pydantic import ConfigDict

from ci_action.settings.field import SetBy
from ci_action.settings.general import General
from ci_action.settings.pr import PullRequest
from ci_action.settings.quality import Quality
from ci_action.settings.security import Security
from ci_action.settings.test import Tests
from ci_action.system.text import kebab


class Settings(PullRequest, Security, Tests, Quality, General):
    """Everything that the user chose, resolved and typed."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=kebab,
        hide_input_in_errors=True,
        populate_by_name=False,
    )


def names() -> tuple[str, ...]:
    """Return the names of all inputs, in the order of their definition."""
    return tuple(kebab(name) for name in Settings.model_fields)


def about(name: str) -> Mapping[str, Any]:
    """Return what the definition says of an input beside its type: `x-stage`, `x-default`, `x-set-by`."""
    extra = Settings.model_fields[name.replace("-", "_")].json_schema_extra
    return extra if isinstance(extra, dict) else MappingProxyType({})


def may_be_a_key(name: str) -> bool:
    """Whether `[tool.ci-action]` may set an input."""
    return bool(about(name).get("x-set-by") == SetBy.ANYONE)


def is_list(name: str) -> bool:
    """Whether an input takes several values."""
    return isinstance(Settings.model_fields[name.replace("-", "_")].default, tuple)
