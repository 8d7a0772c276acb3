"""Convert files as Git LFS does, without Git LFS: git starts this filter once for all files.

The filter that a repository names is a program of whoever wrote to its folder. This one only serves to compare: git
stores a pointer with the digest of a large file instead of the file. It imports only the standard library.
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
    """Return the pointer that git stores for a file; an empty file and a pointer stay the same."""
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
    """Yield the packets up to the next flush; raises `EOFError` if git has ended."""
    while True:
        head = stream.read(len(_FLUSH))
        if len(head) < len(_FLUSH):
            raise EOFError
        if head == _FLUSH:
            return
        yield stream.read(int(head, 16) - 4)


def packed(*texts: bytes) -> bytes:
    """Return texts as packets, followed by a flush."""
    return b"".join(b"%04x%s" % (len(text) + 4, text) for text in texts) + _FLUSH


def serve(given: BinaryIO, answers: BinaryIO) -> None:
    """Answer git until it ends: only cleaning is offered, so git never writes to a work tree."""
    list(packets(given))  # the client and its versions
    answers.write(packed(b"git-filter-server\n", b"version=2\n"))
    answers.flush()
    list(packets(given))
    answers.write(packed(b"capability=clean\n"))
    answers.flush()
    while True:
        list(packets(given))  # the command and the name of the file
        content = pointer(packets(given))
        parts = [content[at : at + _LONGEST_PACKET] for at in range(0, len(content), _LONGEST_PACKET)]
        answers.write(packed(b"status=success\n") + packed(*parts) + _FLUSH)
        answers.flush()


if __name__ == "__main__":
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except EOFError:
        sys.exit(0)
