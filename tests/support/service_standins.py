"""Small servers on loopback that speak as the real ones do; each connection is handled by a function of the test."""

import base64
import hashlib
import hmac
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import pytest

from ci_action.stages.test.services.addresses import parse
from ci_action.stages.test.services.faults import Fault, Unfit
from ci_action.stages.test.services.greet import greeted

Handler = Callable[[socket.socket], None]


@contextmanager
def serving(handle: Handler, port: int = 0) -> Iterator[int]:
    """Accept connections and handle each in a thread of its own; yields the port."""
    threads: list[threading.Thread] = []
    open_connections: list[socket.socket] = []

    def work(connection: socket.socket) -> None:
        with connection, suppress(OSError, EOFError):
            handle(connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            open_connections.append(connection)
            threads.append(threading.Thread(target=work, args=(connection,)))
            threads[-1].start()

    with socket.create_server(("127.0.0.1", port)) as listener:
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield listener.getsockname()[1]
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            for connection in open_connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def exactly(connection: socket.socket, count: int) -> bytes:
    """Read so many bytes."""
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            raise EOFError
        data += part
    return data


def message(kind: str, payload: bytes) -> bytes:
    """Make a message of PostgreSQL."""
    return kind.encode() + struct.pack("!i", len(payload) + 4) + payload


def refusal(code: str, text: str, routine: str = "") -> bytes:
    """Make an error of PostgreSQL."""
    return message("E", f"SFATAL\0C{code}\0M{text}\0R{routine}\0\0".encode())


READY = (
    message("R", struct.pack("!i", 0))
    + message("S", b"server_version\x0016.3 (Debian)\0")
    + message("Z", b"I")
)


@dataclass
class Postgres:
    """A server with one user and one database, which asks for the password by the method given."""

    method: str = "trust"
    user: str = "app"
    password: str = "s3cr3t-value"
    database: str = "app"
    starting: int = 0
    """How many connections are told that the system is starting up."""
    context: ssl.SSLContext | None = None
    encrypted: bool = False
    dribble: bool = False
    """Whether everything is said byte by byte."""
    rounds: int = 4096
    """How often the password is hashed (`scram_iterations`)."""

    def __call__(self, connection: socket.socket) -> None:
        body = self._packet(connection)
        if body == struct.pack("!i", 80_877_103):
            connection.sendall(b"S" if self.context else b"N")
            if self.context:
                with self.context.wrap_socket(connection, server_side=True) as secure:
                    self.encrypted = True
                    self._log_in(secure, self._packet(secure))
                    return
            body = self._packet(connection)
        self._log_in(connection, body)

    def _packet(self, connection: socket.socket) -> bytes:
        return exactly(connection, struct.unpack("!i", exactly(connection, 4))[0] - 4)

    def _say(self, connection: socket.socket, data: bytes) -> None:
        for part in [data[i : i + 1] for i in range(len(data))] if self.dribble else [data]:
            connection.sendall(part)

    def _answer(self, connection: socket.socket) -> bytes:
        if exactly(connection, 1) != b"p":
            raise EOFError  # it ends instead of logging in
        return self._packet(connection)

    def _log_in(self, connection: socket.socket, body: bytes) -> None:
        words = body[4:].rstrip(b"\0").split(b"\0")
        pairs = dict(zip(words[::2], words[1::2], strict=True))
        if self.starting:
            self.starting -= 1
            self._say(connection, refusal("57P03", "the database system is starting up"))
            return
        user, database = pairs[b"user"].decode(), pairs[b"database"].decode()
        if self.method == "trust":
            if user != self.user:
                text = f'role "{user}" does not exist'
                self._say(connection, refusal("28000", text, "InitializeSessionUserId"))
                return
        elif not self._knows(connection, user):
            text = f'password authentication failed for user "{user}"'
            self._say(connection, refusal("28P01", text, "auth_failed"))
            return
        if database != self.database:
            self._say(connection, refusal("3D000", f'database "{database}" does not exist'))
            return
        self._say(connection, READY)
        assert exactly(connection, 5) == b"X\0\0\0\x04"

    def _knows(self, connection: socket.socket, user: str) -> bool:
        if self.method == "cleartext":
            self._say(connection, message("R", struct.pack("!i", 3)))
            return user == self.user and self._answer(connection) == self.password.encode() + b"\0"
        if self.method == "md5":
            salt = os.urandom(4)
            self._say(connection, message("R", struct.pack("!i", 5) + salt))
            inner = (
                hashlib.md5((self.password + self.user).encode(), usedforsecurity=False).hexdigest().encode()
            )
            right = b"md5" + hashlib.md5(inner + salt, usedforsecurity=False).hexdigest().encode() + b"\0"
            return self._answer(connection) == right
        return self._scram(connection)

    def _scram(self, connection: socket.socket) -> bool:
        """Ask as a server does that knows only the stored key, not the password."""
        salt, rounds = os.urandom(16), self.rounds
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), salt, rounds)
        stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
        self._say(connection, message("R", struct.pack("!i", 10) + b"SCRAM-SHA-256\0\0"))
        name, _, rest = self._answer(connection).partition(b"\0")
        assert name == b"SCRAM-SHA-256"
        bare = rest[4:].removeprefix(b"n,,")
        nonce = bare.partition(b"r=")[2] + base64.b64encode(os.urandom(9))
        first = b"r=%s,s=%s,i=%d" % (nonce, base64.b64encode(salt), rounds)
        self._say(connection, message("R", struct.pack("!i", 11) + first))
        final, _, proof = self._answer(connection).rpartition(b",p=")
        assert final == b"c=biws,r=" + nonce
        said = b",".join([bare, first, final])
        mask = hmac.digest(stored, said, "sha256")
        key = bytes(a ^ b for a, b in zip(base64.b64decode(proof), mask, strict=True))
        if hashlib.sha256(key).digest() != stored:
            return False
        signature = hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), said, "sha256")
        self._say(connection, message("R", struct.pack("!i", 12) + b"v=" + base64.b64encode(signature)))
        return True


@dataclass
class Redis:
    """A Redis with or without a password, which may be loading at first."""

    password: str = ""
    loading: int = 0

    def __call__(self, connection: socket.socket) -> None:
        known = not self.password
        with connection.makefile("rb") as lines:
            while head := lines.readline():
                words = []
                for _ in range(int(head[1:])):
                    size = int(lines.readline()[1:])
                    words.append(lines.read(size + 2)[:-2].decode())
                if words[0] == "AUTH":
                    known = bool(self.password) and words[-1] == self.password
                    connection.sendall(
                        b"+OK\r\n" if known else b"-WRONGPASS invalid username-password pair\r\n"
                    )
                elif not known:
                    connection.sendall(b"-NOAUTH Authentication required.\r\n")
                elif words[0] == "PING" and self.loading:
                    self.loading -= 1
                    connection.sendall(b"-LOADING Redis is loading the dataset in memory\r\n")
                elif words[0] == "PING":
                    connection.sendall(b"+PONG\r\n")
                elif words[0] == "SELECT":
                    connection.sendall(
                        b"+OK\r\n" if int(words[1]) < 16 else b"-ERR DB index is out of range\r\n"
                    )
                else:
                    text = b"# Server\r\nredis_version:7.2.5\r\n"
                    connection.sendall(b"$%d\r\n%s\r\n" % (len(text), text))


def http(status: str) -> Handler:
    """Answer every request with a status."""

    def handle(connection: socket.socket) -> None:
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += exactly(connection, 1)
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 5\r\nLocation: /x\r\n\r\nhello".encode())

    return handle


def saying(data: bytes) -> Handler:
    """Say something at once, whatever is asked, and wait for the end."""

    def handle(connection: socket.socket) -> None:
        connection.sendall(data)
        while connection.recv(65_536):
            pass

    return handle


def hanging(connection: socket.socket) -> None:
    """Read and never answer."""
    while connection.recv(65_536):
        pass


def closing(_connection: socket.socket) -> None:
    """Close at once."""


def greet(handler: Handler, address: str, seconds: float = 5.0) -> str:
    """Greet once; the address holds `PORT`."""
    with serving(handler) as port:
        return greeted(parse(address.replace("PORT", str(port))), seconds)


def unfit(handler: Handler, address: str, seconds: float = 5.0) -> tuple[Fault, str]:
    """Greet once a service that is not ready; return why."""
    with pytest.raises(Unfit) as caught:
        greet(handler, address, seconds)
    return caught.value.fault, caught.value.message
