"""A value that several tools want, and that is made once: they run side by side."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from ci_action.system.errors import ToolError

Value = TypeVar("Value")


class Lazy(Generic[Value]):
    """Makes a value for whoever asks first; all others get the same, or the same reason why there is none."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._made: list[Value | ToolError] = []

    def of(self, make: Callable[[], Value]) -> Value:
        """Return the value; raises the `ToolError` that came instead."""
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
