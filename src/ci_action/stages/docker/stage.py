"""The stage `docker`: its tools, when it applies, and the mistakes in its settings."""

from pathlib import Path
from typing import Final

from ci_action.engine.stage import Stage
from ci_action.stages.docker import build, discovery, hadolint, image, smoke
from ci_action.stages.docker.mistakes import mistakes

STAGE: Final = Stage(
    name="docker",
    summary="The Dockerfile, and the image: build, start, and what is in it.",
    tools=(hadolint.TOOL, build.TOOL, smoke.TOOL, image.TOOL),
    applies=discovery.why_not,
    unusable=build.unusable,
    because=discovery.why,
    mistakes=mistakes,
    hints=Path(__file__).with_name("hints.toml"),
)
