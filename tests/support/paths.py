"""Where the repository and the folders of its tests are."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCES: Final = ROOT / "src" / "ci_action"
TESTS: Final = ROOT / "tests"
GOLDEN: Final = TESTS / "golden"
PROJECTS: Final = TESTS / "projects"
PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
"""The documentation for users."""
