"""Record anew what coverage writes of one sample in its own formats: `python tests/golden/capture_coverage.py`."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent / "coverage"
SAMPLE = {
    "harbour/__init__.py": "",
    "harbour/tides.py": (
        "def height(hour, spring=False):\n"
        "    if spring:\n"
        "        return 9\n"
        "    for one in range(hour):\n"
        "        if one > 3:\n"
        "            break\n"
        "    else:\n"
        "        hour += 1\n"
        "    while hour > 100:\n"
        "        hour -= 1\n"
        "    return (\n"
        "        hour\n"
        "        + 1\n"
        "    )\n"
    ),
    "harbour/deep/fees.py": "def fee(size):\n    try:\n        return 1 / size\n    except ZeroDivisionError:\n        return 0\n",
    "unused.py": "import os\n\nif os:\n    x = 1\n",
    "main.py": "from harbour.deep.fees import fee\nfrom harbour.tides import height\n\nheight(2)\nheight(6)\nfee(1)\n",
}


def run(folder: Path, name: str, *options: str) -> None:
    """Run the sample and keep the three files."""
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "run", "--source=.", *options, "main.py"], cwd=folder, check=True)
    for kind, suffix in (("json", "json"), ("xml", "xml"), ("lcov", "lcov")):
        file = HERE / f"{name}.{suffix}"
        subprocess.run([*coverage, kind, "-q", "-o", file], cwd=folder, check=True)
        text = file.read_text("utf-8").replace(str(folder), "/project")
        text = re.sub(r'"timestamp": "[^"]*"', '"timestamp": "2026-01-02T03:04:05"', text)
        file.write_text(re.sub(r'timestamp="\d+"', 'timestamp="1767323045000"', text) + "\n", "utf-8")


def main() -> None:
    """Record with and without branches."""
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, text in SAMPLE.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8")
        run(folder, "branches", "--branch")
        run(folder, "lines")


if __name__ == "__main__":
    main()
