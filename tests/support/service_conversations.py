"""Conversations with services, held without a socket: the bytes that a service says are given."""

from collections.abc import Callable

import pytest

from ci_action.stages.test.services.protocol import Conversation, Exactly, Fault, Send, StartTls, Unfit, Until


class Held:
    """A conversation held with a service that says these bytes, whatever it is asked."""

    def __init__(self, conversation: Conversation, said: bytes) -> None:
        self.sent = b""
        self.encrypted = False
        self.version = ""
        answer = None
        try:
            while True:
                step = next(conversation) if answer is None else conversation.send(answer)
                answer = b""
                match step:
                    case Send(data):
                        self.sent += data
                    case StartTls():
                        self.encrypted = True
                    case Exactly(count):
                        assert len(said) >= count, f"it waits for {count} bytes after {self.sent!r}"
                        answer, said = said[:count], said[count:]
                    case Until(mark):
                        assert mark in said, f"it waits for {mark!r} after {self.sent!r}"
                        answer, _, said = said.partition(mark)
        except StopIteration as ended:
            self.version = ended.value
        self.left = said


def unfit(held: Callable[[], Held]) -> tuple[Fault, str]:
    with pytest.raises(Unfit) as caught:
        held()
    return caught.value.fault, caught.value.said
