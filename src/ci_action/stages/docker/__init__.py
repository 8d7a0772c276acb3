"""The stage `docker`: the image of the project, how it is built, that it starts and answers, and what is in it."""

from typing import TYPE_CHECKING, Final

from ci_action.engine.stage import Output
from ci_action.github.pull_request import NoPull, Pull
from ci_action.model.result import StageResult
from ci_action.model.section import Section

if TYPE_CHECKING:
    from ci_action.model.docker import Image


def _known(stage: StageResult) -> "Image":
    from ci_action.stages.docker.section import known_of  # not imported for the outputs of other stages

    return known_of(stage)


def _name(stage: StageResult) -> str:
    image = _known(stage)
    return image.name if image.id else ""


def _size(stage: StageResult) -> str:
    size = _known(stage).size
    return "" if size is None else str(size)


def _sections(stage: StageResult, pull: Pull | NoPull) -> tuple[Section, ...]:
    from ci_action.stages.docker.section import of  # as above

    return of(stage, pull)


OUTPUTS: Final = (
    Output(
        "image",
        "Name of the image that was built, such as `ci-action/shop:ci`; empty if none was built. It stays in the engine.",
        _name,
    ),
    Output("image-id", "Id of the image: `sha256:` and 64 digits.", lambda stage: _known(stage).id),
    Output("image-size", "Size of the image in bytes.", _size),
)
SECTIONS: Final = _sections
