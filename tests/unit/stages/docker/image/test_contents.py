"""Packages that are left in an image, and the files of a layer that are searched for secrets."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.saved_images import layer, link

from ci_action.stages.docker.image.archive import LayerReader
from ci_action.stages.docker.image.contents import (
    Installed,
    Packages,
    Removal,
    TextFinder,
    Texts,
    apk_files,
    canonical,
    described,
    is_metadata,
    origin_of,
    record_files,
    removals,
)
from ci_action.stages.docker.image.packages import OF_DISTRIBUTION

Files: TypeAlias = Mapping[str, str | bytes | tarfile.TarInfo]
DEBIAN = OF_DISTRIBUTION.strip("/")
DPKG = Path("var/lib", "dpkg/info")
SITE = "usr/local/lib/python3.13/site-packages"


def metadata(name: str, version: str) -> str:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nRead me.\n"


def dist(name: str, version: str, where: str = SITE, **more: str) -> dict[str, str]:
    folder = f"{where}/{name}-{version}.dist-info"
    return {f"{folder}/METADATA": metadata(name, version)} | {
        f"{folder}/{key}": text for key, text in more.items()
    }


def left(*layers: Files) -> dict[str, str]:
    """Return the packages of an image: version by `folder name`."""
    packages = Packages()
    for number, files in enumerate(layers):
        reader = LayerReader(io.BytesIO(layer(files)))
        list(packages.read(number, reader, iter(reader)))
    return {f"{one.folder} {one.name}": one.version for one in packages.found.values()}


HERE = f"/{SITE}"


def test_every_place_and_form():
    found = left({
        **dist("requests", "2.19.0"),
        **dist("flask", "3.0", "app/.venv/lib/python3.12/site-packages"),
        **dist("black", "26.1", "opt/target"),
        f"{DEBIAN}/six-1.16.egg-info/PKG-INFO": metadata("six", "1.16"),
        f"{DEBIAN}/old-1.egg-info": metadata("old", "1"),
        "srv/zope-1-py3.8.egg/EGG-INFO/PKG-INFO": metadata("zope", "1"),
        "app/METADATA": metadata("not", "1"),
        "app/PKG-INFO": metadata("not", "2"),
    })  # fmt: skip
    assert found == {
        f"{HERE} requests": "2.19.0",
        "/app/.venv/lib/python3.12/site-packages flask": "3.0",
        "/opt/target black": "26.1",
        f"/{DEBIAN} six": "1.16",
        f"/{DEBIAN} old": "1",
        "/srv/zope-1-py3.8.egg zope": "1",
    }


INFO = f"{SITE}/requests-2.19.0.dist-info"


@pytest.mark.parametrize(
    ("later", "kept"),
    [
        ({}, True),
        ({f"{SITE}/.wh.requests-2.19.0.dist-info": ""}, False),
        ({f"{INFO}/.wh.METADATA": ""}, False),
        ({f"{INFO}/.wh..wh..opq": ""}, False),
        ({"usr/local/lib/.wh.python3.13": ""}, False),
        ({f"{SITE}/.wh..wh..opq": ""}, False),
        ({"usr/local/lib/python3.13": link("/opt")}, False),
        ({"usr/local/lib": "a file now"}, False),
        ({f"{SITE}/.wh.requests": ""}, True),
        ({f"{SITE}/": ""}, True),
        ({"usr/local/lib/.wh.python3.1": ""}, True),
    ],
)
def test_what_a_later_layer_removes(later: dict[str, str], kept: bool):
    assert (f"{HERE} requests" in left(dist("requests", "2.19.0"), later)) is kept


def test_a_new_version_replaces_the_old_one():
    upgrade = {f"{SITE}/.wh.requests-2.19.0.dist-info": "", **dist("requests", "2.32.0")}
    assert left(dist("requests", "2.19.0"), upgrade) == {f"{HERE} requests": "2.32.0"}


def test_an_opaque_folder_keeps_what_its_own_layer_has():
    later = {**dist("flask", "3.0"), f"{SITE}/.wh..wh..opq": ""}
    assert left(dist("requests", "2.19.0"), later) == {f"{HERE} flask": "3.0"}


def test_a_hard_link_is_a_second_place():
    cached = dist("requests", "2.19.0", "root/.cache/uv/archive-v0/x")
    (source,) = cached
    files: Files = {**cached, f"{INFO}/METADATA": link(source, tarfile.LNKTYPE)}
    assert left(files, {"root/.wh..cache": ""}) == {f"{HERE} requests": "2.19.0"}


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ('{"url": "file:///app", "dir_info": {"editable": true}}', "dir_info"),
        ('{"url": "file:///app", "dir_info": {}}', "dir_info"),
        ('{"url": "https://github.com/x/y", "vcs_info": {"vcs": "git"}}', "vcs_info"),
        ('{"url": "file:///wheels/x.whl", "archive_info": {}}', ""),
        ("[]", ""),
        ("{", ""),
        ("[" * 100_000, ""),
    ],
)
def test_origins(text: str, origin: str):
    assert origin_of(text.encode()) == origin
    packages = Packages()
    reader = LayerReader(io.BytesIO(layer(dist("x", "1", **{"direct_url.json": text}))))
    list(packages.read(0, reader, iter(reader)))
    assert [one.origin for one in packages.found.values()] == [origin]


@pytest.mark.parametrize(
    ("path", "raw", "name", "version"),
    [
        ("/s/a_b-1.2.dist-info/METADATA", b"", "a_b", ""),
        ("/s/a-1.2.egg-info", b"Name:  x \nVersion: 3\n", "x", "3"),
        ("/s/a-1.2.dist-info/METADATA", b"Name: \xff\xfe\nVersion: 1\n\n", "\ufffd\ufffd", "1"),
        ("/s/a.egg/EGG-INFO/PKG-INFO", b"nothing", "a", ""),
    ],
)
def test_metadata(path: str, raw: bytes, name: str, version: str):
    found = described(path, raw, 3)
    assert (found.name, found.version, found.layer) == (name, version, 3)


@given(st.binary(max_size=300))
def test_any_metadata(raw: bytes):
    found = described("/s/a-1.dist-info/METADATA", raw, 0)
    found.name.encode()
    found.version.encode()


def searched(files: Files, *own: str) -> Texts:
    finder = TextFinder(own=frozenset(own))
    reader = LayerReader(io.BytesIO(layer(files)))
    for entry in reader:
        finder.see(entry, reader)
    return finder.texts()


def paths(texts: Texts) -> list[str]:
    return [one.path for one in texts.files]


def test_files_of_packages_are_not_searched():
    record = "requests/api.py,sha256=x,4\nrequests/changed.py,,3\n../../../bin/req,,2\nrequests/x.pyc,,\n"
    files = {
        **dist("requests", "2.19.0", RECORD=record),
        f"{SITE}/requests/api.py": "abcd",
        f"{SITE}/requests/changed.py": "changed later",
        f"{SITE}/requests/x.pyc": "any",
        f"{SITE}/settings_local.py": "x = 1",
        "usr/local/bin/req": "ab",
        "app/main.py": "x",
        f"{DPKG}/git.list": "/.\n/usr/bin/git\n/lib/x/y.conf\n",
        "usr/bin/git": "x",
        "usr/lib/x/y.conf": "x",
        "usr/lib/python3.11/test/key.pem": "x",
        "etc/nsswitch.conf": "passwd: files",
        "app/node_modules/x/key.pem": "x",
        "empty": "",
    }
    found = searched(files)
    assert paths(found) == [f"{HERE}/requests/changed.py", f"{HERE}/settings_local.py", "/app/main.py"]
    assert found.of_packages == len(files) - 4
    assert paths(searched(files, "requests"))[:3] == [
        f"{HERE}/requests-2.19.0.dist-info/METADATA",
        f"{HERE}/requests-2.19.0.dist-info/RECORD",
        f"{HERE}/requests/api.py",
    ]


def test_large_files_are_counted():
    found = searched({"a.log": "x" * 1_000_001, "b.log": "x" * 1_000_000})
    assert (paths(found), found.large) == (["/b.log"], 1)


def test_the_files_of_apk():
    text = "P:musl\nF:lib\nR:ld-musl.so\na:0:0:755\n\nF:usr/bin\nR:x\n"
    assert list(apk_files(text.encode())) == ["/usr/lib/ld-musl.so", "/usr/bin/x"]


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe,1,2\n", b'"a\nb,,\n', b"a,,x\n" + b"," * 10])
def test_a_record_that_is_invalid(raw: bytes):
    assert record_files("/s/a-1.dist-info/RECORD", raw)["/s/a-1.dist-info/RECORD"] == -1


@pytest.mark.parametrize(
    ("path", "same"), [("/lib/x", "/usr/lib/x"), ("/usr/lib/x", "/usr/lib/x"), ("/library", "/library")]
)
def test_merged_folders(path: str, same: str):
    assert canonical(path) == same


@pytest.mark.parametrize(
    ("removed", "layer_of_file", "gone"),
    [("/app/x", 0, True), ("/app", 0, True), ("/", 0, True), ("/app/x", 1, False), ("/ap", 0, False)],
)
def test_removals(removed: str, layer_of_file: int, gone: bool):
    assert Removal(1, removed).removes(layer_of_file, "/app/x") is gone


def test_removals_of_a_layer():
    kept: list[Removal] = []
    reader = LayerReader(io.BytesIO(layer({"a/.wh.b": "", "c/.wh..wh..opq": "", "d": "x"})))
    assert len(list(removals(4, kept.append, iter(reader)))) == 3
    assert kept == [Removal(4, "/a/b"), Removal(4, "/c")]


NAMES = st.sampled_from(
    ["a", "b", "x-1.dist-info", "METADATA", ".wh.a", ".wh..wh..opq", ".wh.x-1.dist-info", ".."]
)


@given(
    st.lists(
        st.dictionaries(st.lists(NAMES, min_size=1, max_size=4).map("/".join), st.just("Name: x\n")),
        max_size=3,
    )
)
def test_what_is_left_is_in_the_layer_that_has_it(layers: list[dict[str, str]]):
    packages = Packages()
    for number, files in enumerate(layers):
        reader = LayerReader(io.BytesIO(layer(files)))
        list(packages.read(number, reader, iter(reader)))
    for path, one in packages.found.items():
        assert is_metadata(path)
        assert isinstance(one, Installed)
        entries = LayerReader(io.BytesIO(layer(layers[one.layer])))
        assert path in {entry.path for entry in entries}
