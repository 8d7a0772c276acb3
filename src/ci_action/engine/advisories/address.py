"""Where advisories are asked for: the setting `advisory-url`."""

import re
from typing import Final
from urllib.parse import urlsplit

from ci_action.system.redaction import without_password

DEFAULT: Final = "https://api.osv.dev"
_ENDINGS: Final = ("/v1/query", "/v1/querybatch", "/v1")


def base_of(address: str) -> str:
    """Return the address that `/v1/...` is added to; the endings that people copy along are taken off."""
    base = (address.strip() or DEFAULT).rstrip("/")
    return next((base.removesuffix(ending) for ending in _ENDINGS if base.endswith(ending)), base).rstrip("/")


def host_of(address: str) -> str:
    """Return what an address is called in a sentence: host and port, nothing else."""
    try:
        parts = urlsplit(base_of(address))
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    except ValueError:
        return "the advisory service"


def address_mistakes(address: str) -> list[str]:
    """Say what is wrong with the setting; a password in it is not shown."""
    if not address.strip() or _is_address(address.strip()):
        return []
    shown = without_password(address.strip())
    return [
        f"advisory-url = {shown!r}: write the http or https address of an OSV service, such as '{DEFAULT}'"
    ]


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return False
    return bool(valid) and not parts.query and not parts.fragment and not re.search(r"[\s\x00-\x1f\\]", text)
