"""Greet a service once: connect, speak its protocol, and say what came of it.

This is the only module that opens a connection.
"""

import http.client
import secrets
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Final

from ci_action.stages.test.services import postgres, protocols
from ci_action.stages.test.services.addresses import Address, Kind, Tls
from ci_action.stages.test.services.protocol import (
    Conversation,
    Exactly,
    Fault,
    Send,
    StartTls,
    Step,
    Unfit,
    Until,
)

_MOST_BYTES: Final = 2_000_000
_CHUNK: Final = 65_536
_SERVER_ERROR: Final = 500
_CONVERSATIONS: Final[Mapping[Kind, Callable[[Address], Conversation]]] = {
    Kind.POSTGRES: lambda address: postgres.converse(address, secrets.token_urlsafe(18)),
    Kind.REDIS: protocols.redis,
    Kind.MYSQL: protocols.mysql,
    Kind.AMQP: protocols.amqp,
    Kind.MEMCACHED: protocols.memcached,
}


def greeted(address: Address, seconds: float) -> str:
    """Connect, speak the protocol up to its greeting, and return what the service says of itself."""
    end = time.monotonic() + seconds
    try:
        with _connected(address, seconds) as plain:
            line = _Line(plain, address, end)
            try:
                return line.greet()
            except Unfit as unfit:
                if unfit.fault is Fault.PROTOCOL and not unfit.said:
                    raise Unfit(Fault.PROTOCOL, protocols.recognised(line.first)) from unfit
                raise
            finally:
                line.sock.close()
    except (OSError, http.client.HTTPException) as error:
        raise _judged(error, seconds) from error


def _connected(address: Address, seconds: float) -> socket.socket:
    """Connect to the first of a name's numbers that takes it; where none does, the most telling error is raised."""
    try:
        return socket.create_connection((address.host, address.port), timeout=seconds, all_errors=True)
    except ExceptionGroup as group:
        # In a container without IPv6, ::1 "cannot be assigned": what 127.0.0.1 said counts.
        errors = [error for error in group.exceptions if isinstance(error, OSError)]
        refused = [error for error in errors if isinstance(error, ConnectionRefusedError)]
        raise [*refused, *errors][0] from None


def _judged(error: Exception, seconds: float) -> Unfit:
    """Say what an error of the system, of TLS or of HTTP means."""
    said = getattr(error, "strerror", "") or str(error) or type(error).__name__
    match error:
        case socket.gaierror():
            fault = Fault.UNRESOLVED
        case TimeoutError():
            fault, said = Fault.SILENT, f"nothing came within {seconds:.0f} s"
        case ConnectionRefusedError():
            fault = Fault.REFUSED
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError() | ConnectionError():
            fault = Fault.CLOSED
        case ssl.SSLCertVerificationError():
            fault, said = Fault.TLS, error.verify_message
        case ssl.SSLError():
            fault, said = Fault.TLS, error.reason or said
        case http.client.BadStatusLine():
            fault, said = Fault.PROTOCOL, protocols.recognised(str(error).encode("utf-8", "replace"))
        case http.client.HTTPException():
            fault, said = Fault.PROTOCOL, ""
        case _:
            fault = Fault.UNREACHABLE
    return Unfit(fault, said)


class _Line:
    """An open connection on which a conversation is held."""

    def __init__(self, sock: socket.socket, address: Address, end: float) -> None:
        self.sock = sock
        self.first = b""
        """The first bytes that came, to tell what answers."""
        self._address = address
        self._end = end
        self._read = bytearray()
        self._count = 0

    def greet(self) -> str:
        """Hold the conversation of the address's protocol."""
        address = self._address
        if address.tls in {Tls.VERIFIED, Tls.UNVERIFIED} and address.kind is not Kind.POSTGRES:
            self._encrypt()
        if address.kind is Kind.HTTP:
            return self._status()
        # To be connected is all that `tcp` asks for.
        speak = _CONVERSATIONS.get(address.kind)
        return self._hold(speak(address)) if speak else ""

    def _hold(self, conversation: Conversation) -> str:
        answer = None
        try:
            while True:
                step = next(conversation) if answer is None else conversation.send(answer)
                answer = self._done(step)
        except StopIteration as ended:
            said: str = ended.value
            return said

    def _done(self, step: Step) -> bytes:
        match step:
            case Send(data):
                self._limit()
                self.sock.sendall(data)
            case StartTls():
                if self._read:  # sent before the encryption: not the server's
                    raise Unfit(Fault.PROTOCOL)
                self._encrypt()
            case Exactly(count):
                while len(self._read) < count:
                    self._receive()
                return self._taken(count)
            case Until(mark):
                while mark not in self._read:
                    self._receive()
                found = self._taken(self._read.index(mark) + len(mark))
                return found.removesuffix(mark)
        return b""

    def _limit(self) -> None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left)

    def _receive(self) -> None:
        self._limit()
        data = self.sock.recv(_CHUNK)
        self._count += len(data)
        if not data:
            raise Unfit(Fault.CLOSED, protocols.recognised(self.first))
        if self._count > _MOST_BYTES:
            raise Unfit(Fault.PROTOCOL)
        self.first = self.first or data[:64]
        self._read += data

    def _taken(self, count: int) -> bytes:
        taken = bytes(self._read[:count])
        del self._read[:count]
        return taken

    def _encrypt(self) -> None:
        context = ssl.create_default_context()
        if self._address.tls is not Tls.VERIFIED:
            # As libpq does for `prefer` and `require`: the drivers of the tests will not look closer.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self._limit()
        self.sock = context.wrap_socket(self.sock, server_hostname=self._address.host)

    def _status(self) -> str:
        address = self._address
        connection = http.client.HTTPConnection(address.host, address.port)
        connection.sock = self.sock
        self._limit()
        target = f"/{address.path}" + (f"?{address.query}" if address.query else "")
        connection.request("GET", target, headers={"Connection": "close", "User-Agent": "ci-action"})
        with connection.getresponse() as response:
            status = response.status
        if status >= _SERVER_ERROR:
            raise Unfit(Fault.UNHEALTHY, f"status {status}")
        return f"status {status}"
