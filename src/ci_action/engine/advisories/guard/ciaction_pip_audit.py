"""Starts pip-audit with stricter checks of the advisory service.

pip-audit reads `null`, an empty list and an empty string as "no vulnerabilities", follows redirects to any host, and
ignores further pages of an answer. Here each of these is an error. It runs as a program in the environment of the tools.
"""

import sys
from urllib.parse import urljoin, urlsplit

import requests
from pip_audit._cli import audit

_redirect_target = requests.Session.get_redirect_target
_json = requests.Response.json


class LedElsewhereError(requests.RequestException):
    """The service redirects to another scheme, host or port."""


class WrongAnswerError(requests.RequestException):
    """The answer is JSON, but not OSV."""


class PartialAnswerError(requests.RequestException):
    """The answer has further pages."""


def place(url):
    """Return scheme, host and port of an address."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def redirect_target(session, answer):
    """Return where an answer redirects to, or None; raises `LedElsewhereError` if that is another place."""
    target = _redirect_target(session, answer)
    if target is not None and place(urljoin(answer.url, target)) != place(answer.url):
        raise LedElsewhereError
    return target


def document(answer, **options):
    """Return the JSON of an answer; raises `WrongAnswerError` or `PartialAnswerError`."""
    found = _json(answer, **options)
    if not isinstance(found, dict):
        raise WrongAnswerError
    entries = found.get("vulns", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise WrongAnswerError
    if found and "vulns" not in found and set(found) != {"next_page_token"}:
        raise WrongAnswerError
    if found.get("next_page_token"):
        raise PartialAnswerError
    return found if entries else {}


if __name__ == "__main__":
    requests.Session.get_redirect_target = redirect_target
    requests.Response.json = document
    sys.argv[0] = "pip-audit"
    audit()
