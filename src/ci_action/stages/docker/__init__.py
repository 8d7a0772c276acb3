"""The stage `docker`: the image of the project, how it is built, that it starts and answers, and what is in it."""

from typing import Final

from ci_action.engine.stage import Output, no_sections

OUTPUTS: Final[tuple[Output, ...]] = ()
SECTIONS: Final = no_sections
