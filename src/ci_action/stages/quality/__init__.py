"""The stage `quality`: formatting and linting."""

from typing import Final

from ci_action.engine.stage import Output

OUTPUTS: Final[tuple[Output, ...]] = ()
