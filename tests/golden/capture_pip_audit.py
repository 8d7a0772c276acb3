"""Record what the bundled pip-audit prints for the answers of an advisory service: `python tests/golden/capture_pip_audit.py`.

Of stderr the lines stay that say something; the places of this machine in them become `...`.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "src")]

from support.advisory_service import (  # noqa: E402 - the path to it is set above
    AdvisoryService,
    Failing,
    advisories,
    served,
)

FOLDER = TESTS / "golden" / "pip-audit"
PACKAGES = ("redis==4.0.0", "requests==2.19.0", "six==1.16.0", "urllib3==1.24.1")
STRANGE = {
    "schema_version": "2.0.0",
    "id": "PYSEC-2099-1",
    "affected": advisories()["PYSEC-2018-28"]["affected"],
}
CASES = {
    "found": AdvisoryService(),
    "clean": AdvisoryService(known={}),
    "strange": AdvisoryService(known={"PYSEC-2099-1": STRANGE}),
    "status-500": AdvisoryService(failing=Failing(status=500, only=frozenset({"six"}))),
    "status-404": AdvisoryService(failing=Failing(status=404)),
    "half": AdvisoryService(failing=Failing(half=True, only=frozenset({"requests"}))),
    "hang": AdvisoryService(failing=Failing(hang=True)),
    "no-json": AdvisoryService(failing=Failing(body=b"<html>welcome</html>")),
    "no-osv": AdvisoryService(failing=Failing(body=b'{"status": "ok"}')),
    "no-types": AdvisoryService(failing=Failing(body=b'{"vulns": [7]}')),
    "refused": AdvisoryService(),
    "no-name": AdvisoryService(),
}
ADDRESSES = {"refused": "http://127.0.0.1:9", "no-name": "http://advisories.invalid"}


def capture(name: str, service: AdvisoryService, folder: Path) -> None:
    file = folder / "packages.txt"
    file.write_text("\n".join(PACKAGES) + "\n")
    with served(service):
        address = ADDRESSES.get(name, service.address)
        done = subprocess.run(
            [
                str(Path(sys.prefix, "bin", "pip-audit")), f"--requirement={file}", "--no-deps", "--disable-pip", "--format=json",
                "--desc=on", "--aliases=on", "--progress-spinner=off", "--vulnerability-service=osv", "--timeout=1", "--verbose",
                f"--osv-url={address}/v1/query", f"--cache-dir={folder / 'http'}",
            ],
            check=False, capture_output=True, text=True, env={**os.environ, "PYTHONHASHSEED": "0"},  # it orders aliases by chance
        )  # fmt: skip
    lines = [line for line in done.stderr.splitlines() if not line.startswith("DEBUG:pip_audit._cli:parsed")]
    # Of a traceback the frames of pip-audit are enough.
    lines = [line for line in lines if not line.startswith(" ") or "/pip_audit/" in line]
    stderr = re.sub(r'File ".*/pip_audit/', 'File ".../pip_audit/', "".join(f"{line}\n" for line in lines))
    stderr = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:8000", stderr).replace(str(folder), "...")
    stderr = re.sub(r"port=\d+", "port=8000", re.sub(r"0x[0-9a-f]+", "0x0", stderr))
    (FOLDER / f"{name}.json").write_text(done.stdout)
    (FOLDER / f"{name}.txt").write_text(f"exit {done.returncode}\n{stderr}")


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for case, one in CASES.items():
        with tempfile.TemporaryDirectory() as temporary:
            capture(case, one, Path(temporary))
