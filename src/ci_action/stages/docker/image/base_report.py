"""The size of the image in a former report: `base-report`."""

from pathlib import Path

import msgspec

from ci_action.project.layout import Layout
from ci_action.system.errors import ProjectFileError
from ci_action.system.project_files import LARGEST_SOURCE, find_project_file

METRIC = "image_size"


class _Tool(msgspec.Struct):
    metrics: dict[str, float] = {}


class _Stage(msgspec.Struct):
    tools: tuple[_Tool, ...] = ()


class _Report(msgspec.Struct):
    stages: tuple[_Stage, ...]


def base_size(layout: Layout, given: str) -> tuple[int | None, str]:
    """Return the size of the image in a report, and a warning if it has none or cannot be read."""
    if not given:
        return None, ""
    file = layout.workspace / given
    about = f"the size of the image was not compared with `base-report` {given!r}"
    try:
        raw = find_project_file(Path(file), layout.workspace, largest=LARGEST_SOURCE)
        if raw is None:
            return None, f"{about}: the file was not found; download the report of the base branch to it"
        size = size_in(raw)
    except (ProjectFileError, ValueError, RecursionError) as error:
        return None, f"{about}: {error}"
    return size, "" if size is not None else f"{about}: it has no size of an image"


def size_in(raw: bytes) -> int | None:
    """Return the size of the image in a report; raises `ValueError` if it is not a report."""
    report = msgspec.json.decode(raw, type=_Report)
    sizes = [
        tool.metrics[METRIC] for stage in report.stages for tool in stage.tools if METRIC in tool.metrics
    ]
    return int(sizes[0]) if sizes and sizes[0] >= 0 else None
