"""What Git LFS makes of a file for git, without Git LFS: started by git as a filter that stays for all files.

The filter that a repository names is a program of whoever wrote to its folder. This one only compares: instead of a
large file git keeps a pointer with the digest of what is in it. Nothing but the standard library is imported.
"""

import hashlib
import sys
from collections.abc import Iterable, Iterator
from typing import BinaryIO

_FLUSH = b"0000"
_START = b"version https://git-lfs.github.com/spec/"
_LONGEST_POINTER = 1024
_LONGEST_PACKET = 65516


def pointer(blocks: Iterable[bytes]) -> bytes:
    """Return what git keeps of a file: a pointer to it; what is empty or a pointer already stays."""
    digest, size, first = hashlib.sha256(), 0, b""
    for block in blocks:
        digest.update(block)
        size += len(block)
        first += block[: _LONGEST_POINTER - len(first)]
    if not size or (size < _LONGEST_POINTER and first.startswith(_START)):
        return first
    return (
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest.hexdigest()}\nsize {size}\n".encode()
    )


def packets(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the packets up to the next flush; raises `EOFError` where git has gone."""
    while True:
        head = stream.read(4)
        if len(head) < 4:  # noqa: PLR2004 - the length of a length
            raise EOFError
        if head == _FLUSH:
            return
        yield stream.read(int(head, 16) - 4)


def packed(*texts: bytes) -> bytes:
    """Return texts as packets, with a flush behind them."""
    return b"".join(b"%04x%s" % (len(text) + 4, text) for text in texts) + _FLUSH


def serve(given: BinaryIO, told: BinaryIO) -> None:
    """Answer git until it goes: only cleaning is offered, so that nothing is ever written to a work tree."""
    list(packets(given))  # who asks, and which versions it speaks
    told.write(packed(b"git-filter-server\n", b"version=2\n"))
    told.flush()
    list(packets(given))
    told.write(packed(b"capability=clean\n"))
    told.flush()
    while True:
        list(packets(given))  # the command and the name of the file
        content = pointer(packets(given))
        parts = [content[at : at + _LONGEST_PACKET] for at in range(0, len(content), _LONGEST_PACKET)]
        told.write(packed(b"status=success\n") + packed(*parts) + _FLUSH)
        told.flush()


if __name__ == "__main__":
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except EOFError:
        sys.exit(0)
