"""What a finding about an installed package says of it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """A package that a finding is about."""

    name: str
    version: str
    advisories: tuple[str, ...] = ()
    """Every name of the problem, each once: the advisories and their aliases."""
    fixed_in: tuple[str, ...] = ()
    """The versions that mend it, the lowest first."""
    parents: tuple[str, ...] = ()
    """The packages through which it is needed, from a direct dependency down; empty where it is one itself."""
    direct: bool | None = None
    """Whether the project names it itself; None where that is not known."""
    upgrade: str = ""
    """The command, or the edit, that brings a version without the problem; empty where there is none."""
    licenses: str = ""
    """Its licence as an SPDX expression, or in its own words."""
