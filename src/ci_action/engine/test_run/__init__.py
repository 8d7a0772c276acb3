"""A run of pytest: what our plugin writes, what it means, and the minima of coverage."""

from pathlib import Path
from typing import Final

PLUGIN: Final = Path(__file__).parent / "plugin"
"""The folder with the plugin that we give to pytest."""
