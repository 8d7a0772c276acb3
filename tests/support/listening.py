"""A server on loopback that only counts the connections."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


@contextmanager
def listening() -> Iterator[tuple[int, list[Any]]]:
    """Listen on loopback; yields the port and the connections that were made."""
    seen: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            while True:
                try:
                    connection, address = server.accept()
                except OSError:
                    return
                seen.append(address)
                with connection, suppress(OSError):
                    connection.settimeout(5)
                    connection.recv(
                        4096
                    )  # closed with something unread, it is reset, which drivers handle badly

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1], seen
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)
