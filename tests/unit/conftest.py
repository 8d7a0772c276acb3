"""Unit tests are sealed: data in, data out. Whoever starts a process or opens a socket in one gets an error."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

_FORBIDDEN = (
    "subprocess.",
    "socket.",
    "os.fork",
    "os.exec",
    "os.posix_spawn",
    "os.system",
    "os.spawn",
    "pty.",
)


class Seal:
    """An audit hook; Python keeps hooks for ever, so it is switched on for each test and off after it."""

    def __init__(self) -> None:
        self.closed = False

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.closed and event.startswith(_FORBIDDEN):
            raise AssertionError(f"unit tests are sealed: {event} {arguments[:2]!r}")


_seal = Seal()
sys.addaudithook(_seal)


@pytest.fixture(autouse=True)
def sealed() -> Iterator[None]:
    _seal.closed = True
    yield
    _seal.closed = False
