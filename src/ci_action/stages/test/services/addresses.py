"""The addresses of `wait-for`: URLs as Python projects write them."""

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit

from ci_action.system.redaction import without_password
from ci_action.system.text import did_you_mean

_LARGEST_PORT: Final = 65_535
# Allowed in the target of a request (RFC 3986); `%` because the rest is already encoded.
_SAFE: Final = "%/?:@!$&'()*+,;=-._~"


class Kind(StrEnum):
    """The kind of a service. All but the first three are only asked for a connection."""

    POSTGRES = "postgres"
    REDIS = "redis"
    HTTP = "http"
    MYSQL = "mysql"
    AMQP = "amqp"
    MEMCACHED = "memcached"
    TCP = "tcp"


class Tls(StrEnum):
    """Whether the connection is encrypted, and whether the certificate is verified."""

    OFF = "off"
    IF_OFFERED = "if offered"
    UNVERIFIED = "unverified"
    VERIFIED = "verified"


# The kind, the default port (0 if there is none), and TLS.
SCHEMES: Final[Mapping[str, tuple[Kind, int, Tls]]] = {
    "postgres": (Kind.POSTGRES, 5432, Tls.IF_OFFERED),
    "postgresql": (Kind.POSTGRES, 5432, Tls.IF_OFFERED),
    "redis": (Kind.REDIS, 6379, Tls.OFF),
    "rediss": (Kind.REDIS, 6379, Tls.VERIFIED),
    "valkey": (Kind.REDIS, 6379, Tls.OFF),
    "valkeys": (Kind.REDIS, 6379, Tls.VERIFIED),
    "mysql": (Kind.MYSQL, 3306, Tls.OFF),
    "mariadb": (Kind.MYSQL, 3306, Tls.OFF),
    "amqp": (Kind.AMQP, 5672, Tls.OFF),
    "amqps": (Kind.AMQP, 5671, Tls.VERIFIED),
    "memcached": (Kind.MEMCACHED, 11211, Tls.OFF),
    "http": (Kind.HTTP, 80, Tls.OFF),
    "https": (Kind.HTTP, 443, Tls.VERIFIED),
    "tcp": (Kind.TCP, 0, Tls.OFF),
}
# libpq's `sslmode`; asyncpg has the same values for `ssl`.
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
    """The address of a service and the login; its text and repr are without the password."""

    kind: Kind
    host: str
    port: int
    path: str = ""
    """The database, or the path of an HTTP address without the first `/`."""
    query: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    tls: Tls = Tls.OFF

    def __str__(self) -> str:
        """Return `host:port/path`: without user, password, and the query, which may contain a token."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" + (f"/{self.path}" if self.path else "")

    @property
    def local(self) -> bool:
        """Whether it is the machine or the container that ci-action runs on."""
        name = self.host.casefold().rstrip(".")
        if name == "localhost" or name.endswith(".localhost"):
            return True
        try:
            number = ipaddress.ip_address(name)
        except ValueError:
            return False
        return number.is_loopback or number.is_unspecified


def parse(item: str) -> Address:
    """Parse an item of `wait-for`; raises `ValueError` with what to write instead."""
    scheme, separator, _ = item.partition("://")
    if not separator:
        raise ValueError("no scheme; use a URL such as postgres://db:5432 or tcp://db:5432")
    name = scheme.lower()
    # SQLAlchemy names its driver too: postgresql+psycopg, mysql+pymysql.
    known = SCHEMES.get(name.partition("+")[0])
    if known is None:
        raise ValueError(f"unknown scheme {scheme!r}{did_you_mean(name, SCHEMES)}")
    kind, default, tls = known
    try:
        parts = urlsplit(item)
    except ValueError as error:  # its text may quote the password
        raise ValueError("invalid URL; use postgres://user:password@host:5432/database") from error
    host, port = _host_and_port(parts, name, default)
    if kind is Kind.HTTP:
        options = {}
        path, query = quote(parts.path.lstrip("/"), safe=_SAFE), quote(parts.query, safe=_SAFE)
    else:
        options = dict(parse_qsl(parts.query))
        path, query = unquote(parts.path.strip("/")), ""
    if kind is Kind.POSTGRES:
        tls = _SSL_MODES.get(options.get("sslmode") or options.get("ssl", ""), tls)
    elif tls is Tls.VERIFIED and options.get("ssl_cert_reqs", "").lower() in {
        "none",
        "cert_none",
    }:  # redis-py
        tls = Tls.UNVERIFIED
    return Address(
        kind=kind,
        host=host,
        port=port,
        path=path,
        query=query,
        user=unquote(parts.username or options.get("user", "")),
        password=unquote(parts.password or "") or options.get("password", ""),
        tls=tls,
    )


def _host_and_port(parts: SplitResult, scheme: str, default: int) -> tuple[str, int]:
    host = parts.hostname or ""
    if not host:
        raise ValueError(f"no host; use {scheme}://host:port")
    try:
        host.encode("ascii" if ":" in host else "idna")
    except UnicodeError as error:
        raise ValueError("invalid host name") from error
    if " " in host or not host.isprintable():
        raise ValueError("invalid host name")
    try:
        port = parts.port
    except ValueError as error:
        raise ValueError(
            f"the port is not a number from 1 to {_LARGEST_PORT}; in a user name or a password,"
            " write '@' as %40, ':' as %3A, '/' as %2F, ',' as %2C"
        ) from error
    if port is None and not default:
        raise ValueError("no port; use tcp://host:port")
    if port == 0:
        raise ValueError(f"the port is not a number from 1 to {_LARGEST_PORT}")
    return host, port or default


def wait_for_mistakes(items: Iterable[str]) -> list[str]:
    """Return what is wrong with items of `wait-for`, without the passwords in them."""
    mistakes = []
    for item in items:
        try:
            parse(item)
        except ValueError as error:
            mistakes.append(f"wait-for = {without_password(item)!r}: {error}")
    return mistakes
