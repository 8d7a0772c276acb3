"""A run of pytest: what our plugin writes, what it means, and the minima of coverage."""

from pathlib import Path
from typing import Final

TESTS: Final = "pytest"
COVERAGE: Final = "coverage"
"""The tools of a test run, by their names in results."""
PLUGIN: Final = Path(__file__).parent / "plugin"
"""The folder of the plugin that pytest loads."""
