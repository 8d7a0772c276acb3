"""The finding for a secret, and what must be redacted of its file."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from ci_action.engine.duplicates import ACCEPTED
from ci_action.engine.secret_scan.events import FAILED, Scanned, Secret, Text
from ci_action.engine.secret_scan.harmless import (
    ENTROPY,
    is_data,
    is_named_after,
    names_credential,
    why_harmless,
)
from ci_action.model.changes import Changes
from ci_action.model.finding import SEVERITIES, Finding, Location
from ci_action.project.file_kinds import SOURCES
from ci_action.system.redaction import SHORTEST_SECRET

TOOL: Final = "detect-secrets"
UNREADABLE: Final = "unreadable"
URL: Final = "https://github.com/Yelp/detect-secrets"
# A detector of one kind of credential is exact, so its secrets are critical. These are not; detectors of the project are
# unrated.
_KEYWORD: Final = "Secret Keyword"
SEVERITY_OF_TYPE: Final[Mapping[str, str]] = {
    _KEYWORD: "high",  # a name that sounds like one, and any value
    "Base64 High Entropy String": "high",  # looks random
    "Hex High Entropy String": "high",
    "Public IP (ipv4)": "low",  # an address opens nothing
}
_ONE_KIND: Final = frozenset({
    "AWS Access Key", "Artifactory Credentials", "Azure Storage Account access key", "Basic Auth Credentials",
    "Cloudant Credentials", "Discord Bot Token", "GitHub Token", "GitLab Token", "IBM COS HMAC Credentials",
    "IBM Cloud IAM Key", "JSON Web Token", "Mailchimp Access Key", "NPM tokens", "OpenAI Token", "Private Key",
    "PyPI Token", "SendGrid API Key", "Slack Token", "SoftLayer Credentials", "Square OAuth Secret",
    "Stripe Access Key", "Telegram Bot Token", "Twilio API Key",
})  # fmt: skip
_ADVICE: Final = (
    "move it out of the file, or accept it with `ci-action secrets baseline` or `# pragma: allowlist secret`"
)
_REAL: Final = "the baseline marks it as a real secret: remove it from the file and revoke it"
# A private key is found by its first line; at most this many lines follow.
_MOST_KEY_LINES: Final = 400
_KEY: Final = re.compile(r"BEGIN .*?PRIVATE KEY|PuTTY-User-Key-File")
_KEY_END: Final = re.compile(r"END .*?PRIVATE KEY|Private-MAC:")
_KEY_BODY: Final = re.compile(r"[A-Za-z0-9+/=]{16,}")
# Some detectors only return a part of a token, such as `ghp` for GitHub: the token is the word around it.
_TOKEN: Final = re.compile(r"[\w.~+/=-]+")


class Standing(IntEnum):
    """What the baseline states about a secret; of several types of one value the first decides."""

    REAL = 0
    """Somebody has audited it: it is a secret."""
    OPEN = 1
    """Nothing."""
    ACCEPTED = 2


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that was scanned."""

    path: str
    """The name, relative to the workspace."""
    scanned: Scanned
    text: Text | None = None
    """Its text, if it has secrets."""
    changes: Changes | None = None
    standing: Callable[[Secret, str], Standing] = field(default=lambda _, __: Standing.OPEN)
    """Return what the baseline states about a secret and its whole token."""
    baseline: str = ""
    """The name of the baseline."""


def rule_of(kind: str) -> str:
    """Return the name of a type as a rule: `AWS Access Key` is `aws-access-key`."""
    return "-".join(re.findall(r"[a-z0-9]+", kind.lower())) or "secret"


def severity_of(kind: str) -> str:
    """Return the severity of a type."""
    return SEVERITY_OF_TYPE.get(kind) or ("critical" if kind in _ONE_KIND else "unknown")


def findings_of(file: File) -> Iterator[Finding]:
    """Yield a finding for every value on a line, whatever its types; one if the file could not be scanned."""
    if file.scanned.problem:
        verb = "scan" if file.scanned.state == FAILED else "read"
        message = f"could not {verb} the file, so it was not checked for secrets: {file.scanned.problem}"
        place = Location(path=file.path)
        yield Finding(tool=TOOL, rule=UNREADABLE, message=message, severity="unknown", location=place)
    known = _random_looking(file)
    # A token that one type knows whole and another by its beginning is one value.
    seen = sorted(
        ((_line(file, secret), token or secret.value, secret, token) for secret, token in with_tokens(file)),
        key=itemgetter(0, 1),
    )
    for (line, value), group in groupby(seen, key=itemgetter(0, 1)):
        standings = {secret.type: file.standing(secret, token) for _, _, secret, token in group}
        yield _judged(_finding(file, line, value, standings), known.get(value), standings)


def with_tokens(file: File) -> Iterator[tuple[Secret, str]]:
    """Yield the secrets of a file, each with its whole token if its value is only a part of that.

    Tokens with the same part are separate secrets, of which the engine only reports the first.
    """
    for secret in file.scanned.secrets:
        lines: dict[tuple[str, ...], list[int]] = {}
        for line in secret.lines:
            tokens = tuple(_tokens(file, secret, line))
            lines.setdefault(() if secret.value in tokens else tokens, []).append(line)
        for tokens, numbers in lines.items():
            yield Secret(secret.type, secret.value, tuple(numbers)), next(iter(tokens), "")


def _tokens(file: File, secret: Secret, line: int) -> list[str]:
    """Return the words around a value on a line, if its detector may have found only a part of a token."""
    if file.text is None or secret.type in SEVERITY_OF_TYPE:
        return []
    return [token for token in _TOKEN.findall(file.text.line(line)) if secret.value in token]


def _line(file: File, secret: Secret) -> int:
    """Return the first line with a value, of those that the change touched if it touched any."""
    if file.changes is not None and file.changes.known and len(secret.lines) > 1:
        for line in secret.lines:
            place = Location(path=file.path, line=_place(file, line, 0)[0])
            if file.changes.touches(Finding(tool=TOOL, rule="", message="", location=place)):
                return line
    return secret.lines[0]


def _finding(file: File, line: int, value: str, standings: Mapping[str, Standing]) -> Finding:
    first, *others = sorted(
        standings, key=lambda kind: (standings[kind], SEVERITIES.index(severity_of(kind)), kind)
    )
    standing = standings[first]
    location, new = _location(file, line, value)
    return Finding(
        tool=TOOL,
        rule=rule_of(first),
        message=f"{first}: possible secret; {_REAL if standing is Standing.REAL else _ADVICE}",
        severity=severity_of(first),
        location=location,
        url=URL,
        muted=f"{ACCEPTED}{file.baseline}" if standing is Standing.ACCEPTED else "",
        also=tuple(f"{TOOL}:{rule_of(kind)}" for kind in others),
        new=new,
    )


class _Random(NamedTuple):
    """A value that looks random, judged by its places."""

    harmless: str
    """Why it is not a secret; empty if it may be one."""
    data: bool
    """Whether it is data, and nothing names it a credential."""


def _random_looking(file: File) -> dict[str, _Random]:
    """Return the values that only look random: no detector of credentials has found them too."""
    text = file.text
    if text is None:
        return {}
    exact = {secret.value for secret in file.scanned.secrets if secret.type not in ENTROPY}
    lines: dict[str, set[int]] = {}
    for secret in file.scanned.secrets:
        if secret.value not in exact:
            lines.setdefault(secret.value, set()).update(secret.lines)
    data = is_data(file.path)
    return {
        value: _Random(
            why_harmless(file.path, text, value, numbers),
            data and not any(names_credential(text, value, number) for number in numbers),
        )
        for value, numbers in lines.items()
    }


def _judged(finding: Finding, random: _Random | None, standings: Mapping[str, Standing]) -> Finding:
    """Return the finding muted if it is a known hash, or less severe if it is random-looking data."""
    # A detector of credentials may have found a part of the same token.
    certain = not ENTROPY.issuperset(standings) or Standing.REAL in standings.values()
    if finding.muted or random is None or certain:
        return finding
    if random.harmless:
        return replace(finding, muted=f"not a secret: {random.harmless}", bulk=True)
    return replace(finding, severity="medium", bulk=True) if random.data else finding


def _place(file: File, line: int, column: int) -> tuple[int, int]:
    if file.text is None:
        return line, column + 1
    return file.text.place(line, column, carriage_returns=file.path.endswith(SOURCES))


def _location(file: File, line: int, value: str) -> tuple[Location, bool | None]:
    """Return the place of a value, and whether it is new if its line does not decide that."""
    column = file.text.column(line, value) if file.text else None
    if column is not None:
        row, begin = _place(file, line, column)
        end = begin + len(value)
        return Location(path=file.path, line=row, column=begin, end_line=row, end_column=end), None
    # The engine's parsers of YAML and INI join lines and resolve escapes: the value may be on a later line.
    touched = file.changes is not None and file.changes.known and file.changes.file(file.path)
    return Location(path=file.path, line=_place(file, line, 0)[0]), True if touched else None


def hidden(file: File) -> set[str]:
    """Return everything that must be redacted of a file: all values but known hashes, and their other spellings."""
    found: set[str] = set()
    known = {value for value, random in _random_looking(file).items() if random.harmless}
    for secret in file.scanned.secrets:
        if secret.value in known and file.standing(secret, "") is not Standing.REAL:
            continue
        found |= {secret.value, *_parts(secret.value.split("\n")), _evaluated(secret.value)}
        if file.text:
            for line in secret.lines:
                found |= {*_around(file.text, line, secret.value), *_tokens(file, secret, line)}
    return found - {""}


def words_of(file: File) -> set[str]:
    """Return those of the values to redact that are ordinary words wherever they are not stated as a value."""
    text = file.text
    if text is None:
        return set()
    fitting: dict[str, bool] = {}
    for secret in file.scanned.secrets:
        fits = secret.type == _KEYWORD and file.standing(secret, "") is not Standing.REAL
        fits = fits and all(is_named_after(text, secret.value, line) for line in secret.lines)
        fitting[secret.value] = fits and fitting.get(secret.value, True)
    return {value for value, fits in fitting.items() if fits}


def _around(text: Text, line: int, value: str) -> Iterator[str]:
    if text.column(line, value) is None:  # spelled differently in the file: redact the whole line
        yield from _parts([text.line(line)])
    if not _KEY.search(value):
        return
    for number in range(line, min(line + _MOST_KEY_LINES, len(text.lines) + 1)):
        row = text.line(number).replace("\\n", "\n").replace("\\r", "\n")  # in one literal
        begin = _KEY.search(row)
        yield from _KEY_BODY.findall(row[begin.end() :] if begin and number == line else row)
        if _KEY_END.search(row):
            return


def _parts(lines: Iterable[str]) -> Iterator[str]:
    return (line.strip() for line in lines if len(line.strip()) >= SHORTEST_SECRET)


def _evaluated(value: str) -> str:
    """Return the value of a literal with escapes, which other tools show; empty if it has none."""
    if "\\" not in value or not value.isascii():
        return ""
    try:
        return value.encode().decode("unicode_escape")
    except UnicodeDecodeError:
        return ""
