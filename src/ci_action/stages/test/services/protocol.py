"""How a service is spoken to, without a socket: a conversation yields what to send or to read, and ends in a greeting.

A conversation is a generator. It yields `Send`, `Exactly`, `Until` or `StartTls`, is given the bytes that it asked
for, and returns what the service said of itself (a version, or an empty text). What is wrong is raised as `Unfit`.
"""

from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from ci_action.system.text import one_line

# A service may say anything, of any length.
_LONGEST_WORDS = 160


class Fault(StrEnum):
    """Why a service is not ready; the value names the hint."""

    UNRESOLVED = "service-unknown-name"
    REFUSED = "service-refused"
    UNREACHABLE = "service-unreachable"
    SILENT = "service-silent"
    CLOSED = "service-closed"
    STARTING = "service-starting"
    UNHEALTHY = "service-unhealthy"
    TLS = "service-tls"
    PROTOCOL = "service-wrong-protocol"
    PASSWORD = "service-wrong-password"  # nosec B105 # noqa: S105 - the name of a hint
    NO_PASSWORD = "service-password-missing"  # nosec B105 # noqa: S105 - the name of a hint
    ROLE = "service-unknown-role"
    DATABASE = "service-unknown-database"
    DENIED = "service-denied"


class Unfit(Exception):  # noqa: N818 - it says of a service that it is not ready, an answer like others
    """The service is not ready, and why; `said` holds its own words, or those of the operating system."""

    def __init__(self, fault: Fault, said: str = "") -> None:
        self.fault = fault
        self.said = words(said)
        super().__init__(f"{fault}: {self.said}")


@dataclass(frozen=True)
class Send:
    """Send these bytes."""

    data: bytes


@dataclass(frozen=True)
class Exactly:
    """Read so many bytes."""

    count: int


@dataclass(frozen=True)
class Until:
    """Read up to a mark and return what stands before it."""

    mark: bytes


@dataclass(frozen=True)
class StartTls:
    """Encrypt the connection from here on."""


Step: TypeAlias = Send | Exactly | Until | StartTls
Conversation: TypeAlias = Generator[Step, bytes, str]


def words(text: str | bytes) -> str:
    """Return what a service said as one short line."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    line = one_line(text).strip()
    return line if len(line) <= _LONGEST_WORDS else line[:_LONGEST_WORDS] + "…"
