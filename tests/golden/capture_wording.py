"""Write anew the sentences that tests expect: `python tests/golden/capture_wording.py [FILE]...`, of all tests without a file.

Sentences of a file are written as a whole: tests that do not pass leave nothing behind, so read the difference.
"""

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
FOLDER = TESTS / "golden" / "wording"


def main(names: list[str]) -> int:
    """Run the tests of files and keep what they are told."""
    known = [
        str(TESTS / file.relative_to(FOLDER).with_suffix(".py")) for file in sorted(FOLDER.rglob("*.json"))
    ]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--capture-wording",
        *(names or known),
    ]
    return subprocess.run(command, cwd=TESTS.parent, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
