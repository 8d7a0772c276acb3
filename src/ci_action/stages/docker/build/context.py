"""Our own folders in the build context: what copies all of it puts them into the image, and builds it again each time."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from ci_action.stages.docker.build.command import Request
from ci_action.stages.docker.model import Dockerfile, Instruction
from ci_action.system.errors import ToolError
from ci_action.system.patterns import gitignore
from ci_action.system.project_files import find_project_text

_COPIES: Final = frozenset({"ADD", "COPY"})
_EVERYTHING: Final = frozenset({".", "./", "/", "*", "./*"})
_IGNORE: Final = ".dockerignore"


def copied(folders: Iterable[Path], request: Request, dockerfile: Dockerfile, workspace: Path) -> Iterator[str]:
    """Yield those of these folders, relative to the context, that the build copies into the image."""
    context, file = request.context, request.dockerfile
    instructions = (one for stage in dockerfile.stages for one in stage.instructions)
    if not any(map(_copies_everything, instructions)):
        return
    try:
        # The first one that exists counts.
        texts = (find_project_text(one, workspace.resolve()) for one in (file.with_name(f"{file.name}{_IGNORE}"), context / _IGNORE))
        text = next(filter(None, texts), "")
        excluded = gitignore([line.strip() for line in text.splitlines() if not line.startswith("#")])
    except (ToolError, ValueError):  # the build reports it
        return
    for folder in map(Path.resolve, folders):
        if folder.is_dir() and folder.is_relative_to(context) and folder != context:
            name = folder.relative_to(context).as_posix()
            if not excluded.match_file(f"{name}/index"):
                yield name


def _copies_everything(instruction: Instruction) -> bool:
    if instruction.name not in _COPIES:
        return False
    words = instruction.value.split()
    options = [word for word in words if word.startswith("--")]
    paths = words[len(options) :]
    if paths[:1] and paths[0].startswith("["):
        try:
            paths = json.loads(" ".join(paths))
        except ValueError:
            return False
    return not any(one.startswith("--from=") for one in options) and not _EVERYTHING.isdisjoint(map(str, paths[:-1]))
