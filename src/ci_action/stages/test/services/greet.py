"""Greet a service once: connect, log in if its kind has a login, and return its version.

This is the only module that opens a connection to a service.
"""

import http.client
import re
import socket
import ssl
import struct
import time
from contextlib import closing, suppress
from typing import Final

from ci_action.stages.test.services.addresses import Address, Kind, Tls
from ci_action.stages.test.services.faults import Fault, Unfit

_MOST_BYTES: Final = 2_000_000
_CHUNK: Final = 65_536
_SERVER_ERROR: Final = 500
_NOT_PERMITTED: Final = b"-NOPERM"
_SSL_REQUEST: Final = struct.pack("!ii", 8, 80_877_103)
_REDIS_VERSION: Final = re.compile(rb"^(?:valkey|redis)_version:([\w.+-]{1,40})", re.MULTILINE)
# The first that fits counts.
_ERRORS: Final = (
    (socket.gaierror, Fault.UNRESOLVED),
    (TimeoutError, Fault.SILENT),
    (ConnectionRefusedError, Fault.REFUSED),
    ((ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError), Fault.CLOSED),
    (ssl.SSLError, Fault.TLS),
    (http.client.HTTPException, Fault.PROTOCOL),
    (OSError, Fault.UNREACHABLE),
)
# What Redis begins an error with.
_REDIS_FAULTS: Final = {
    "LOADING": Fault.STARTING,
    "BUSY": Fault.STARTING,
    "MASTERDOWN": Fault.STARTING,
    "NOAUTH": Fault.NO_PASSWORD,
    "WRONGPASS": Fault.PASSWORD,
    "DENIED": Fault.DENIED,
}


def greeted(address: Address, seconds: float) -> str:
    """Return the version of a service, empty if it has none; raises `Unfit` if it is not ready."""
    end = time.monotonic() + seconds
    try:
        with closing(Line(_connected(address, seconds), end)) as line:
            try:
                return _version(address, line)
            except Unfit as unfit:
                if unfit.fault is Fault.PROTOCOL and line.first and not unfit.message:
                    raise Unfit(Fault.PROTOCOL, f"it sent {line.first!r}") from unfit
                raise
    except (OSError, http.client.HTTPException) as error:
        raise _judged(error, seconds) from error


def _version(address: Address, line: "Line") -> str:
    if address.kind is Kind.POSTGRES:
        # pg8000 takes 0.2 s to import.
        from ci_action.stages.test.services.postgres import log_in

        ask_for_tls(address, line)
        return log_in(address, line)
    if address.tls is not Tls.OFF:
        line.encrypt(address)
    if address.kind is Kind.REDIS:
        return redis(address, line)
    return _status(address, line) if address.kind is Kind.HTTP else ""


def ask_for_tls(address: Address, line: "Line") -> None:
    """Ask a PostgreSQL server for TLS, as pg8000 does, but with the deadline of the line."""
    if address.tls is Tls.OFF:
        return
    line.write(_SSL_REQUEST)
    line.limit()
    # A server sends one byte and waits; anything else is left to pg8000: an error, or another protocol.
    answer = line.sock.recv(2, socket.MSG_PEEK)
    if answer in {b"S", b"N"}:
        line.sock.recv(1)
    if answer == b"S":
        line.encrypt(address)
    elif answer == b"N" and address.tls is not Tls.IF_OFFERED:
        raise Unfit(Fault.TLS, "the server does not support TLS")


def redis(address: Address, line: "Line") -> str:
    """Log in, select the database, and ask for the version."""
    if address.password:
        _asked(line, "AUTH", *filter(None, [address.user]), address.password)
    if _asked(line, "PING") not in {b"+PONG", _NOT_PERMITTED}:
        raise Unfit(Fault.PROTOCOL)
    if address.path.isdecimal() and int(address.path):
        _asked(line, "SELECT", address.path)
    answer = _asked(line, "INFO", "server")
    size = answer.removeprefix(b"$")
    if size == answer or not size.isdigit() or int(size) > _MOST_BYTES:
        return ""
    found = _REDIS_VERSION.findall(line.read(int(size)))
    return found[-1].decode() if found else ""


def _asked(line: "Line", *command: str) -> bytes:
    """Send a command and return the first line of the answer; raises `Unfit` for errors."""
    parts = [word.encode() for word in command]
    line.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
    answer = line.readline()
    if answer.startswith(b"-"):
        text = answer[1:].decode("utf-8", "replace")
        code = text.partition(" ")[0]
        if code == "NOPERM":  # the login worked, the user has no permission for the command
            return _NOT_PERMITTED
        fault = _REDIS_FAULTS.get(code)
        if fault is None and code == "ERR":
            fault = {"AUTH": Fault.PASSWORD, "SELECT": Fault.DATABASE}.get(command[0])
        raise Unfit(fault or Fault.PROTOCOL, text)
    if not answer.startswith((b"+", b"$", b"=")):
        raise Unfit(Fault.PROTOCOL)
    return answer


def _status(address: Address, line: "Line") -> str:
    connection = http.client.HTTPConnection(address.host, address.port)
    connection.sock = line.sock
    line.limit()
    target = f"/{address.path}" + (f"?{address.query}" if address.query else "")
    connection.request("GET", target, headers={"Connection": "close", "User-Agent": "ci-action"})
    with connection.getresponse() as response:
        status = response.status
    if status >= _SERVER_ERROR:
        raise Unfit(Fault.UNHEALTHY, f"status {status}")
    return f"status {status}"


def _connected(address: Address, seconds: float) -> socket.socket:
    """Connect to any of the host's IP addresses; raises a refusal rather than another error if all of them fail."""
    try:
        return socket.create_connection((address.host, address.port), timeout=seconds, all_errors=True)
    except ExceptionGroup as group:
        # In a container without IPv6, ::1 "cannot be assigned": what 127.0.0.1 answered counts.
        errors = [error for error in group.exceptions if isinstance(error, OSError)]
        refused = [error for error in errors if isinstance(error, ConnectionRefusedError)]
        raise [*refused, *errors][0] from None


def _judged(error: Exception, seconds: float) -> Unfit:
    """Return what an error of the system, of TLS or of HTTP means."""
    fault = next(fault for kind, fault in _ERRORS if isinstance(error, kind))
    if fault is Fault.SILENT:
        return Unfit(fault, f"no answer within {seconds:.0f} s")
    # The text of an HTTP error may quote the request, and a token in it.
    return Unfit(fault, "" if fault is Fault.PROTOCOL else getattr(error, "strerror", "") or str(error))


class Line:
    """A connection that ends in time, however slowly the service answers. For pg8000 it is a socket and its stream."""

    def __init__(self, sock: socket.socket, end: float) -> None:
        self.sock = sock
        self.first = b""
        """The first word that came, to show what answers: never a password, even of a server that echoes."""
        self._end = end
        self._read = bytearray()
        self._count = 0

    def close(self) -> None:
        """Close the connection."""
        self.sock.close()

    def makefile(self, mode: str) -> "Line":  # noqa: ARG002 - the signature of a socket
        """Return the stream of this socket."""
        return self

    def limit(self) -> None:
        """Set the timeout of the next step; raises `TimeoutError` if no time is left."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.sock.settimeout(left)

    def write(self, data: bytes) -> None:
        """Send data; if that fails, the next `read` has the reason."""
        with suppress(OSError):
            self.limit()
            self.sock.sendall(data)

    def flush(self) -> None:
        """Do nothing: `write` sends at once."""

    def read(self, size: int) -> bytes:
        """Return exactly so many bytes."""
        if not 0 <= size <= _MOST_BYTES:
            raise Unfit(Fault.PROTOCOL)
        while len(self._read) < size:
            self._receive()
        taken = bytes(self._read[:size])
        del self._read[:size]
        return taken

    def readline(self) -> bytes:
        """Return a line, without its end."""
        while (size := self._read.find(b"\r\n")) < 0:
            self._receive()
        return self.read(size + 2)[:-2]

    def _receive(self) -> None:
        self.limit()
        data = self.sock.recv(_CHUNK)
        self.first = self.first or b"".join(data.split(None, 1)[:1])[:20]
        self._count += len(data)
        if not data:
            raise Unfit(Fault.CLOSED)
        if self._count > _MOST_BYTES:
            raise Unfit(Fault.PROTOCOL)
        self._read += data

    def encrypt(self, address: Address) -> None:
        """Begin TLS."""
        context = ssl.create_default_context()
        if address.tls is not Tls.VERIFIED:
            # As libpq does for `prefer` and `require`: the drivers of the tests do not verify either.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        self.limit()
        self.sock = context.wrap_socket(self.sock, server_hostname=address.host)
