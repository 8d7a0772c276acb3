"""Send credentials of package indexes only to URLs from the environment, never to URLs from the project.

uv finds the credentials of an index by its name (`UV_INDEX_<NAME>_USERNAME`, `UV_INDEX_<NAME>_PASSWORD`), and the project
can use that name, or one with the same variable (`co_rp`, `co-rp`), for any URL. So these variables are not passed on:
the credentials are put into the URL of the index in `UV_INDEX` or `UV_DEFAULT_INDEX`, which binds them to its host.
Poetry reads the URLs of all named sources from the project, so its variables are never passed on.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote, urlsplit

_BY_NAME: Final = re.compile(r"UV_INDEX_(?P<name>\w+)_(?P<kind>USERNAME|PASSWORD)")
_OF_POETRY: Final = re.compile(r"POETRY_HTTP_BASIC_\w+")
_ADDRESSES: Final = ("UV_INDEX", "UV_DEFAULT_INDEX")
_NAMED: Final = re.compile(r"(?P<name>[\w.-]+)=(?P<url>https?://\S+)", re.ASCII)


def with_bound_credentials(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment with index credentials only in the URLs that it contains."""
    kept = {name: value for name, value in environ.items() if not _is_by_name(name)}
    for name in _ADDRESSES:
        if name in kept:
            kept[name] = " ".join(_with_credentials(entry, environ) for entry in kept[name].split())
    return kept


def unbound_credentials(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return a warning, with a fix, for each set of credentials that is not passed to any program."""
    return (*_unbound_of_uv(environ), *_unbound_of_poetry(environ))


def _is_by_name(variable: str) -> bool:
    return bool(_BY_NAME.fullmatch(variable) or _OF_POETRY.fullmatch(variable))


def _with_credentials(entry: str, environ: Mapping[str, str]) -> str:
    match = _NAMED.fullmatch(entry)
    if match is None:
        return entry
    variable = _variable(match["name"])
    given = [environ.get(f"{variable}_{kind}") for kind in ("USERNAME", "PASSWORD")]
    if given == [None, None]:
        return entry
    try:
        parts = urlsplit(match["url"])
        former = [parts.username, parts.password]
    except ValueError:  # uv reports the error
        return entry
    # As in uv, the variables override the URL, whose own credentials are already quoted.
    user, password = (
        old if new is None else quote(new, safe="") for new, old in zip(given, former, strict=True)
    )
    login = user or ""
    if password is not None:
        login += f":{password}"
    host = parts.netloc.rpartition("@")[2]
    return f"{match['name']}={parts._replace(netloc=f'{login}@{host}').geturl()}"


def _variable(index: str) -> str:
    """Return the prefix of the variables of an index."""
    return f"UV_INDEX_{re.sub(r'[^A-Z0-9]', '_', index.upper())}"


def _unbound_of_uv(environ: Mapping[str, str]) -> Iterator[str]:
    entries = [_NAMED.fullmatch(entry) for name in _ADDRESSES for entry in environ.get(name, "").split()]
    bound = {_variable(match["name"]) for match in entries if match}
    found: dict[str, list[str]] = {}
    for name in sorted(environ):
        match = _BY_NAME.fullmatch(name)
        if match and f"UV_INDEX_{match['name']}" not in bound:
            found.setdefault(match["name"], []).append(name)
    for index, variables in found.items():
        yield (
            f"{' and '.join(variables)} not passed to uv: a pull request can set the URL of an index with that name;"
            f" set the URL in the workflow: `UV_INDEX: {index.lower().replace('_', '-')}=https://...`"
        )


def _unbound_of_poetry(environ: Mapping[str, str]) -> Iterator[str]:
    found = sorted(name for name in environ if _OF_POETRY.fullmatch(name))
    if found:
        yield (
            f"{' and '.join(found)} not passed to Poetry: a pull request can set the URL of a source with that name;"
            " put the credentials and the host into a netrc file and set `NETRC` to its path"
        )
