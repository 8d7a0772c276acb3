"""An interpreter that uv can download: an archive of the current one, and an index with it."""

import json
import os
import platform
import sys
import sysconfig
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Final

VERSION: Final = platform.python_version()
_LEFT_OUT: Final = (
    "__pycache__",
    "test",
    "tests",
    "idlelib",
    "tkinter",
    "turtledemo",
    "ensurepip",
    "lib2to3",
)


def shared_object() -> Path | None:
    """Return the shared library of the interpreter, which it expects at its build location."""
    name = str(sysconfig.get_config_var("INSTSONAME") or "")
    file = Path(sys.base_prefix, "lib", name)
    return file if sysconfig.get_config_var("Py_ENABLE_SHARED") and file.is_file() else None


def pack(file: Path) -> str:
    """Write the archive; return its SHA-256."""
    home = Path(sys.base_prefix)
    series = f"python{sys.version_info.major}.{sys.version_info.minor}"

    def chosen(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
        parts = Path(info.name).parts
        here = "site-packages" in parts and parts[-1] != "site-packages"
        return None if here or parts[-1] in _LEFT_OUT or parts[-1].startswith("config-") else info

    with tarfile.open(file, "w:gz", compresslevel=1) as archive:
        archive.add(os.path.realpath(home / "bin" / series), f"python/bin/{series}")
        link = tarfile.TarInfo("python/bin/python3")
        link.type, link.linkname = tarfile.SYMTYPE, series
        archive.addfile(link)
        for library in home.glob("lib/libpython*.so*"):
            archive.add(library, f"python/lib/{library.name}")
        archive.add(home / "lib" / series, f"python/lib/{series}", filter=chosen)
    return sha256(file.read_bytes()).hexdigest()


def listed(file: Path, address: str, digest: str) -> Path:
    """Write the list of downloads, in the form that uv reads."""
    major, minor, patch = platform.python_version_tuple()
    entry = {
        "name": "cpython",
        "arch": {"family": platform.machine(), "variant": None},
        "os": "linux",
        "libc": "gnu",
        "major": int(major),
        "minor": int(minor),
        "patch": int(patch),
        "prerelease": "",
        "url": address,
        "sha256": digest,
        "variant": None,
        "build": "20260101",
    }
    file.write_text(json.dumps({f"cpython-{VERSION}-linux-{platform.machine()}-gnu": entry}))
    return file
