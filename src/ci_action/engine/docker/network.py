"""The network in which a container of ours is reached."""

from collections.abc import Mapping
from typing import Any, Final

from ci_action.engine.docker.client import Docker
from ci_action.engine.docker.ours import own_id

_HOST: Final = "host"
# What the network of a container begins with that has none of its own: then the other's id or name follows.
_OTHER: Final = "container:"


def own_container(docker: Docker, mounts: str) -> Mapping[str, Any] | None:
    """Return what the engine knows about the container that we run in; None outside, or if it is not one of this engine."""
    own = own_id(mounts)
    return docker.inspect("container", own) if own else None


def with_network(docker: Docker, container: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the container whose network this one is in: itself, or another one, as act starts actions; None if it is gone."""
    mode = str((container.get("HostConfig") or {}).get("NetworkMode", ""))
    return docker.inspect("container", mode.removeprefix(_OTHER)) if mode.startswith(_OTHER) else container


def network_of(container: Mapping[str, Any] | None) -> str:
    """Return the name of the network that a container shares with others; empty if it has none of its own, as with `host`."""
    if container is None:
        return ""
    networks = (container.get("NetworkSettings") or {}).get("Networks") or {}
    return next((name for name in networks if name not in {_HOST, "none"}), "")


def address_in(container: Mapping[str, Any], network: str) -> str:
    """Return the address of a container in a network; empty if it has none yet."""
    networks = (container.get("NetworkSettings") or {}).get("Networks") or {}
    found = networks.get(network) or {}
    return str(found.get("IPAddress") or found.get("GlobalIPv6Address") or "")


def published(container: Mapping[str, Any], port: int) -> int:
    """Return the port on 127.0.0.1 that leads to one of a container; 0 if there is none yet."""
    ports = (container.get("NetworkSettings") or {}).get("Ports") or {}
    number = next((str(one.get("HostPort", "")) for one in ports.get(f"{port}/tcp") or ()), "")
    return int(number) if number.isdecimal() else 0
