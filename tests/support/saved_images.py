"""Images as `docker save`, `docker image inspect` and `docker history` show them, made in memory."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.builders import completed
from support.docker_engine import INFO, answer

from ci_action.system.process import Command, Completed

FOLDER = "/"
ID = "sha256:" + "a1" * 32


def layer(files: Mapping[str, str | bytes | tarfile.TarInfo]) -> bytes:
    """Return a layer with these entries: the name of a folder ends with a slash; a `TarInfo` is an entry of another kind."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in files.items():
            if isinstance(content, tarfile.TarInfo):
                content.name = name
                tar.addfile(content)
                continue
            raw = content.encode() if isinstance(content, str) else content
            entry = tarfile.TarInfo(name.rstrip(FOLDER))
            entry.size = len(raw)
            if name.endswith(FOLDER):
                entry.type = tarfile.DIRTYPE
            tar.addfile(entry, io.BytesIO(raw))
    return stream.getvalue()


def link(target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    """Return a link, for `layer`."""
    entry = tarfile.TarInfo()
    entry.type, entry.linkname = kind, target
    return entry


def special(kind: bytes) -> tarfile.TarInfo:
    """Return a device or a pipe, for `layer`."""
    entry = tarfile.TarInfo()
    entry.type = kind
    return entry


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(kw_only=True)
class FakeImage:
    """An image, and the client of Docker that answers about it."""

    layers: Sequence[bytes]
    history: Sequence[tuple[str, int, bool]]
    """Command, size, and whether the entry has a layer; the first one first."""
    user: str = "app"
    env: Sequence[str] = ()
    size: int = 1_000_000
    oci: bool = False
    packed: bool = False
    saves: int = 0
    failure: Completed | None = None
    """What `docker save` answers instead."""
    absent: bool = False
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def archive(self) -> bytes:
        """Return what `docker save` writes."""
        blobs = [gzip.compress(one) if self.packed else one for one in self.layers]
        config = json.dumps(
            {
                "rootfs": {"type": "layers", "diff_ids": [digest(one) for one in self.layers]},
                "history": [{"created_by": text, "empty_layer": not has} for text, _, has in self.history],
            }
        ).encode()
        names = {}
        files: dict[str, Any] = {}
        for number, blob in enumerate(blobs):
            name = f"blobs/sha256/{digest(blob)[7:]}" if self.oci else f"{number:064x}/layer.tar"
            names[number] = name
            # Docker 20.10 writes a layer once, and links to it.
            same = next((names[other] for other in range(number) if blobs[other] == blob), "")
            files[name] = link(f"../{same}") if same and not self.oci else blob
        name = f"blobs/sha256/{digest(config)[7:]}" if self.oci else f"{digest(config)[7:]}.json"
        manifest = [{"Config": name, "RepoTags": ["x:ci"], "Layers": list(names.values())}]
        return layer({**files, name: config, "manifest.json": json.dumps(manifest)})

    def __call__(self, command: Command) -> Completed:
        words = command.argv[1:]
        self.asked.append(words)
        match words[0]:
            case "image":
                return (
                    completed(stderr="Error: No such image: x", returncode=1)
                    if self.absent
                    else answer(self.inspected)
                )
            case "history":
                entries = [{"CreatedBy": text, "Size": str(size)} for text, size, _ in reversed(self.history)]
                return completed("".join(json.dumps(one) + "\n" for one in entries))
            case "save":
                self.saves += 1
                if self.failure:
                    return self.failure
                target = next(word.partition("=")[2] for word in words if word.startswith("--output="))
                Path(target).write_bytes(self.archive())
                return completed()
            case _:
                return answer(INFO)

    @property
    def inspected(self) -> dict[str, Any]:
        return {
            "Id": ID,
            "Size": self.size,
            "Config": {"User": self.user, "Env": list(self.env)},
            "RootFS": {"Type": "layers", "Layers": [digest(one) for one in self.layers]},
        }
