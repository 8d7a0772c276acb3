"""Log in to PostgreSQL with pg8000: which login the server asks for, and what its refusals mean."""

import struct
from collections.abc import Mapping
from typing import Final

from pg8000.core import CoreConnection
from pg8000.exceptions import DatabaseError, Error
from scramp import ScramException
from scramp.core import IterationCount

from ci_action.stages.test.services.addresses import Address
from ci_action.stages.test.services.faults import Fault, Unfit

# PostgreSQL's `scram_iterations` may be 1, which tests use to be fast.
IterationCount.MIN_ITERATION_COUNT = 1
# What pg8000 raises for bytes that no PostgreSQL server sends.
_SURPRISES: Final = (AttributeError, LookupError, TypeError, ValueError, struct.error)
_PASSWORD_KINDS: Final = frozenset({3, 5, 10, 11, 12})
_SASL: Final = 10
# SQLSTATEs, from the appendix "PostgreSQL Error Codes"; two characters are a class of codes.
_FAULTS: Final[Mapping[str, Fault]] = {
    "28P01": Fault.PASSWORD,
    "28000": Fault.DENIED,
    "3D000": Fault.DATABASE,
    "42501": Fault.DENIED,
    "53": Fault.STARTING,
    "55": Fault.STARTING,
    "57": Fault.STARTING,
}


class _ReadyError(Exception):
    """The server asks for a login that is not possible here, so it is up."""


class _Connection(CoreConnection):  # type: ignore[misc]  # pg8000 has no types
    """A connection that ends where the server asks for a login that the address does not have."""

    def handle_AUTHENTICATION_REQUEST(  # noqa: N802 - the name in pg8000
        self, data: bytes, context: object
    ) -> None:
        """Log in, or raise `_ReadyError`."""
        (kind,) = struct.unpack("!i", data[:4])
        if kind and (self.password is None or kind not in _PASSWORD_KINDS):
            raise _ReadyError(kind)
        try:
            super().handle_AUTHENTICATION_REQUEST(data, context)
        except ScramException as error:
            if kind == _SASL:  # another mechanism, or a password that scramp refuses to prepare
                raise _ReadyError(kind) from error
            raise


def log_in(address: Address, line: object) -> str:
    """Return the version of a server after logging in; empty if the login is not possible here."""
    user = address.user or "postgres"
    try:
        with _Connection(
            user,
            database=address.path or user,
            password=address.password or None,
            ssl_context=False,
            application_name="ci-action",
            sock=line,
        ) as connection:
            version: str = connection.parameter_statuses.get("server_version", "")
            return version.partition(" ")[0]
    except _ReadyError as ready:
        if address.user and not address.password and ready.args[0] in _PASSWORD_KINDS:
            raise Unfit(Fault.NO_PASSWORD) from None
        return ""
    except DatabaseError as error:
        raise _refusal(error.args[0]) from None
    except ScramException as error:
        raise Unfit(Fault.PROTOCOL, f"its part of the login (SCRAM) is invalid: {error}") from None
    except (Error, *_SURPRISES) as error:
        raise Unfit(Fault.PROTOCOL) from error


def _refusal(fields: Mapping[str, str]) -> Unfit:
    code = fields.get("C", "")
    if not code:
        return Unfit(Fault.PROTOCOL)
    fault = _FAULTS.get(code) or _FAULTS.get(code[:2], Fault.DENIED)
    # Messages are translated, the names of the server's functions are not.
    if code == "28000" and fields.get("R") == "InitializeSessionUserId":
        fault = Fault.ROLE
    return Unfit(fault, f"{fields.get('M', '')} ({code})")
