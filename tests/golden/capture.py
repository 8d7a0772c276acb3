"""Capture what the tools write about the samples beside this file: `python tests/golden/capture.py [TOOL==VERSION]...`.

Needs the network, since every version comes through uv's tool runner. The folder in which a tool ran appears as
`/project` in what is kept.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
BLACK: Final = ("22.12.0", "23.12.1", "24.10.0", "25.1.0", "26.1.0", "26.10.1")
RUFF: Final = ("0.0.292", "0.4.10", "0.9.10", "0.12.0", "0.17.6")
RUFF_FORMAT: Final = ("0.1.0", "0.1.2", "0.1.15", "0.4.10", "0.9.10", "0.12.0", "0.15.12", "0.17.6")
# Case to samples; a name may differ from that of its sample.
CASES: Final = {
    "clean": {"clean.py": "clean"},
    "findings": {"clean.py": "clean", "messy.py": "messy", "syntax.py": "syntax"},
    "hostile": {"hostile.py": "hostile", "sub folder/ünïcödé ##[x].py": "hostile"},
    "encodings": {name: Path(name).stem for name in ("latin1.py", "not_utf8.py", "crlf.py", "no_newline.py")},
}
_BLACK: Final = ("--check", "--diff", "--fast", "--no-color", "--force-exclude=", "--config=black.toml", "--")
_RUFF: Final = ("check", "--isolated", "--select=E4,E7,E9,F", "--no-cache")
_RUFF_FORMAT: Final = ("format", "--isolated", "--no-cache", "--force-exclude", "--diff", "--")
_RUFF_JSON: Final = ("--output-format=json", "--no-fix", "--no-fix-only", "--", ".")


def commands(tool: str, files: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what is run for a case: a suffix of the file name, and the arguments."""
    if tool == "black":
        yield "", (*_BLACK, *files)
    elif tool == "ruff-format":
        yield "", (*_RUFF_FORMAT, *files)
    else:
        yield "", (*_RUFF, *_RUFF_JSON)
        yield "-files", (*_RUFF, "--show-files", "--", ".")


def capture(tool: str, version: str) -> None:
    """Run one version of a tool on every case and keep both streams and the exit code."""
    for case, samples in CASES.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name, "project")
            for file, sample in samples.items():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(HERE / "samples" / f"{sample}.py.txt", folder / file)
            if tool == "black":
                (folder / "black.toml").write_text("[tool.black]\n", encoding="utf-8")
            for suffix, arguments in commands(tool, list(samples)):
                program = tool.partition("-")[0]
                argv = [
                    _uv(),
                    "tool",
                    "run",
                    "--quiet",
                    "--from",
                    f"{program}=={version}",
                    program,
                    *arguments,
                ]
                done = subprocess.run(argv, cwd=folder, capture_output=True, check=False)
                streams = {"out": done.stdout, "err": done.stderr}
                if tool == "ruff-format":
                    streams["code"] = f"{done.returncode}\n".encode()
                for stream, text in streams.items():
                    kept = text.replace(str(folder.resolve()).encode(), b"/project")
                    (HERE / tool / f"{version}-{case}{suffix}.{stream}").write_bytes(kept)
                print(f"{tool} {version} {case}{suffix}: exit {done.returncode}")


def _uv() -> str:
    beside = Path(sys.prefix) / "bin" / "uv"
    return str(beside) if beside.is_file() else "uv"


def main(words: Sequence[str]) -> None:
    """Capture what is named, or everything."""
    versions = {"black": BLACK, "ruff": RUFF, "ruff-format": RUFF_FORMAT}
    everything = [f"{tool}=={version}" for tool, found in versions.items() for version in found]
    for word in words or everything:
        tool, _, version = word.partition("==")
        capture(tool, version)


if __name__ == "__main__":
    main(sys.argv[1:])
