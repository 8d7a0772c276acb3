"""What `wait-for` names: the address of a service, read from a URL in the forms that Python projects use."""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from ci_action.system.redaction import without_password
from ci_action.system.text import did_you_mean

_LARGEST_PORT: Final = 65_535
# What stays as it is in the target of a request (RFC 3986), `%` because it was encoded already.
_SAFE: Final = "%/?:@!$&'()*+,;=-._~"


class Kind(StrEnum):
    """What answers at an address: the protocol that is spoken."""

    POSTGRES = "postgres"
    REDIS = "redis"
    MYSQL = "mysql"
    AMQP = "amqp"
    MEMCACHED = "memcached"
    HTTP = "http"
    TCP = "tcp"


class Tls(StrEnum):
    """Whether the connection is encrypted, and whom the certificate must satisfy."""

    OFF = "off"
    IF_OFFERED = "if offered"
    UNVERIFIED = "unverified"
    VERIFIED = "verified"


@dataclass(frozen=True)
class _Scheme:
    kind: Kind
    port: int = 0
    tls: Tls = Tls.OFF


_SCHEMES: Final[Mapping[str, _Scheme]] = {
    "postgres": _Scheme(Kind.POSTGRES, 5432, Tls.IF_OFFERED),
    "postgresql": _Scheme(Kind.POSTGRES, 5432, Tls.IF_OFFERED),
    "redis": _Scheme(Kind.REDIS, 6379),
    "rediss": _Scheme(Kind.REDIS, 6379, Tls.VERIFIED),
    "valkey": _Scheme(Kind.REDIS, 6379),
    "valkeys": _Scheme(Kind.REDIS, 6379, Tls.VERIFIED),
    "mysql": _Scheme(Kind.MYSQL, 3306),
    "mariadb": _Scheme(Kind.MYSQL, 3306),
    "amqp": _Scheme(Kind.AMQP, 5672),
    "amqps": _Scheme(Kind.AMQP, 5671, Tls.VERIFIED),
    "memcached": _Scheme(Kind.MEMCACHED, 11211),
    "http": _Scheme(Kind.HTTP, 80),
    "https": _Scheme(Kind.HTTP, 443, Tls.VERIFIED),
    "tcp": _Scheme(Kind.TCP),
}
# libpq's sslmode, and what asyncpg takes under `ssl` with the same words.
_SSL_MODES: Final = {
    "disable": Tls.OFF,
    "allow": Tls.IF_OFFERED,
    "prefer": Tls.IF_OFFERED,
    "require": Tls.UNVERIFIED,
    "verify-ca": Tls.VERIFIED,
    "verify-full": Tls.VERIFIED,
}


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a service is, and how one logs in; it prints without the password."""

    kind: Kind
    host: str
    port: int
    path: str = ""
    """The database, or the path of an HTTP address without its `/`."""
    query: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    tls: Tls = Tls.OFF

    def __str__(self) -> str:
        """Render as `host:port/path`: neither user nor password nor query, which may hold a token."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" + (f"/{self.path}" if self.path else "")

    @property
    def local(self) -> bool:
        """Whether it names the machine, or the container, that asks."""
        name = self.host.casefold().rstrip(".")
        if name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            number = ipaddress.ip_address(name)
        except ValueError:
            return False
        return number.is_loopback or number.is_unspecified


def parse(item: str) -> Address:
    """Read one item of `wait-for`; raises `ValueError` that says what to write."""
    scheme, separator, _ = item.partition("://")
    if not separator:
        raise ValueError("no scheme; write what answers there, such as postgres://db:5432 or tcp://db:5432")
    name = scheme.lower()
    # SQLAlchemy names its driver too: postgresql+psycopg, mysql+pymysql.
    known = _SCHEMES.get(name.partition("+")[0]) if name not in _SCHEMES else _SCHEMES[name]
    if known is None:
        raise ValueError(f"unknown scheme {scheme!r}{did_you_mean(name, _SCHEMES)}")
    try:
        parts = urlsplit(item)
    except ValueError as error:  # its text may quote the password
        raise ValueError("no URL; write it as postgres://user:password@host:5432/database") from error
    host, port = _host_of(parts, name), _port_of(parts, known)
    options = dict(parse_qsl(parts.query)) if known.kind is not Kind.HTTP else {}
    user = unquote(parts.username or options.get("user", ""))
    password = unquote(parts.password or "") or options.get("password", "")
    return Address(
        kind=known.kind,
        host=host,
        port=port,
        path=(
            quote(parts.path.lstrip("/"), safe=_SAFE)
            if known.kind is Kind.HTTP
            else unquote(parts.path.strip("/"))
        ),
        query=quote(parts.query, safe=_SAFE) if known.kind is Kind.HTTP else "",
        user=user,
        password=password,
        tls=_tls_of(known, options),
    )


def _host_of(parts: SplitResult, scheme: str) -> str:
    host = parts.hostname or ""
    if not host:
        raise ValueError(f"no host; write {scheme}://host:port")
    try:
        host.encode("ascii" if ":" in host else "idna")
    except UnicodeError as error:
        raise ValueError("the host is no name that could be looked up") from error
    if any(character.isspace() or not character.isprintable() for character in host):
        raise ValueError("the host is no name that could be looked up")
    return host


def _port_of(parts: SplitResult, known: _Scheme) -> int:
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError(
            f"the port is no number from 1 to {_LARGEST_PORT}; in a user or a password"
            " write '@' as %40, ':' as %3A, '/' as %2F, ',' as %2C"
        ) from error
    if port is None and not known.port:
        raise ValueError("no port; write tcp://host:port")
    if port == 0:
        raise ValueError(f"the port is no number from 1 to {_LARGEST_PORT}")
    return port or known.port


def _tls_of(known: _Scheme, options: Mapping[str, str]) -> Tls:
    if known.kind is Kind.POSTGRES:
        mode = options.get("sslmode") or options.get("ssl", "")
        return _SSL_MODES.get(mode, known.tls)
    # As redis-py spells it.
    if known.tls is Tls.VERIFIED and options.get("ssl_cert_reqs", "").lower() in {"none", "cert_none"}:
        return Tls.UNVERIFIED
    return known.tls


def wait_for_mistakes(items: Iterable[str]) -> list[str]:
    """Say which items of `wait-for` cannot be waited for; passwords in them are not shown."""
    mistakes = []
    for item in items:
        try:
            parse(item)
        except ValueError as error:
            mistakes.append(f"wait-for = {without_password(item)!r}: {error}")
    return mistakes
