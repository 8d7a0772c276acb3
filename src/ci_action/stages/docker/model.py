"""The values of the docker stage: the instructions of a Dockerfile, and the image that was built."""

from dataclasses import dataclass

from ci_action.model.docker import BuildStep
from ci_action.model.finding import Location


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction of a Dockerfile."""

    name: str
    """In capitals: `RUN`."""
    value: str
    """What follows the name, lines joined."""
    line: int
    """Its first line, from 1."""
    end_line: int


@dataclass(frozen=True, kw_only=True)
class BuildStage:
    """One stage of a Dockerfile."""

    base: str
    """The image or the stage after `FROM`, as it is written."""
    name: str
    """After `AS`, in lower case; empty without one."""
    instructions: tuple[Instruction, ...]
    """Those after FROM."""
    start: Instruction
    """The FROM."""


@dataclass(frozen=True, kw_only=True)
class Dockerfile:
    """A Dockerfile, as far as it was understood."""

    path: str
    """Relative to the workspace."""
    stages: tuple[BuildStage, ...]
    arguments: tuple[tuple[str, str], ...] = ()
    """The defaults of ARG before the first FROM."""

    def chain(self, target: str) -> tuple[BuildStage, ...]:
        """Return the stages that the image is made of, the last one first: the target, and the stages that it starts from."""
        stages = self.stages
        found: list[BuildStage] = []
        index = len(stages) - 1
        if target:
            named = (number for number, one in enumerate(stages) if target.lower() in {one.name, str(number)})
            index = next(named, -1)
        while index >= 0:
            stage = stages[index]
            found.append(stage)
            before = stages[:index]
            named = (number for number, one in enumerate(before) if stage.base.lower() == one.name)
            index = next(named, -1)
        return tuple(found)


@dataclass(frozen=True, kw_only=True)
class Built:
    """An image that was built in this run, and stays in the engine."""

    name: str
    """Its name with a tag: `ci-action/shop:ci`."""
    id: str
    """`sha256:` and 64 digits: what is started and examined, whatever the name means by then."""
    engine: str
    """`docker 28.5.2, buildx 0.29.1`."""
    dockerfile: Dockerfile
    place: Location
    """The first line of the Dockerfile's last stage that the image is made of: the place of what concerns the whole image."""
    steps: tuple[BuildStep, ...]
