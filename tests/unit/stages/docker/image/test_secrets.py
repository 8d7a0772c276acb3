"""Names of written files, accepted secrets, and which files only have examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import write

from ci_action.engine.secret_scan.baseline import Baseline, Entry
from ci_action.stages.docker.image.secrets import (
    Hit,
    baseline_of,
    file_name,
    grouped,
    is_binary,
    is_example,
    lines_of,
)
from ci_action.stages.docker.image.secrets import write as write_file


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/app/settings.py", "000007/settings.py"),
        ("/app/.env", "000007/.env.properties"),
        ("/app/prod.env", "000007/prod.env.properties"),
        ("/app/.env.local", "000007/.env.local.properties"),
        ("/root/.pypirc", "000007/.pypirc.properties"),
        ("/app/environment.py", "000007/environment.py"),
        ("/app/id_rsa", "000007/id_rsa"),
        ("/app/-rf", "000007/rf"),
        ("/", "000007/_"),
        ("/app/a b\nc.py", "000007/a_b_c.py"),
    ],
)
def test_the_kind_of_a_file_stays(path: str, name: str):
    assert file_name(7, path) == name


@given(st.text(max_size=400))
def test_every_name_is_one_below_its_folder(path: str):
    folder, slash, name = file_name(3, path).partition("/")
    assert (folder, slash) == ("000003", "/")
    assert name
    assert name.isascii()
    assert "/" not in name
    assert len(name) < 130


def test_a_file_is_never_written_twice(tmp_path):
    write_file(tmp_path, "000001/x", b"1")
    with pytest.raises(FileExistsError):
        write_file(tmp_path, "000001/x", b"2")
    (tmp_path / "000002").mkdir()
    (tmp_path / "000002" / "x").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        write_file(tmp_path, "000002/x", b"2")


def test_what_is_accepted_in_a_file_is_accepted_in_its_copy(tmp_path):
    root = write(tmp_path, {"x": ""})
    entry = Entry("Secret Keyword", "ab")
    given_ = Baseline(
        file=root / ".secrets.baseline", root=root, entries={("src/a.py", "Secret Keyword", "ab"): entry}
    )
    paths = {"000000/a.py": "/app/src/a.py", "000001/a.py": "/app/a.py", "000002/b.py": "/app/src/b.py"}
    own = baseline_of(given_, tmp_path, paths)
    assert dict(own.entries) == {("000000/a.py", "Secret Keyword", "ab"): entry}
    assert own.entry(tmp_path / "000001/a.py", "Secret Keyword", "x", "") is None


@pytest.mark.parametrize(
    ("path", "example"),
    [
        ("/app/tests/test_login.py", True),
        ("/app/README.md", True),
        ("/app/docs/index.rst", True),
        ("/app/.env.example", True),
        ("/app/settings-sample.ini", True),
        ("/app/.github/workflows/tests.yml", True),
        ("/app/static/jquery.min.js", True),
        ("/app/.env", False),
        ("/app/settings.py", False),
        ("/app/distribution.py", False),
        ("/root/.netrc", False),
    ],
)
def test_examples(path: str, example: bool):
    assert is_example(path) is example


@pytest.mark.parametrize(
    ("content", "binary"),
    [(b"text", False), (b"a\0b", True), (b"\xff\xfea\0", False), (b"caf\xe9", False), (b"", False)],
)
def test_binary_files(content: bytes, binary: bool):
    assert is_binary(content) is binary


def test_hits_for_people():
    hits = [Hit("b", 9), Hit("b", 3), Hit("b", 3), Hit("a", 1)]
    assert grouped(hits) == "a on line 1, b on line 3 and 1 more"


def test_lines_keep_the_number_of_their_text():
    assert list(lines_of(["a\nb", "", "c"])) == [(0, "a"), (0, "b"), (1, ""), (2, "c")]
