"""Ask the lights whether they burn."""

import hashlib
import subprocess

import requests


def burning(address: str) -> bool:
    """Ask a light over the radio link, whose certificate nobody has renewed."""
    return requests.get(f"https://{address}/state", verify=False).text == "on"


def ping(address: str) -> int:
    """Say whether a light answers at all."""
    return subprocess.call(f"ping -c 1 {address}", shell=True)


def name_of(address: str) -> str:
    """Make a short name for a light."""
    return hashlib.md5(address.encode()).hexdigest()[:6]
