"""The stage `migrations`: the revisions of Alembic, on a real database."""

from typing import Final

from ci_action.engine.stage import Output, no_sections

OUTPUTS: Final[tuple[Output, ...]] = ()
SECTIONS: Final = no_sections
