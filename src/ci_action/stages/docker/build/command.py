"""The command line of a build: a function of the settings and of what is known about the machine."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ci_action.stages.docker.build.caches import NO_CACHES, Caches
from ci_action.stages.docker.reference import with_tag
from ci_action.system.redaction import sounds_secret

BUILD: Final = ("buildx", "build")
# Names that the client itself reads: as a variable they would change what it does.
_OF_CLIENT: Final = re.compile(
    r"(?:DOCKER|BUILDX|BUILDKIT|COMPOSE|ACTIONS|GITHUB|AWS|AZURE|GOOGLE|OTEL|SSH|GIT|SSL|KUBE|XDG|LD|GO)_?.*"
    r"|.*_PROXY|PATH|HOME|TMPDIR",
    re.IGNORECASE,
)
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9._-]+")
_SEPARATORS: Final = re.compile(r"^[._-]+|[._-]+$")
_SEVERAL: Final = re.compile(r"(?<=[._-])[._-]+")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is built, and how."""

    context: Path
    """Absolute, without links."""
    dockerfile: Path
    """Absolute, without links."""
    tag: str
    metadata: Path
    """The file that buildx writes with the id of the image."""
    target: str = ""
    platform: str = ""
    arguments: tuple[tuple[str, str], ...] = ()
    caches: Caches = NO_CACHES

    def words(self, builder: str = "") -> tuple[str, ...]:
        """Return the arguments of the client; without a builder it uses the selected one."""
        optional = (("builder", builder), ("target", self.target), ("platform", self.platform))
        return (
            *BUILD,
            "--progress=rawjson",
            "--load",
            "--provenance=false",
            "--sbom=false",
            f"--metadata-file={self.metadata}",
            f"--file={self.dockerfile}",
            f"--tag={self.tag}",
            *(f"--{name}={value}" for name, value in optional if value),
            *(
                f"--build-arg={name}" if _is_passed_apart(name) else f"--build-arg={name}={value}"
                for name, value in self.arguments
            ),
            *(f"--cache-from={one}" for one in self.caches.read),
            *(f"--cache-to={one}" for one in self.caches.written),
            str(self.context),
        )

    @property
    def environ(self) -> Mapping[str, str]:
        """The variables with values that are not for the list of processes."""
        return {name: value for name, value in self.arguments if _is_passed_apart(name)}


def _is_passed_apart(name: str) -> bool:
    return sounds_secret(name) and not _OF_CLIENT.fullmatch(name)


def named(tag: str, repository: str, folder: Path) -> str:
    """Return the name of an image with a tag: the given one, or one of the repository or folder."""
    if tag:
        return with_tag(tag)
    own = (repository.rpartition("/")[2] or folder.name).lower()
    own = _SEVERAL.sub("", _SEPARATORS.sub("", _NOT_IN_NAMES.sub("-", own)))
    return f"ci-action/{own or 'project'}:ci"


def version_of(text: str) -> tuple[int, int] | None:
    """Return the first two numbers of a version; None if it does not begin with them."""
    found = re.match(r"v?(\d{1,6})\.(\d{1,6})", text)
    return (int(found[1]), int(found[2])) if found else None


def older(version: str, than: tuple[int, int]) -> bool:
    """Return whether a version is known to be older than another one."""
    found = version_of(version)
    return found is not None and found < than


def described(server: str, buildx: str) -> str:
    """Return the engine and what built the image: `docker 28.5.2, buildx 0.29.1`."""
    return f"docker {server}, buildx {buildx}"
