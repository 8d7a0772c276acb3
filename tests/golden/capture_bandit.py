"""Record anew what bandit writes about small samples: `python tests/golden/capture_bandit.py [VERSION]...`.

Needs the network, since every version comes through uv's tool runner.
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
VERSIONS: Final = ("1.7.10", "1.8.6", "1.9.4")
_WEAK: Final = """import os
import subprocess
import tarfile

subprocess.call(
    "ls " + where,
    shell=True,
)
password = "correct horse"
os.chmod("/srv/keys of the harbour", 0o777)
connect(token="battery staple")


def login(name, pwd="it's a \\"quote\\""):
    assert name
    tarfile.open(name).extractall(members=[one for one in name])


"ünïcödé"; eval(name)
subprocess.call(["ls"])  # nosec
"""
CASES: Final[dict[str, dict[str, str | bytes]]] = {
    "clean": {"clean.py": "x = 1\n", "empty.py": ""},
    "findings": {"weak.py": _WEAK, "deep/bidi.py": "# a\u202e b\n", "tests/test_it.py": "assert 1\n"},
    "unreadable": {
        "syntax.py": "def f(:\n",
        "bytes.py": b"x = '\xff'\n",
        "nul.py": b"x = 1\0\n",
        "deep.py": "x = " + "+".join(["1"] * 20_000) + "\n",
        "fine.py": "assert 1\n",
    },
    "test-failed": {"tar.py": "import tarfile\nt.extractall(members=a.b('value of the source'))\n"},
    "missing": {"there.py": "x = 1\n", "gone.py": b""},
    "excluded": {
        "src/contest/a.py": "assert 1\n",
        "src/b.py": "assert 1\n",
        "bandit.yaml": "exclude_dirs: [test]\n",
    },
    "skips-as-text": {"a.py": "assert 1\n", "bandit.yaml": "skips: B101\n"},
    "unknown-test": {"a.py": "assert 1\n", "bandit.yaml": "skips: [B999, B322]\n"},
    "contradiction": {"a.py": "assert 1\n", "bandit.yaml": "skips: [B101]\ntests: [B101]\n"},
    "empty-configuration": {"a.py": "assert 1\n", "bandit.yaml": ""},
    "unprintable": {"half.py": 'password = "\\ud800"\n'},
}
_MASKED: Final = (
    (rb"0x[0-9a-f]{6,}", b"0x7f0000000000"),
    (rb'"generated_at": "[^"]*"', b'"generated_at": ""'),
)


def capture(version: str) -> None:
    """Run one version on every case and keep both streams and the exit code."""
    for case, samples in CASES.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for file, content in samples.items():
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
            (folder / "gone.py").unlink(missing_ok=True)
            files = [f"./{file}" for file in samples if file.endswith(".py")]
            options = ["--configfile=bandit.yaml"] if "bandit.yaml" in samples else []
            options += ["--quiet", "--format=json", "--number=0", "--", *files]
            argv = [_uv(), "tool", "run", "--quiet", "--from", f"bandit=={version}", "bandit", *options]
            done = subprocess.run(argv, cwd=folder, capture_output=True, check=False)
        for stream, text in (("out", done.stdout), ("err", _without_paths(done.stderr))):
            (HERE / "bandit" / f"{version}-{case}.{stream}").write_bytes(_masked(text))
        (HERE / "bandit" / f"{version}-{case}.code").write_text(f"{done.returncode}\n", encoding="utf-8")
        print(f"bandit {version} {case}: exit {done.returncode}")


def _masked(text: bytes) -> bytes:
    for pattern, mask in _MASKED:
        text = re.sub(pattern, mask, text)
    return text


def _without_paths(text: bytes) -> bytes:
    return re.sub(rb'File "[^"]*/(bandit/[^"]*|bin/bandit)"', rb'File "/tools/\1"', text)


def _uv() -> str:
    beside = Path(sys.prefix) / "bin" / "uv"
    return str(beside) if beside.is_file() else "uv"


def main(versions: Sequence[str]) -> None:
    """Capture these versions, or all."""
    (HERE / "bandit").mkdir(exist_ok=True)
    for version in versions or VERSIONS:
        capture(version)


if __name__ == "__main__":
    main(sys.argv[1:])
