"""The stage `quality`: formatting and linting."""

from typing import Final

from ci_action.engine.stage import Output, no_sections

OUTPUTS: Final[tuple[Output, ...]] = ()
SECTIONS: Final = no_sections
