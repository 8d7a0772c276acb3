"""How an input is declared: what it accepts, who may set it, and what people read about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Self, TypeVar, overload

from ci_action.system.text import kebab

T = TypeVar("T")
_LONGEST_SHOWN = 200
# The stages whose module has another name.
_STAGES = {"general": "all", "type_check": "types"}


class SetBy(StrEnum):
    """The source policy of an input: who may set it."""

    ANYONE = "anyone"
    """The workflow, the command line and `[tool.ci-action]`, which the author of a pull request writes: what is checked, and
    how strictly."""
    WORKFLOW = "workflow"
    """The workflow and the command line only: rights, places, addresses, and whatever writes to GitHub or deploys."""


@dataclass(frozen=True)
class Kind(Generic[T]):
    """What an input accepts: text from the workflow and the command line, a value from TOML."""

    read: Callable[[Any], T]
    """Returns the value; raises `ValueError` with what to write instead, `EntryError` for parts of the value."""
    schema: Mapping[str, Any]
    """What it accepts in `[tool.ci-action]`, as JSON schema."""
    default: Any = ""
    private: bool = False
    """Whether it may contain a password: mistakes do not quote it."""


class EntryError(ValueError):
    """Mistakes in parts of a value, one message each: `entry 2 = 5: write text`."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__(*mistakes)


def mistakes_of(label: str, value: object, error: ValueError, *, private: bool = False) -> list[str]:
    """Return what is wrong with a value: its label, the value, and what to write instead."""
    if isinstance(error, EntryError):
        return [f"{label}: {mistake}" for mistake in error.args]
    shown = "" if private else f" = {repr(value)[:_LONGEST_SHOWN]}"
    return [f"{label}{shown}: {error}"]


class Setting(Generic[T]):
    """One input, declared in the class of its stage; a `Settings` object has its value under the same name."""

    name: str
    """As users write it: `working-directory`."""
    attribute: str
    stage: str
    """The stage whose module declares it, or `all`."""

    def __init__(
        self, kind: Kind[T], set_by: SetBy, description: str, *, default: Any = None, shown: str = ""
    ) -> None:
        """Declare an input; `shown` describes a default that depends on the project."""
        self.kind = kind
        self.set_by = set_by
        self.description = description
        self.default = kind.default if default is None else default
        self._shown = shown

    def __set_name__(self, owner: type, name: str) -> None:
        self.name, self.attribute = kebab(name), name
        module = owner.__module__.rpartition(".")[2]
        self.stage = _STAGES.get(module, module)

    @overload
    def __get__(self, settings: None, owner: type) -> Self: ...

    @overload
    def __get__(self, settings: object, owner: type) -> T: ...

    def __get__(self, settings: object, owner: type) -> Self | T:
        """Return the default: a chosen value is in the object's own dictionary, which is searched first."""
        return self if settings is None else self.default

    @property
    def default_text(self) -> str:
        """The default as people read it, or an empty text."""
        if self._shown or self.default is None:
            return self._shown
        if self.is_list:
            return ", ".join(self.default)
        return str(self.default).lower() if isinstance(self.default, bool) else str(self.default)

    @property
    def is_key(self) -> bool:
        """Whether `[tool.ci-action]` may set it."""
        return self.set_by is SetBy.ANYONE

    @property
    def is_switch(self) -> bool:
        """Whether it is true or false."""
        return isinstance(self.default, bool)

    @property
    def choices(self) -> tuple[str, ...]:
        """All its values; empty if there are too many to list."""
        return tuple(self.kind.schema.get("enum", ()))

    @property
    def is_list(self) -> bool:
        """Whether it accepts several values."""
        return isinstance(self.default, tuple)
