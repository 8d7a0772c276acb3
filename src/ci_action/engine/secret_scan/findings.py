"""What a found secret means: its rule, its severity, its place, and what of its file must not be shown."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from ci_action.engine.duplicates import ACCEPTED
from ci_action.engine.secret_scan.events import FAILED, Scanned, Secret, Text
from ci_action.model.changes import Changes
from ci_action.model.finding import SEVERITIES, Finding, Location
from ci_action.project.file_kinds import SOURCES
from ci_action.system.redaction import SHORTEST_SECRET

TOOL: Final = "detect-secrets"
UNREADABLE: Final = "unreadable"
URL: Final = "https://github.com/Yelp/detect-secrets"
# A detector of one kind of credential knows what it sees: critical. These do not, or see something else; a detector of
# the project is one that nobody has rated.
SEVERITY_OF_TYPE: Final[Mapping[str, str]] = {
    "Secret Keyword": "high",  # a name that sounds like one, and any value
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
_REAL: Final = "the baseline itself marks it as a real secret: take it out of the file and make it invalid"
# A private key is found by its first line; this many may follow.
_MOST_KEY_LINES: Final = 400
_KEY: Final = re.compile(r"BEGIN .*?PRIVATE KEY|PuTTY-User-Key-File")
_KEY_END: Final = re.compile(r"END .*?PRIVATE KEY|Private-MAC:")
_KEY_BODY: Final = re.compile(r"[A-Za-z0-9+/=]{16,}")
# Some detectors take a part of a token for its value: of GitHub's no more than `ghp`. The token is what stands around it.
_TOKEN: Final = re.compile(r"[\w.~+/=-]+")


@dataclass(frozen=True)
class Standing:
    """What the baseline says of a secret."""

    accepted: bool = False
    real: bool = False
    """Whether somebody has looked, and says that it is one."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that was scanned."""

    path: str
    """Relative to the workspace."""
    scanned: Scanned
    text: Text | None = None
    """Its text, where something was found in it."""
    changes: Changes | None = None
    standing: Callable[[Secret, str], Standing] = field(default=lambda _, __: Standing())
    """What the baseline says of a secret, given the whole token that it is a part of, if it is one."""
    baseline: str = ""
    """The baseline, for people."""


def rule_of(kind: str) -> str:
    """Return the name of a type as a rule: `AWS Access Key` is `aws-access-key`."""
    return "-".join(re.findall(r"[a-z0-9]+", kind.lower())) or "secret"


def severity_of(kind: str) -> str:
    """Return how bad a secret of this type is."""
    return SEVERITY_OF_TYPE.get(kind) or ("critical" if kind in _ONE_KIND else "unknown")


def findings_of(file: File) -> Iterator[Finding]:
    """Yield a finding for every value on a line, whatever number of types it has; one where nothing could be read."""
    if file.scanned.problem:
        verb = "scanned" if file.scanned.state == FAILED else "read"
        message = f"the file cannot be {verb}, so what secrets it holds is not known: {file.scanned.problem}"
        place = Location(path=file.path)
        yield Finding(tool=TOOL, rule=UNREADABLE, message=message, severity="unknown", location=place)
    secrets = (one for secret in file.scanned.secrets for one in _apart(file, secret))
    # A token that one type knows whole and another by its beginning is one value.
    seen = sorted(
        ((_line(file, one), token_of(file, one) or one.value, one) for one in secrets),
        key=lambda item: item[:2],
    )
    for (line, value), group in groupby(seen, key=lambda item: item[:2]):
        yield _finding(file, line, value, [secret for _, _, secret in group])


def _tokens(file: File, secret: Secret, line: int) -> list[str]:
    """Return what stands around a value on a line, where its detector may have taken a part for the whole."""
    if file.text is None or secret.type in SEVERITY_OF_TYPE:
        return []
    return [token for token in _TOKEN.findall(file.text.line(line)) if secret.value in token]


def _apart(file: File, secret: Secret) -> Iterator[Secret]:
    """Tell apart tokens that have the same part for their value; the engine names the first of them alone."""
    lines: dict[tuple[str, ...], list[int]] = {}
    for line in secret.lines:
        tokens = _tokens(file, secret, line)
        whole = secret.value in tokens  # then it is no part of one
        lines.setdefault(() if whole else tuple(tokens), []).append(line)
    return (Secret(secret.type, secret.value, tuple(numbers)) for numbers in lines.values())


def token_of(file: File, secret: Secret) -> str:
    """Return the whole token on the first line of a secret, where its value is only a part of one; else nothing."""
    tokens = _tokens(file, secret, secret.lines[0])
    return "" if secret.value in tokens or not tokens else tokens[0]


def tokens_of(file: File) -> Iterator[tuple[str, str]]:
    """Yield the type and the whole token of every secret whose value is only a part of one."""
    for secret in (one for found in file.scanned.secrets for one in _apart(file, found)):
        if token := token_of(file, secret):
            yield secret.type, token


def _line(file: File, secret: Secret) -> int:
    """Return the first line on which a value stands, of those that the change touched if it touched any."""
    if file.changes is not None and file.changes.known and len(secret.lines) > 1:
        for line in secret.lines:
            place = Location(path=file.path, line=_place(file, line, 0)[0])
            if file.changes.touches(Finding(tool=TOOL, rule="", message="", location=place)):
                return line
    return secret.lines[0]


def _finding(file: File, line: int, value: str, secrets: Sequence[Secret]) -> Finding:
    standings = {secret.type: file.standing(secret, token_of(file, secret)) for secret in secrets}
    order = {severity: rank for rank, severity in enumerate(SEVERITIES)}
    # The type that names the finding: one that counts, of them the worst.
    first, *others = sorted(
        standings,
        key=lambda kind: (standings[kind].accepted, not standings[kind].real, order[severity_of(kind)], kind),
    )
    standing = standings[first]
    location, new = _location(file, line, value)
    return Finding(
        tool=TOOL,
        rule=rule_of(first),
        message=f"{first}: a secret may stand here; {_REAL if standing.real else _ADVICE}",
        severity=severity_of(first),
        location=location,
        url=URL,
        muted=f"{ACCEPTED}{file.baseline}" if standing.accepted else "",
        also=tuple(f"{TOOL}:{rule_of(kind)}" for kind in others),
        new=new,
    )


def _place(file: File, line: int, column: int) -> tuple[int, int]:
    if file.text is None:
        return line, column + 1
    return file.text.place(line, column, carriage_returns=file.path.endswith(SOURCES))


def _location(file: File, line: int, value: str) -> tuple[Location, bool | None]:
    """Return where a value stands, and whether the change brought it where its line does not say that."""
    column = file.text.column(line, value) if file.text else None
    if column is not None:
        row, begin = _place(file, line, column)
        end = begin + len(value)
        return Location(path=file.path, line=row, column=begin, end_line=row, end_column=end), None
    # The engine's parsers of YAML and INI join lines and take escapes away: the value stands on some line from here on.
    known = file.changes is not None and file.changes.known
    touched = known and file.changes is not None and file.changes.file(file.path)
    return Location(path=file.path, line=_place(file, line, 0)[0]), True if touched else None


def hidden(file: File) -> set[str]:
    """Return all that must not be shown of a file: the values, and how else they stand in it."""
    found: set[str] = set()
    for secret in file.scanned.secrets:
        found |= {secret.value, *_parts(secret.value.split("\n")), _evaluated(secret.value)}
        for line in secret.lines if file.text else ():
            found |= set(_around(file.text, line, secret.value)) if file.text else set()
            found |= set(_tokens(file, secret, line))
    return found - {""}


def _around(text: Text, line: int, value: str) -> Iterator[str]:
    if (
        text.column(line, value) is None
    ):  # as it stands in the file it is not the value: hide what does stand there
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
    """Return what Python makes of the escapes in a literal, since other tools show that; empty where there are none."""
    if "\\" not in value or not value.isascii():
        return ""
    try:
        return value.encode().decode("unicode_escape")
    except UnicodeDecodeError:
        return ""
