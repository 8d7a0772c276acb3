"""Why an advisory service could not be asked, read from what pip-audit leaves behind: mostly a traceback of requests."""

import re
from dataclasses import dataclass
from typing import Final, TypeAlias

_STATUS: Final = re.compile(r"HTTPError: (\d{3}) ")
_Row: TypeAlias = tuple[re.Pattern[str], str, bool]


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why there was no answer."""

    text: str
    """Goes on after the name of the service: "127.0.0.1:8000 refused the connection"."""
    unreachable: bool = False
    """Whether no package would have fared better."""
    final: bool = False
    """Whether the same question would get the same answer."""


def _row(pattern: str, text: str, *, unreachable: bool) -> _Row:
    return re.compile(pattern), text, unreachable


# The first that is found counts; a proxy is tried before the service, and its failure holds the words of others.
_KNOWN: Final = (
    _row(r"LedElsewhereError", "redirects to another host, which is not asked: set `advisory-url` to the address that answers", unreachable=True),
    _row(r"WrongAnswerError", "gave an answer that is not OSV's", unreachable=False),
    _row(r"PartialAnswerError", "gave a part of its answer", unreachable=False),
    _row(r"ProxyError", "cannot be reached through the proxy", unreachable=True),
    _row(r"SSLError|SSLCertVerificationError|CERTIFICATE_VERIFY", "has no certificate that can be trusted", unreachable=True),
    _row(r"NameResolutionError|Name or service not known|Temporary failure in name", "has a name that cannot be resolved", unreachable=True),
    _row(r"Connection refused|Errno 111", "refused the connection", unreachable=True),
    _row(r"ConnectTimeout|Could not connect to OSV", "cannot be reached: no connection came about in time", unreachable=True),
    _row(r"unreachable|No route to host", "cannot be reached: there is no way to it", unreachable=True),
    _row(r"TooManyRedirects", "sends us from one address to the next", unreachable=True),
    _row(r"ReadTimeout|Read timed out|timed out", "did not answer in time", unreachable=False),
    _row(r"RemoteDisconnected|IncompleteRead|ChunkedEncodingError|Connection aborted|ConnectionResetError|ProtocolError", "broke off its answer", unreachable=False),
    _row(r"JSONDecodeError", "gave an answer that is no JSON", unreachable=False),
    _row(r"ConnectionError|MaxRetryError|NewConnectionError", "cannot be reached", unreachable=True),
    _row(r"_service[/.]osv", "gave an answer that pip-audit cannot read", unreachable=False),
)  # fmt: skip
_AGAIN: Final = frozenset({"408", "425", "429"})


def cause_of(stderr: str, service: str) -> Cause | None:
    """Return the cause in a sentence that begins with the name of the service; None where it is not the service."""
    status = _STATUS.search(stderr)
    if status:
        final = status[1].startswith("4") and status[1] not in _AGAIN
        return Cause(text=f"{service} answered with HTTP {status[1]}", final=final)
    for pattern, text, unreachable in _KNOWN:
        if pattern.search(stderr):
            return Cause(text=f"{service} {text}", unreachable=unreachable)
    return None
