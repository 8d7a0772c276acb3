"""Find the secrets of the environment and of files, and replace them in text by `***`."""

import base64
import json
import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final
from urllib.parse import quote, unquote, urlsplit

HIDDEN: Final = "***"
# Shorter values are everyday words: hiding them would make reports unreadable.
SHORTEST_SECRET: Final = 6
SECRET_VARIABLES: Final = (
    "INPUT_GITHUB-TOKEN",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
)
_URL_VARIABLE = re.compile(r"(INDEX|PROXY|FIND_LINKS)", re.IGNORECASE)
_INDEX_PASSWORD = re.compile(r"UV_INDEX_\w+_PASSWORD")
_ADDRESSES = frozenset({"INPUT_WAIT-FOR", "INPUT_ADVISORY-URL", "INPUT_DATABASE-URL"})
_NO_PORT = re.compile(r"[^\[:/?#]*:(?!\d*([/?#]|$))")
_QUERY_PASSWORD = re.compile(r"(?<=[?&]password=)[^&#]+")
# Services of tests have these passwords, and every report contains these words.
_EVERYDAY = frozenset(
    {"password", "postgres", "postgresql", "rabbitmq", "memcached", "mariadb", "secret", "example", "testing"}
)

# An everyday word is a secret only as a value: in quotes, assigned, or the password in a URL. Hiding every `test` or
# `dev` would make sentences unreadable.
_STATED: Final = r"(?:(?<=['\"`=])|(?<=[^:]:)|(?<=[=:] ))"

# Tools shorten values from this length on, and the parts that they keep, up to this length, are still sensitive.
_LONG: Final = 16
_MOST_LEFT: Final = 120
_ELLIPSIS: Final = "..."
_BREAK: Final = re.compile(r"[\s'\"]")

# Redacted texts are cached: at most so many, and no longer ones.
_MOST_KNOWN: Final = 20_000
_LONGEST_KNOWN: Final = 500

Redact = Callable[[str], str]


def secrets_of(environ: Mapping[str, str]) -> frozenset[str]:
    """Return the secrets in the environment: tokens, and passwords in index URLs."""
    found = {environ.get(name, "").strip() for name in SECRET_VARIABLES}
    for name, value in environ.items():
        if _INDEX_PASSWORD.fullmatch(name):
            found |= {value, quote(value, safe="")}  # uv gets it in a URL
        elif _URL_VARIABLE.search(name):
            found.update(_passwords(value))
        elif name in _ADDRESSES:
            found.update(service_passwords(re.split(r"[,\s]+", value)))
    return frozenset(secret for secret in found if len(secret) >= SHORTEST_SECRET)


def credentials(token: str) -> str:
    """Return a token as git sends it to GitHub."""
    return base64.b64encode(f"x-access-token:{token}".encode()).decode()


def _passwords(text: str) -> Iterable[str]:
    for word in text.split():
        try:
            password = urlsplit(word.partition("=")[2] if "=http" in word else word).password
        except ValueError:  # not a URL
            continue
        if password:
            yield password
            yield unquote(password)  # as programs may print it
            yield quote(unquote(password), safe="")  # as SQLAlchemy writes it


def service_passwords(items: Iterable[str]) -> frozenset[str]:
    """Return the passwords in addresses of services, except words that the rest of the address or everyday text contains."""
    found: set[str] = set()
    for item in items:
        in_query = _QUERY_PASSWORD.findall(item)
        given = [*_passwords(item), *in_query, *map(unquote, in_query)]
        open_words = {*re.split(r"[^\w.-]+", without_password(item).casefold()), *_EVERYDAY}
        found.update(one for one in given if one.casefold() not in open_words)
    return frozenset(secret for secret in found if len(secret) >= SHORTEST_SECRET)


# The last words of names such as DJANGO_SECRET_KEY and GH_TOKEN. `AUTHOR` and `KEYCLOAK_VERSION` are others.
_SECRET_NAME: Final = re.compile(
    r"(?:.*[_.-])?\w*(?:TOKENS?|PASSWORD|PASSWD|PASSPHRASE|SECRETS?|CREDENTIALS?|APIKEY)(?:[_.-]\w*)?"
    r"|(?:.*[_.-])?(?:KEY|PASS|PWD|PAT|AUTH)(?:[_.-](?:BASE|VALUE|\d+))?",
    re.IGNORECASE,
)


def sounds_secret(name: str) -> bool:
    """Return whether a variable is named like one with a secret: `API_KEY`, `DB_PASSWORD`."""
    return _SECRET_NAME.fullmatch(name) is not None


def assigned_secrets(assignments: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the values of variables that are named like secrets, and the passwords in addresses."""
    given = list(assignments)
    found = {value for name, value in given if sounds_secret(name) and len(value) >= SHORTEST_SECRET}
    return frozenset(found) | service_passwords(value for _, value in given)


def without_password(address: str) -> str:
    """Return the address of a service with `***` for its password; without a scheme, for anything that may be one."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        scheme, rest = "", address
    credentials, at, place = rest.rpartition("@")
    user, colon, _ = credentials.partition(":")
    if at and not separator:  # the second half of a password with a comma
        return f"{HIDDEN}@{place}"
    if at and colon:
        rest = f"{user}:{HIDDEN}@{place}"
    elif separator and not at and _NO_PORT.match(rest):  # the first half of one
        rest = f"{rest.partition(':')[0]}:{HIDDEN}"
    return _QUERY_PASSWORD.sub(HIDDEN, scheme + separator + rest)


def redactor(secrets: Iterable[str]) -> Redact:
    """Return a function that replaces secrets in a text by `***`."""
    # Quotes, backslashes and non-ASCII letters are escaped in the JSON that we write.
    forms = {form for one in secrets for form in (one, json.dumps(one)[1:-1], credentials(one))}
    known = sorted(forms, key=len, reverse=True)
    if not known:
        return str
    pattern = re.compile("|".join(re.escape(secret) for secret in known))
    return lambda text: pattern.sub(HIDDEN, text)


class Redactor:
    """Replaces secrets in text: those of the environment, and those found in the project's files."""

    def __init__(self, known: Iterable[str] = (), mask: Callable[[str], None] = lambda _: None) -> None:
        """Start with the secrets of the environment; `mask` is called for found ones that the runner should hide in the log."""
        self.known: Final = redactor(known)
        """Replaces only the secrets of the environment: in names and paths a found one may be a word."""
        self._mask = mask
        self._values: set[str] = set()
        self._words: set[str] = set()
        self._state: _State = (None, _Cut(()), {})
        self._lock = threading.Lock()

    def add(self, values: Iterable[str], words: Iterable[str] = ()) -> None:
        """Replace these found values from now on; `words` are replaced only where they are stated as a value."""
        with self._lock:
            fresh = {value for value in values if value.strip() and value.casefold() not in _EVERYDAY}
            for value in sorted(fresh - self._values):
                if _is_peculiar(value):
                    self._mask(value)
            self._values |= fresh
            self._words = {*self._words, *words} - self._values - _EVERYDAY
            # One assignment, so that other threads never combine old and new parts.
            self._state = (_concealing(self._values, self._words), _Cut(self._values), {})

    def __call__(self, text: str) -> str:
        """Return the text with `***` for every secret."""
        pattern, cut, seen = self._state
        if not text or (pattern is None and self.known is str):
            return text
        found = seen.get(text)  # messages of a tool repeat
        if found is None:
            found = self.known(text)
            found = cut(pattern.sub(HIDDEN, found)) if pattern else found
            if len(text) <= _LONGEST_KNOWN and len(seen) < _MOST_KNOWN:
                seen[text] = found
        return found

    def __bool__(self) -> bool:
        """Whether there are secrets."""
        return self._state[0] is not None or self.known is not str


def _is_peculiar(value: str) -> bool:
    """Whether a value is not an everyday word, so that the runner can hide it everywhere in the log."""
    kinds = sum(bool(re.search(kind, value)) for kind in ("[a-z]", "[A-Z]", r"\d", r"[^\w\s-]"))
    return len(value) >= SHORTEST_SECRET and (kinds > 1 or len(value) >= 2 * SHORTEST_SECRET)


def _concealing(values: Iterable[str], words: Collection[str]) -> re.Pattern[str] | None:
    forms = {form for one in values for form in (one, json.dumps(one)[1:-1], repr(one)[1:-1])} | {*words}
    if not forms:
        return None
    parts = [
        re.escape(form) if _is_peculiar(form) and form not in words else rf"{_STATED}{re.escape(form)}(?!\w)"
        for form in sorted(forms, key=len, reverse=True)
    ]
    return re.compile("|".join(parts))


class _Cut:
    """Redacts fragments of secrets in truncated output: `ghp_k3X...9vQz`."""

    def __init__(self, values: Iterable[str]) -> None:
        long = [value for value in values if len(value) >= _LONG and _is_peculiar(value)]
        self._begins = {value[:SHORTEST_SECRET] for value in long}
        self._ends = {value[-SHORTEST_SECRET:] for value in long}

    def __call__(self, text: str) -> str:
        if not self._begins or _ELLIPSIS not in text:
            return text
        first, *others = text.split(_ELLIPSIS)
        pieces = [first, *map(self._after, others)]
        return _ELLIPSIS.join([*map(self._before, pieces[:-1]), pieces[-1]])

    def _before(self, piece: str) -> str:
        start = len(piece) - len(piece[-_MOST_LEFT:])
        for place in range(start, len(piece) - SHORTEST_SECRET + 1):
            if piece[place : place + SHORTEST_SECRET] in self._begins and not _BREAK.search(piece, place):
                return piece[:place] + HIDDEN
        return piece

    def _after(self, piece: str) -> str:
        end = _BREAK.search(piece, 0, _MOST_LEFT)
        for place in range(end.start() if end else min(len(piece), _MOST_LEFT), SHORTEST_SECRET - 1, -1):
            if piece[place - SHORTEST_SECRET : place] in self._ends:
                return HIDDEN + piece[place:]
        return piece


_State = tuple[re.Pattern[str] | None, _Cut, dict[str, str]]
