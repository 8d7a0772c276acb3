"""Capture what type checkers write about a sample: `python tests/golden/capture_types.py [TOOL==VERSION]...`.

Needs the network, since every version comes by uv. The folder of the sample appears as `/project` in what is kept.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from ci_action.stages.types.mypy import format_options

HERE: Final = Path(__file__).parent
FOLDER: Final = HERE / "types"
VERSIONS: Final = (
    "mypy==0.991", "mypy==1.4.1", "mypy==1.10.1", "mypy==1.11.2", "mypy==2.4.1", "pyright==1.1.350", "pyright==1.1.414",
    "ty==0.0.1a20", "ty==0.0.107",
)  # fmt: skip
CASES: Final = {
    "clean": {"pkg/__init__.py": ""},
    "found": {"pkg/__init__.py": "", "pkg/broken.py": "types"},
    "syntax": {"pkg/__init__.py": "", "pkg/broken.py": "syntax"},
    "empty": {},
}


def arguments(tool: str, version: str) -> list[str]:
    """Return the arguments that we give to a version of a tool."""
    if tool == "mypy":
        return [*format_options(version), "--cache-dir=/dev/null", "--config-file=", "pkg"]
    if tool == "pyright":
        return ["--outputjson", "pkg"]
    return ["check", "--verbose", f"--output-format={'concise' if '1a' in version else 'gitlab'}", "pkg"]


def capture(tool: str, version: str) -> None:
    """Run one version of a tool on every case and keep both streams and the exit code."""
    package = "pyright[nodejs]" if tool == "pyright" else tool
    for case, samples in CASES.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name, "project")
            (folder / "pkg").mkdir(parents=True)
            for file, sample in samples.items():
                if sample:
                    shutil.copy(HERE / "samples" / f"{sample}.py.txt", folder / file)
                else:
                    (folder / file).write_text("")
            uv = shutil.which("uv", path=str(Path(sys.prefix) / "bin")) or "uv"
            argv = [uv, "tool", "run", "--quiet", "--from", f"{package}=={version}", tool]
            done = subprocess.run(
                [*argv, *arguments(tool, version)], cwd=folder, capture_output=True, check=False
            )
            for stream, text in (("out", done.stdout), ("err", done.stderr)):
                kept = text.replace(str(folder.resolve()).encode(), b"/project")
                if stream == "err" and tool == "mypy":  # thousands of lines of its log name files of its own
                    kept = b"".join(
                        line
                        for line in kept.splitlines(keepends=True)
                        if b"LOG: " not in line or b" source: " in line
                    )
                (FOLDER / f"{tool}-{version}-{case}.{stream}").write_bytes(kept)
            (FOLDER / f"{tool}-{version}-{case}.rc").write_text(f"{done.returncode}\n")
            print(f"{tool} {version} {case}: exit {done.returncode}")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for wanted in sys.argv[1:] or VERSIONS:
        capture(*wanted.split("=="))
