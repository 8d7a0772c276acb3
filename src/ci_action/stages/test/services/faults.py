"""Why a service is not ready, and what to do about it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from ci_action.stages.test.services.addresses import SCHEMES, Address, Kind, Tls
from ci_action.system.text import one_line

# A service may send anything, of any length.
_LONGEST_WORDS: Final = 160


class Fault(StrEnum):
    """Why a service is not ready; the value names the hint."""

    UNRESOLVED = "service-unknown-name"
    REFUSED = "service-refused"
    UNREACHABLE = "service-unreachable"
    SILENT = "service-silent"
    CLOSED = "service-closed"
    STARTING = "service-starting"
    UNHEALTHY = "service-unhealthy"
    TLS = "service-tls"
    PROTOCOL = "service-wrong-protocol"
    PASSWORD = "service-wrong-password"  # nosec B105 # noqa: S105 - the name of a hint
    NO_PASSWORD = "service-password-missing"  # nosec B105 # noqa: S105 - the name of a hint
    ROLE = "service-unknown-role"
    DATABASE = "service-unknown-database"
    DENIED = "service-denied"


class Unfit(Exception):  # noqa: N818 - an answer like others: the service is not ready
    """The service is not ready; `message` is that of the service or of the operating system."""

    def __init__(self, fault: Fault, message: str = "") -> None:
        self.fault = fault
        self.message = one_line(message).strip()
        super().__init__(f"{fault}: {self.message}")


# The cause and the fix; a second fix is for those that run in our container.
_TEXTS: Final[Mapping[Fault, tuple[str, ...]]] = {
    Fault.UNRESOLVED: (
        "was not found: unknown host {host!r}",
        "if {host!r} is the label of a service on GitHub, use localhost and its published port on this machine",
        "use the label under `services:` as host; the step must be in the same job as the service",
    ),
    Fault.REFUSED: (
        "refused the connection: nothing listens on port {port}",
        "start the service, or use the port that it is published on",
        "check the service's log, and that {port} is its port inside the container, not the published port in `ports:`",
    ),
    Fault.UNREACHABLE: ("is unreachable", "check the service's log, and that {address} is its address"),
    Fault.SILENT: ("did not answer", "check the service's log, and that {port} is its {kind} port"),
    Fault.CLOSED: (
        "closed the connection without an answer",
        "check the service's log, and that {port} is its {kind} port",
    ),
    Fault.STARTING: ("was not ready in time", "check the service's log"),
    Fault.UNHEALTHY: (
        "answered with an error",
        "check the service's log; any status below 500 counts as ready",
    ),
    Fault.TLS: ("failed to set up TLS", "{tls}"),
    Fault.PROTOCOL: (
        "does not speak the {kind} protocol",
        "set the host and the port of the {kind} service, or wait for any service with tcp://{host}:{port}",
    ),
    Fault.PASSWORD: (
        "rejected the password of {user}",
        "use the password that the service was started with{env}",
    ),
    Fault.NO_PASSWORD: (
        "requires a password, and the address has none",
        "add the password to the address: {kind}://{name}:password@{address}",
    ),
    Fault.ROLE: ("has no user {user}", "use the user that the service was started with{env}"),
    Fault.DATABASE: ("has no database {path!r}", "use the database that the service was started with{env}"),
    Fault.DENIED: ("denied the connection", "check the access rules in the service's configuration"),
}
# For others, the message of the service or of the system is shown as well.
_COMPLETE: Final = frozenset({Fault.UNRESOLVED, Fault.REFUSED, Fault.PASSWORD, Fault.ROLE})
# What the host or the port of another service can cause.
_ELSEWHERE: Final = frozenset({
    Fault.REFUSED, Fault.UNREACHABLE, Fault.SILENT, Fault.CLOSED, Fault.PROTOCOL,
})  # fmt: skip


def cause(address: Address, unfit: Unfit) -> str:
    """Return what is wrong with a service, as a sentence that begins with its name."""
    text = f"{address.kind} at {address} {_filled(_TEXTS[unfit.fault][0], address)}"
    message = unfit.message.replace(address.password, "***") if address.password else unfit.message
    if len(message) > _LONGEST_WORDS:
        message = message[:_LONGEST_WORDS] + "…"
    return f"{text} ({message})" if message and unfit.fault not in _COMPLETE else text


def fix(address: Address, fault: Fault, *, container: bool) -> str:
    """Return what to do about a service that is not ready."""
    if container and address.local and fault in _ELSEWHERE:
        return (
            f"{address.host} is the action's own container: use the label under `services:` as host, and the"
            f" port inside the container of the service, such as {_example(address)}"
        )
    return _filled(_TEXTS[fault][-1 if container else 1], address)


def _filled(text: str, address: Address) -> str:
    env = " (see POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB in its `env:`)"
    tls = "set `sslmode=prefer` or `sslmode=disable` in the address if the server is only for tests"
    if address.kind is not Kind.POSTGRES:
        env = ""
        trust = "set SSL_CERT_FILE to the CA of its certificate, or " if address.tls is Tls.VERIFIED else ""
        tls = f"{trust}use {address.kind}://{address} if a service for tests needs no TLS"
    return text.format(
        address=address,
        env=env,
        host=address.host,
        kind=address.kind,
        name=address.user,
        path=address.path,
        port=address.port,
        tls=tls,
        user=repr(address.user) if address.user else "the default user",
    )


def _example(address: Address) -> str:
    label = {Kind.HTTP: "web", Kind.TCP: "db"}.get(address.kind)
    if label:
        return f"{address.kind}://{label}:{address.port}"
    return f"{address.kind}://{address.kind}:{SCHEMES[address.kind][1]}"
