"""Lock files of every kind: packages, parents and lines; no text makes the readers crash."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import layout, write

from ci_action.project.dependencies.inventory import Inventory, Kind, Needed, by_name, chain, sound
from ci_action.project.dependencies.lockfiles import Lock, direct_names, inventory_of, kind_of
from ci_action.system.errors import ToolError

UV = """version = 1
[[package]]
name = "app"
version = "1"
source = { editable = "." }
dependencies = [{ name = "requests" }]
[package.dev-dependencies]
dev = [{ name = "six" }]
[[package]]
name = "part"
source = { virtual = "part" }
[package.optional-dependencies]
fast = [{ name = "Ultra_JSON" }]
[[package]]
name = "requests"
version = "2.19.0"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "urllib3", version = "1.24" }, { name = "urllib3", version = "2.0" }]
[[package]]
name = "six"
version = "1.16.0"
source = { git = "https://u:p@example.org/six#abc" }
[[package]]
name = "ultra-json"
version = "5"
source = { registry = "https://pypi.org/simple" }
[[package]]
name = "urllib3"
version = "1.24"
source = { registry = "https://pypi.org/simple" }
[[package]]
name = "urllib3"
version = "2.0"
source = { registry = "vendor/simple" }
[[package]]
name = "wheel-here"
version = "1"
source = { path = "vendor/wheel_here-1.whl" }
"""
PYLOCK = """lock-version = "1.0"
[[packages]]
name = "requests"
version = "2.19.0"
dependencies = [{ name = "urllib3" }]
[[packages]]
name = "urllib3"
version = "1.24"
[[packages]]
name = "app"
[packages.directory]
path = "."
[[packages]]
name = "six"
[packages.vcs]
type = "git"
[[packages]]
name = "toml"
[packages.archive]
url = "https://example.org/toml.whl"
"""
POETRY = """[[package]]
name = "requests"
version = "2.19.0"
[package.dependencies]
urllib3 = ">=1.21"
[[package]]
name = "urllib3"
version = "1.24"
[[package]]
name = "six"
version = "1"
[package.source]
type = "git"
url = "https://example.org/six.git"
[[package]]
name = "toml"
version = "1"
[package.source]
type = "url"
url = "https://example.org/toml.whl"
[[package]]
name = "app"
version = "1"
[package.source]
type = "directory"
url = "."
"""
PDM = """[[package]]
name = "requests"
version = "2.19.0"
dependencies = ["urllib3<2,>=1.21 ; python_version > '3'"]
[[package]]
name = "requests"
version = "2.19.0"
extras = ["socks"]
dependencies = ["pysocks"]
[[package]]
name = "urllib3"
version = "1.24"
[[package]]
name = "pysocks"
version = "1.7.1"
[[package]]
name = "six"
version = "1"
git = "https://example.org/six.git"
[[package]]
name = "app"
version = "1"
path = "./app"
"""
PIPENV = """{
    "_meta": {"sources": [{"name": "pypi"}]},
    "default": {
        "requests": {
            "version": "==2.19.0"
        },
        "six": {
            "git": "https://example.org/six.git"
        }
    },
    "develop": {
        "urllib3": {
            "version": "==1.24"
        },
        "app": {
            "editable": true,
            "path": "."
        }
    }
}
"""
DIRECT = frozenset({"requests", "six"})


def read_lock(kind: Kind, text: str, path: str, direct: frozenset[str] = frozenset()) -> Inventory:
    return inventory_of(Lock(kind, path, text.encode("utf-8", "surrogatepass")), direct)


def shown(inventory: Inventory) -> list[tuple[object, ...]]:
    return [
        (one.name, one.version, one.location.line if one.location else None, one.direct, one.parents)
        for one in inventory.packages
    ]


@pytest.mark.parametrize(
    ("kind", "text", "packages", "elsewhere"),
    [
        (
            Kind.UV, UV,
            [("requests", "2.19.0", 15, True, ()), ("ultra-json", "5", 24, True, ()),
             ("urllib3", "1.24", 28, False, ("requests",)), ("urllib3", "2.0", 32, False, ("requests",))],
            ["six: it comes from a repository", "wheel-here: it comes from a file"],
        ),
        (
            Kind.PYLOCK, PYLOCK,
            [("requests", "2.19.0", 3, True, ()), ("urllib3", "1.24", 7, False, ("requests",))],
            ["six: it comes from a repository", "toml: it comes from a URL"],
        ),
        (
            Kind.POETRY, POETRY,
            [("requests", "2.19.0", 2, True, ()), ("urllib3", "1.24", 7, False, ("requests",))],
            ["six: it comes from a repository", "toml: it comes from a URL"],
        ),
        (
            Kind.PDM, PDM,
            [("requests", "2.19.0", 2, True, ()), ("urllib3", "1.24", 11, False, ("requests",)),
             ("pysocks", "1.7.1", 14, False, ("requests",))],
            ["six: it comes from a repository"],
        ),
        (
            Kind.PIPENV, PIPENV,
            [("requests", "2.19.0", 4, True, ()), ("urllib3", "1.24", 12, False, ())],
            ["six: it comes from a repository"],
        ),
    ],
)  # fmt: skip
def test_what_a_lock_fixes(kind, text, packages, elsewhere):
    found = read_lock(kind, text, "x/lock", DIRECT)
    assert shown(found) == packages
    assert [f"{one.name}: {one.reason.partition(',')[0]}" for one in found.unauditable] == elsewhere
    assert all(one.location and one.location.path == "x/lock" for one in found.packages)


def test_a_folder_on_one_system_and_the_index_on_others():
    text = '[[package]]\nname = "a"\nversion = "1"\nsource = { directory = "a" }\n[[package]]\nname = "a"\nversion = "2"\nsource = { registry = "x" }\n'
    found = read_lock(Kind.UV, text, "uv.lock")
    assert [(one.name, one.version) for one in found.packages] == [("a", "2")]


def test_lines_that_cannot_be_told_are_left_open():
    text = 'package = [{ name = "a", version = "1" }]\n'
    (one,) = read_lock(Kind.POETRY, text, "poetry.lock").packages
    assert (one.location.line if one.location else 0, one.direct) == (None, None)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.UV, "[[package"),
        (Kind.UV, "package = 7"),
        (Kind.UV, '[[package]]\nname = "a"\n'),
        (Kind.POETRY, "[[package]]\nname = 7\nversion = '1'\n"),
        (Kind.PIPENV, "[]"),
        (Kind.PIPENV, '{"default": {"a": []}}'),
        (Kind.PIPENV, "[" * 100_000),
    ],
)
def test_what_is_no_lock_says_so(kind, text):
    with pytest.raises(ToolError, match="lock cannot be read"):
        read_lock(kind, text, "a.lock")


WORDS = st.sampled_from(
    ["name", "version", "source", "dependencies", "package", "a", "registry", "extras", "path"]
)
VALUES = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=5), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=12,
)


@given(st.sampled_from([Kind.PIPENV]), VALUES)
def test_no_document_makes_a_reader_crash(kind, document):
    import json

    with suppress(ToolError):
        lock = Lock(kind, "a.lock", json.dumps(document).encode())
        sound(inventory_of(lock))
        assert all(isinstance(line, str) for line in lock.requirements_of(()))


def test_a_lock_is_read_and_parsed_once_in_a_run(tmp_path: Path):
    write(tmp_path, {"poetry.lock": POETRY})
    places = layout(tmp_path)
    first = places.lock(tmp_path / "poetry.lock")
    entries = first.entries
    write(tmp_path, {"poetry.lock": "[["})
    again = places.lock(tmp_path / "poetry.lock")
    assert again is first
    assert again.entries is entries


@pytest.mark.parametrize(
    ("name", "kind"), [("uv.lock", Kind.UV), ("pylock.toml", Kind.PYLOCK), ("pylock.dev.toml", Kind.PYLOCK)]
)
def test_the_kind_of_a_lock(name: str, kind: Kind):
    assert kind_of(name) is kind


def toml(value: object) -> str:
    import json

    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value if value is not None else "none", ensure_ascii=True)


@given(
    st.sampled_from([Kind.UV, Kind.PYLOCK, Kind.POETRY, Kind.PDM]),
    st.lists(st.dictionaries(WORDS, VALUES), max_size=3),
)
def test_no_entries_make_a_reader_crash(kind, entries):
    key = "packages" if kind is Kind.PYLOCK else "package"
    with suppress(ToolError):
        lock = Lock(kind, "a.lock", f"{key} = {toml(entries)}\n".encode())
        sound(inventory_of(lock, DIRECT))
        assert all(isinstance(line, str) for line in lock.requirements_of(()))


def test_what_the_project_names():
    document = {
        "project": {"dependencies": ["A_b>1", "no requirement!"], "optional-dependencies": {"x": ["c"]}},
        "dependency-groups": {"dev": ["d", {"include-group": "x"}]},
        "tool": {"poetry": {"dependencies": {"python": "^3", "E": "*"}}},
    }
    assert direct_names(document) >= {"a-b", "c", "d", "e"}
    assert direct_names({}, '[packages]\nF = "*"\n[dev-packages]\ng = "*"\n') == {"f", "g"}
    assert direct_names({"project": 7}) == frozenset()


def needed(name: str, *parents: str, **overrides) -> Needed:
    return Needed(name=name, version="1", parents=parents, **{"direct": False, **overrides})


def test_the_way_down_to_a_package():
    packages = by_name([
        needed("a", direct=True), needed("b", "a"), needed("c", "b", "loop"), needed("loop", "c"), needed("d", "c"),
        needed("lost", "nobody"), needed("e", "b", "a"),
    ])  # fmt: skip
    ways = {name: chain(one, packages) for name, one in packages.items()}
    assert ways == {
        "a": (), "b": ("a",), "c": ("a", "b"), "loop": ("a", "b", "c"), "d": ("a", "b", "c"), "lost": (), "e": ("a",),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "version", "good"),
    [
        ("requests", "2.0+local", True),
        ("requests", "not a version", False),
        ("requests", "1.0\n::error::x", False),
        ("-r", "1", False),
        ("a\nb", "1", False),
        ("x" * 300, "1", False),
    ],
)
def test_only_names_and_versions_are_handed_on(name, version, good):
    found = sound(Inventory(kind=Kind.UV, source="x", packages=(Needed(name=name, version=version),)))
    assert (len(found.packages), len(found.unauditable)) == ((1, 0) if good else (0, 1))
