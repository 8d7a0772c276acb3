"""The image of a run in its report: how it was built, what is in it, and how its container answered."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from msgspec import Meta

from ci_action.model.finding import Location

Size: TypeAlias = Annotated[int, Meta(ge=0, le=10**18)]
"""Bytes."""
Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=10**9)]


@dataclass(frozen=True, kw_only=True)
class BuildStep:
    """One step of a build."""

    name: str
    """As BuildKit names it: `[build 2/5] RUN pip install .`."""
    seconds: Seconds
    cached: bool = False
    failed: bool = False
    place: Location | None = None
    """The line of its instruction, if it is known."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer of an image."""

    command: str
    """What made it."""
    size: Size
    own: bool
    """Whether the Dockerfile adds it; the others are of the base image."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One thing that was asked of the running container."""

    name: str
    """`HEALTHCHECK`, an address, a command, or what was waited for."""
    answer: str
    """`healthy`, `200 OK`, `exit code 0`."""
    seconds: Seconds
    """From the start of the container."""
    tries: Annotated[int, Meta(ge=0, le=10**9)] = 1
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class Image:
    """What a tool knows about the image."""

    name: str = ""
    """`ci-action/shop:ci`."""
    id: str = ""
    """`sha256:` and 64 digits."""
    size: Size | None = None
    limit: Size | None = None
    """`max-image-size` in bytes."""
    base_size: Size | None = None
    """Its size in the report of the base branch."""
    engine: str = ""
    """`docker 28.5.2, buildx 0.29.1`."""
    steps: tuple[BuildStep, ...] = ()
    layers: tuple[Layer, ...] = ()
    """The first one first."""
    probes: tuple[Probe, ...] = ()
