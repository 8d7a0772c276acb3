"""What buildx printed for known Dockerfiles (`tests/golden/capture_buildx.py`), and a client that prints it again."""

import json
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from support.builders import completed
from support.docker_engine import INFO, answer
from support.paths import TESTS

from ci_action.stages.docker.build.progress import Progress
from ci_action.stages.docker.dockerfile import parse
from ci_action.stages.docker.model import Dockerfile
from ci_action.system.process import Command, Completed

FOLDER: Final = TESTS / "golden" / "buildx"
ENGINES: Final = ("docker-20.10", "buildkit")
BASE: Final = "python:3.13-slim-trixie"
ID: Final = f"sha256:{'a' * 64}"
INSPECTED: Final = (
    "Name:   default\nDriver: docker\n\nNodes:\nName:             default\nBuildKit version: v0.26.1\n"
)
OLD: Final = INSPECTED.replace("v0.26.1", "v0.8+unknown")
_CASES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = runpy.run_path(
    str(TESTS / "golden" / "capture_buildx.py")
)["CASES"]
_GOING: Final = f"FROM {BASE}\nRUN echo first\nRUN echo going; sleep 30\n"


def printed(engine: str, case: str) -> str:
    """Return what buildx printed."""
    return (FOLDER / f"{engine}-{case}.txt").read_text("utf-8")


def progress(engine: str, case: str) -> Progress:
    """Return the progress of a captured build."""
    return Progress.of(printed(engine, case))


def text_of(case: str) -> str:
    """Return the Dockerfile of a case."""
    text = _CASES[case][0] if case in _CASES else _GOING
    return text.replace("{base}", BASE).replace("{registry}", "127.0.0.1:5066")


def dockerfile(case: str) -> Dockerfile:
    """Return the Dockerfile of a case, as it was read."""
    return parse(text_of(case).encode(), "Dockerfile")


class Client:
    """A client of Docker that prints a captured build."""

    def __init__(
        self,
        stderr: str = "",
        returncode: int = 0,
        info: Mapping[str, Any] = INFO,
        built: str = ID,
        inspected: str = INSPECTED,
    ) -> None:
        """`built` is the digest that buildx writes, the id of the one image that the engine has."""
        self.inspected = inspected
        self.stderr = stderr
        self.returncode = returncode
        self.info = info
        self.built = built
        self.commands: list[Command] = []

    def __call__(self, command: Command) -> Completed:
        """Run the client."""
        self.commands.append(command)
        words = command.argv[1:]
        if words[0] == "info":
            return answer(self.info)
        if words[:2] == ("buildx", "inspect"):
            return completed(self.inspected.encode())
        if words[:2] == ("buildx", "build"):
            if self.returncode == 0:
                file = next(word.partition("=")[2] for word in words if word.startswith("--metadata-file="))
                Path(file).write_text(json.dumps({"containerimage.digest": self.built}))
            return Completed(returncode=self.returncode, stdout=b"", stderr=self.stderr, seconds=1.0)
        if words[:2] == ("image", "inspect"):
            if words[-1] in {ID, "shop:1"}:
                return answer({"Id": ID})
            return Completed(returncode=1, stdout=b"", stderr="Error: No such image\n", seconds=0.1)
        return Completed(returncode=0, stdout=b"", stderr="", seconds=0.1)

    @property
    def build(self) -> Command:
        """The command of the build."""
        return next(one for one in self.commands if one.argv[1:3] == ("buildx", "build"))
