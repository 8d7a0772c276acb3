"""The steps of a build, and the instructions of the Dockerfile that they belong to."""

import re
from collections.abc import Iterator
from typing import Final

from ci_action.model.docker import BuildStep
from ci_action.model.finding import Location
from ci_action.stages.docker.build.progress import Progress, Vertex
from ci_action.stages.docker.model import BuildStage, Dockerfile, Instruction

# `[2/3] RUN …`, `[base 1/2] FROM …`, `[linux/amd64 stage-1 2/2] COPY …`.
_NAME: Final = re.compile(
    r"\[(?:[a-z0-9]+/[^\s\]]+ +)?(?:(?P<stage>[^\s\]/]+) +| *)(?P<number>\d{1,4})/(?P<total>\d{1,4})\] (?P<text>.*)",
    re.DOTALL,
)
METADATA: Final = re.compile(r"\[internal\] load metadata\sfor (?P<image>\S+)")
"""The step that looks for the base image."""
OWN: Final = re.compile(r"\[(?:internal|auth)\]")
"""What BuildKit does for itself: such a step is only shown if it takes long or fails."""
_BEFORE: Final = re.compile(rf"{OWN.pattern}|importing cache|resolve image")
_LONG: Final = 0.5
_UNNAMED: Final = re.compile(r"stage-(\d+)")
# The instructions that BuildKit counts as steps.
_COUNTED: Final = frozenset({"ADD", "COPY", "RUN", "WORKDIR"})
_HUB: Final = ("docker.io/library/", "docker.io/")


def steps_of(progress: Progress, dockerfile: Dockerfile) -> tuple[BuildStep, ...]:
    """Return the steps that were begun: what precedes those of the Dockerfile, those in its order, and the others."""
    steps = (
        BuildStep(
            name=vertex.name,
            seconds=vertex.seconds,
            cached=vertex.cached and not vertex.error,
            failed=bool(vertex.error),
            place=place_of(vertex, dockerfile),
        )
        for vertex in shown(progress)
    )
    return tuple(sorted(steps, key=_order))


def _order(step: BuildStep) -> tuple[int, int]:
    if step.place and not OWN.match(step.name):
        return 1, step.place.line or 0
    return (0 if _BEFORE.match(step.name) else 2), 0


def shown(progress: Progress) -> Iterator[Vertex]:
    """Yield the steps of the Dockerfile and of the export, and what else took long or failed."""
    for vertex in progress.vertices.values():
        own = OWN.match(vertex.name) and vertex.seconds < _LONG and not vertex.error
        if vertex.started and vertex.name and not own:
            yield vertex


def place_of(vertex: Vertex, dockerfile: Dockerfile) -> Location | None:
    """Return the lines of a step's instruction; None if it has none, or if that is unknown."""
    instruction = _instruction_of(vertex.name, dockerfile)
    return location_of(instruction, dockerfile) if instruction else None


def location_of(instruction: Instruction, dockerfile: Dockerfile) -> Location:
    """Return the lines of an instruction."""
    several = instruction.end_line if instruction.end_line > instruction.line else None
    return Location(path=dockerfile.path, line=instruction.line, end_line=several)


def _instruction_of(name: str, dockerfile: Dockerfile) -> Instruction | None:
    if found := METADATA.match(name):
        return next((one.start for one in dockerfile.stages if is_base(one.base, found["image"])), None)
    found = _NAME.match(name)
    stage = _stage_of(found["stage"] or "", dockerfile) if found else None
    if not found or not stage:
        return None
    counted = [one for one in stage.instructions if one.name in _COUNTED]
    # The others before it are the FROM of an image, and what the image adds by ONBUILD.
    index = int(found["number"]) - 1 - (int(found["total"]) - len(counted))
    if index < 0:
        return stage.start
    word = found["text"].partition(" ")[0].upper()
    return counted[index] if index < len(counted) and counted[index].name == word else None


def _stage_of(name: str, dockerfile: Dockerfile) -> BuildStage | None:
    stages = dockerfile.stages
    if not name:
        return stages[0] if len(stages) == 1 else None
    for one in stages:
        if one.name == name.lower():
            return one
    unnamed = _UNNAMED.fullmatch(name)
    number = int(unnamed[1]) if unnamed else len(stages)
    return stages[number] if number < len(stages) else None


def is_base(base: str, image: str) -> bool:
    """Return whether the image that BuildKit names is the base that the Dockerfile names."""
    tag = base if ":" in base.rpartition("/")[2] or "@" in base else f"{base}:latest"
    return image in {tag, *(f"{hub}{tag}" for hub in _HUB)}
