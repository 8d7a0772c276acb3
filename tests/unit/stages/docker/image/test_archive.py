"""Layers and saved images: formats, limits, and archives that nobody should believe."""

import gzip
import io
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.saved_images import FakeImage, digest, layer, link, special

from ci_action.stages.docker.image.archive import Entry, Kind, LayerError, LayerReader, absolute, opened


def read(raw: bytes, **limits: Any) -> list[Entry]:
    return list(LayerReader(io.BytesIO(raw), **limits))


def test_what_entries_do():
    found = read(
        layer({
            "./": "",
            "./app/": "",
            "app/a.txt": "hello",
            "app/.wh.old": "",
            "app/.wh..wh..opq": "",
            "app/link": link("/etc/shadow"),
            "app/hard": link("app/a.txt", tarfile.LNKTYPE),
            "dev/null": special(tarfile.CHRTYPE),
            "pipe": special(tarfile.FIFOTYPE),
        })
    )  # fmt: skip
    assert [(one.path, one.kind) for one in found] == [
        ("/", Kind.FOLDER),
        ("/app", Kind.FOLDER),
        ("/app/a.txt", Kind.FILE),
        ("/app/old", Kind.REMOVED),
        ("/app", Kind.EMPTIED),
        ("/app/link", Kind.OTHER),
        ("/app/hard", Kind.OTHER),
        ("/dev/null", Kind.OTHER),
        ("/pipe", Kind.OTHER),
    ]
    assert found[6].target == "/app/a.txt"


def test_content_by_its_place():
    reader = LayerReader(io.BytesIO(layer({"a": "first", "b": "second"})))
    first, second = list(reader)
    assert (reader.content(second, 100), reader.content(first, 3)) == (b"second", b"fir")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("../../etc/passwd", "/etc/passwd"),
        ("/etc/passwd", "/etc/passwd"),
        ("//x", "/x"),
        ("a/../../b", "/b"),
        ("./a//b/.", "/a/b"),
        ("", "/"),
        ("..", "/"),
    ],
)
def test_names_lead_nowhere(name: str, path: str):
    assert absolute(name) == path


@given(st.text(max_size=60))
def test_every_name_is_an_absolute_path(name: str):
    path = absolute(name)
    assert path.startswith("/")
    assert ".." not in path.split("/")


def test_a_long_name_and_invalid_utf_8():
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT, encoding="latin-1") as tar:
        tar.addfile(tarfile.TarInfo("d/" + "n" * 3000))
        tar.addfile(tarfile.TarInfo("caf\xe9"))
    long, odd = read(stream.getvalue())
    assert len(long.path) == 3003
    assert odd.path == "/caf\udce9"


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.type = size, kind
    return entry.tobuf(tarfile.GNU_FORMAT)


HOSTILE = {
    "a-header-of-gigabytes": header("././@LongLink", 8_000_000_000, tarfile.GNUTYPE_LONGNAME) + bytes(2048),
    "an-extended-header-of-gigabytes": header("x", 8_000_000_000, tarfile.XHDTYPE) + bytes(2048),
    "an-invalid-header-hides-the-rest": layer({"a": "x"})[:1024] + b"x" * 512 + layer({"b": "y"}),
    "it-ends-in-a-header": layer({"a": "x"})[:1024] + header("b", 5)[:300],
    "it-ends-in-a-file": header("a", 5_000_000) + b"x" * 512,
    "no-archive": b"x" * 4096,
    "nothing": b"",
    "a-file-of-exabytes": header("a", 2**60) + bytes(1024),
    "a-negative-size": header("a", 0) + header("b", -512) + bytes(1024),
    "a-chain-of-headers": header("x", 0, tarfile.XHDTYPE) * 5000 + bytes(1024),
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_what_is_not_read_to_its_end_is_an_error(raw: bytes):
    with pytest.raises(LayerError) as error:
        read(raw, most=1000)
    assert "1,000" not in error.value.reason  # the limit is not what has stopped it


def test_limits():
    raw = layer({str(number): "x" for number in range(5)})
    assert len(read(raw, most=5)) == 5
    with pytest.raises(LayerError):
        read(raw, most=4)
    with pytest.raises(LayerError):
        read(raw, largest=1000)
    with pytest.raises(LayerError):
        list(LayerReader(io.BytesIO(raw), stopped=lambda: True))


def test_a_file_that_is_cut_off():
    raw = layer({"a": "x" * 600})
    with pytest.raises(LayerError):
        LayerReader(io.BytesIO(raw[:700])).content(Entry("/a", Kind.FILE, 600, 512), 1000)


@given(st.binary(max_size=3000))
def test_any_bytes_end(raw: bytes):
    for stream in (io.BytesIO(raw), gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(raw)))):
        with suppress(LayerError):
            list(LayerReader(stream))


@given(st.data())
def test_a_damaged_archive_is_an_error_or_complete(data: st.DataObject):
    raw = bytearray(layer({"a": "x", "b/c": "y" * 700, "d": link("e")}))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(raw))
    except LayerError:
        return
    assert len(found) == 3


BASE = layer({"etc/os-release": "ID=debian\n"})
OWN = layer({"app/main.py": "print()\n"})
HISTORY = [("base", 1, True), ("CMD x", 0, False), ("COPY . . # buildkit", 2, True), ("COPY again", 0, True)]


@pytest.mark.parametrize(("oci", "packed"), [(False, False), (True, False), (True, True)])
def test_saved_images(oci: bool, packed: bool, tmp_path: Path):
    image = FakeImage(layers=[BASE, OWN, OWN], history=HISTORY, oci=oci, packed=packed)
    file = tmp_path / "image.tar"
    file.write_bytes(image.archive())
    with opened(file, tuple(digest(one) for one in image.layers)) as archive:
        assert archive.empty == (False, True, False, False)
        for number, name in enumerate(("/etc/os-release", "/app/main.py", "/app/main.py")):
            reader = archive.layer(number, lambda: False)
            (entry,) = list(reader)
            assert entry.path == name
            assert reader.content(entry, 100) in {b"ID=debian\n", b"print()\n"}


def saved(**files: str | bytes | tarfile.TarInfo) -> bytes:
    return layer({name.replace("_json", ".json"): content for name, content in files.items()})


MANIFEST = '[{"Config": "c.json", "Layers": ["l"]}]'
CONFIG = '{"rootfs": {"diff_ids": ["sha256:1"]}, "history": [{}]}'


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no archive at all",
        saved(),
        saved(manifest_json="[]", c_json=CONFIG),
        saved(manifest_json="{", c_json=CONFIG),
        saved(manifest_json=MANIFEST),
        saved(manifest_json=MANIFEST, c_json="[]", l=OWN),
        saved(manifest_json=MANIFEST, c_json='{"rootfs": {"diff_ids": []}}', l=OWN),
        saved(manifest_json=MANIFEST, c_json=link("/etc/passwd"), l=OWN),
        saved(manifest_json=MANIFEST, c_json=link("c.json"), l=OWN),
        saved(manifest_json=MANIFEST, c_json='{"rootfs": {"diff_ids": ["sha256:2"]}}', l=OWN),
    ],
)
def test_an_archive_that_is_no_image(raw: bytes, tmp_path: Path):
    file = tmp_path / "image.tar"
    file.write_bytes(raw)
    with pytest.raises(LayerError), opened(file, ("sha256:1",)):
        pass


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"\x28\xb5\x2f\xfd" + bytes(100), "Zstandard"),
        (b"BZh9" + bytes(100), "bzip2"),
        (gzip.compress(OWN)[:-20], "."),
        (b"\x1f\x8b" + bytes(100), "."),
        (link("absent"), "."),
        (special(tarfile.CHRTYPE), "."),
    ],
    ids=["zstd", "bzip2", "cut-gzip", "no-gzip", "dangling-link", "device"],
)
def test_a_layer_that_cannot_be_read_is_named(content: bytes | tarfile.TarInfo, word: str, tmp_path: Path):
    file = tmp_path / "image.tar"
    file.write_bytes(saved(manifest_json=MANIFEST, c_json=CONFIG, l=content))
    with opened(file, ("sha256:1",)) as archive, pytest.raises(LayerError, match=word):
        list(archive.layer(0, lambda: False))
