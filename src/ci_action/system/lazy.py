"""A lazily computed value, shared by tools that run in parallel."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

from ci_action.system.errors import ToolError

Value = TypeVar("Value")


class Lazy(Generic[Value]):
    """Computes a value at the first call; later calls return the same value or raise the same error."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._made: list[Value | ToolError] = []

    def of(self, make: Callable[[], Value]) -> Value:
        """Return the value of `make`; raises its `ToolError`."""
        with self._lock:
            if not self._made:
                try:
                    self._made.append(make())
                except ToolError as error:
                    self._made.append(error)
        made = self._made[0]
        if isinstance(made, ToolError):
            raise made
        return made


class LazyMap(Generic[Value]):
    """Lazily computed values by a key, computed one at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._values: dict[Hashable, Lazy[Value]] = {}

    def of(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of `make` for a key; raises its `ToolError`."""
        with self._lock:
            return self._values.setdefault(key, Lazy()).of(make)
