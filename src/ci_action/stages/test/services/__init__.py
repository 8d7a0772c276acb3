"""The services that the tests need: each is greeted until it answers, before the tests begin."""

from collections.abc import Callable, Mapping
from typing import Final

from ci_action.engine.context import Context
from ci_action.engine.tool import Checked, Tool, Turn
from ci_action.model.result import Broken, Counted, Hint, Report, Skipped
from ci_action.project.programs import Program
from ci_action.stages.test.services.addresses import Address, Kind, Tls, parse
from ci_action.stages.test.services.connect import greeted
from ci_action.stages.test.services.protocol import Fault
from ci_action.stages.test.services.wait import MOST_SECONDS, Attempt, Probed, Terms, probe_all
from ci_action.system.text import duration
from ci_action.system.wait import Clock

_DOCUMENTATION: Final = (
    "https://docs.github.com/actions/tutorials/use-containerized-services/use-docker-service-containers"
)


def check(ctx: Context, _program: Program) -> Checked:
    """Wait until every service of `wait-for` has answered."""
    return look(ctx, greeted, Clock())


def look(ctx: Context, attempt: Attempt, clock: Clock) -> Checked:
    """Wait for the services; how one is greeted, and time, are arguments."""
    addresses = dict.fromkeys(parse(item) for item in ctx.settings.wait_for)
    if not addresses:
        return Checked(outcome=Skipped("no services to wait for"))
    limit = min(float(ctx.settings.timeout), MOST_SECONDS)
    terms = Terms(limit=limit, stopped=ctx.stopped, container=ctx.container, clock=clock)
    probed = probe_all(addresses, attempt, terms)
    log = "\n".join(told(one) for one in probed)
    failed = [one for one in probed if one.fault is not None]
    if not failed:
        return Checked(outcome=Report(examined={Counted.SERVICES: len(probed)}), log=log)
    advice = {one: fix(one, container=ctx.container) for one in failed}
    reason = "; ".join(f"{name(one.address)} {cause(one)}: {advice[one]}" for one in failed)
    outcome = Broken(reason, log, examined={Counted.SERVICES: len(probed) - len(failed)})
    return Checked(outcome=outcome, log=log, hints=tuple(hint(one, advice[one]) for one in failed))


def name(address: Address) -> str:
    """Name a service: what it is, and where."""
    return f"{address.kind} at {address}"


def told(one: Probed) -> str:
    """Say in one line of the log what came of a service."""
    tries = f"{one.tries} {'try' if one.tries == 1 else 'tries'}"
    if one.fault is not None:
        return f"{name(one.address)} {cause(one)} ({tries} in {duration(one.seconds)})"
    version = f" {one.version}" if one.version else ""
    return f"{one.address.kind}{version} at {one.address} answered after {duration(one.seconds)} ({tries})"


_CAUSES: Final[Mapping[Fault, str]] = {
    Fault.UNRESOLVED: "cannot be found, the name {host!r} is unknown here",
    Fault.REFUSED: "refused the connection, nothing listens on port {port}",
    Fault.UNREACHABLE: "cannot be reached",
    Fault.SILENT: "did not answer",
    Fault.CLOSED: "closed the connection without a greeting",
    Fault.STARTING: "was not ready in time",
    Fault.UNHEALTHY: "answered with an error",
    Fault.TLS: "cannot be spoken to over TLS",
    Fault.PROTOCOL: "does not answer like {a_kind}",
    Fault.PASSWORD: "refused the password of {user}",
    Fault.NO_PASSWORD: "asks for a password, and the address holds none",
    Fault.ROLE: "knows no user {user}",
    Fault.DATABASE: "has no database {path!r}",
    Fault.DENIED: "refused to let us in",
}
# What the service or the system said is worth a reader's time where it tells more than the cause does.
_WORDS_HELP: Final = frozenset(Fault) - {Fault.UNRESOLVED, Fault.REFUSED, Fault.PASSWORD, Fault.ROLE}


def cause(one: Probed) -> str:
    """Say what is wrong with a service that did not answer, as the rest of a sentence that begins with its name."""
    address, fault = one.address, one.fault or Fault.SILENT
    text = _CAUSES[fault].format(
        host=address.host,
        port=address.port,
        path=address.path,
        user=repr(address.user) if address.user else "its default user",
        a_kind=_a(address.kind),
    )
    said = one.said.replace(address.password, "***") if address.password else one.said
    return f"{text} ({said})" if said and fault in _WORDS_HELP else text


def _a(kind: Kind) -> str:
    names = {
        Kind.POSTGRES: "a PostgreSQL server",
        Kind.REDIS: "a Redis",
        Kind.MYSQL: "a MySQL",
        Kind.AMQP: "a RabbitMQ",
        Kind.MEMCACHED: "a memcached",
        Kind.HTTP: "an HTTP server",
        Kind.TCP: "a server",
    }
    return names[kind]


def fix(one: Probed, *, container: bool) -> str:
    """Say what to do about a service that did not answer."""
    address, fault = one.address, one.fault or Fault.SILENT
    unheard = {Fault.REFUSED, Fault.UNREACHABLE, Fault.SILENT, Fault.CLOSED, Fault.PROTOCOL}
    if container and address.local and fault in unheard:
        return (
            f"{address.host} is the action's own container: write the label that the service has under `services:`"
            f" and the port inside its container, such as {_example(address)}"
        )
    return _FIXES[fault](address, container)


def _example(address: Address) -> str:
    label = "db" if address.kind is Kind.TCP else "web" if address.kind is Kind.HTTP else address.kind
    usual = {Kind.POSTGRES: 5432, Kind.REDIS: 6379, Kind.MYSQL: 3306, Kind.AMQP: 5672, Kind.MEMCACHED: 11211}
    return f"{address.kind}://{label}:{usual.get(address.kind, address.port)}"


def _unresolved(address: Address, container: bool) -> str:  # noqa: FBT001 - the shape of the table below
    if container:
        return "write the label that the service has under `services:` of the job, to which this step must belong"
    return f"if {address.host!r} is the label of a service on GitHub, write localhost and its published port on this machine"


def _refused(address: Address, container: bool) -> str:  # noqa: FBT001 - as above
    if container:
        return (
            f"see in the service's log whether it runs, and whether {address.port} is the port inside its container:"
            " the one that `ports:` publishes is for the machine"
        )
    return "start the service, or write the port that it is published on"


def _tls(address: Address, _container: bool) -> str:  # noqa: FBT001 - as above
    if address.kind is Kind.POSTGRES:
        return (
            "write `sslmode=prefer` or `sslmode=disable` into the address if the server is one for tests only"
        )
    plain = f"; a service for tests may need no TLS: {address.kind}://{address}"
    if address.tls is not Tls.VERIFIED:
        return "see in the service's log which TLS it speaks" + plain
    return "name the authority of its certificate in the variable SSL_CERT_FILE" + plain


_Advice = Callable[[Address, bool], str]
_FIXES: Final[Mapping[Fault, _Advice]] = {
    Fault.UNRESOLVED: _unresolved,
    Fault.REFUSED: _refused,
    Fault.UNREACHABLE: _refused,
    Fault.SILENT: lambda address, _: (
        f"see in the service's log what it does, and whether {address.port} is the port of {_a(address.kind)}"
    ),
    Fault.CLOSED: lambda address, _: (
        f"see in the service's log why, and whether {address.port} is the port of {_a(address.kind)}"
    ),
    Fault.STARTING: lambda *_: "see in the service's log what it waits for",
    Fault.UNHEALTHY: lambda *_: "see in the service's log what fails; a status below 500 counts as alive",
    Fault.TLS: _tls,
    Fault.PROTOCOL: lambda address, _: (
        f"write the host and port of {_a(address.kind)}, or wait with"
        f" tcp://{address.host}:{address.port} until something listens"
    ),
    Fault.PASSWORD: lambda address, _: (
        f"write the password that the service was started with ({_variable(address)})"
    ),
    Fault.NO_PASSWORD: lambda address, _: (
        f"write it as {address.kind}://{address.user}:password@{address}, or leave the user out to wait without a login"
        if address.kind is Kind.POSTGRES
        else f"write it as {address.kind}://:password@{address}"
    ),
    Fault.ROLE: lambda address, _: f"write the user that the service was started with ({_variable(address)})",
    Fault.DATABASE: lambda address, _: (
        f"write the database that the service was started with ({_variable(address)})"
    ),
    Fault.DENIED: lambda *_: "see in the service's configuration who may connect from where",
}


def _variable(address: Address) -> str:
    names = {
        Kind.POSTGRES: "POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB in its `env:`",
        Kind.REDIS: "its `requirepass`, ACL and `databases`",
    }
    return names.get(address.kind, "in its `env:`")


def hint(one: Probed, advice: str) -> Hint:
    """Return what is known of a failure, for all channels."""
    fault = one.fault or Fault.SILENT
    return Hint(name=fault, cause=f"{name(one.address)} {cause(one)}", fix=advice, url=_DOCUMENTATION)


def plan(ctx: Context) -> str:
    """Say what would be waited for, without any password."""
    return (
        f"waits for {len(ctx.settings.wait_for)} services" if ctx.settings.wait_for else "nothing to wait for"
    )


TOOL: Final = Tool(
    name="services",
    summary="Waits until the services of `wait-for` answer.",
    url=_DOCUMENTATION,
    check=check,
    plan=plan,
    program=lambda _: Program(argv=(), version="", source=""),
    turn=lambda _: Turn.INSTALLS,  # beside the environment: both wait for the network
)
