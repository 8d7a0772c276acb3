"""Which variables hold a secret, by their names and values. Pure."""

import re
from itertools import pairwise
from typing import Final

# The words of names for values that open something.
_STRONG: Final = frozenset({
    "password", "passwd", "passphrase", "pword", "pwd", "pass", "secret", "secrets", "token", "credential",
    "credentials", "apikey", "privatekey", "secretkey", "accesskey",
})  # fmt: skip
_PAIRS: Final = frozenset({("api", "key"), ("private", "key"), ("secret", "key"), ("access", "key"), ("encryption", "key"), ("signing", "key")})  # fmt: skip
# Those of values that may: only what looks random counts.
_WEAK: Final = frozenset({"key", "auth", "salt", "license", "dsn"})
# The last words of names for a fact about a secret.
_ABOUT: Final = frozenset({
    "file", "files", "path", "dir", "folder", "url", "uri", "endpoint", "host", "name", "names", "id", "length", "size",
    "ttl", "expire", "expires", "expiry", "expiration", "lifetime", "age", "seconds", "minutes", "hours", "days",
    "type", "header", "prefix", "suffix", "algorithm", "hasher", "hashers", "min", "max", "count", "limit", "enabled",
    "disabled", "required", "validators", "backend", "version", "fingerprint",
})  # fmt: skip
_PUBLIC: Final = frozenset({"public", "pub", "gpg"})
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_LEAST_RANDOM: Final = 16
_LEAST: Final = 4
_HARMLESS: Final = re.compile(
    r"[\d.,:]*|true|false|yes|no|on|off|none|null|nil|undefined|test|testing|tests|build|ci|dev|local"
    r"|postgres(?:ql)?|mysql|mariadb|redis|rabbitmq|guest"
    r"|(?:my|the|a|development)?[-_ ]?(?:super)?[-_ ]?(?:secret|password|passwd|token|key)|[x*.?]+"
    r"|(?:example|sample)\b.*|.*(?:change[-_ ]?(?:me|it|this)|dummy|placeholder|insecure|not[-_ ]?(?:a[-_ ]?)?(?:secret|used)|unused"
    r"|replace[-_ ]?me|your[-_ ]).*",
    re.IGNORECASE,
)
# A reference to something else: a variable, a command, a template, a path, an address without a password.
_REFERENCE: Final = re.compile(r"\$|`|<[^>]*>$|\{\{|%\(|\.{0,2}/|~/|file:|[a-z][a-z0-9+.-]*://(?![^/?#]*@)")


def is_secret(name: str, value: str) -> bool:
    """Return whether a variable holds a secret: its name sounds like one, and its value is neither a reference nor a dummy."""
    words = [word.lower() for word in _WORDS.findall(name) if not word.isdecimal()]
    if not words or words[-1] in _ABOUT or not _PUBLIC.isdisjoint(words):
        return False
    named = not _STRONG.isdisjoint(words) or any(pair in _PAIRS for pair in pairwise(words))
    if named:
        return not is_dummy(value)
    return not _WEAK.isdisjoint(words) and _looks_random(value) and not is_dummy(value)


def is_dummy(value: str) -> bool:
    """Return whether a value is a placeholder for a secret, or a reference to one."""
    value = value.strip().strip("'\"")
    return len(value) < _LEAST or bool(_HARMLESS.fullmatch(value) or _REFERENCE.match(value))


def _looks_random(value: str) -> bool:
    letters = any(map(str.isalpha, value))
    digits = any(map(str.isdigit, value))
    return len(value) >= _LEAST_RANDOM and letters and digits and not any(map(str.isspace, value))
