"""Conversations with services without a socket: the bytes that a service sends are given."""

import math
import socket
from collections.abc import Callable
from typing import Any

import pytest

from ci_action.stages.test.services.addresses import Address, parse
from ci_action.stages.test.services.faults import Fault, Unfit
from ci_action.stages.test.services.greet import Line


class Held:
    """A conversation with a service that sends these bytes, whatever it is asked; a socket as `Line` needs one."""

    def __init__(self, greet: Callable[[Address, Line], str], address: str, said: bytes) -> None:
        self.sent = b""
        self._left = said
        stands_in: Any = self
        self.version = greet(parse(address), Line(stands_in, math.inf))

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def recv(self, size: int, flags: int = 0) -> bytes:
        found = self._left[:size]
        if not flags & socket.MSG_PEEK:
            self._left = self._left[size:]
        return found

    def settimeout(self, seconds: float) -> None:
        pass

    def close(self) -> None:
        pass


def unfit(held: Callable[[], Held]) -> tuple[Fault, str]:
    with pytest.raises(Unfit) as caught:
        held()
    return caught.value.fault, caught.value.message
