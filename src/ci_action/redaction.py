"""The one place where secrets are taken out of text before anyone can read it."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

HIDDEN: Final = "***"
# Shorter values are words of everyday text: hiding them would make every report unreadable.
SHORTEST_SECRET: Final = 6
# Variables of the runner and of package indexes that carry credentials.
SECRET_VARIABLES: Final = (
    "INPUT_GITHUB-TOKEN",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
)
_URL_VARIABLE = re.compile(r"(INDEX|PROXY|FIND_LINKS)", re.IGNORECASE)
_INDEX_PASSWORD = re.compile(r"UV_INDEX_\w+_PASSWORD")

Redact = Callable[[str], str]


def secrets_of(environ: Mapping[str, str]) -> frozenset[str]:
    """Collect the secret values that the environment holds: tokens, and passwords in index URLs."""
    found = {environ.get(name, "").strip() for name in SECRET_VARIABLES}
    for name, value in environ.items():
        if _INDEX_PASSWORD.fullmatch(name):
            found.add(value)
        elif _URL_VARIABLE.search(name):
            found.update(_passwords(value))
    return frozenset(secret for secret in found if len(secret) >= SHORTEST_SECRET)


def _passwords(text: str) -> Iterable[str]:
    for word in text.split():
        try:
            password = urlsplit(word.partition("=")[2] if "=http" in word else word).password
        except ValueError:  # not a URL after all
            continue
        if password:
            yield password
            yield unquote(password)  # what a program that has used it may print


def redactor(secrets: Iterable[str]) -> Redact:
    """Return a function that replaces every secret in a text by `***`."""
    # Quotes, backslashes and letters beyond ASCII stand otherwise in the JSON that we write.
    known = sorted({form for one in secrets for form in (one, json.dumps(one)[1:-1])}, key=len, reverse=True)
    if not known:
        return str
    pattern = re.compile("|".join(re.escape(secret) for secret in known))
    return lambda text: pattern.sub(HIDDEN, text)
