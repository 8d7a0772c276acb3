"""A Python that is not on the machine: fetched through uv, by a list and an archive served on loopback."""

import shutil

import pytest
from support import interpreter_archive
from support.package_index import served

PROJECT = {
    "pyproject.toml": "[project]\nname = 'sample'\nversion = '0'\nrequires-python = '>=3.9'\n",
    "test_a.py": "import platform, sys\ndef test_version():\n"
    f"    assert platform.python_version() == '{interpreter_archive.VERSION}'\n    assert 'fetched' in sys.base_prefix\n",
}
pytestmark = pytest.mark.skipif(
    any(shutil.which(f"python{interpreter_archive.VERSION}", path=place) for place in ("/usr/bin", "/bin")),
    reason="the machine has this very Python",
)


@pytest.fixture(scope="session")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    return folder, interpreter_archive.pack(folder / "python.tar.gz")


@pytest.fixture
def fetching(project, ci_action, tmp_path):
    """Run the tests where no Python but the system's can be found."""

    def run(downloads, *words, **more):
        env = {
            "PATH": "/usr/bin:/bin",
            "UV_PYTHON_INSTALL_DIR": str(tmp_path / "fetched"),
            "UV_PYTHON_DOWNLOADS_JSON_URL": downloads,
            "UV_PYTHON_PREFERENCE": "managed",
            **more,
        }
        words = (
            f"--python-version={interpreter_archive.VERSION}",
            f"--cache-dir={tmp_path / 'kept'}",
            *words,
        )
        return ci_action(project(PROJECT), "run", "test", *words, env=env)

    return run


@pytest.mark.parametrize("place", ["file", "address"])
def test_it_is_fetched_and_the_tests_run_on_it(archive, fetching, tmp_path, place):
    folder, digest = archive
    with served(folder) as address:
        file = interpreter_archive.listed(folder / f"{place}.json", f"{address}/python.tar.gz", digest)
        ran = fetching(str(file) if place == "file" else f"{address}/{file.name}")
    assert ran.code == 0, ran.out
    assert ran.report["outputs"]["tests-total"] == "1"
    assert any((tmp_path / "fetched").glob(f"cpython-{interpreter_archive.VERSION}-*"))


def test_one_that_is_not_what_was_promised_is_broken(archive, fetching, tmp_path):
    folder, digest = archive
    with served(folder) as address:
        wrong = interpreter_archive.listed(folder / "wrong.json", f"{address}/python.tar.gz", "0" * 64)
        ran = fetching(str(wrong))
    assert (ran.code, ran.report["conclusion"]) == (3, "broken"), ran.out
    reason = ran.tool("environment")["reason"]
    assert interpreter_archive.VERSION in reason
    assert "hash mismatch" in reason.lower()
    assert digest in reason, "what came instead"
    assert not list((tmp_path / "fetched").glob("cpython-*"))
    assert ran.tool("pytest")["outcome"] == "skipped"


def test_an_address_where_nothing_answers_is_broken(fetching, tmp_path):
    file = interpreter_archive.listed(tmp_path / "gone.json", "http://127.0.0.1:9/python.tar.gz", "0" * 64)
    ran = fetching(str(file), UV_HTTP_RETRIES="0")
    assert (ran.code, ran.report["conclusion"]) == (3, "broken"), ran.out
    assert "127.0.0.1:9" in ran.tool("environment")["reason"]


def test_one_that_nobody_offers_is_refused_with_those_that_are_here(archive, fetching, tmp_path):
    file = tmp_path / "nothing.json"
    file.write_text("{}")
    ran = fetching(str(file), "--python-version=3.99.1")
    assert (ran.code, ran.report["conclusion"]) == (3, "broken"), ran.out
    reason = ran.tool("environment")["reason"]
    assert "3.99.1" in reason
    assert "; found: " in reason
