"""The stage `quality`: its tools, and the errors in its settings."""

from collections.abc import Iterator
from typing import Final

from ci_action.engine.stage import Configuration, Stage
from ci_action.engine.tool import refused_options
from ci_action.stages.quality import black, ruff, ruff_format
from ci_action.system.project_files import leading_words


def mistakes(given: Configuration) -> Iterator[str]:
    """Yield an error for each option that is refused or leads out of the workspace."""
    settings, layout = given.settings, given.layout
    for tool, words in ((black.TOOL, settings.black_args), (ruff.TOOL, settings.ruff_args)):
        yield from refused_options(tool, words)
        leading = leading_words(words, layout.root, layout.workspace)
        yield from (f"{tool.name}-args: {mistake}" for mistake in leading)


STAGE: Final = Stage(
    name="quality",
    summary="Formatting and linting.",
    tools=(black.TOOL, ruff_format.TOOL, ruff.TOOL),
    mistakes=mistakes,
    stops=True,
)
