"""The stage `types`: mypy, pyright or ty, as the project runs them."""

from typing import Final

from ci_action.engine.stage import Output, no_sections

OUTPUTS: Final[tuple[Output, ...]] = ()
SECTIONS: Final = no_sections
