"""Credentials of package indexes go to addresses that the environment names, never to those of the project.

uv looks for the credentials of an index by its name (`UV_INDEX_<NAME>_USERNAME`, `UV_INDEX_<NAME>_PASSWORD`), and the
project can give any address that name, or another name that is spelled the same in a variable (`co_rp`, `co-rp`). So no
program gets them by name: they are put into the address that `UV_INDEX` or `UV_DEFAULT_INDEX` gives the index, which
binds them to its host. Poetry takes all addresses of named sources from the project, so its variables are left out.
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
    """Return an environment whose index credentials stand in the addresses that it names, and nowhere else."""
    kept = {name: value for name, value in environ.items() if not _is_by_name(name)}
    for name in _ADDRESSES:
        if name in kept:
            kept[name] = " ".join(_with_credentials(entry, environ) for entry in kept[name].split())
    return kept


def unbound_credentials(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return a warning for each set of credentials that is passed to no program, and what to do about it."""
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
    except ValueError:  # uv says what is wrong with it
        return entry
    # As in uv, the variables win over the address; what it holds is quoted already.
    user, password = (
        old if new is None else quote(new, safe="") for new, old in zip(given, former, strict=True)
    )
    login = user or ""
    if password is not None:
        login += f":{password}"
    host = parts.netloc.rpartition("@")[2]
    return f"{match['name']}={parts._replace(netloc=f'{login}@{host}').geturl()}"


def _variable(index: str) -> str:
    """Return how the variables of an index begin."""
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
            f"{' and '.join(variables)} not passed to uv: a pull request can give an index of that name any address;"
            f" set the address in the workflow: `UV_INDEX: {index.lower().replace('_', '-')}=https://...`"
        )


def _unbound_of_poetry(environ: Mapping[str, str]) -> Iterator[str]:
    found = sorted(name for name in environ if _OF_POETRY.fullmatch(name))
    if found:
        yield (
            f"{' and '.join(found)} not passed to Poetry: a pull request can give a source of that name any address;"
            " put the credentials into a netrc file, which names the host, and set `NETRC` to its path"
        )
