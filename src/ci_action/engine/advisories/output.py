"""Parses what pip-audit writes: its JSON about each package, and in its log why there is none, mostly a traceback."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from ci_action.engine.advisories.osv import shortened
from ci_action.project.dependencies.inventory import key_of
from ci_action.system.errors import ToolError
from ci_action.system.process import last_lines
from ci_action.system.text import one_line

_LONGEST_NAME: Final = 80
# Its warnings about an advisory that it could not read and skipped.
_SKIPPED: Final = ("Unsupported OSV schema version", "is missing 'affected' list")
_REMARK: Final = "WARNING:pip_audit._service.osv:"
_AUDITED: Final = "DEBUG:pip_audit._cli:Auditing "
_STATUS: Final = re.compile(r"HTTPError: (\d{3}) ")
_RETRIED: Final = frozenset({"408", "425", "429"})
# Pattern, end of the message, `unreachable`; the first match counts, because the failure of a proxy matches others as well.
_KNOWN: Final = (
    (r"LedElsewhereError", "redirects to another host: set `advisory-url` to its final address", True),
    (r"WrongAnswerError", "returned an answer that is not OSV", False),
    (r"PartialAnswerError", "returned a partial answer", False),
    (r"ProxyError", "is not reachable through the proxy", True),
    (r"SSLError|SSLCertVerificationError|CERTIFICATE_VERIFY", "has an untrusted certificate", True),
    (r"NameResolutionError|Name or service not known|Temporary failure in name", "could not be resolved", True),
    (r"Connection refused|Errno 111", "refused the connection", True),
    (r"ConnectTimeout|Could not connect to OSV", "did not accept a connection in time", True),
    (r"unreachable|No route to host", "is not reachable from this network", True),
    (r"TooManyRedirects", "redirects too many times", True),
    (r"ReadTimeout|Read timed out|timed out", "did not answer in time", False),
    (r"RemoteDisconnected|IncompleteRead|ChunkedEncodingError|Connection aborted|ConnectionResetError|ProtocolError", "closed the connection before the end of its answer", False),
    (r"JSONDecodeError", "returned invalid JSON", False),
    (r"ConnectionError|MaxRetryError|NewConnectionError", "is not reachable", True),
    (r"_service[/.]osv", "returned an answer that pip-audit cannot read", False),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Advisory:
    """An advisory about one version of a package."""

    id: str
    aliases: tuple[str, ...] = ()
    fixed_in: tuple[str, ...] = ()
    summary: str = ""

    @property
    def names(self) -> set[str]:
        """The name and its aliases."""
        return {self.id, *self.aliases}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The result of one run of pip-audit, by name and version of the package."""

    audited: Mapping[tuple[str, str], tuple[Advisory, ...]]
    skipped: Mapping[str, str]
    """By name: why it could not be audited."""
    doubts: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Why the result may be incomplete: pip-audit skipped an advisory that it could not read."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a run gave no answer."""

    text: str
    """With the name of the service: "127.0.0.1:8000 refused the connection"."""
    unreachable: bool = False
    """Whether no package would have fared better."""
    final: bool = False
    """Whether a retry would get the same answer."""
    late: bool = False
    """Whether the time limit was reached."""
    done: int = 0
    """Number of packages that were looked up before it failed at the next one."""


class _Vulnerability(msgspec.Struct):
    id: str
    aliases: list[str] = []
    fix_versions: list[str] = []
    description: str = ""


class _Dependency(msgspec.Struct):
    name: str
    version: str | msgspec.UnsetType = msgspec.UNSET
    vulns: list[_Vulnerability] | msgspec.UnsetType = msgspec.UNSET
    skip_reason: str | msgspec.UnsetType = msgspec.UNSET


class _Output(msgspec.Struct):
    dependencies: list[_Dependency]


def parse(stdout: bytes) -> Answer:
    """Parse the JSON. Raises `ToolError` if it is invalid."""
    if not stdout.strip():
        raise ToolError("pip-audit printed nothing instead of JSON")
    try:
        # In two steps: a description may hold lone surrogates, which msgspec does not decode.
        entries = msgspec.convert(json.loads(stdout), _Output).dependencies
    except (ValueError, RecursionError) as error:
        raise ToolError(f"pip-audit printed invalid JSON: {error}") from error
    audited, skipped = {}, {}
    for entry in entries:
        if entry.skip_reason is not msgspec.UNSET:
            skipped[key_of(entry.name, "")[0]] = shortened(entry.skip_reason)
        elif entry.version is msgspec.UNSET or entry.vulns is msgspec.UNSET:
            raise ToolError("pip-audit printed invalid JSON: a package has neither a result nor a reason")
        else:
            audited[key_of(entry.name, entry.version)] = tuple(map(_advisory, entry.vulns))
    return Answer(audited=audited, skipped=skipped)


def _advisory(entry: _Vulnerability) -> Advisory:
    name, *aliases = (one_line(one)[:_LONGEST_NAME] for one in (entry.id, *entry.aliases))
    summary = shortened(entry.description)
    return Advisory(
        id=name,
        aliases=tuple(sorted({*aliases} - {name})),
        fixed_in=tuple(entry.fix_versions),
        summary="" if summary == "N/A" else summary,
    )


def audited_before_it_failed(stderr: str) -> int:
    """Return the number of packages, in the given order, that were audited before pip-audit ended."""
    return sum(line.startswith(_AUDITED) for line in stderr.splitlines())


def skipped_advisories(stderr: str) -> dict[int, str]:
    """Return pip-audit's warnings about advisories that it could not read, by the index of the package."""
    found: dict[int, str] = {}
    index = 0
    for line in stderr.splitlines():
        if line.startswith(_AUDITED):
            index += 1
        elif line.startswith(_REMARK) and any(words in line for words in _SKIPPED):
            found[index] = shortened(line.removeprefix(_REMARK))
    return found


def last_message(stderr: str) -> str:
    """Return the last message of pip-audit: the line of the exception, or its error."""
    lines = last_lines(stderr, 400).splitlines()
    messages = [line for line in lines if not line.startswith(("DEBUG:", " ", "WARNING:"))]
    return one_line((messages or lines or ["no error message"])[-1])[:600]


def failure_of(stderr: str, service: str) -> Failure | None:
    """Return why the service did not answer; None if it is not the fault of the service."""
    status = _STATUS.search(stderr)
    if status:
        final = status[1].startswith("4") and status[1] not in _RETRIED
        return Failure(text=f"{service} answered with HTTP {status[1]}", final=final)
    for pattern, text, unreachable in _KNOWN:
        if re.search(pattern, stderr):
            return Failure(text=f"{service} {text}", unreachable=unreachable)
    return None
